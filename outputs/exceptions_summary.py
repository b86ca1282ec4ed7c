"""The summary sheet of an exceptions workbook: how many came and went, and what stands, counted three ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from outputs.covers import Cover
from outputs.sheets import Book
from outputs.volume_table import write_volume
from outputs.wording import AGE_BANDS, SEVERITIES, SEVERITY_TITLES, counted, severity_rank


def write_summary(
    book: Book,
    standing: pd.DataFrame,
    owners: Sequence[str],
    names: dict[str, str],
    footer: str,
    volume: pd.DataFrame | None,
) -> None:
    """Write the sheet. `names` gives the sheet of each owner, `volume` as `pipelines.volume.volume` gives it."""
    widths = (2, 12, 46, 11, 11, 11, 11, 11, 11, 11)
    sheet = Cover(book, "Summary", f"{footer} · summary", widths, tab_colour="0B5D75")
    sheet.gap(6)
    sheet.line(("Summary", "title"), height=34)
    sheet.prose(
        f"{counted(len(standing), 'exception')} counted three ways. Each table adds up to {len(standing):,}. "
        f"Resolved exceptions are not counted."
    )
    if volume is not None:
        write_volume(sheet, volume)
    by_rule = standing.assign(severity_first=severity_rank(standing["severity"])).sort_values(
        ["severity_first", "rule"]
    )
    titles = by_rule.drop_duplicates("rule").set_index("rule")["title"].to_dict()
    _table(sheet, "By owner", standing, "owner", [(owner, owner, "", names[owner]) for owner in owners])
    _table(
        sheet,
        "By days since first found",
        standing,
        "age_band",
        [(label, label, "", None) for label in _bands(standing)],
    )
    _table(
        sheet,
        "By rule, most serious first",
        standing,
        "rule",
        [(rule, rule, title, None) for rule, title in titles.items()],
    )


def _bands(standing: pd.DataFrame) -> list[str]:
    labels = [label for _, label in AGE_BANDS]
    return labels + (["Not recorded"] if (standing["age_band"] == "Not recorded").any() else [])


def _table(
    sheet: Cover, heading: str, standing: pd.DataFrame, column: str, lines: list[tuple[str, str, Any, str | None]]
) -> None:
    """A count by one column, with severities across; the last line is the total of the lines above it."""
    sheet.heading(heading)
    heads = ["", *(SEVERITY_TITLES[name] for name in SEVERITIES), "All", "New", "Old data"]
    heads[0] = "What is wrong" if column == "rule" else ""
    first = heading.split(",")[0].removeprefix("By ").capitalize()
    sheet.line((first, "head"), (heads[0], "head"), *[(text, "head right") for text in heads[1:]], height=20)
    if column != "rule":
        sheet.merge(2, 3)
    counts = pd.crosstab(standing[column], standing["severity"]).reindex(columns=list(SEVERITIES), fill_value=0)
    sizes = standing.groupby(column).size()
    new = standing["is_new"].fillna(False).astype(bool).groupby(standing[column]).sum()
    old = standing["on_old_data"].fillna(False).astype(bool).groupby(standing[column]).sum()
    totals = [0] * (len(SEVERITIES) + 3)
    for key, label, title, target in lines:
        cells = [int(counts.loc[key, name]) if key in counts.index else 0 for name in SEVERITIES]
        numbers = [*cells, int(sizes.get(key, 0)), int(new.get(key, 0)), int(old.get(key, 0))]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        looks = [f"severity {name}" if number else "count" for name, number in zip(SEVERITIES, cells, strict=True)] + [
            "count"
        ] * 3
        shown = [number or None for number in cells] + numbers[4:]
        sheet.line(
            (label, "link" if target else "label"),
            (title, "fact"),
            *zip(shown, looks, strict=True),
        )
        if not title:
            sheet.merge(2, 3)
        if target:
            sheet.link(2, target)
    sheet.line(("Total", "total label"), (None, "total label"), *[(total, "total") for total in totals])
