"""Exceptions have a life: data raises, resolves and reopens them; nobody closes one. Pure: frames in, frames out.

An exception is one child, one rule and one thing. It resolves only if its rule was evaluated, each feed the rule needs arrived fresh, and
the child's records are all still held; otherwise it stays open, on old data, or is not evaluated, and its age runs on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pandas as pd

OPEN, ACCEPTED, NOT_EVALUATED, RESOLVED = "open", "accepted", "not_evaluated", "resolved"


def identify(findings: pd.DataFrame) -> pd.Series:
    """The identity of each finding: rule, who or what is at fault, and the thing. It survives the night, re-linking and a renamed column.

    The record at fault stands for the child where there is one, because a child id can change when records are relinked.
    """
    who = (findings["source"] + " " + findings["source_id"]).where(findings["source_id"] != "", findings["source"] + " " + findings["child_id"])
    key = findings["rule"] + "|" + who + "|" + findings["row_id"] + "|" + findings["thing"]
    same = key.groupby(key).cumcount()
    key = key.where(same == 0, key + "#" + same.astype("str"))
    return key.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def advance(
    previous: pd.DataFrame, findings: pd.DataFrame, states: Mapping[str, str], uncertain_children: set[str], night: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Last night's exceptions and tonight's findings to tonight's exceptions, and the events (exception_id, event).

    `states` says of a rule, or of a rule and feed as ``SR04 capita students``, whether it ran on ``fresh`` data, on ``old`` data, or was
    ``not_evaluated``. Nothing of `uncertain_children`, whose records are not all held any more, resolves.
    """
    found = findings.assign(exception_id=identify(findings)) if len(findings) else findings.assign(exception_id=pd.Series(dtype="str"))
    before = previous.set_index("exception_id")
    known = before.reindex(found["exception_id"])
    was = known["status"].to_numpy()
    found["first_seen_on"] = pd.Series(known["first_seen_on"].to_numpy(), index=found.index).fillna(night)
    found["reopened_on"] = pd.Series(known["reopened_on"].to_numpy(), index=found.index).mask(pd.Series(was, index=found.index) == RESOLVED, night)
    found["resolved_on"] = pd.NaT
    found["status"] = pd.Series(was, index=found.index).where(pd.Series(was, index=found.index) == ACCEPTED, OPEN)

    rest = previous[~previous["exception_id"].isin(found["exception_id"])].copy()
    of_rule = rest["rule"].map(states).fillna("not_evaluated")
    of_feed = (rest["rule"] + " " + rest["source"] + " " + rest["field"]).map(states)
    state = of_feed.fillna(of_rule)
    standing = rest["status"] != RESOLVED
    # A vanished record's own finding says so itself, and resolves when the record is back.
    unsure = rest["child_id"].isin(uncertain_children) & (rest["rule"] != "SR08")
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
            for event, ids in (("raised", raised), ("reopened", reopened), ("resolved", rest.loc[gone, "exception_id"]), ("not evaluated", rest.loc[put_aside, "exception_id"]))
        ],
        ignore_index=True,
    )
    return exceptions, events


def rule_states(results: pd.DataFrame, feeds: pd.DataFrame) -> dict[str, str]:
    """What `advance` needs to know of each rule, and of each feed rule by feed: a row of a feed that was not read tonight was not looked at."""
    states = dict(zip(results["rule"], results["state"], strict=True))
    for feed in feeds.itertuples():  # a few dozen feeds, not children
        unread = "fresh" if feed.is_accepted else "not_evaluated"
        for rule in ("SR04", "SR05", "SR07"):
            states[f"{rule} {feed.system} {feed.feed}"] = unread
        arrived = "fresh" if feed.status in ("accepted", "gated") else "not_evaluated"
        for rule in ("SR02", "SR03"):
            states[f"{rule} {feed.system} {feed.feed}"] = arrived
        states[f"SR06 {feed.system} {feed.feed}"] = "not_evaluated" if feed.status == "missing" else "fresh"
        if feed.tables and "people" in feed.tables.split(", ") and not feed.is_accepted:
            states[f"SR08 {feed.system} {feed.feed}"] = "old"
    return states
