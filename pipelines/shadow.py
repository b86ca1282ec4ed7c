"""Rules in shadow, and rules that start: what a rule found on its first night was there before, so it is backlog and not news. Pure.

A rule in shadow runs and is counted, and raises nothing. What it raised earlier neither resolves nor is shown while it is in shadow.
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from pipelines.lifecycle import RESOLVED, identify

COLUMNS = (
    "exception_id", "rule", "child_id", "source", "source_id", "row_id", "thing", "field", "detail", "severity", "owner", "first_seen_on",
)  # fmt: skip


def would_raise(previous: pd.DataFrame, findings: pd.DataFrame, night: pd.Timestamp) -> pd.DataFrame:
    """What the rules in shadow would raise tonight, each with the first night on which it would have been: columns COLUMNS."""
    if findings.empty:
        return previous.iloc[:0].reindex(columns=list(COLUMNS))
    found = findings.assign(exception_id=identify(findings))
    since = previous.set_index("exception_id")["first_seen_on"].reindex(found["exception_id"]).set_axis(found.index)
    found["first_seen_on"] = since.astype("datetime64[us]").fillna(night)
    return found[list(COLUMNS)]


def starting(results: pd.DataFrame, before: pd.DataFrame) -> dict[str, str]:
    """The rules that judge tonight for the first time, with the reason: they were in shadow, have a new version, or never could before.

    `results` has rule, version, is_shadow and state, one row per rule; `before` the same of each rule on the last earlier night on which it was
    evaluated. On the register's own first night no rule starts: there is no trend that could jump.
    """
    live = results[~results["is_shadow"].astype(bool) & (results["state"] != "not_evaluated")].set_index("rule")
    if before.empty or live.empty:
        return {}
    known = before.set_index("rule").reindex(live.index)
    was_live = known["state"].notna() & ~known["is_shadow"].astype("boolean").fillna(False).astype(bool)
    version = known["version"].astype("Int64")
    changed = was_live & version.notna() & (version != live["version"].astype("Int64")).fillna(False)
    why = pd.Series("", index=live.index, dtype="str").mask(changed, "version " + live["version"].astype("str"))
    why = why.mask(known["state"].isna(), "first night of the rule").mask(
        known["state"].notna() & ~was_live, "no longer in shadow"
    )
    return why[why != ""].to_dict()


def marked(
    exceptions: pd.DataFrame, previous: pd.DataFrame, starts: Collection[str], night: pd.Timestamp
) -> pd.DataFrame:
    """Exceptions with ``is_backlog``: raised on the night on which their rule started. Once backlog, always backlog."""
    was = (
        previous.set_index("exception_id")["is_backlog"].reindex(exceptions["exception_id"]).set_axis(exceptions.index)
    )
    begins = (exceptions["first_seen_on"] == night) & exceptions["rule"].isin(starts)
    backlog = was.astype("boolean").fillna(False).astype(bool) | (begins & (exceptions["status"] != RESOLVED))
    return exceptions.assign(is_backlog=backlog)


def explained(
    events: pd.DataFrame, exceptions: pd.DataFrame, starts: dict[str, str], shadow: Collection[str] = ()
) -> pd.DataFrame:
    """Events of data with the reason why they are so many: their rule starts tonight, or is in `shadow`."""
    rule = events["exception_id"].map(exceptions.set_index("exception_id")["rule"])
    reason = rule.map(starts).where(events["event"].isin(["raised", "reopened", "resolved"]))
    reason = reason.mask(rule.isin(shadow) & (events["event"] == "not evaluated"), "in shadow")
    told = events["reason"] if "reason" in events else pd.Series(pd.NA, index=events.index, dtype="str")
    return events.assign(reason=reason.astype("str").fillna(told))
