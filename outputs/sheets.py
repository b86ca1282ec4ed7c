"""Sheets that are good to work in: written fast, safe to open, with ids as text, dates as dates and severity in
colour.

A thin layer on openpyxl's write-only mode, which streams rows and so needs little memory. Text is always written as
text: a cell that begins with ``= + - @``, a tab or a return keeps its characters and carries `quotePrefix`, so no
spreadsheet runs it. Control characters are removed, and text longer than a cell can hold is cut with a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.xml.functions import fromstring

from outputs.entries import open_entries
from outputs.looks import GRADE_LOOKS, RAG_COLOURS, SEVERITY_COLOURS, Styles
from outputs.protect import clean_text, would_run
from outputs.wording import GRADES, NEWS_TITLES, SEVERITY_TITLES, titled

ROW_LIMIT = 1_048_576


@dataclass(frozen=True)
class Column:
    """One column of a list: where its value comes from, its heading, its width in characters and how it is shown.

    `kind` is ``text``, ``wrapped``, ``date``, ``due`` (a date, red where ``<key>_is_late``), ``number``, ``percent``,
    ``points``, ``target``, ``severity``, ``figure`` (a percentage, or days where ``unit`` says so), ``rag``, ``grade``, ``flag`` or ``new``; or, to be
    filled in by people (`outputs.entries`), ``entry``, ``entry date`` or ``entry choice`` with the name of its list in `choices`. `about` explains
    it on the cover; a hidden column carries a key for the way back; one that is not printed stands to the right of the printed.
    """

    key: str
    title: str
    width: float = 12
    kind: str = "text"
    about: str = ""
    is_hidden: bool = False
    is_printed: bool = True
    choices: str = ""

    @property
    def is_entry(self) -> bool:
        """Whether people fill it in."""
        return self.kind.startswith("entry")


class Sheet(WriteOnlyWorksheet):
    """A write-only sheet whose rows are (value, style) pairs.

    openpyxl makes an object per cell and serialises it part by part, which takes three quarters of the time of a large
    workbook. The rows are written as text here; everything around them is openpyxl's.
    """

    def __init__(self, parent: Book, title: str) -> None:
        super().__init__(parent, title)
        #: Heights of rows in points, where a row is not as tall as one line; set before the row is written.
        self.heights: dict[int, float] = {}

    def _write_rows(self) -> Generator[None, Iterable[tuple[Any, str]], None]:
        writer = self._writer.xf.send(True)
        # With the standard library's writer the text goes straight to the file; with lxml's it goes in as an element.
        write = getattr(writer, "_file", None) or (lambda text: writer.write(fromstring(text)))
        with writer.element("sheetData"):
            number = 1
            try:
                while True:
                    write(self._row_text((yield), number))
                    number += 1
            except GeneratorExit:
                pass
        self._writer.xf.send(None)

    def _row_text(self, cells: Iterable[tuple[Any, str]], number: int) -> str:
        height = self.heights.get(number)
        size = f' ht="{height}" customHeight="1"' if height else ""
        ids = self.parent.styles.ids
        parts = [
            _cell_text(value, f"{letter}{number}", ids[style])
            for letter, (value, style) in zip(_LETTERS, cells, strict=False)
            if style
        ]
        return f'<row r="{number}"{size}>{"".join(parts)}</row>'


_LETTERS = tuple(get_column_letter(place) for place in range(1, 501))
_FIRST_DAY = datetime(1899, 12, 30)


def _cell_text(value: Any, place: str, style: tuple[int, int]) -> str:
    """One cell: text as text whatever it begins with, dates as day numbers, yes and no as words."""
    if isinstance(value, str) and value:
        quoted, inner = _inner_text(value)
        return f'<c r="{place}" s="{style[quoted]}" t="inlineStr"><is>{inner}</is></c>'
    if value is None or value == "" or value != value:
        return f'<c r="{place}" s="{style[0]}"/>'
    if isinstance(value, bool):
        return f'<c r="{place}" s="{style[0]}" t="inlineStr"><is><t>{"Yes" if value else "No"}</t></is></c>'
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        passed = moment - _FIRST_DAY
        number = passed.days + passed.seconds / 86400 if passed.seconds else passed.days
        return f'<c r="{place}" s="{style[0]}"><v>{number}</v></c>'
    return f'<c r="{place}" s="{style[0]}"><v>{value}</v></c>'


_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


@lru_cache(maxsize=20_000)
def _inner_text(value: str) -> tuple[bool, str]:
    """Whether a spreadsheet could run the text, and the text as XML."""
    # A spreadsheet reads _x0041_ as the letter A: the underscore is written as its own code, as they do themselves.
    text = _CODED.sub("_x005F_", clean_text(value)) if "_x" in value else clean_text(value)
    keep = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return would_run(text), f"<t{keep}>{escape(text)}</t>"


class Book(Workbook):
    """A write-only workbook with our looks and safe sheet names."""

    def __init__(self) -> None:
        super().__init__(write_only=True)
        self._taken: set[str] = set()
        self._reserved: set[str] = set()
        self._styles: Styles | None = None
        #: Where the values of each list of choices are (see `outputs.entries.write_choices`).
        self.choices: dict[str, str] = {}

    @property
    def styles(self) -> Styles:
        """The looks, made with the first sheet."""
        if self._styles is None:
            self._styles = Styles(self.worksheets[0])
        return self._styles

    def reserve(self, title: str) -> str:
        """Settle a sheet's name before the sheet is there, so that others can lead to it."""
        name = safe_sheet_name(title, self._taken)
        self._reserved.add(name)
        return name

    def add(self, title: str) -> Sheet:
        """A new sheet, last in order, under its reserved name, else under one that every spreadsheet takes."""
        name = title if title in self._reserved else safe_sheet_name(title, self._taken)
        self._reserved.discard(name)
        sheet = Sheet(self, name)
        self._add_sheet(sheet)
        return sheet

    def save(self, filename: Path) -> None:
        """Write the workbook to a file. Raises OSError where that cannot be written; the sheets begun are ended all the same."""
        try:
            super().save(filename)
        except OSError:
            for sheet in self.worksheets:
                if not sheet.closed:
                    sheet.close()
            raise


