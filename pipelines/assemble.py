"""One register with the source of each value: from linked canonical tables to one row per child.

Pure: frames in, frames out. The register holds every child with an active EHC plan that this council maintains, and every child in
assessment, as at the day asked for; what other systems say stays beside it, so that rules can report where they disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from config.canonical import TABLES
from config.limits import Limits
from pipelines.deadlines import compulsory_school_age_from, compulsory_school_age_to, next_review_due
from pipelines.frames import age_on, days, earliest, is_among, is_open, joined, latest, look_up, row_reference
from pipelines.places import describe_placements, establishment_of, successors
from pipelines.visiting import cohorts, last_visits, strictest
from pipelines.whereabouts import whereabouts

#: Canonical tables by name; None where there is no accepted copy at all.
Tables = dict[str, Any]
SYSTEMS = ("synergy", "liquidlogic", "capita")


@dataclass(frozen=True)
class Assembled:
    """What a night knows about its children: the register, the tables behind it with `child_id`, and the visit cohorts."""

    register: pd.DataFrame
    tables: Tables
    cohorts: pd.DataFrame
    later: pd.DataFrame


def attach(tables: Tables, links: pd.DataFrame) -> Tables:
    """Give every row about a person its `child_id`; rows of sealed records have none and go no further."""
    keys = links[["child_id", "source", "source_id"]]
    if keys.duplicated(["source", "source_id"]).any():
        raise ValueError("a record is linked to two children")
    return {
        name: frame.merge(keys, on=["source", "source_id"])
        if frame is not None and not TABLES[name].is_reference
        else frame
        for name, frame in tables.items()
    }


def build(
    tables: Tables,
    links: pd.DataFrame,
    vanished: pd.DataFrame,
    as_of: pd.Timestamp,
    limits: Limits,
    precedence: dict[str, list[str]],
    la_code: str,
) -> Assembled:
    """Put the register together as at a day.

    `tables` are the effective canonical tables, `links` says which record is which child, `vanished` (columns ``source``,
    ``source_id``) names the records that a people feed no longer carries and nothing explains.
    """
    tables = attach(tables, links)
    later = successors(tables["setting_links"])
    tables["plans"] = _describe_plans(tables["plans"], tables["settings"], precedence, as_of, la_code)
    tables["requests"] = _describe_requests(tables["requests"], as_of)
    placements = tables["placements"]
    if placements is not None:
        tables["placements"] = describe_placements(placements, tables, as_of)

    register = _children(tables, as_of)
    register = _identity(register, tables, links, precedence, as_of)
    register = _plan(register, tables, as_of)
    register = _reviews(register, tables, precedence, as_of)
    register, main = _placement(register, tables, as_of, limits, la_code)
    register = _awaiting(register, tables, as_of)
    register = whereabouts(register, tables, as_of, limits)
    register = _home(register, tables, as_of)
    register = _vanished(register, links, vanished)
    spells = cohorts(register, tables, main, as_of, limits, la_code)
    register = _visits(register, tables, spells, as_of)
    return Assembled(register.reset_index(drop=True), tables, spells, later)


def _describe_plans(
    plans: pd.DataFrame | None,
    settings: pd.DataFrame | None,
    precedence: dict[str, list[str]],
    as_of: pd.Timestamp,
    la_code: str,
) -> pd.DataFrame:
    """Plan rows with ``is_maintained`` (by this council), ``is_active`` on the day, and ``leads`` (this system decides for the child)."""
    if plans is None:
        raise ValueError("a register needs plans")
    rank = (
        plans["source"]
        .map({system: place for place, system in enumerate(precedence["plan"])})
        .fillna(len(precedence["plan"]))
    )
    maintained = plans["maintaining_la_code"].isna() | (plans["maintaining_la_code"] == la_code)
    best = rank.where(maintained).groupby(plans["child_id"]).transform("min")
    begun = plans["started_on"] <= as_of
    return plans.assign(
        named_urn_resolved=establishment_of(plans["named_urn"], plans["named_ukprn"], settings),
        is_maintained=maintained,
        leads=maintained & (rank == best),
        is_active=maintained & begun & ~(plans["ceased_on"] <= as_of),
    )


def _describe_requests(requests: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame | None:
    """Request rows with ``is_in_assessment``: received, without outcome, neither refused nor withdrawn."""
    if requests is None:
        return None
    decided = requests["outcome_code"].notna() & ~(requests["outcome_on"] > as_of)
    has_outcome = decided | (requests["outcome_on"] <= as_of)
    over = requests["decision_code"].isin(["N", "W"])
    return requests.assign(is_in_assessment=(requests["received_on"] <= as_of) & ~has_outcome & ~over)


def _children(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    plans, requests = tables["plans"], tables["requests"]
    active = plans.loc[plans["leads"] & plans["is_active"], "child_id"]
    assessed = requests.loc[requests["is_in_assessment"], "child_id"] if requests is not None else active.iloc[:0]
    children = pd.Series(sorted(set(active) | set(assessed)), dtype="str", name="child_id").to_frame()
    children["has_active_plan"] = is_among(children["child_id"], active)
    children["is_in_assessment"] = is_among(children["child_id"], assessed) & ~children["has_active_plan"]
    return children


def _by_precedence(people: pd.DataFrame, column: str, order: list[str]) -> pd.DataFrame:
    """Per child, the value of the first system in `order` that has one, with where it came from; of a system's records, the first of `people`."""
    rank = people["source"].map({system: place for place, system in enumerate(order)})
    told = people.loc[people[column].notna() & rank.notna(), ["child_id", "source", "row_id", column]].assign(rank=rank)
    first = told.sort_values("rank", kind="stable").drop_duplicates("child_id").set_index("child_id")
    return pd.DataFrame({column: first[column], f"{column}_from": row_reference(first)})


