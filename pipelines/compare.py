"""What the rules look at: the register and the tables behind it, with the systems held against each other as plain columns.

Every frame here is what a rule's parameter of the same name receives. Comparison is done once, vectorised, so that a rule is one
boolean expression.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from config.identifiers import postcode_key, upn_is_permanent, upn_is_unknown_code, upn_is_valid
from config.limits import Limits
from pipelines.assemble import SYSTEMS, Assembled, Tables
from pipelines.deadlines import too_old_after
from pipelines.frames import age_on, days, is_among, is_open, joined, latest, look_up
from pipelines.places import MAIN_ROLL, same_setting
from pipelines.visiting import SHORT_BREAKS, strictest

_FROM_REGISTER = ["child_id", "has_active_plan", "age", "born_on", "plan_started_on", "next_review_due_on"]


def with_register(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Rows about people with what the register says of the child; ``on_register`` is False for children who are only context."""
    facts = register[_FROM_REGISTER].set_index("child_id")
    of_child = facts.reindex(frame["child_id"].to_numpy()).set_axis(frame.index)
    of_child["on_register"] = is_among(frame["child_id"], register["child_id"])
    of_child["has_active_plan"] = of_child["has_active_plan"].astype("boolean").fillna(False).astype(bool)
    return frame.assign(**of_child)


def rule_frames(
    assembled: Assembled,
    undecided: pd.DataFrame,
    as_of: pd.Timestamp,
    limits: Limits,
    precedence: dict[str, list[str]],
    provision: dict[str, list[str]],
    la_code: str,
) -> dict[str, Any]:
    """All the frames about children that rules read, by the name of a rule's parameter."""
    tables, later = assembled.tables, assembled.later
    people = _people(tables["people"], assembled.register, as_of)
    register = _identity_columns(assembled.register, people, tables, as_of)
    register = _setting_columns(register, tables, later, as_of)
    register = _home_columns(register, tables, precedence, la_code)
    register = _plan_columns(register, tables, as_of)
    register = _boarding_columns(register, tables, as_of)
    capita = tables["reviews"]
    if capita is not None:
        other = capita[~capita["source"].isin(precedence["reviews"]) & (capita["met_on"] <= as_of)]
        register["capita_meeting_on"] = look_up(register["child_id"], other.groupby("child_id")["met_on"].max())
    register["too_old_after"] = too_old_after(register["born_on"])
    decisive = strictest(assembled.cohorts)["cohort"]
    cohorts = with_register(assembled.cohorts, register)
    cohorts["decides"] = cohorts["cohort"] == look_up(cohorts["child_id"], decisive)
    cohorts["source"] = (cohorts["cohort"] == "looked_after").map({True: "liquidlogic", False: "synergy"})
    cohorts["source_id"] = look_up(cohorts["child_id"], register.set_index("child_id")["synergy_id"])
    in_care = cohorts["cohort"] == "looked_after"
    cohorts.loc[in_care, "source_id"] = look_up(cohorts["child_id"], register.set_index("child_id")["liquidlogic_id"])
    cohorts["row_id"] = cohorts["last_visit_row"]
    return {
        "register": register,
        "people": people,
        "care_people": _care_people(tables, register, as_of),
        "undecided": _undecided(undecided, tables["people"], register),
        "plans": _plans(tables, register, as_of),
        "requests": _requests(tables["requests"], register, as_of),
        "past_events": _past_events(tables, register),
        "placements": _placements(tables, register, later, as_of, provision),
        "reviews": _reviews(tables, register, as_of, precedence),
        "visits": _visits(tables, register, as_of),
        "cohorts": cohorts,
        "missing_episodes": _open_cases(tables["missing_episodes"], register, as_of),
        "missing_education": _open_cases(tables["missing_education"], register, as_of),
    }