_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


def safe_sheet_name(text: str, taken: set[str]) -> str:
    """A name of at most 31 characters without ``[ ] : * ? / \\``, not yet in `taken` (case ignored); it is added
    there.
    """
    base = re.sub(r"\s+", " ", _FORBIDDEN.sub(" ", clean_text(str(text)))).strip().strip("'").strip() or "Sheet"
    if base.casefold() == "history":  # Excel keeps this name for itself
        base = "History list"
    name, number = _cut(base, 31), 1
    while name.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        name = _cut(base, 31 - len(suffix)) + suffix
    taken.add(name.casefold())
    return name


def _cut(text: str, length: int) -> str:
    """At most `length` UTF-16 units, as Excel counts, without breaking a character or leaving a quote at the end."""
    while len(text.encode("utf-16-le")) // 2 > length:
        text = text[:-1]
    return text.rstrip(" '")


def write_list(
    book: Book,
    title: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    footer: str,
    freeze: int = 0,
    row_limit: int = ROW_LIMIT,
    tab_colour: str | None = None,
    is_a3: bool = False,
) -> list[str]:
    """Write a frame as a list to work in; returns the names of the sheets made.

    One heading row, frozen with the first `freeze` columns; a filter over everything; landscape, as wide as a page,
    the heading repeated. A frame that is longer than a sheet may be goes on in further sheets; a last row and the
    footer say so.
    """
    room = row_limit - (1 if len(frame) < row_limit else 2)
    starts = range(0, max(len(frame), 1), room)
    names = []
    for part, start in enumerate(starts, 1):
        piece = frame.iloc[start : start + room]
        name = title if part == 1 else f"{title[:16]} part {part}"
        note = footer if len(starts) == 1 else f"{footer}: part {part} of {len(starts)}"
        sheet = book.add(name)
        _set_up(sheet, columns, len(piece), note, freeze, tab_colour, is_a3)
        open_entries(sheet, columns, len(piece), book.choices)
        sheet.heights |= _heights(piece, columns)
        sheet.append([(column.title, "head entry" if column.is_entry else "head list") for column in columns])
        for row in zip(*(_cells(piece, column) for column in columns), strict=True):
            sheet.append(row)
        if part < len(starts):
            note = f"This list goes on in the next sheet: part {part + 1} of {len(starts)}."
            # In the first column that is seen: a key's column is hidden.
            sheet.append([(None, "")] * [column.is_hidden for column in columns].index(False) + [(note, "label")])
        names.append(sheet.title)
    return names


def _set_up(
    sheet: Sheet,
    columns: Sequence[Column],
    rows: int,
    footer: str,
    freeze: int,
    tab_colour: str | None,
    is_a3: bool,
) -> None:
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = column.width
        sheet.column_dimensions[letter].hidden = column.is_hidden
    last = get_column_letter(len(columns))
    sheet.heights[1] = 32
    sheet.freeze_panes = f"{get_column_letter(freeze + 1)}2"
    sheet.auto_filter.ref = f"A1:{last}{rows + 1}"
    sheet.sheet_view.zoomScale = 90
    sheet.sheet_view.showGridLines = False
    if tab_colour:
        sheet.sheet_properties.tabColor = tab_colour
    printed = max(place for place, column in enumerate(columns, 1) if column.is_printed)
    page_set_up(sheet, footer, f"A1:{get_column_letter(printed)}{rows + 1}", is_a3=is_a3)
    sheet.print_title_rows = "1:1"


