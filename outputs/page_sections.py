"""What stands in both editions of the page beside the key figures: the tiles, and how the sources are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from outputs.about import About, feed_title, system_title
from outputs.figures import arrivals
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


@dataclass(frozen=True)
class Beside:
    """What stands in the folder beside a page, for its links: names of files, and the workbook of each owner and of each team, all relative to
    the page.
    """

    files: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)


def not_in_education(now: pd.DataFrame, active: pd.DataFrame) -> dict[str, int]:
    """Children of compulsory school age and in no education (AW03): all, and those of them who await provision with nothing in place."""
    who = set(now.loc[now["rule"] == "AW03", "child_id"]) & set(active["child_id"])
    waiting = active.loc[active["awaiting"] == "nothing_in_place", "child_id"]
    return {"number": len(who), "waiting": int(waiting.isin(who).sum())}


def nights_before(trend: pd.DataFrame | None, as_of: pd.Timestamp, most: int = 31) -> list[dict[str, Any]]:
    """The nights before this one, the latest first, each with what did not arrive in time (`outputs.figures.arrivals`)."""
    if trend is None or trend.empty:
        return []
    found = arrivals(trend[pd.to_datetime(trend["as_of"]) < as_of])
    return [{"on": night, "short": short} for night, short in found[::-1].head(most).items()]


def glance(
    figures: pd.DataFrame,
    now: pd.DataFrame,
    register: pd.DataFrame,
    active: pd.DataFrame,
    advice: Collection[str],
    as_of: pd.Timestamp,
) -> list[dict[str, Any]]:
    """The tiles: a number, what it counts, and where to read on. `advice` are the children whose advice should be in."""
    plans = len(active)
    idle = not_in_education(now, active)
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
            "number": whole(idle["number"]),
            "label": "of school age, in no education",
            "note": f"{idle['waiting']:,} of them count as awaiting; {idle['number'] - idle['waiting']:,} on no waiting list"
            if idle["number"]
            else "none without a placement or other arrangement",
            "to": "no-education",
            "css": "bad" if idle["number"] else "good",
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
        {
            "number": whole(len(advice)),
            "label": "assessments past their date for advice",
            "note": "when it came in is in no extract",
            "to": "advice",
            "css": "bad" if advice else "good",
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
            "key": record["system"],
            "system": system_title(str(record["system"])),
            "feed": feed_title(str(record["feed"])),
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
            "key": system,
            "system": system_title(system),
            "measures": [measures.get(measure) for measure in _MEASURES],
            "unmet": [
                miss | {"feed": feed_title(str(miss["feed"]))}
                for miss in unmet[unmet["system"] == system].to_dict("records")
            ],
        }
        for system, measures in found.items()
    ]