def _open_cases(cases: pd.DataFrame | None, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame | None:
    return None if cases is None else with_register(cases, register).assign(is_open=is_open(cases, as_of).to_numpy())


def _people(people: pd.DataFrame, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    frame = with_register(people.rename(columns={"born_on": "recorded_born_on"}), register).reset_index(drop=True)
    frame["is_upn_valid"] = upn_is_valid(frame["upn"])
    frame["is_upn_code"] = upn_is_unknown_code(frame["upn"])
    frame["is_unborn"] = frame["is_birth_estimated"].fillna(False).astype(bool)
    living = frame["merged_on"].isna() & ~frame["is_unborn"]
    shared = frame["upn"].notna() & ~frame["is_upn_code"] & living
    frame["sharers"] = (
        frame[shared].groupby(["source", "upn"])["source_id"].transform("nunique").reindex(frame.index, fill_value=1)
    )
    same = (
        frame["surname"].str.casefold()
        + "|"
        + frame["forename"].str.casefold()
        + "|"
        + frame["recorded_born_on"].astype("str")
    )
    also = postcode_key(frame["postcode"]).fillna(frame["upn"].where(frame["is_upn_valid"])).fillna(frame["uln"])
    key = (frame["source"] + "|" + same + "|" + also).where(living)
    frame["twins_of"] = look_up(key, key.value_counts()).fillna(1).astype("int64")
    closed = pd.Series(pd.NA, index=frame.index, dtype="str").mask(frame["is_unborn"], "unborn")
    closed = closed.mask(frame["merged_on"] <= as_of, "merged")
    frame["closed_as"] = closed.mask(frame["died_on"] <= as_of, "deceased")
    return frame


def _spread(people: pd.DataFrame, column: str) -> pd.Series:
    """How many different values the linked records of a child hold."""
    return people.dropna(subset=[column]).groupby("child_id")[column].nunique()


def _identity_columns(
    register: pd.DataFrame, people: pd.DataFrame, tables: Tables, as_of: pd.Timestamp
) -> pd.DataFrame:
    ours = people[people["on_register"] & ~people["is_unborn"] & people["merged_on"].isna()]
    child = register["child_id"]
    register = register.copy()
    register["upn_count"] = (
        look_up(child, _spread(ours[upn_is_permanent(ours["upn"])], "upn")).fillna(0).astype("int64")
    )
    every = people[people["on_register"]]
    told = every[["upn", "uln", "upn_unknown_code"]].notna().any(axis=1)
    register["has_identifier"] = is_among(child, every.loc[told, "child_id"])
    register["born_difference"] = look_up(child, _born_difference(ours)).astype("str")
    register["name_difference"] = look_up(child, _name_difference(ours)).astype("str")
    sexes = ours[ours["sex_code"].isin(["M", "F"])]
    differ = child[look_up(child, _spread(sexes, "sex_code")).fillna(0) > 1]
    parts = sexes[is_among(sexes["child_id"], differ)]
    register["sex_difference"] = look_up(child, joined(parts["source"], parts["child_id"], " and ")).astype("str")
    plans = tables["plans"]
    active = plans[plans["is_active"] & plans["is_maintained"]]
    names = {"synergy": "Synergy", "capita": "Capita"}
    absent = pd.Series(pd.NA, index=register.index, dtype="str")
    for system, other in (("synergy", "capita"), ("capita", "synergy")):
        holds = is_among(child, active.loc[active["source"] == system, "child_id"])
        absent = absent.mask(holds & register[f"{other}_id"].isna(), names[other])
    return register.assign(absent_from=absent)


def _born_difference(people: pd.DataFrame) -> pd.Series:
    """How dates of birth differ: day and month swapped, 1 January default, year, one digit, or otherwise; by child."""
    told = people.dropna(subset=["recorded_born_on"])[["child_id", "source", "row_id", "recorded_born_on"]]
    differing = told[told["child_id"].isin(_many(told, "recorded_born_on"))]
    rank = differing["source"].map({"synergy": 0, "capita": 1, "liquidlogic": 2}).fillna(3)
    ordered = differing.assign(rank=rank).sort_values(["child_id", "rank", "row_id"])
    first = ordered.drop_duplicates("child_id").set_index("child_id")["recorded_born_on"]
    pairs = ordered.assign(a=look_up(ordered["child_id"], first), b=ordered["recorded_born_on"])
    pairs = pairs[pairs["a"] != pairs["b"]]
    a, b = pairs["a"], pairs["b"]
    how = pd.Series("differs", index=pairs.index, dtype="str")
    digits_a, digits_b = a.dt.strftime("%Y%m%d"), b.dt.strftime("%Y%m%d")
    changed = (
        sum((digits_a.str[i] != digits_b.str[i]).astype("int64") for i in range(8))
        if len(pairs)
        else pd.Series(dtype="int64")
    )
    how = how.mask(changed == 1, "one digit")
    how = how.mask((a.dt.month == b.dt.month) & (a.dt.day == b.dt.day), "year")
    default = ((a.dt.month == 1) & (a.dt.day == 1)) | ((b.dt.month == 1) & (b.dt.day == 1))
    how = how.mask(default & (a.dt.year == b.dt.year), "1 January default")
    how = how.mask(
        (a.dt.year == b.dt.year) & (a.dt.month == b.dt.day) & (a.dt.day == b.dt.month), "day and month swapped"
    )
    return joined(pairs["source"] + ": " + how, pairs["child_id"], "; ")


def _many(frame: pd.DataFrame, column: str) -> pd.Index:
    counts = frame.groupby("child_id")[column].nunique()
    return counts.index[counts > 1]


def _name_difference(people: pd.DataFrame) -> pd.Series:
    """Which part of the name differs beyond accents, punctuation, order and known-as names; by child."""
    found = []
    for column, others in (("surname", ["preferred_surname", "former_surname"]), ("forename", ["known_as"])):
        # What is the same but for capitals is the same once it is plain: only the other children's names are looked at.
        differing = _many(people.assign(name=people[column].str.lower()), "name")
        some = people[is_among(people["child_id"], differing)]
        plain = some[["child_id", "source"]].assign(value=_plain(some[column]))
        extra = pd.concat([some[["child_id"]].assign(value=_plain(some[other])) for other in others])
        variants = pd.MultiIndex.from_frame(extra.dropna())
        first = plain.dropna().drop_duplicates("child_id").set_index("child_id")["value"]
        pairs = plain.dropna().assign(first=lambda p, f=first: look_up(p["child_id"], f))
        differs = (pairs["value"] != pairs["first"]) & ~_contains(pairs["value"], pairs["first"])
        known = pd.MultiIndex.from_frame(pairs[["child_id", "value"]]).isin(variants) | pd.MultiIndex.from_frame(
            pairs[["child_id", "first"]]
        ).isin(variants)
        found.append(pairs[differs & ~known].assign(part=column))
    parts = pd.concat(found)
    return joined(parts["part"] + " in " + parts["source"], parts["child_id"], ", ")


def _plain(name: pd.Series) -> pd.Series:
    ascii_name = name.str.normalize("NFKD").str.replace(r"[^A-Za-z ]", "", regex=True)
    return ascii_name.str.upper().str.replace(" ", "").replace("", pd.NA)


def _contains(a: pd.Series, b: pd.Series) -> pd.Series:
    """True where one short name begins the other: Alex, Alexander."""
    shorter = a.str.len().clip(upper=b.str.len()).clip(lower=3)
    return pd.Series([x[:n] == y[:n] for x, y, n in zip(a, b, shorter, strict=True)], index=a.index, dtype=bool)


def _setting_columns(register: pd.DataFrame, tables: Tables, later: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Where the education systems place the child, and whether that agrees with the other system and with the plan."""
    placements, rolls, settings = tables["placements"], tables["rolls"], tables["settings"]
    child = register["child_id"]
    main = placements[placements["is_open"] & placements["is_primary"]]
    register["main_count"] = look_up(child, main.groupby("child_id").size()).fillna(0).astype("int64")
    at = main.dropna(subset=["setting_urn"])[["child_id", "setting_urn"]]
    register["is_roll_elsewhere"] = False
    register["roll_urns"] = pd.Series(pd.NA, index=register.index, dtype="str")
    register["has_agreeing_roll"] = False
    if rolls is not None:
        main_rolls = rolls[is_open(rolls, as_of) & rolls["enrol_status_code"].isin(MAIN_ROLL) & rolls["urn"].notna()]
        register["roll_urns"] = look_up(child, joined(main_rolls["urn"], main_rolls["child_id"], ", ")).astype("str")
        both = at.merge(main_rolls[["child_id", "urn"]], on="child_id")
        agree = both.loc[same_setting(both["setting_urn"], both["urn"], later), "child_id"]
        register["has_agreeing_roll"] = is_among(child, agree)
        register["is_roll_elsewhere"] = is_among(child, both["child_id"]) & ~is_among(child, agree)
    named = register[["child_id", "named_urn"]].dropna()
    both = named.merge(at, on="child_id")
    agree = both.loc[same_setting(both["named_urn"], both["setting_urn"], later), "child_id"]
    other_code = (
        register["setting_code"].isin(["OLA", "OPA", "EYP"])
        & register["named_urn"].notna()
        & register["setting_urn"].isna()
    )
    register["is_attending_elsewhere"] = (is_among(child, both["child_id"]) & ~is_among(child, agree)) | other_code
    register["attended"] = register["setting_urn"].fillna(register["setting_code"])
    open_rows = placements[placements["is_open"]]
    register["is_neet"] = is_among(child, open_rows.loc[open_rows["setting_code"] == "NEET", "child_id"])
    register["is_home_educated"] = register["has_home_education"] | is_among(
        child, open_rows.loc[open_rows["setting_code"] == "EHE", "child_id"]
    )
    has_establishment = register["setting_urn"].notna()
    register["is_cohort_undecided"] = has_establishment & register["setting_la_code"].isna()
    register["waiting_touched_on"] = register["waiting_updated_on"].fillna(
        register["awaiting_since"].where(register["waiting_row"].notna())
    )
    register["named_type"] = pd.Series(pd.NA, index=register.index, dtype="str")
    register["is_named_unapproved"] = False
    if settings is not None:
        facts = settings.drop_duplicates("urn").set_index("urn")
        register["named_type"] = register["named_urn"].map(facts["type_name"]).astype("str")
        is_independent = register["named_urn"].map(facts["type_code"]).isin(["10", "11", "32"])
        register["is_named_unapproved"] = is_independent & ~register["named_urn"].map(
            facts["section_41"]
        ).str.startswith("Approved", na=False)
    return register


def _home_columns(
    register: pd.DataFrame, tables: Tables, precedence: dict[str, list[str]], la_code: str
) -> pd.DataFrame:
    columns = [f"{system}_postcode" for system in SYSTEMS]
    register["postcode_count"] = _distinct(register[columns])
    register["has_home_address"] = register[columns].notna().any(axis=1) | register["is_restricted"]
    home = pd.Series(pd.NA, index=register.index, dtype="str")
    for system in precedence["home"]:
        home = home.fillna(register[f"{system}_postcode"])
    postcodes = tables["postcodes"]
    register["home_la_code"] = pd.Series(pd.NA, index=register.index, dtype="str")
    if postcodes is not None:
        known = postcodes.assign(key=postcode_key(postcodes["postcode"])).dropna(subset=["key"]).drop_duplicates("key")
        register["home_la_code"] = home.map(known.set_index("key")["la_code"]).astype("str")
    register["is_home_outside"] = register["home_la_code"].notna() & (register["home_la_code"] != la_code)
    return register


def _distinct(frame: pd.DataFrame) -> pd.Series:
    """How many different values each row holds."""
    count = pd.Series(0, index=frame.index)
    for place, column in enumerate(frame):
        is_new = frame[column].notna()
        for other in frame.columns[:place]:
            is_new &= frame[column] != frame[other]
        count += is_new
    return count


def _plan_columns(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    plans = tables["plans"]
    ours = plans[plans["is_maintained"] & plans["started_on"].notna()]
    child = register["child_id"]
    difference = pd.Series(pd.NA, index=register.index, dtype="str")
    held = {s: is_among(child, ours.loc[ours["source"] == s, "child_id"]) for s in ("synergy", "capita")}
    active = {
        s: is_among(child, ours.loc[(ours["source"] == s) & ours["is_active"], "child_id"])
        for s in ("synergy", "capita")
    }
    ended = ours[ours["ceased_on"] <= as_of]
    for here, there, names in (
        ("synergy", "capita", ("Synergy", "Capita")),
        ("capita", "synergy", ("Capita", "Synergy")),
    ):
        is_over = held[there] & ~active[there] & is_among(child, ended.loc[ended["source"] == there, "child_id"])
        difference = difference.mask(active[here] & is_over, f"ceased in {names[1]}, active in {names[0]}")
    return register.assign(plan_difference=difference, has_plan_in_both=held["synergy"] & held["capita"])


def _boarding_columns(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    care, rolls = tables["care_placements"], tables["rolls"]
    child = register["child_id"]
    boards = register["residential_code"].notna()
    in_school = (
        set() if care is None else set(care.loc[is_open(care, as_of) & (care["placement_code"] == "S1"), "child_id"])
    )
    register["is_care_residential_school"] = is_among(child, in_school)
    register["residential_words"] = boards.map({True: "residential", False: "a day placement or none"}).astype("str")
    words = pd.Series(pd.NA, index=register.index, dtype="str")
    if rolls is not None:
        last = latest(rolls[is_open(rolls, as_of) & rolls["is_boarder"].notna()], "started_on")["is_boarder"]
        on_roll = look_up(child, last).astype("boolean")
        words = words.mask((on_roll & ~boards).fillna(False).astype(bool), "boards in Capita, not in Synergy")
        words = words.mask((~on_roll & boards).fillna(False).astype(bool), "boards in Synergy, not in Capita")
    words = words.mask(
        register["is_care_residential_school"] & ~boards & register["setting_urn"].notna(),
        "boards in Liquidlogic, not in Synergy",
    )
    return register.assign(boarding_words=words)


def _care_people(tables: Tables, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame | None:
    people, involvements, care = tables["people"], tables["involvements"], tables["care_placements"]
    if involvements is None:
        return None
    flagged = involvements[involvements["has_plan"].fillna(False) & is_open(involvements, as_of)]
    frame = people[
        is_among(people["child_id"], flagged["child_id"]) & people["source"].isin(involvements["source"].unique())
    ]
    frame = frame.assign(age=age_on(frame["born_on"], as_of), has_plan_flag=True)
    frame["has_plan"] = is_among(frame["child_id"], tables["plans"]["child_id"])
    cohort = pd.Series(pd.NA, index=frame.index, dtype="str")
    disabled = involvements.loc[involvements["is_disabled"].fillna(False), "child_id"]
    cohort = cohort.mask(is_among(frame["child_id"], disabled), "disabled")
    if care is not None:
        current = care[is_open(care, as_of) & ~care["legal_status_code"].isin(SHORT_BREAKS)]
        cohort = cohort.mask(is_among(frame["child_id"], current["child_id"]), "looked after")
    return frame.assign(cohort=cohort)[cohort.notna()]


def _undecided(undecided: pd.DataFrame, people: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Each undecided pair once, from the side of the record whose child is on the register."""
    keys = people[["source", "source_id", "child_id"]]
    sides = []
    for here, there in (("a", "b"), ("b", "a")):
        names = {
            f"source_{here}": "source",
            f"source_id_{here}": "source_id",
            f"source_{there}": "other_source",
            f"source_id_{there}": "other_source_id",
        }
        sides.append(undecided.rename(columns=names).merge(keys, on=["source", "source_id"]))
    frame = pd.concat(sides, ignore_index=True)
    frame["on_register"] = is_among(frame["child_id"], register["child_id"])
    frame["pair"] = frame["other_source"] + " " + frame["other_source_id"]
    both = frame["source"] + frame["source_id"] + "|" + frame["other_source"] + frame["other_source_id"]
    other = frame["other_source"] + frame["other_source_id"] + "|" + frame["source"] + frame["source_id"]
    key = both.where(both < other, other)
    return frame.sort_values("on_register", ascending=False, kind="stable")[lambda f: ~key.loc[f.index].duplicated()]


def _plans(tables: Tables, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    plans, requests = tables["plans"], tables["requests"]
    frame = with_register(plans, register)
    columns = ["received_on", "decided_on", "outcome_on", "has_exception"]
    if requests is None:
        frame = frame.assign(received_on=pd.NaT, decided_on=pd.NaT, outcome_on=pd.NaT, has_exception=pd.NA)
    else:
        asked = requests.drop_duplicates(["source", "row_id"]).set_index(["source", "row_id"])[columns]
        frame = frame.join(asked, on=["source", "request_id"])
    frame["is_casework"] = frame["leads"] & ~(frame["source"] == "capita")
    frame["is_casework_on_register"] = frame["is_casework"] & frame["on_register"]
    frame["issue_days"] = days(frame["started_on"], frame["received_on"])
    a_year_ago = as_of - pd.DateOffset(years=1)
    frame["is_started_this_year"] = (
        frame["is_casework"] & (frame["started_on"] > a_year_ago) & (frame["started_on"] <= as_of)
    )
    frame["is_issued_this_year"] = frame["is_started_this_year"] & frame["is_active"]
    return frame


def _requests(requests: pd.DataFrame | None, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame | None:
    if requests is None:
        return None
    frame = with_register(requests, register)
    undecided = frame["decided_on"].isna() & (frame["decision_code"].isna() | (frame["decision_code"] == "A"))
    return frame.assign(open_days=days(as_of, frame["received_on"]), is_undecided=undecided)


def _past_events(tables: Tables, register: pd.DataFrame) -> pd.DataFrame:
    found = []
    for table, columns in (("requests", ["received_on", "decided_on", "outcome_on"]), ("plans", ["started_on"])):
        frame = tables[table]
        if frame is None:
            continue
        frame = frame[frame["leads"]] if "leads" in frame else frame
        long = frame.melt(["child_id", "source", "source_id", "row_id"], columns, var_name="event", value_name="on")
        found.append(long.dropna(subset=["on"]))
    events = pd.concat(found, ignore_index=True)
    return with_register(events, register).assign(event_key=events["row_id"] + " " + events["event"])


def _placements(
    tables: Tables, register: pd.DataFrame, later: pd.DataFrame, as_of: pd.Timestamp, provision: dict[str, list[str]]
) -> pd.DataFrame:
    frame = with_register(tables["placements"], register)
    frame["is_open_of_active_plan"] = frame["is_open"] & frame["has_active_plan"]
    settings = tables["settings"]
    if settings is not None:
        is_closed = settings.set_index("urn")["closed_on"].groupby(level=0).first()
        still_open = later[later["later_urn"].map(is_closed).isna()]
        frame["successor_urn"] = (
            look_up(frame["setting_urn"], joined(still_open["later_urn"], still_open["urn"], ", "))
            .astype("str")
            .fillna("none")
        )
    else:
        frame["successor_urn"] = "none"
    allowed = pd.MultiIndex.from_tuples([(name, code) for name, codes in provision.items() for code in codes])
    fits = pd.MultiIndex.from_arrays([frame["provision_type"], frame["type_code"]]).isin(allowed)
    judged = frame["provision_type"].isin(list(provision)) & frame["type_code"].notna()
    fits = fits & ~(
        frame["has_sen_unit"].fillna(False) & ~frame["resourced_provision"].str.contains("unit", case=False, na=False)
    ).astype(bool)
    frame["is_provision_fitting"] = pd.Series(fits, index=frame.index).astype("boolean").where(judged)
    return frame


def _reviews(
    tables: Tables, register: pd.DataFrame, as_of: pd.Timestamp, precedence: dict[str, list[str]]
) -> pd.DataFrame | None:
    reviews = tables["reviews"]
    if reviews is None:
        return None
    frame = with_register(reviews, register)
    plans = tables["plans"]
    is_active = plans.drop_duplicates(["source", "row_id"]).set_index(["source", "row_id"])["is_active"]
    of_plan = frame[["source", "plan_id"]].join(is_active, on=["source", "plan_id"])["is_active"].astype("boolean")
    leads = frame["source"].isin(precedence["reviews"])
    frame["is_casework"] = leads
    frame["is_of_active_plan"] = leads & frame["has_active_plan"] & of_plan.fillna(True).astype(bool)
    frame["met_days"] = days(as_of, frame["met_on"])
    plan = frame["source"] + " " + frame["source_id"] + " " + frame["plan_id"].fillna("")
    last = frame.loc[frame["met_on"] <= as_of].groupby(plan)["met_on"].max()
    frame["is_superseded"] = frame["met_on"] < look_up(plan, last)
    frame["is_latest"] = frame["met_on"] == look_up(plan, last)
    counted = frame[frame["is_of_active_plan"]].groupby("met_on")["child_id"].nunique()
    frame["same_day_children"] = look_up(frame["met_on"], counted).fillna(0).astype("int64")
    return frame


def _visits(tables: Tables, register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame | None:
    """Visits with ``impossible``: why the date cannot be right, against the placements of the system that visits."""
    visits, placements, care = tables["visits"], tables["placements"], tables["care_placements"]
    if visits is None:
        return None
    frame = with_register(visits, register)
    child, on = frame["child_id"], frame["visited_on"]
    impossible = pd.Series(pd.NA, index=frame.index, dtype="str")
    for kind, table in (("monitoring", placements), ("STVL", care)):
        if table is not None:
            first = look_up(child, table.groupby("child_id")["started_on"].min())
            impossible = impossible.mask(
                (frame["kind_code"] == kind) & (on < first), "before the first known placement"
            )
    impossible = impossible.mask(on < frame["born_on"], "before birth")
    return frame.assign(impossible=impossible.mask(on > as_of, "in the future"))
