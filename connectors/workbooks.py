"""Workbooks: one sheet, or several of the same layout, with title rows above the header.

Cells come as text: a whole number without a decimal point, a real date as ``yyyy-mm-dd``.
"""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from config.errors import FeedRefusedError
from config.profiles import Feed
from connectors import files
from connectors.grid import Grid, plain

_SEARCHED_ROWS = 40


def read(path: Path, feed: Feed) -> Grid:
    """The rows of a workbook's sheet. Raises `FeedRefusedError` when it is no workbook or has no such sheet."""
    files.check_workbook(path, feed)
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = _sheets(book.sheet_names, feed, path)
        tables = [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names]
    except CalamineError as problem:
        raise FeedRefusedError(
            f"{path.name} cannot be read as a workbook: {str(problem)[:120]}.",
            "It may be damaged, cut short or protected by a password; ask for the extract again.",
        ) from problem
    grids = [_grid(rows, feed, path, name) for name, rows in zip(names, tables, strict=True)]
    first = grids[0]
    for other, name in zip(grids[1:], names[1:], strict=True):
        if [plain(header) for header in other.headers] != [plain(header) for header in first.headers]:
            raise FeedRefusedError(
                f"{path.name}: sheet '{name}' has another header than sheet '{names[0]}'.",
                "Sheets that are read as one need the same columns; name one sheet in the profile, or correct it.",
            )
    if len(grids) == 1:
        return first
    columns = [pa.concat_arrays([grid.columns[at] for grid in grids]) for at in range(len(first.headers))]
    lines = np.concatenate([grid.lines for grid in grids])
    labels = [f"{path.name} [{name}]" for name, grid in zip(names, grids, strict=True) for _ in grid.lines]
    sheets = pa.array(labels, pa.string())
    return Grid(first.headers, columns, lines, sheets=sheets, iso_dates=True, header_line=first.header_line)


def _sheets(found: list[str], feed: Feed, path: Path) -> list[str]:
    """The sheets to read: those that fit the pattern of the profile, else the first that is there."""
    if feed.sheet is None:
        return found[:1]
    named = [name for name in found if fnmatchcase(plain(name), plain(feed.sheet))]
    if not named:
        raise FeedRefusedError(
            f"{path.name} has no sheet '{feed.sheet}'; it has {', '.join(found[:12])}.",
            "Correct 'sheet' in the profile, or ask for the workbook with that sheet.",
        )
    return named


def _grid(rows: list[list[Any]], feed: Feed, path: Path, sheet: str) -> Grid:
    at = _header_row(rows, feed, path, sheet)
    headers = [_text(cell) for cell in rows[at]]
    body = rows[at + 1 :]
    columns = [pa.array([_text(row[position]) for row in body], pa.string()) for position in range(len(headers))]
    lines = np.arange(at + 2, at + 2 + len(body), dtype=np.int64)
    return Grid(headers, columns, lines, iso_dates=True, header_line=at + 1)


def _header_row(rows: list[list[Any]], feed: Feed, path: Path, sheet: str) -> int:
    """Where the header is: as stated, else the row among the first that holds most of the needed columns."""
    wanted = {plain(header) for header, needed in feed.headers.items() if needed}
    if isinstance(feed.header, int) or not wanted:
        at = feed.header if isinstance(feed.header, int) else 1
        if at <= len(rows):
            return at - 1
    else:
        hits: list[int] = [len(wanted & {plain(_text(cell)) for cell in row}) for row in rows[:_SEARCHED_ROWS]]
        if any(hits):
            return hits.index(max(hits))
    raise FeedRefusedError(
        f"{path.name}, sheet '{sheet}': no header row found in its first {_SEARCHED_ROWS} rows.",
        "Look at the sheet: a needed column was renamed, or the profile names another sheet.",
    )


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "Y" if cell else "N"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ", timespec="seconds")
    return "" if cell is None else str(cell)
