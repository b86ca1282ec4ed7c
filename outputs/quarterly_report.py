"""The quarterly report on the SEND written statement of action, as a PDF: its own headings, each figure from opening to closing against target.

It goes to the board and to the Department, so it holds counts only, and none of 1 to 4 children can be read or worked out. What moved a figure
is told by its bridge: how many children came into it and how many left it between the two nights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from outputs.about import About
from outputs.figures import RAG_WORDS
from outputs.page_kpis import kept_back
from outputs.paper import Paper, PaperColumn
from outputs.suppress import HIDDEN, in_words, is_few
from outputs.wording import LINES_IN_DAYS, line_title, percent, uk_date

#: The headings of the statement of action, what each aims at, and the figures that answer it.
HEADINGS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Weakness 1: records and oversight",
        "Know where every child is placed and what provision is commissioned; an accurate list of every child and young person with a plan, and "
        "processes that track those who may be missing.",
        ("K05", "K03", "K04", "K18", "K02", "K09", "K10", "K06", "K07", "K08"),
    ),
    (
        "Weakness 2: quality assurance and governance",
        "Processes rather than working relationships: visits to provision outside the authority, and sources that can be relied on.",
        ("K16", "K17"),
    ),
    (
        "Weakness 3: plans and annual reviews",
        "Plans completed, reviewed and amended within the required times, with baselines for secondary transfers, post-16 transfers and others.",
        ("K11", "K12", "K01", "K13", "K14", "K15"),
    ),
)
_COLUMNS = (
    PaperColumn("name", "Figure", 3.4),
    PaperColumn("opening", "Opening", 2.1, "number"),
    PaperColumn("closing", "Closing", 2.1, "number"),
    PaperColumn("target", "Target", 1.0, "number"),
    PaperColumn("was", "Rated then", 1.1, "tag"),
    PaperColumn("rag", "Rated now", 1.1, "tag"),
    PaperColumn("moved", "Direction", 2.0),
)


@dataclass(frozen=True)
class Quarter:
    """What the report is made from: the figures of two nights, the bridges between them, and the night behind each. Frames as the store gives them."""

    period: str
    opening_on: date
    closing_on: date
    opening: pd.DataFrame
    closing: pd.DataFrame
    bridges: pd.DataFrame
    directions: Mapping[str, str]
    is_opening_inside: bool


def write_quarterly(path: Path, quarter: Quarter, about: About) -> None:
    """Write the report. The same quarter and time stamp give the same bytes. Raises OSError where the file cannot be written."""
    paper = Paper(
        f"SEND written statement of action: {_title(quarter.period)}",
        f"{about.council}: progress from {uk_date(quarter.opening_on)} to {uk_date(quarter.closing_on)}",
        about.generated_at,
        marking="Official",
    )
    rows = quarter_rows(quarter)
    if quarter.is_opening_inside:
        paper.notice(
            f"No night was run before the quarter began; the report opens with the first night in it, {uk_date(quarter.opening_on)}.",
            "amber",
        )
    if about.has_old_data:
        paper.notice(
            "Not every source had arrived on the closing night: "
            + "; ".join(missing.title for missing in about.missing_together),
            "amber",
        )
    paper.heading("How progress is shown")
    paper.paragraph(
        "Figures by rating, at the opening and at the closing of the quarter. A figure is rated by the thresholds of its night.",
        quiet=True,
    )
    ratings = [
        {
            "rag": (RAG_WORDS[rag], rag),
            "was": str(_rated(rows, "was_rag", rag)),
            "now": str(_rated(rows, "now_rag", rag)),
        }
        for rag in ("red", "amber", "green")
    ]
    paper.table(
        ratings,
        [
            PaperColumn("rag", "Rating", 1, "tag"),
            PaperColumn("was", "Opening", 1, "number"),
            PaperColumn("now", "Closing", 1, "number"),
            PaperColumn("", "", 4),
        ],
    )
    for heading, aim, codes in HEADINGS:
        own = [row for row in rows if row["code"] in codes]
        own.sort(key=lambda row: codes.index(row["code"]))
        paper.heading(heading)
        paper.paragraph(aim, quiet=True)
        if own:
            paper.table(own, _COLUMNS, size=7.8)
        said = [text for row in own if (text := row["movement"])]
        if said:
            paper.heading("What moved", 2)
            paper.bullets(said, size=8.6)
        absent = [code for code in codes if code not in {row["code"] for row in own}]
        if absent:
            paper.paragraph(f"Not measured in this quarter: {', '.join(absent)}.", quiet=True)
    paper.heading("What is counted")
    told = quarter.closing.drop_duplicates("code")
    paper.table(
        [
            {"code": code, "definition": definition}
            for code, definition in zip(told["code"], told["definition"], strict=True)
        ],
        [PaperColumn("code", "Figure", 0.7), PaperColumn("definition", "Numerator / denominator", 9)],
        size=7.6,
    )
    paper.paragraph(
        "Numbers below 5, and those from which one could be worked out, are not shown. Asked again for the same nights, every figure is the same.",
        quiet=True,
    )
    paper.facts(
        [
            ("Opening night", uk_date(quarter.opening_on)),
            ("Closing night", uk_date(quarter.closing_on)),
            ("Closing run", about.run_id),
        ]
    )
    paper.save(path)


def quarter_rows(quarter: Quarter) -> list[dict[str, Any]]:
    """One row a line of a figure: both ends, target, ratings, direction and what moved, in words that may be told."""
    frame = quarter.closing.assign(line=quarter.closing["line"].fillna(""), _hidden=kept_back(quarter.closing))
    before = quarter.opening.assign(line=quarter.opening["line"].fillna(""), _hidden=kept_back(quarter.opening))
    kept = ["code", "line", "numerator", "denominator", "value", "rag", "_hidden"]
    both = frame.merge(before[kept], on=["code", "line"], how="left", suffixes=("", "_before"))
    # The parts of a visit cohort say how its own line falls short.
    both = both[~((both["code"] == "K06") & both["line"].str.contains(": "))]
    moves = {key: group.set_index("part") for key, group in quarter.bridges.groupby(["code", "line"])}
    return [
        _row(record, moves.get((record["code"], record["line"])), quarter.directions.get(record["code"], "up"))
        for record in both.to_dict("records")
    ]


def _row(record: dict[Any, Any], bridge: pd.DataFrame | None, direction: str) -> dict[str, Any]:
    is_first = pd.isna(record["numerator_before"])
    name = f"{record['code']} {record['title']}" + (f": {line_title(record['line'])}" if record["line"] else "")
    was, now = (str(value) if isinstance(value, str) else "" for value in (record["rag_before"], record["rag"]))
    ends = ("", "_before")
    hidden = not is_first and any(record[f"_hidden{end}"] for end in ends)
    if record["line"] in LINES_IN_DAYS:
        hidden = not is_first and any(is_few(record[f"denominator{end}"]) for end in ends)
    return {
        "code": record["code"],
        "name": name,
        "opening": "–" if is_first else _told(record, "_before"),
        "closing": _told(record, ""),
        # Where less is better the target is a number of children.
        "target": "–" if pd.isna(record["target"]) else f"{float(record['target']):g}" + "%" * (direction == "up"),
        "was": (RAG_WORDS[was], was) if was else None,
        "rag": (RAG_WORDS[now], now) if now else None,
        "was_rag": was,
        "now_rag": now,
        "moved": "" if is_first or hidden else _direction(record, direction),
        "movement": "" if is_first or hidden or bridge is None else _movement(name, bridge),
    }


def _told(record: dict[Any, Any], end: str) -> str:
    numerator, denominator, value = (record[f"{part}{end}"] for part in ("numerator", "denominator", "value"))
    if pd.isna(value):
        return "–"
    if record["line"] in LINES_IN_DAYS:
        return HIDDEN if is_few(denominator) else f"{value:,.0f} days"
    if record[f"_hidden{end}"]:
        return in_words(numerator, True)
    return f"{percent(value, is_exact=numerator in (0, denominator))} ({int(numerator):,} of {int(denominator):,})"


def _direction(record: dict[Any, Any], direction: str) -> str:
    if pd.isna(record["value"]) or pd.isna(record["value_before"]):
        return ""
    in_days = record["line"] in LINES_IN_DAYS
    step = round(float(record["value"]) - float(record["value_before"]), 0 if in_days else 1)
    if step == 0:
        return "no change"
    size = f"{abs(step):,.0f} days" if in_days else f"{abs(step):.1f} points"
    fewer_is_better = direction == "down" and record["line"] != "updated_in_30_days"
    return f"{'up' if step > 0 else 'down'} {size}, {'better' if (step < 0) == fewer_is_better else 'worse'}"


def _movement(name: str, bridge: pd.DataFrame) -> str:
    """``K01 …: 12 children came to meet it and 9 no longer do; 20 came to be counted and 15 no longer are.``

    A pair of which one is of 1 to 4 children is left out whole: with the figures of both ends, the other would give it away.
    """
    said = []
    for part, came, went in (
        ("numerator", "came to meet it", "no longer do"),
        ("denominator", "came to be counted", "no longer are"),
    ):
        if part in bridge.index:
            into, out = int(bridge.loc[part, "children_in"]), int(bridge.loc[part, "children_out"])
            if (into or out) and not is_few(into) and not is_few(out):
                said.append(f"{into:,} {came} and {out:,} {went}")
    return f"{name}: {'; '.join(said)}." if said else ""


def _rated(rows: list[dict[str, Any]], end: str, rag: str) -> int:
    return sum(row[end] == rag for row in rows)


def _title(period: str) -> str:
    year, _, quarter = period.partition("-Q")
    return f"quarterly report, quarter {quarter} of {year}"
