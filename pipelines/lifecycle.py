"""Exceptions have a life: data raises, resolves and reopens them; nobody closes one. Pure: frames in, frames out.

An exception is one child, one rule and one thing. It resolves only if its rule was evaluated, each feed the rule needs arrived fresh, and
the child's records are all still held; otherwise it stays open, on old data, or is not evaluated, and its age runs on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pandas as pd

from pipelines.frames import is_among

OPEN, ACCEPTED, NOT_EVALUATED, RESOLVED, EXPLAINED = "open", "accepted", "not_evaluated", "resolved", "explained"


def identify(findings: pd.DataFrame) -> pd.Series:
    """The identity of each finding: rule, who or what is at fault, and the thing. It survives the night, re-linking and a renamed column.

    The record at fault stands for the child where there is one, because a child id can change when records are relinked.
    """
    who = (findings["source"] + " " + findings["source_id"]).where(
        findings["source_id"] != "", findings["source"] + " " + findings["child_id"]
    )
    key = findings["rule"] + "|" + who + "|" + findings["row_id"] + "|" + findings["thing"]
    same = key.groupby(key).cumcount()
    key = key.where(same == 0, key + "#" + same.astype("str"))
    return key.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def advance(
    previous: pd.DataFrame,
    findings: pd.DataFrame,
    states: Mapping[str, str],
    uncertain_children: set[str],
    night: pd.Timestamp,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Last night's exceptions and tonight's findings to tonight's exceptions, and the events (exception_id, event).

    `states` says of a rule, or of a rule and feed as ``SR04 capita students``, whether it ran on ``fresh`` data, on ``old`` data, or was
    ``not_evaluated``. Nothing of `uncertain_children`, whose records are not all held any more, resolves.
    """
    found = (
        findings.assign(exception_id=identify(findings))
        if len(findings)
        else findings.assign(exception_id=pd.Series(dtype="str"))
    )
    before = previous.set_index("exception_id")
    known = before.reindex(found["exception_id"])
    was = known["status"].to_numpy()
    found["on_old_data"] = _state_of(found, states) == "old"
    found["first_seen_on"] = pd.Series(known["first_seen_on"].to_numpy(), index=found.index).fillna(night)
    found["reopened_on"] = pd.Series(known["reopened_on"].to_numpy(), index=found.index).mask(
        pd.Series(was, index=found.index) == RESOLVED, night
    )
    found["resolved_on"] = pd.NaT
    found["status"] = pd.Series(was, index=found.index).where(pd.Series(was, index=found.index) == ACCEPTED, OPEN)

    rest = previous[~is_among(previous["exception_id"], found["exception_id"])].copy()
    state = _state_of(rest, states)
    standing = rest["status"] != RESOLVED
    # A vanished record's own finding says so itself, and resolves when the record is back.
    unsure = is_among(rest["child_id"], uncertain_children) & (rest["rule"] != "SR08")
    gone = standing & (state == "fresh") & ~unsure
    kept = standing & ~gone
    rest["status"] = rest["status"].mask(gone, RESOLVED).mask(kept & (state == "not_evaluated"), NOT_EVALUATED)
    rest["status"] = rest["status"].mask(kept & (state != "not_evaluated") & (rest["status"] == NOT_EVALUATED), OPEN)
    rest["resolved_on"] = rest["resolved_on"].mask(gone, night)
    rest["on_old_data"] = rest["on_old_data"].mask(kept, True)

    exceptions = pd.concat([found, rest[found.columns.intersection(rest.columns)]], ignore_index=True)
    raised = found.loc[pd.isna(was), "exception_id"]
    reopened = found.loc[pd.Series(was, index=found.index) == RESOLVED, "exception_id"]
    put_aside = kept & (state == "not_evaluated") & (previous["status"].reindex(rest.index) != NOT_EVALUATED)
    events = pd.concat(
        [
            pd.DataFrame({"exception_id": ids, "event": event})
            for event, ids in (
                ("raised", raised),
                ("reopened", reopened),
                ("resolved", rest.loc[gone, "exception_id"]),
                ("not evaluated", rest.loc[put_aside, "exception_id"]),
            )
        ],
        ignore_index=True,
    )
    return exceptions, events


def _state_of(exceptions: pd.DataFrame, states: Mapping[str, str]) -> pd.Series:
    """The state that applies to each exception: of its rule and feed, else of its rule and system, else of its rule."""
    of_system = exceptions["rule"] + " " + exceptions["source"]
    of_feed = of_system + " " + exceptions["field"]
    return (
        of_feed.map(states)
        .fillna(of_system.map(states))
        .fillna(exceptions["rule"].map(states))
        .fillna("not_evaluated")
        .astype("str")
    )


def rule_states(results: pd.DataFrame, uses: Mapping[str, tuple[str, ...]], feeds: pd.DataFrame) -> dict[str, str]:
    """What `advance` needs to know: the state of each rule (``RV01``), of a rule in one system (``RV01 synergy``), and of a feed rule by feed.

    A fault in one system's record rests on that system's own feeds and the reference files, so it can resolve while another system's
    extract is missing; but a table that the system does not hold itself is read from the others, and waits for each of them.
    `uses` names the canonical tables of each rule; `feeds` has system, feed, tables, status, is_accepted, is_expected.
    """
    states = dict(zip(results["rule"], results["state"], strict=True))
    by_table = feeds.assign(table=feeds["tables"].str.split(", ")).explode("table")
    late = by_table[~by_table["is_accepted"].astype(bool) & by_table["is_expected"].astype(bool)]
    late_in, held_in = (set(zip(some["table"], some["system"], strict=True)) for some in (late, by_table))
    late_anywhere = set(late["table"])
    for rule, tables in uses.items():
        if tables and states.get(rule) in ("fresh", "old"):
            for system in feeds["system"].unique():
                is_late = any(
                    (table, system) in late_in or (table, "reference") in late_in
                    if (table, system) in held_in
                    else table in late_anywhere
                    for table in tables
                )
                states[f"{rule} {system}"] = "old" if is_late else "fresh"
    for feed in feeds.itertuples():  # a few dozen feeds, not children
        name = f"{feed.system} {feed.feed}"
        arrived = feed.status in ("accepted", "gated")
        states |= {f"{rule} {name}": "fresh" if feed.is_accepted else "not_evaluated" for rule in ("SR04",)}
        states |= {f"{rule} {name}": "fresh" if feed.is_accepted else "old" for rule in ("SR05", "SR07", "SR08")}
        states |= {f"{rule} {name}": "fresh" if arrived else "not_evaluated" for rule in ("SR02", "SR03")}
        states[f"SR06 {name}"] = "not_evaluated" if feed.status == "missing" else "fresh"
    # A rule in shadow raises nothing, so what it raised before must not resolve for it.
    shadow = set(results.loc[results["is_shadow"].astype(bool), "rule"])
    states = {name: state for name, state in states.items() if name.split(" ")[0] not in shadow}
    return states | dict.fromkeys(shadow, "not_evaluated")
