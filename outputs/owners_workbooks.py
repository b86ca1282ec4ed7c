"""`by_owner/<owner>.xlsx`: the exceptions of one owner, in a workbook of their own to work through and hand back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.entries import stamp, your_name
from outputs.exceptions_entries import choices_to_fill_in, columns_of
from outputs.exceptions_workbook import (
    COLUMNS,
    TITLE,
    how_to,
    prepared,
    severity_counts,
    shown,
)
from outputs.protect import clean_text, mask_restricted
from outputs.sheets import ROW_LIMIT, Book, write_list

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
#: Names that Windows keeps for devices.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


def write_by_owner(
    folder: Path,
    exceptions: pd.DataFrame,
    about: About,
    register: pd.DataFrame,
    handout: str,
    people: Sequence[str],
    row_limit: int = ROW_LIMIT,
) -> dict[str, Path]:
    """Write a workbook for each owner into `folder`; gives the file of each. Arguments as of `exceptions_workbook.write_exceptions`."""
    folder.mkdir(parents=True, exist_ok=True)
    standing, _ = prepared(mask_restricted(exceptions, register))
    taken: set[str] = set()
    written = {}
    for owner in sorted(standing["owner"].unique(), key=str.casefold):
        path = folder / f"{safe_file_name(owner, taken)}.xlsx"
        _write(path, owner, standing[standing["owner"] == owner], about, handout, people, row_limit)
        written[owner] = path
    return written


def _write(
    path: Path, owner: str, own: pd.DataFrame, about: About, handout: str, people: Sequence[str], row_limit: int
) -> None:
    book, columns = Book(), columns_of(COLUMNS, handout)
    footer = footer_of(about, f"{TITLE} of {owner}")
    cover = open_cover(
        book,
        f"{TITLE}: {owner}",
        f"What {owner} can put right, most serious first. The same rows are in exceptions.xlsx; fill in either.",
        about,
    )
    your_name(cover)
    severity_counts(cover, own)
    how_to(cover, handout)
    column_guide(cover, columns)
    run_facts(cover, about)
    choices_to_fill_in(book, handout, people)
    write_list(book, owner, shown(own), columns, footer, freeze=4 if handout else 3, row_limit=row_limit)
    write_run_sheet(book, about, columns, "exceptions", len(own), handout)
    stamp(book, handout)
    book.save(path)


def safe_file_name(text: str, taken: set[str]) -> str:
    """A file's name, without its ending, that every system takes and that is not yet in `taken` (case ignored); it is added there."""
    base = re.sub(r"\s+", " ", _FORBIDDEN.sub(" ", clean_text(str(text)))).strip(" .")[:80].strip(" .") or "No name"
    base = f"{base} list" if base.casefold() in _DEVICES else base
    name, number = base, 1
    while name.casefold() in taken:
        number += 1
        name = f"{base} ({number})"
    taken.add(name.casefold())
    return name
