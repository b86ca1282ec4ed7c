"""Questions about where children are, what they wait for, and how sure the records are."""

from __future__ import annotations

import pandas as pd

from pipelines.frames import days, is_among, is_open, joined, latest, look_up
from pipelines.questions import NotRecordedError, Then, question

WHO = ("child_id", "years", "need")


@question("where-educated", 1, "Plans held, and where each child is educated", by=("education",),
          shows=(*WHO, "education", "setting", "provision", "placement_started_on"))  # fmt: skip
def where_educated(then: Then) -> pd.DataFrame:
    """Children with an active plan on the day, by where they are educated: the type of the current main placement's establishment, its SEN2 code
    where it is none, home education, or unknown where there is no placement."""
    return then.plans


@question("whereabouts-unconfirmed", 2, "Whereabouts that cannot be confirmed", by=("whereabouts",),
          shows=(*WHO, "whereabouts", "last_confirmed_on", "last_confirmed_by", "recorded_on"), meets="confirmed at some time")  # fmt: skip
def whereabouts_unconfirmed(then: Then) -> pd.DataFrame:
    """Children with an active plan whom nothing confirms on the day (recorded only, not known or missing), with the day on which a visit, a meeting, a
    roll or a care placement last did, and the system that says so."""
    rows = then.plans[then.plans["whereabouts_grade"].isin(["recorded", "not_known", "missing"])]
    seen_last = ~(rows["corroborated_on"] > rows["seen_on"]) & rows["seen_on"].notna()
    on = rows["seen_on"].where(seen_last, rows["corroborated_on"])
    return rows.assign(
        last_confirmed_on=on,
        last_confirmed_by=rows["seen_by"].where(seen_last, rows["corroborated_by"]),
        meets=on.notna(),
    )


@question("named-elsewhere", 3, "Plans that name another setting than the one attended", by=("need",),
          shows=(*WHO, "named", "attended"))  # fmt: skip
def named_elsewhere(then: Then) -> pd.DataFrame:
    """Children with an active plan whose Section I names a setting, and whose current main placement is another, successors allowed for (rule PL07)."""
    register = then.judged()["register"].set_index("child_id")
    rows = then.plans[is_among(then.plans["child_id"], register.index[register["is_attending_elsewhere"]])]
    return rows.assign(named=rows["named_urn"], attended=look_up(rows["child_id"], register["attended"]))


@question("other-authority", 4, "Placed in another authority's area", by=("authority",), meets="placed in another authority's area",
          shows=(*WHO, "authority", "setting", "placement_started_on"), tells_where=True)  # fmt: skip
def other_authority(then: Then) -> pd.DataFrame:
    """Children with an active plan on the day, and of them those whose current setting lies in another authority's area. A setting whose authority is
    not known is not counted as in another."""
    return then.plans.assign(meets=then.plans["in_authority"] == "another authority")


@question("independent-settings", 5, "Placed in independent and non-maintained settings", by=("setting",), of_period=True, tells_where=True,
          shows=(*WHO, "setting", "residential", "started_on", "ended_on"))  # fmt: skip
def independent_settings(then: Then) -> pd.DataFrame:
    """Placements in the period in an independent school, a non-maintained special school or a special post-16 institution (by type in the register of
    establishments), a row each: need, setting, day or residential."""
    rows = then.table("placements")
    within = ~(rows["ended_on"] < then.since) & ~(rows["started_on"] > then.day)
    rows = rows[within & rows["type_code"].isin(then.words["independent"])]
    residential = rows["residential_code"].map({"A": "38 to 51 weeks", "B": "52 weeks"}).fillna("day")
    return rows.assign(setting=rows["register_name"].fillna(rows["setting_name"]), residential=residential)


@question("residential-visits", 6, "Visits to children in residential special schools", by=("need",), meets="visit not overdue", tells_where=True,
          shows=(*WHO, "setting", "residential", "last_seen_on", "visited_by", "visit_due_on"))  # fmt: skip
def residential_visits(then: Then) -> pd.DataFrame:
    """Children with an active plan in a residential placement: the last visit that saw the child since the placement began, who visited, and when the
    next visit is due by the residential interval."""
    spells = then.cohorts[then.cohorts["cohort"] == "residential"].set_index("child_id")
    rows = then.plans[is_among(then.plans["child_id"], spells.index)]
    visits = then.tables["visits"]
    visitor = pd.Series(dtype="str")
    if visits is not None:
        seen = visits[visits["is_seen"].fillna(False) & (visits["kind_code"] == "monitoring")]
        visitor = latest(seen, "visited_on")["visited_by"]
    due = look_up(rows["child_id"], spells["visit_due_on"])
    seen_on = look_up(rows["child_id"], spells["last_seen_on"])
    who = look_up(rows["child_id"], visitor).where(seen_on.notna())
    return rows.assign(last_seen_on=seen_on, visited_by=who, visit_due_on=due, meets=~(due < then.day))


@question("awaiting", 7, "Waiting for a place", by=("age",), meets="with nothing in place",
          shows=(*WHO, "awaiting", "awaiting_since", "waiting_days", "waiting_updated_on"))  # fmt: skip
def awaiting(then: Then) -> pd.DataFrame:
    """Children with an active plan who are waiting on the day (an open waiting record, a type only in Section I, or not in education), and of them
    those with nothing in place."""
    rows = then.plans[then.plans["is_awaiting"]]
    return rows.assign(
        meets=rows["awaiting"] == "nothing_in_place", waiting_days=days(then.day, rows["awaiting_since"])
    )


