"""What a signatory must know before signing a month: conditions that block, and caveats that are ticked off one by one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from config.signoff import SignoffRules
from outputs.about import feed_title, system_title
from outputs.wording import uk_date
from pipelines.acts import ACCEPTANCE, CLAIMED, NOTED, PROPOSED, SECONDED, standing
from pipelines.frames import is_among

BLOCK, TICK, IGNORE = "block", "tick", "ignore"
UNEXPLAINED = "critical-unexplained"
#: What people do to an exception that explains it.
EXPLAINS = (NOTED, CLAIMED, PROPOSED, ACCEPTANCE)


def caveats(
    parts: Mapping[str, pd.DataFrame],
    rules: SignoffRules,
    *,
    night: date,
    cut_off: date,
    finished_at: datetime,
    unexplained: int,
    opening: Mapping[str, Any] | None,
    versions: Mapping[str, str],
) -> pd.DataFrame:
    """The caveats of a freeze: id, weight (block or tick) and text, in a fixed order.

    `opening` is what the month is compared with: ``night``, ``rules`` (the version of that night's rules) and ``is_recomputed`` (that night was run
    again after it was frozen); None where there is nothing to compare with.
    """
    sources, figures, exceptions = parts["sources"], parts["kpi_values"], parts["exceptions"]
    missing = sources[sources["is_late"]]
    late_before = sources[~sources["is_late"] & (sources["nights_late"].fillna(0) > 0)]
    undone = figures[figures["not_judged"].fillna(0) > 0]
    serious = exceptions[exceptions["severity"].isin(SECONDED) & (exceptions["status"] == "accepted")]
    was_rerun = finished_at.date() > cut_off
    found = [
        (
            "source-missing",
            rules.conditions.source_missing,
            len(missing) > 0,
            f"Not there at the cut-off, an older copy or nothing stands in: {feeds_in_words(missing)}.",
        ),
        (
            UNEXPLAINED,
            rules.conditions.critical_unexplained,
            unexplained > 0,
            _told_unexplained(unexplained),
        ),
        (
            "night-before-cut-off",
            TICK,
            night < cut_off,
            f"No night was complete on the cut-off, {uk_date(cut_off)}: the month is as the night of {uk_date(night)} knew it.",
        ),
        (
            "night-run-later",
            TICK,
            was_rerun,
            f"The night of {uk_date(night)} was run, or run again, on {uk_date(finished_at.date())}, after the cut-off of {uk_date(cut_off)}.",
        ),
        (
            "late-in-month",
            TICK,
            len(late_before) > 0,
            f"Late on some nights, there at the cut-off: {feeds_in_words(late_before)}.",
        ),
        (
            "not-judged",
            TICK,
            len(undone) > 0,
            f"Children whose dates or sources are missing are left out of {_many(len(undone), 'figure')}; how many is beside each.",
        ),
        (
            "serious-accepted",
            TICK,
            len(serious) > 0,
            f"Counted as accepted: {_many(len(serious), 'critical or high exception')}; who accepted them is in the pack.",
        ),
        (
            "nothing-to-compare",
            TICK,
            opening is None,
            "There is no earlier night to compare with: what moved is not told.",
        ),
        (
            "rules-changed",
            TICK,
            opening is not None and opening["rules"] != versions["rules"],
            "Rules changed since the month before: some figures moved without any child having moved (see CHANGELOG.md).",
        ),
        (
            "opening-recomputed",
            TICK,
            opening is not None and bool(opening["is_recomputed"]),
            "The night that the month before was frozen from has been run again since: what moved starts from the newer knowledge.",
        ),
    ]
    rows = [(name, weight, text) for name, weight, holds, text in found if holds and weight != IGNORE]
    return pd.DataFrame(rows, columns=["id", "weight", "text"], dtype="str")


def explained(exceptions: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The last word of people about each critical exception that is open: exception_id, child_id, event, who, at. Those without one are not in it.

    A word of before an exception was resolved and came back explains nothing. `exceptions` is a frozen part or the store's own.
    """
    open_ones = exceptions[(exceptions["severity"] == "critical") & (exceptions["status"] == "open")]
    open_ones = open_ones.reindex(columns=["exception_id", "child_id", "reopened_on"])
    acts = standing(events)
    acts = acts.loc[acts["event"].isin(EXPLAINS), ["id", "exception_id", "event", "who", "at", "night"]]
    told = open_ones.drop_duplicates("exception_id").merge(acts, on="exception_id")
    back = pd.to_datetime(told["reopened_on"])
    told = told[back.isna() | (told["night"] >= back)].sort_values("id").drop_duplicates("exception_id", keep="last")
    return told[["exception_id", "child_id", "event", "who", "at"]]


def unexplained(exceptions: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The critical exceptions that are open and that nobody has noted, claimed or accepted since they were found, or came back."""
    open_ones = exceptions[(exceptions["severity"] == "critical") & (exceptions["status"] == "open")]
    return open_ones[~is_among(open_ones["exception_id"], explained(exceptions, events)["exception_id"])]


def unexplained_caveat(number: int) -> pd.DataFrame:
    """The caveat about so many exceptions, as a row of `caveats`."""
    return pd.DataFrame(
        [(UNEXPLAINED, BLOCK, _told_unexplained(number))], columns=["id", "weight", "text"], dtype="str"
    )


def _told_unexplained(number: int) -> str:
    listed = "the pack lists them, `ehcp exceptions list --severity critical` the ones of today"
    return f"{_many(number, 'open critical exception')} that nobody has noted, claimed or accepted; {listed}."


def feeds_in_words(sources: pd.DataFrame) -> str:
    """``Capita students, rolls; Synergy visits``: feeds by system."""
    by_system = sources["feed"].map(feed_title).groupby(sources["system"], sort=True).agg(", ".join)
    return "; ".join(f"{system_title(str(system))} {names}" for system, names in by_system.items())


def _many(number: int, singular: str) -> str:
    return f"{number:,} {singular}" + ("s" if number != 1 else "")
