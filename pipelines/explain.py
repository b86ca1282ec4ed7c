"""A vanished child (SR08) explained by a person: the child is no longer ours. It holds until the data say otherwise. Pure.

Where only the record has gone and the child is still ours, that is no explanation: accept the exception until a date instead.
"""

from __future__ import annotations

import pandas as pd

from pipelines.acts import EXPLAINED, FELL, resting_on, standing
from pipelines.lifecycle import EXPLAINED as IS_EXPLAINED
from pipelines.lifecycle import OPEN, RESOLVED

RULE = "SR08"
SYSTEMS = ("synergy", "liquidlogic", "capita")


def records_of(register: pd.DataFrame) -> pd.Series:
    """By child_id, the short hashes of the child's record numbers: what an explanation rests on, without the numbers."""
    numbers = register.drop_duplicates("child_id").set_index("child_id")[[f"{system}_id" for system in SYSTEMS]]
    first, *others = (
        resting_on(name + " " + column.astype("str")).str[:8].where(column.notna(), "") for name, column in numbers.items()
    )  # fmt: skip
    return first.str.cat(others, sep=" ").str.split().str.join(" ").astype("str")


def explanations(events: pd.DataFrame) -> pd.DataFrame:
    """By exception_id, the newest explanation that was neither taken back nor proved wrong: act, given_on, value (the records then), who, reason."""
    fallen = pd.to_numeric(events.loc[events["event"] == FELL, "value"]).astype("Int64")
    acts = standing(events)
    acts = acts[(acts["event"] == EXPLAINED) & ~acts["id"].isin(fallen)]
    newest = acts.drop_duplicates("exception_id", keep="last").set_index("exception_id")
    return newest.rename(columns={"id": "act", "night": "given_on"})[["act", "given_on", "value", "who", "reason"]]


def honour_explanations(
    exceptions: pd.DataFrame, events: pd.DataFrame, register: pd.DataFrame, night: pd.Timestamp, days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tonight's exceptions with the explanations that hold as status ``explained``, and the events of those that proved wrong.

    An explanation falls when the record was back and went again, when the child was seen after it, when a record of the child is there that was
    not there then, and when the child still has an active plan so many `days` later. `register` is tonight's, with ``has_active_plan``, ``seen_on``
    and the numbers of the records.
    """
    given = explanations(events[events["night"] <= night])
    known = given.reindex(exceptions["exception_id"]).set_axis(exceptions.index)
    facts = register.drop_duplicates("child_id").set_index("child_id")
    child = facts[["has_active_plan", "seen_on"]].reindex(exceptions["child_id"]).set_axis(exceptions.index)
    asked = known["act"].notna() & (exceptions["rule"] == RULE) & (exceptions["status"] != RESOLVED)
    now = records_of(register).reindex(exceptions.loc[asked, "child_id"]).set_axis(exceptions.index[asked]).fillna("")
    # The few that people explained: held against the records of then, one by one.
    then = known.loc[asked, "value"].fillna("")
    is_new = pd.Series(
        [bool(set(a.split()) - set(b.split())) for a, b in zip(now, then, strict=True)], index=now.index, dtype="bool"
    ).reindex(exceptions.index, fill_value=False)
    stays = child["has_active_plan"].astype("boolean").fillna(False) & (
        night >= known["given_on"] + pd.Timedelta(days=days)
    )
    reasons = (
        (exceptions["reopened_on"] > known["given_on"], "the record was back, and has gone again"),
        (child["seen_on"] > known["given_on"], "the child was seen since"),
        (is_new, "a record of the child is there that was not there then"),
        (stays, f"{days} days later the child still has an active plan"),
    )
    why = pd.Series("", index=exceptions.index, dtype="str")
    for holds, reason in reasons:
        why = why.mask(holds.astype("boolean").fillna(False).astype(bool) & (why == ""), reason)
    falls, holds = asked & (why != ""), asked & (why == "")
    status = exceptions["status"].mask(holds, IS_EXPLAINED).mask(~holds & (exceptions["status"] == IS_EXPLAINED), OPEN)
    fell = pd.DataFrame(
        {
            "exception_id": exceptions.loc[falls, "exception_id"],
            "event": FELL,
            "value": known.loc[falls, "act"].astype("Int64").astype("str"),
            "reason": why[falls],
        }
    ).reset_index(drop=True)
    return exceptions.assign(status=status), fell