def _identity(
    register: pd.DataFrame, tables: Tables, links: pd.DataFrame, precedence: dict[str, list[str]], as_of: pd.Timestamp
) -> pd.DataFrame:
    # The systems hold every pupil; the register, one in twelve.
    people, links = (frame[is_among(frame["child_id"], register["child_id"])] for frame in (tables["people"], links))
    living = people[~people["is_birth_estimated"].fillna(False) & people["merged_on"].isna()].sort_values("row_id")
    for column in ("born_on", "sex_code", "ethnicity_code", "need_code"):
        register = register.join(_by_precedence(living, column, precedence[column]), on="child_id")
    for system in SYSTEMS:
        ids = links[links["source"] == system].drop_duplicates("child_id").set_index("child_id")["source_id"]
        register[f"{system}_id"] = look_up(register["child_id"], ids).astype("str")
    register["age"] = age_on(register["born_on"], as_of)
    register["died_on"] = look_up(register["child_id"], people.groupby("child_id")["died_on"].min())
    of_school_age = (compulsory_school_age_from(register["born_on"]) <= as_of) & (
        as_of <= compulsory_school_age_to(register["born_on"])
    )
    return register.assign(is_school_age=of_school_age)


def _plan(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    plans = tables["plans"]
    current = latest(plans[plans["leads"] & plans["is_active"]], "started_on")
    facts = {
        "row_id": "plan_id",
        "source": "plan_source",
        "started_on": "plan_started_on",
        "request_id": "plan_request_id",
        "transferred_on": "transferred_on",
        "transferred_from_la_code": "transferred_from_la_code",
        "named_urn_resolved": "named_urn",
        "named_setting_code": "named_setting_code",
    }
    frame = current[list(facts)].rename(columns=facts).assign(plan_from=row_reference(current))
    return register.join(frame, on="child_id")


def _reviews(
    register: pd.DataFrame, tables: Tables, precedence: dict[str, list[str]], as_of: pd.Timestamp
) -> pd.DataFrame:
    reviews = tables["reviews"]
    if reviews is not None:
        held = reviews[reviews["source"].isin(precedence["reviews"])]
        done = latest(held[held["decided_on"] <= as_of], "decided_on")
        register = register.join(
            done.assign(review_from=row_reference(done))[["decided_on", "review_from"]].rename(
                columns={"decided_on": "last_completed_review_on"}
            ),
            on="child_id",
        )
        register["last_meeting_on"] = look_up(
            register["child_id"], held[held["met_on"] <= as_of].groupby("child_id")["met_on"].max()
        )
    else:
        register = register.assign(last_completed_review_on=pd.NaT, review_from=pd.NA, last_meeting_on=pd.NaT)
    register["next_review_due_on"] = next_review_due(
        register["plan_started_on"], register["last_completed_review_on"], register["transferred_on"]
    )
    return register


def _placement(
    register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp, limits: Limits, la_code: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The current main placement, and whether anything is in place; also returns the main placements, indexed by child."""
    placements = tables["placements"]
    if placements is None:
        placements = pd.DataFrame(columns=["child_id", "source", "row_id", "setting_urn"])
        raise ValueError("a register needs placements")
    main = latest(placements[placements["is_open"] & placements["is_primary"]], "started_on")
    facts = [
        "setting_urn",
        "setting_code",
        "setting_name",
        "provision_type",
        "is_in_authority",
        "residential_code",
        "setting_la_code",
        "type_name",
    ]
    frame = main[facts].assign(
        placement_row=main["row_id"], placement_started_on=main["started_on"], placement_from=row_reference(main)
    )
    register = register.join(frame, on="child_id")
    register["is_out_of_authority"] = (
        (register["setting_la_code"] != la_code).astype("boolean").where(register["setting_la_code"].notna())
    )
    soon = as_of + pd.Timedelta(days=limits.between_settings_days)
    coming = placements[
        placements["is_placed"] & (placements["started_on"] > as_of) & (placements["started_on"] <= soon)
    ]
    open_now = placements[placements["is_open"] & placements["is_placed"]]
    home_ed = tables["home_education"]
    at_home = set() if home_ed is None else set(home_ed.loc[is_open(home_ed, as_of), "child_id"])
    child = register["child_id"]
    register["has_home_education"] = is_among(child, at_home)
    register["is_placed_now"] = is_among(child, open_now["child_id"]) | register["has_home_education"]
    register["is_between_settings"] = ~register["is_placed_now"] & is_among(child, coming["child_id"])
    register["is_in_place"] = register["is_placed_now"] | register["is_between_settings"]
    ended = placements[placements["ended_on"] <= as_of].groupby("child_id")["ended_on"].max()
    register["last_placement_ended_on"] = look_up(child, ended)
    register["has_placement_row"] = is_among(child, placements["child_id"])
    future = placements["started_on"] > as_of
    register["has_open_or_future_row"] = is_among(child, placements.loc[placements["is_open"] | future, "child_id"])
    return register, main


def _awaiting(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Awaiting: an open waiting record, or Section I names a type only, or an open NIEO placement; and since when."""
    child = register["child_id"]
    waits, placements = tables["awaiting"], tables["placements"]
    if waits is not None:
        open_waits = waits[is_open(waits, as_of)]
        first = earliest(open_waits, "started_on")
        register["waiting_row"] = look_up(child, first["row_id"]).astype("str")
        register["waiting_updated_on"] = look_up(child, open_waits.groupby("child_id")["updated_on"].max())
        recorded = look_up(child, first["started_on"])
        has_record = is_among(child, open_waits["child_id"])
    else:
        recorded = pd.Series(pd.NaT, index=register.index, dtype="datetime64[us]")
        has_record = pd.Series(False, index=register.index)
        register = register.assign(waiting_row=pd.NA, waiting_updated_on=pd.NaT)
    nieo = earliest(placements[placements["is_open"] & (placements["setting_code"] == "NIEO")], "started_on")
    type_only = (register["named_setting_code"] == "OTH") & register["named_urn"].isna()
    register["is_awaiting"] = register["has_active_plan"] & (has_record | type_only | is_among(child, nieo.index))
    since = (
        recorded.fillna(look_up(child, nieo["started_on"]))
        .fillna(register["last_placement_ended_on"])
        .fillna(register["plan_started_on"])
    )
    register["awaiting_since"] = since.where(register["is_awaiting"]).astype("datetime64[us]")
    register["awaiting"] = (
        register["is_in_place"]
        .map({True: "interim", False: "nothing_in_place"})
        .where(register["is_awaiting"])
        .astype("str")
    )
    return register


def _home(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Home postcodes system by system, the authority of the home, and whether the address is restricted."""
    from config.identifiers import postcode_key

    people, addresses = tables["people"], tables["addresses"]
    child = register["child_id"]
    people = people[is_among(people["child_id"], child)]
    known = people.assign(key=postcode_key(people["postcode"]))
    homes = {
        system: known[known["source"] == system]
        .dropna(subset=["key"])
        .drop_duplicates("child_id")
        .set_index("child_id")["key"]
        for system in SYSTEMS
    }
    register["is_restricted"] = False
    if addresses is not None:
        current = addresses[is_open(addresses, as_of)]
        last = latest(addresses, "started_on")
        flagged = set(current.loc[current["is_restricted"].fillna(False), "child_id"]) | set(
            last.index[last["is_restricted"].fillna(False)]
        )
        register["is_restricted"] = is_among(child, flagged)
        at_home = current[~current["type_code"].fillna("HOME").str.upper().str.startswith(("PLAC", "TEMP", "CORR"))]
        usable = latest(at_home.assign(key=postcode_key(at_home["postcode"])).dropna(subset=["key"]), "started_on")
        for system in addresses["source"].unique():
            dated = usable.loc[usable["source"] == system, "key"]
            homes[system] = pd.concat([dated, homes[system][~homes[system].index.isin(dated.index)]])
    for system in SYSTEMS:
        register[f"{system}_postcode"] = look_up(child, homes[system]).astype("str")
    return register


def _vanished(register: pd.DataFrame, links: pd.DataFrame, vanished: pd.DataFrame) -> pd.DataFrame:
    gone = vanished[["source", "source_id"]].merge(links, on=["source", "source_id"])
    register["vanished"] = look_up(register["child_id"], joined(gone["source"], gone["child_id"])).astype("str")
    return register


def _visits(register: pd.DataFrame, tables: Tables, spells: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    decides = strictest(spells)[["cohort", "since", "visit_due_on", "last_visit_row"]]
    decides = decides.rename(columns={"cohort": "visit_cohort", "since": "visit_cohort_since"})
    register = register.join(decides, on="child_id")
    register["cohorts"] = look_up(register["child_id"], joined(spells["cohort"], spells["child_id"])).astype("str")
    looked_after = spells.loc[spells["cohort"] == "looked_after", "child_id"]
    register["is_looked_after"] = is_among(register["child_id"], looked_after)
    return register.join(last_visits(tables, as_of), on="child_id")


_YES_NO = {True: "Y", False: "N"}


def published_register(register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The register as people see it: Y and N for flags, one column per fact and where it came from, nothing internal; dates stay dates."""
    active = register["has_active_plan"]
    placed = register["placement_row"].notna() & active
    return pd.DataFrame(
        {
            "child_id": register["child_id"],
            "active_plan": active.map(_YES_NO),
            "in_assessment": register["is_in_assessment"].map(_YES_NO),
            "setting_urn": register["setting_urn"].where(placed),
            "setting_code": register["setting_code"].where(placed),
            "setting_name": register["setting_name"].where(placed),
            "provision_type": register["provision_type"].where(placed),
            "in_authority": (~register["is_out_of_authority"]).map(_YES_NO).where(placed),
            "residential": register["residential_code"].notna().map(_YES_NO).where(active),
            "plan_started_on": register["plan_started_on"],
            "last_completed_review_on": register["last_completed_review_on"].where(active),
            "next_review_due_on": register["next_review_due_on"],
            "cohorts": register["cohorts"],
            "last_statutory_visit_on": register["last_statutory_visit_on"].where(active),
            "last_monitoring_visit_on": register["last_monitoring_visit_on"].where(active),
            "visit_due_on": register["visit_due_on"],
            "awaiting": register["awaiting"],
            "awaiting_since": register["awaiting_since"],
            "waiting_days": days(as_of, register["awaiting_since"]),
            "whereabouts_grade": register["whereabouts_grade"],
            "seen_on": register["seen_on"],
            "seen_by": register["seen_by"],
            "corroborated_on": register["corroborated_on"],
            "corroborated_by": register["corroborated_by"],
            "recorded_on": register["recorded_on"],
            "vanished": register["vanished"],
            "is_restricted": register["is_restricted"],
            "age": register["age"],
            "need_code": register["need_code"],
            **{f"{system}_id": register[f"{system}_id"] for system in SYSTEMS},
            "plan_from": register["plan_from"],
            "placement_from": register["placement_from"],
            "review_from": register["review_from"],
            "born_from": register["born_on_from"],
            "visit_from": "visit " + register["last_visit_row"],
            "waiting_from": "synergy " + register["waiting_row"].astype("str"),
            "setting_type": register["type_name"].where(active),
        }
    )