@question("section-i-blank", 8, "Section I blank or naming only a type", by=("need",), own={"section_i": "blank, or a type only"},
          shows=(*WHO, "section_i", "plan_started_on"))  # fmt: skip
def section_i_blank(then: Then) -> pd.DataFrame:
    """Children with an active plan whose Section I names no establishment and no arrangement: blank, or a type of setting only (OTH)."""
    rows = then.plans[then.plans["named_urn"].isna()]
    kind = rows["named_setting_code"].map({"OTH": "type only"}).where(rows["named_setting_code"].notna(), "blank")
    return rows.assign(section_i=kind)[kind.notna()]


@question("between-settings", 9, "Left one setting and not started the next", by=("need",), own={"why": "reason on the waiting record"},
          meets="a next placement is recorded", shows=(*WHO, "last_placement_ended_on", "days_without", "why"))  # fmt: skip
def between_settings(then: Then) -> pd.DataFrame:
    """Children with an active plan whose last placement has ended and who have none open on the day: for how many days, and the reason where a waiting
    record gives one."""
    rows = then.plans[~then.plans["is_placed_now"] & then.plans["last_placement_ended_on"].notna()]
    waits = then.tables["awaiting"]
    why = pd.Series(pd.NA, index=rows.index, dtype="str")
    if waits is not None:
        given = waits[is_open(waits, then.day)].dropna(subset=["reason"])
        why = look_up(rows["child_id"], joined(given["reason"], given["child_id"], "; "))
    return rows.assign(
        days_without=days(then.day, rows["last_placement_ended_on"]), why=why, meets=rows["is_between_settings"]
    )


@question("looked-after", 19, "Looked-after children with plans", by=("placed",), meets="review not overdue", tells_where=True,
          own={"placed": "SSDA903 placement code", "area": "in or out of the authority's area"},
          shows=(*WHO, "placed", "area", "last_statutory_visit_on", "next_review_due_on"))  # fmt: skip
def looked_after(then: Then) -> pd.DataFrame:
    """Children with an active plan and an open care placement that is no short break: where placed, in or out of the area, last statutory visit, and the
    annual review due."""
    care = then.table("care_placements")
    current = latest(care[is_open(care, then.day)], "started_on")
    rows = then.plans[then.plans["is_looked_after"]]
    lies_in = look_up(rows["child_id"], current["la_code"]) if "la_code" in current else pd.Series(pd.NA, rows.index)
    area = (lies_in == then.la_code).map({True: "in the area", False: "out of the area"}).where(lies_in.notna())
    return rows.assign(
        placed=look_up(rows["child_id"], current["placement_code"]),
        area=area,
        meets=~(rows["next_review_due_on"] < then.day),
    )


@question("home-educated", 20, "Home-educated children with plans", by=("age",), meets="a visit has seen the child since it began", tells_where=True,
          shows=(*WHO, "since", "last_contact_on"), untold="when the education was decided to be suitable: no extract carries it")  # fmt: skip
def home_educated(then: Then) -> pd.DataFrame:
    """Children with an active plan who are home educated on the day: since when, and the last visit that saw the child since then."""
    spells = then.cohorts[then.cohorts["cohort"] == "home_educated"].set_index("child_id")
    rows = then.plans[is_among(then.plans["child_id"], spells.index)]
    contact = look_up(rows["child_id"], spells["last_seen_on"])
    return rows.assign(since=look_up(rows["child_id"], spells["since"]), last_contact_on=contact, meets=contact.notna())


@question("missing-education", 20, "Children missing education with plans", by=("age",),
          shows=(*WHO, "missing_since", "whereabouts", "seen_on"))  # fmt: skip
def missing_education(then: Then) -> pd.DataFrame:
    """Children with an active plan and an open missing-education case on the day."""
    cases = then.table("missing_education")
    since = cases[is_open(cases, then.day)].groupby("child_id")["started_on"].min()
    rows = then.plans[is_among(then.plans["child_id"], since.index)]
    return rows.assign(missing_since=look_up(rows["child_id"], since))


@question("not-updated", 23, "Records not updated for a year", by=("need",), meets="something happened within the year before",
          shows=(*WHO, "last_event_on", "days_since"))  # fmt: skip
def not_updated(then: Then) -> pd.DataFrame:
    """Children with an active plan for whom no system records any event (request, plan, placement, roll, review, visit, care, case) in the twelve months
    before the day. A system's own date of update is in no extract, so the events stand for it."""
    found = []
    for frame in then.tables.values():
        if frame is not None and "child_id" in frame:
            dated = [
                name
                for name in frame
                if name.endswith("_on") and name not in ("carried_on", "born_on") and not name.startswith("next")
            ]
            on = frame[dated].select_dtypes("datetime")
            past = on.where(on <= then.day).max(axis=1)
            found.append(pd.DataFrame({"child_id": frame["child_id"], "on": past}))
    if not found:
        raise NotRecordedError("No extract carries a date.")
    last = pd.concat(found, ignore_index=True).groupby("child_id")["on"].max()
    on = look_up(then.plans["child_id"], last)
    rows = then.plans.assign(last_event_on=on, days_since=days(then.day, on))
    rows = rows[~(on > then.day - pd.DateOffset(years=1))]
    within = rows["last_event_on"] > then.day - pd.DateOffset(years=2)
    return rows.assign(meets=within)
