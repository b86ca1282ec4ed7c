"""The audit's workbook: a row a child and field, with the result and a note to fill in. It comes back as the exceptions do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from outputs.about import About, system_title
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.entries import mark, stamp, write_choices, your_name
from outputs.sheets import Book, Column, write_list
from outputs.wording import counted

TITLE = "Audit of plans and case files"
KEY_TITLE = "Key of the row"


def write_audit(
    path: Path,
    items: pd.DataFrame,
    about: About,
    handout: str,
    how: str,
    choices: Sequence[str],
    titles: dict[str, str],
) -> None:
    """Write the workbook of a sample. `items` has the columns of `audit.ITEM_COLUMNS`, ``result`` and ``note``; `titles` the headings of those two.

    Raises OSError where the file cannot be written.
    """
    columns = (
        Column("key", KEY_TITLE, 4, "text", is_hidden=True),
        Column("child_id", "Child", 12, "text", "the child's id in this register; look the child up by the record"),
        Column("synergy_id", "Synergy", 11, "text", "the child's number in Synergy"),
        Column("title", "What is looked at", 38, "wrapped", "the field, or the case file as a whole"),
        Column("value", "As recorded", 24, "wrapped", "what the register says; empty: nothing is recorded; restricted: look in the source system"),
        Column("system", "System", 12, "text", "where it is recorded"),
        Column("record", "Record", 22, "text", "the row that the value came from"),
        Column("result", titles["result"], 16, "entry choice", "hold it against the plan and the case file; choose what you found", choices="results"),
        Column("note", titles["note"], 40, "entry", "what is wrong, in a few words. Write no names, dates of birth or addresses: it is kept for good"),
        mark(handout),
    )  # fmt: skip
    children = items["child_id"].nunique()
    shown = items.assign(system=items["system"].map(system_title), _handed_out=None)
    book = Book()
    cover = open_cover(
        book, TITLE, f"{counted(children, 'child', 'children')}, {len(items):,} fields. {how} Fill in the last two columns and hand the file back.", about
    )  # fmt: skip
    your_name(cover)
    column_guide(cover, columns)
    run_facts(cover, about, [("Sample", handout)])
    write_choices(book, {"results": list(choices)})
    write_list(book, "Audit", shown, columns, footer_of(about, TITLE), freeze=2)
    write_run_sheet(book, about, columns, "audit", len(items), handout)
    stamp(book, handout)
    book.save(path)
