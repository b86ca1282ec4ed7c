"""What to look at first, and why in one line. Pure: frames and weights in, frames out.

Points are added up from the severity, the child's situation, how long it has been overdue, and how many systems show the same; the weights are
those of `priority.yml`. Each child has one lead exception, the others stand under it. Exceptions of one rule that share a value have one cause.
"""

from __future__ import annotations

import pandas as pd

from config.priority import Priority
from pipelines.lifecycle import ACCEPTED, EXPLAINED, OPEN, RESOLVED

#: Situations that say where a child is, or that there is no place: of a restricted child they are neither counted nor named.
_TELLING = ("nothing_in_place", "residential", "out_of_authority")
_COHORTS = ("looked_after", "residential", "out_of_authority")
#: What waits because people have dealt with it.
WAITING = {ACCEPTED: "accepted until a date", EXPLAINED: "explained by a person"}


def prioritise(
    exceptions: pd.DataFrame, register: pd.DataFrame, weights: Priority, night: pd.Timestamp
) -> pd.DataFrame:
    """Exceptions with what makes one come before another.

    `exceptions` as a night left them, with ``title``; `register` the children of that night, unmasked. Adds ``priority`` (points; the more the
    sooner), ``why_first`` (one line), ``lead`` (the exception_id of the child's lead exception), ``is_lead``, ``cause`` (what several exceptions
    of a rule share; empty where nothing), ``cause_size`` (how many share it), ``overdue_days``, ``due_on`` and ``is_overdue`` (against the
    target time). Nothing added says where a restricted child is.
    """
    frame = exceptions.reset_index(drop=True)
    facts = register.drop_duplicates("child_id").set_index("child_id")
    situation, words = _situation(facts, weights)
    child = frame["child_id"]
    base = frame["severity"].map(weights.severity).fillna(0).astype("int64")
    of_child = child.map(situation).fillna(0).astype("int64")
    late = (night - frame["since_on"]).dt.days.where(frame["since_on"] < night)
    open_days = (night - frame["first_seen_on"]).dt.days
    weeks = (
        (late.fillna(open_days).fillna(0).clip(lower=0) // 7).clip(upper=weights.overdue.at_most_weeks).astype("int64")
    )
    systems = _systems(frame, weights)
    further = (systems - 1).clip(lower=0, upper=weights.systems.at_most)
    waits = frame["status"].isin(list(WAITING))
    points = base + of_child + weeks * weights.overdue.points_a_week + further * weights.systems.points
    frame["overdue_days"] = late.astype("Int64")
    frame["priority"] = points.mask(waits, weights.accepted).astype("Int64")
    frame["why_first"] = _why(frame, child.map(words), late, open_days, systems)
    frame = frame.assign(**targets(frame, weights, night)[["due_on", "is_overdue"]], **_causes(frame, facts, weights))
    return frame.assign(**_leads(frame))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Prioritised exceptions as people work through them: child by child, the child whose lead has most points first, its others under it."""
    first = frame["lead"].map(frame.set_index("exception_id")["priority"]).astype("Int64")
    keys = {"_first": first, "_under": ~frame["is_lead"], "_rest": frame["status"] == RESOLVED}
    by = ["_rest", "_first", "lead", "_under", "priority", "rule", "exception_id"]
    ascending = [True, False, True, True, False, True, True]
    return frame.assign(**keys).sort_values(by, ascending=ascending, kind="stable")[list(frame.columns)]


def causes(frame: pd.DataFrame) -> pd.DataFrame:
    """The causes behind prioritised, titled exceptions: one row for each thing that puts several right.

    Columns: cause, rule, severity (the highest), children, exceptions, owner, oldest_on, priority (the highest), todo, fix_in.
    """
    own = frame[(frame["cause"] != "") & (frame["status"] != RESOLVED)]
    groups = own.assign(child_id=own["child_id"].mask(own["child_id"] == "")).sort_values("priority", ascending=False)
    told = groups.groupby(["rule", "cause"], sort=False).agg(
        severity=("severity", "first"),
        children=("child_id", "nunique"),
        exceptions=("exception_id", "size"),
        owner=("owner", lambda owners: ", ".join(sorted(set(owners)))),
        oldest_on=("first_seen_on", "min"),
        priority=("priority", "max"),
        todo=("todo", "first"),
        fix_in=("fix_in", "first"),
    )
    order = ["exceptions", "priority", "rule", "cause"]
    told = told.reset_index().sort_values(order, ascending=[False, False, True, True], kind="stable", ignore_index=True)
    return told[["cause", "rule", *told.columns[2:]]]


def _situation(facts: pd.DataFrame, weights: Priority) -> tuple[pd.Series, pd.Series]:
    """Points and words of each child's situation, by child_id."""
    restricted = facts["is_restricted"].astype("boolean").fillna(False).astype(bool)
    cohorts = "+" + facts["cohorts"].fillna("").astype("str") + "+"
    flags = {
        "missing": facts["whereabouts_grade"] == "missing",
        "not_known": facts["whereabouts_grade"] == "not_known",
        "vanished": facts["vanished"].notna() & (facts["vanished"] != ""),
        "nothing_in_place": facts["awaiting"] == "nothing_in_place",
        **{name: cohorts.str.contains(f"+{name}+", regex=False) for name in _COHORTS},
        "restricted": restricted,
    }
    points = pd.Series(0, index=facts.index, dtype="int64")
    words = pd.Series("", index=facts.index, dtype="str")
    for name, said in weights.situation.items():
        holds = flags[name].fillna(False).astype(bool)
        if name in _TELLING:
            holds &= ~restricted
        points = points + holds.astype("int64") * said.points
        words = _joined(words, pd.Series(said.says, index=facts.index, dtype="str").where(holds, ""), ", ")
    age = facts["age"].astype("Int64")
    banded = pd.Series(False, index=facts.index)
    for band in sorted(weights.age, key=lambda band: band.below):
        holds = (age < band.below).fillna(False).astype(bool) & ~banded
        banded |= holds
        points = points + holds.astype("int64") * band.points
    aged = ("aged " + age.astype("str")).where(banded, "").astype("str")
    return points, _joined(words, aged, ", ")


def _systems(frame: pd.DataFrame, weights: Priority) -> pd.Series:
    """How many systems' own records show something of the same topic about the same child; 1 where there is no child or topic."""
    topics = {part: topic for topic, parts in weights.topics.items() for part in parts}
    topic = frame["rule"].map(topics).fillna(frame["rule"].str[:2].map(topics))
    counts = frame["status"].isin([OPEN, ACCEPTED]) & (frame["child_id"] != "") & (frame["source"] != "")
    shown = frame[counts].groupby([frame["child_id"], topic])["source"].nunique()
    keys = pd.MultiIndex.from_arrays([frame["child_id"], topic])
    return pd.Series(shown.reindex(keys).to_numpy(), index=frame.index).fillna(1).astype("int64")


def _why(
    frame: pd.DataFrame, situation: pd.Series, late: pd.Series, open_days: pd.Series, systems: pd.Series
) -> pd.Series:
    days = _days(late) + " overdue"
    since = ("open " + _days(open_days)).where(open_days >= 7, "")
    shown = ("shown by " + systems.astype("str") + " systems").where(systems > 1, "")
    words = frame["severity"].str.capitalize().astype("str")
    for part in (situation.astype("str").fillna(""), days.where(late.notna(), since), shown):
        words = _joined(words, part.astype("str"), "; ")
    waits = frame["status"].map(WAITING)
    return words.mask(waits.notna(), "Waits: " + waits.astype("str"))


def _days(number: pd.Series) -> pd.Series:
    whole = number.astype("Int64")
    return whole.map("{:,}".format, na_action="ignore").astype("str") + pd.Series(
        " days", index=number.index, dtype="str"
    ).mask(whole == 1, " day")


def _joined(words: pd.Series, more: pd.Series, between: str) -> pd.Series:
    return words + more.where((words == "") | (more == ""), between + more)


def targets(frame: pd.DataFrame, weights: Priority, night: pd.Timestamp) -> pd.DataFrame:
    """``due_on``, until when an exception is within its target time, and ``is_overdue``, whether that has passed.

    It counts from when it was raised, or came back. What people accepted is not late. Where its severity has no target, neither is it.
    """
    begun = frame[["first_seen_on", "reopened_on"]].max(axis=1)
    days = frame["severity"].map(weights.target_days).astype("Float64")
    due = (begun + pd.to_timedelta(days, unit="D")).astype("datetime64[us]")
    waits = frame["status"].isin([*WAITING, RESOLVED])
    return pd.DataFrame({"due_on": due, "is_overdue": (due < night) & ~waits})


def _causes(frame: pd.DataFrame, facts: pd.DataFrame, weights: Priority) -> dict[str, pd.Series]:
    restricted = facts.index[facts["is_restricted"].astype("boolean").fillna(False).astype(bool)]
    shared = frame["shared"].fillna("").mask(frame["child_id"].isin(restricted), "")
    counts = (shared != "") & (frame["status"] != RESOLVED)
    key = frame["rule"] + "|" + shared
    size = key.map(key[counts].value_counts()).fillna(0).astype("int64")
    has = counts & (size >= weights.causes_from)
    text = frame["title"].astype("str") + ": " + shared
    return {"cause": text.where(has, "").astype("str"), "cause_size": size.where(has).astype("Int64")}


def _leads(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Each child's lead: the standing exception with most points, by rule and id among equals. One without a child leads itself."""
    who = frame["child_id"].mask(frame["child_id"].fillna("") == "", frame["exception_id"])
    order = frame.assign(_who=who, _rest=frame["status"] == RESOLVED).sort_values(
        ["_rest", "priority", "rule", "exception_id"], ascending=[True, False, True, True], kind="stable"
    )
    first = order.drop_duplicates("_who").set_index("_who")["exception_id"]
    lead = who.map(first).astype("str")
    return {"lead": lead, "is_lead": lead == frame["exception_id"]}
