"""What stands in both editions of the page beside the key figures: the tiles, and how the sources are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs.about import About, system_title
from outputs.wording import FEED_STATUS, in_words, titled, whole

#: The KPI on source health stands in the section on sources, system by system.
SOURCES = "K17"
_MEASURES = ("extracts on time", "rows accepted", "expectations met")


def figure_of(figures: pd.DataFrame, code: str, column: str, line: str = "") -> int | None:
    """One number of a line of a KPI; None where the line is not there."""
    found = figures[(figures["code"] == code) & (figures["line"].fillna("") == line)]
    if found.empty or pd.isna(found[column].iloc[0]):
        return None
    return int(found[column].iloc[0])


def glance(
    figures: pd.DataFrame, now: pd.DataFrame, register: pd.DataFrame, active: pd.DataFrame, as_of: pd.Timestamp
) -> list[dict[str, Any]]:
    """The tiles: a number, what it counts, and where to read on."""
    plans = len(active)
    overdue = int((pd.to_datetime(active["next_review_due_on"]) < as_of).sum())
    nothing = int((active["awaiting"] == "nothing_in_place").sum())
    missing = int(now.loc[now["rule"].isin(["WH06", "WH07"]), "child_id"].nunique())
    visits = int((pd.to_datetime(active["visit_due_on"]) < as_of).sum())
    accurate, of = figure_of(figures, "K09", "numerator"), figure_of(figures, "K09", "denominator")
    tiles: list[dict[str, Any]] = [
        {
            "number": whole(plans),
            "label": "children with an EHC plan",
            "note": f"{len(register) - plans:,} more in assessment",
            "to": "where",
            "css": "",
        },
        {
            "number": whole(missing),
            "label": "missing now",
            "note": "open missing episode or missing-education case",
            "to": "who",
            "css": "bad" if missing else "good",
        },
        {
            "number": whole(nothing),
            "label": "awaiting, with nothing in place",
            "note": "no placement that works today",
            "to": "nothing-in-place",
            "css": "bad" if nothing else "good",
        },
        {
            "number": whole(overdue),
            "label": "annual reviews overdue",
            "note": f"of {plans:,} plans",
            "to": "overdue-reviews",
            "css": "bad" if overdue else "good",
        },
        {
            "number": whole(visits),
            "label": "welfare visits overdue",
            "note": "looked after, residential, out of authority and others",
            "to": "statutory-visits",
            "css": "bad" if visits else "good",
        },
    ]
    if accurate is not None and of:
        tiles.append(
            {
                "number": whole(accurate),
                "label": "plans whose records we can believe",
                "note": f"of {of:,}; nothing serious recorded wrongly",
                "to": "believe",
                "css": "",
            }
        )
    return tiles


def feed_rows(feeds: pd.DataFrame, about: About) -> list[dict[str, Any]]:
    """The feeds of a night as rows: what arrived, what was taken, and which earlier copy stands in."""
    copies = {(missing.system, missing.feed): missing.old_copy_of for missing in about.sources_not_received}
    return [
        {
            "system": system_title(str(record["system"])),
            "feed": record["feed"],
            "status": titled(record["status"], FEED_STATUS),
            "is_accepted": not pd.isna(record["is_accepted"]) and bool(record["is_accepted"]),
            "reason": record["reason"] if isinstance(record["reason"], str) else "",
            "modified_at": record["modified_at"],
            "old_copy_of": copies.get((record["system"], record["feed"])),
            **{name: record[name] for name in ("rows", "accepted", "set_aside", "repeated", "previous_rows")},
        }
        for record in feeds.to_dict("records")
    ]


def systems_of(rows: list[dict[str, Any]], health: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Per system: extracts on time, rows accepted and expectations met, over nights, and the expectations not met."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["code"] == SOURCES and not row["is_heading"]:
            system, _, measure = row["part"].partition(": ")
            found.setdefault(system, {})[measure] = row
    unmet = pd.DataFrame(columns=["system"])
    if health is not None and len(health):
        unmet = in_words(health)[~health["is_met"].astype("boolean").fillna(False)]
        found = {str(system): found.get(str(system), {}) for system in [*found, *health["system"].unique()]}
    return [
        {
            "system": system_title(system),
            "measures": [measures.get(measure) for measure in _MEASURES],
            "unmet": unmet[unmet["system"] == system].to_dict("records"),
        }
        for system, measures in found.items()
    ]