#: About how many characters of our text go into one unit of a column's width, points a line takes, and lines shown at most.
_PER_UNIT, _LINE, _MOST_LINES = 1.12, 13.0, 8


def _heights(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[int, float]:
    """The heights of the rows whose text wraps: a spreadsheet does not reckon them anew for a file that it opens."""
    lines = pd.Series(1, index=range(len(frame)))
    for column in columns:
        if column.kind in ("wrapped", "entry") and column.key in frame:
            text = frame[column.key].astype("str").fillna("").reset_index(drop=True)
            needed = np.ceil(text.str.len() / (column.width * _PER_UNIT)) + text.str.count("\n")
            lines = np.maximum(lines, needed)
    tall = lines[lines > 1].clip(upper=_MOST_LINES) * _LINE + 3
    return {place + 2: float(height) for place, height in tall.items()}


def page_set_up(
    sheet: Sheet, footer: str, area: str | None = None, landscape: bool = True, is_a3: bool = False
) -> None:
    """A4 or A3, as wide as the page, with the footer and the page number."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = 8 if is_a3 else 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.5, 0.6
    safe = clean_text(footer, 180).replace("&", "&&")
    sheet.oddFooter.left.text = safe
    sheet.oddFooter.left.size = 8
    sheet.oddFooter.right.text = "&A, page &P of &N"
    sheet.oddFooter.right.size = 8
    if area:
        sheet.print_area = area


def _cells(frame: pd.DataFrame, column: Column) -> list[tuple[Any, str]]:
    """The cells of one column, ready to write."""
    if column.key not in frame:
        return [(None, "" if column.is_hidden else "text")] * len(frame)
    if column.kind == "due":
        late = frame[f"{column.key}_is_late"].tolist() if f"{column.key}_is_late" in frame else [False] * len(frame)
        return [
            (day, "late" if is_late else "date")
            for (day, _), is_late in zip(_dates(frame[column.key], "date"), late, strict=True)
        ]
    if column.kind == "figure":
        days = (frame["unit"] == "days").tolist() if "unit" in frame else [False] * len(frame)
        numbers = _numbers(frame[column.key], "percent")
        return [
            (number, "number" if in_days else "percent") for (number, _), in_days in zip(numbers, days, strict=True)
        ]
    return _SHOWN.get(column.kind, _plain)(frame[column.key], column.kind)


def _plain(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    present = values.notna()
    return [
        (
            str(value) if known else None,
            "restricted" if value == "restricted" and not kind.startswith("entry") else kind,
        )
        for value, known in zip(values.tolist(), present.tolist(), strict=True)
    ]


def _dates(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    days = pd.to_datetime(values, errors="coerce")
    # Excel knows no day before 1900; such a date is shown as text, as it is.
    return [
        (None, kind)
        if day is pd.NaT
        else (day.to_pydatetime(), kind)
        if day.year >= 1900
        else (f"{day:%d/%m/%Y}", "text")
        for day in days.tolist()
    ]


def _numbers(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    numbers = pd.to_numeric(values, errors="coerce")
    return [
        (value if known else None, kind)
        for value, known in zip(numbers.tolist(), numbers.notna().tolist(), strict=True)
    ]


def _severities(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    return [
        (SEVERITY_TITLES.get(value, value), f"severity {value}" if value in SEVERITY_COLOURS else "text")
        for value in values.tolist()
    ]


def _rags(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    words = {"red": "Red", "amber": "Amber", "green": "Green"}
    return [(words.get(value), f"rag {value}" if value in RAG_COLOURS else "flag") for value in values.tolist()]


def _grades(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    return [(titled(value, GRADES) or None, GRADE_LOOKS.get(value, "text")) for value in values.tolist()]


def _flags(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    shown = {True: "Yes", False: "No"}
    words = values.astype("object").where(values.notna(), None).tolist()
    return [
        (shown[word] if isinstance(word, bool) else word, "restricted" if word == "restricted" else kind)
        for word in words
    ]


def _news(values: pd.Series, kind: str) -> list[tuple[Any, str]]:
    return [(NEWS_TITLES.get(word), "new") for word in values.tolist()]


_SHOWN: dict[str, Callable[[pd.Series, str], list[tuple[Any, str]]]] = {
    "date": _dates,
    "entry date": _dates,
    "number": _numbers,
    "percent": _numbers,
    "points": _numbers,
    "target": _numbers,
    "severity": _severities,
    "rag": _rags,
    "flag": _flags,
    "new": _news,
    "grade": _grades,
}
