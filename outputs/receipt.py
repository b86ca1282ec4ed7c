"""The receipt of a workbook that came back: what came of each cell, or why the file was refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import footer_of, open_cover, run_facts
from outputs.sheets import Book, Column, write_list

OUTCOMES = {"conflict": "In conflict", "refused": "Refused", "apply": "Applied", "same": "So already"}
COLUMNS = (
    Column("outcome", "What came of it", 14, "text"),
    Column("sheet", "Sheet", 18, "text"),
    Column("cell", "Cell", 9, "text"),
    Column("who", "Who", 18, "text"),
    Column("title", "Column", 18, "text"),
    Column("old", "Was handed out", 26, "wrapped"),
    Column("new", "The file says", 26, "wrapped"),
    Column("why", "Why", 52, "wrapped"),
    Column("child_id", "Child", 12, "text"),
    Column("rule", "Rule", 8, "text"),
    Column("key", "Key", 18, "text"),
)


def write_receipt(
    path: Path,
    file: str,
    who: str,
    edits: pd.DataFrame,
    problems: Sequence[tuple[str, str, str]],
    refusal: tuple[str, str] | None,
    about: About,
) -> None:
    """Write the receipt of one file: `edits` one row a cell that was changed (masked already), `problems` as (sheet, cell, why), `refusal` as
    (what, what to do) where the whole file was refused."""
    book, title = Book(), f"Receipt of {file}"
    cover = open_cover(
        book,
        title,
        "What came of each yellow cell that was changed. Nothing else in the file is read: what was changed elsewhere has no effect.",
        about,
    )
    cover.heading("What came of it")
    if refusal is not None:
        cover.fact("Refused", refusal[0], "warning")
        cover.fact("What to do", refusal[1])
    cover.fact("Handed in by", who or "nobody named")
    for outcome, words in OUTCOMES.items():
        number = int((edits["outcome"] == outcome).sum()) + (len(problems) if outcome == "refused" else 0)
        cover.fact(words, f"{number:,}")
    run_facts(cover, about)
    odd = pd.DataFrame(problems, columns=["sheet", "cell", "why"]).assign(outcome="refused", who=who)
    told = pd.concat([edits, odd], ignore_index=True).reindex(columns=[column.key for column in COLUMNS])
    told["_rank"] = told["outcome"].map({name: place for place, name in enumerate(OUTCOMES)})
    told = told.sort_values(["_rank", "sheet"], kind="stable").assign(outcome=told["outcome"].map(OUTCOMES))
    write_list(book, "Cells", told, COLUMNS, footer_of(about, title), freeze=3)
    book.save(path)
