"""A small workbook to fill in, drawn: three rows, a text, a choice and a date; handed out, worked on with openpyxl, and read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.workbook import Workbook

from connectors.returned import Returned, read_returned
from outputs.about import About
from outputs.covers import open_cover, write_run_sheet
from outputs.entries import mark, stamp, write_choices, your_name
from outputs.sheets import Book, Column, write_list
from pipelines.handed_out import hand_out_id, keep_handed_out
from pipelines.returns import Field

ABOUT = About("Test", date(2026, 10, 27), "2026-10-27-1", datetime(2026, 10, 28, 2), "2026-10", (), {})
FIELDS = (
    Field("to", "Assign to"),
    Field("fixed", "Fixed", "choice", ("Yes",)),
    Field("until", "Until", "date"),
)
TITLES = {field.key: field.title for field in FIELDS}
COLUMNS = (
    Column("key", "Key", 12, is_hidden=True),
    Column("what", "What", 20),
    Column("to", "Assign to", 20, "entry choice", "a person or a team", choices="people"),
    Column("fixed", "Fixed", 8, "entry choice", "Yes when it was put right", choices="yes"),
    Column("until", "Until", 12, "entry date", "a day"),
)


def drawn_rows(count: int = 3) -> pd.DataFrame:
    """Rows k1, k2, ...; the second is assigned, the third has a date."""
    frame = pd.DataFrame({"key": [f"k{n}" for n in range(1, count + 1)]})
    frame["what"] = "thing of " + frame["key"]
    frame["to"] = ["", "Grace"][:count] + [""] * (count - 2)
    frame["fixed"] = ""
    frame["until"] = ["", "", "2026-12-01"][:count] + [""] * (count - 3)
    return frame


def handed_of(rows: pd.DataFrame, handout: str = "") -> pd.DataFrame:
    """What is remembered of these rows."""
    names = ["to", "fixed", "until"]
    shown = rows[names].rename(columns={name: f"{name}:shown" for name in names})
    return pd.concat([rows[["key", *names]], shown], axis=1).assign(basis="b", handout=handout)


def hand_out(
    folder: Path, private: Path, rows: pd.DataFrame | None = None, name: str = "list.xlsx"
) -> tuple[Path, str]:
    """Write the workbook and keep what was handed out; gives the file and the id."""
    rows = drawn_rows() if rows is None else rows
    handed = handed_of(rows).drop(columns="handout")
    handout = hand_out_id("drawn", ABOUT.run_id, handed)
    keep_handed_out(private, handout, handed)
    book, columns = Book(), (COLUMNS[0], mark(handout), *COLUMNS[1:])
    your_name(open_cover(book, "Drawn", "A list.", ABOUT))
    write_choices(book, {"people": ["Ada", "Grace"], "yes": ["Yes"]})
    shown = rows.assign(until=pd.to_datetime(rows["until"]))
    write_list(book, "All", shown, columns, "foot", freeze=2)
    write_list(book, "Mine", shown.head(2), columns, "foot", freeze=2)
    write_run_sheet(book, ABOUT, columns, "drawn", len(rows), handout)
    stamp(book, handout)
    book.save(folder / name)
    return folder / name, handout


def worked(path: Path, work: Callable[[Workbook], Any], who: str | None = "Ada", to: Path | None = None) -> Path:
    """Open with openpyxl, put the name on the cover, work, save."""
    book = openpyxl.load_workbook(path)
    if who:
        cover = book["Read me first"]
        place = next(cell for row in cover.iter_rows() for cell in row if cell.value == "Your name")
        cover.cell(place.row, place.column + 1).value = who
    work(book)
    book.save(to or path)
    return to or path


def put(sheet: str, key: str, title: str, value: Any) -> Callable[[Workbook], None]:
    """Work that writes one cell, found by key and heading."""

    def work(book: Workbook) -> None:
        at(book, sheet, key, title).value = value

    return work


def at(book: Workbook, sheet: str, key: str, title: str) -> Any:
    """The cell of a row and a column, by key and heading."""
    page = book[sheet]
    heads = [cell.value for cell in page[1]]
    row = next(row for row in range(2, page.max_row + 1) if page.cell(row, heads.index("Key") + 1).value == key)
    return page.cell(row, heads.index(title) + 1)


def read(path: Path) -> Returned:
    """The drawn workbook, read back."""
    return read_returned(path, "Key", TITLES)
