"""How many exceptions came, went and are late since the night before, as rows for a page and as a table of a summary sheet."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs.covers import Cover
from outputs.wording import SEVERITIES, SEVERITY_MEANINGS, SEVERITY_TITLES

#: The counts that are told, in order: their names, their headings, and what they mean.
TOLD = {
    "new": ("New", "found for the first time"),
    "backlog": (
        "Backlog",
        "of a rule that began, came out of shadow, or has a new version on this night: there before",
    ),
    "reopened": ("Back", "resolved earlier, and found again"),
    "resolved": ("Resolved", "no longer found, on fresh data"),
    "newly_overdue": ("Newly late", "past its target time since last night"),
    "overdue": ("Late", "past its target time"),
    "number": ("Standing", "open, accepted, or not checked"),
}


def by_severity(volume: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a severity, with the counts of TOLD. `volume` as `pipelines.volume.volume` gives it; severities without any are rows of zeros."""
    summed = _summed(volume, "severity").reindex(list(SEVERITIES), fill_value=0)
    return [{"severity": severity, **numbers} for severity, numbers in summed.to_dict("index").items()]


def account(volume: pd.DataFrame) -> str:
    """What else moved the number that stands: rules that went into shadow, records linked otherwise. Sentences; empty where nothing did."""
    hidden, relinked = (int(volume[name].sum()) for name in ("to_shadow", "relinked"))
    told = [f"{hidden:,} more are kept and no longer counted, as their rule went into shadow."] if hidden else []
    if relinked:
        told.append(f"{abs(relinked):,} {'more' if relinked > 0 else 'fewer'} stand, as records were linked otherwise.")
    return " ".join(told)


def by_owner(volume: pd.DataFrame) -> list[dict[str, Any]]:
    """One row an owner (``name``) with the counts of TOLD, most past their target time first; owners with nothing that stands are left out."""
    summed = _summed(volume, "owner").query("number > 0")
    summed = summed.sort_values(["overdue", "number"], ascending=False, kind="stable")
    return [{"name": owner, **numbers} for owner, numbers in summed.to_dict("index").items()]


def _summed(volume: pd.DataFrame, by: str) -> pd.DataFrame:
    counts = volume.assign(number=volume[["open", "accepted", "not_evaluated"]].sum(axis=1))
    return counts.groupby(by)[list(TOLD)].sum().astype("int64")


def write_volume(sheet: Cover, volume: pd.DataFrame) -> None:
    """Put the table on a summary sheet; the last line is the total of the lines above it."""
    rows = by_severity(volume)
    sheet.heading("Since the night before")
    heads = [(title, "head right") for title, _ in TOLD.values()]
    sheet.line(("Severity", "head"), ("What it means", "head"), *heads, height=20)
    for row in rows:
        cells = [(row[name] or None, "count") for name in TOLD]
        severity = row["severity"]
        label, meaning = (SEVERITY_TITLES[severity], f"severity {severity}"), (SEVERITY_MEANINGS[severity], "fact")
        sheet.line(label, meaning, *cells)
    totals = [(sum(row[name] for row in rows), "total") for name in TOLD]
    sheet.line(("Total", "total label"), (None, "total label"), *totals)
    sheet.prose(". ".join(f"{title}: {about}" for title, about in TOLD.values()) + f". {account(volume)}".rstrip())
