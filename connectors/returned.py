"""A workbook that was handed out and comes back: what its cells say now, whatever was done to the file in between.

For every list that people fill in (exceptions, pairs of records, questions of an audit). Columns are found by their headings and rows by the
hidden key, never by position; so rows may be sorted, filtered or deleted, columns hidden or moved, sheets copied or renamed, and the file
saved by Excel or LibreOffice. `outputs.entries` writes such workbooks, `pipelines.handed_out` remembers what was handed out, and
`pipelines.returns` compares the three.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
from openpyxl.utils import get_column_letter

from config.errors import ReturnRefusedError
from connectors.grid import plain

#: What the heading of the hidden column begins with whose heading names the hand-out: it travels with a sheet that is copied elsewhere.
HANDED_OUT = "Handed out"
#: The hidden sheet with the facts of the file, and the property of the document that names the hand-out as well.
FACTS_SHEET, PROPERTY = "_run", "ehcp hand-out"
YOUR_NAME = "Your name"
_SEARCHED_ROWS, _MOST_BYTES = 60, 500_000_000
_OLE = b"\xd0\xcf\x11\xe0"
#: Names that programs write where no person's name is known.
_PROGRAMS = frozenset({"", "openpyxl", "unknown", "unknown creator", "user", "microsoft office user"})


@dataclass
class Returned:
    """What came back. `rows`: sheet, line (of the sheet), handout, key, and the text of each wanted column (missing where the sheet has no such
    column); dates as ``2026-12-01``. `letters` says in which column of a sheet a field stands; `odd` which cells hold a formula or an
    error, and so are not read; `problems` what could not be understood, as (sheet, cell, why)."""

    file: str
    sha256: str
    kind: str
    handout: str
    who: str
    rows: pd.DataFrame
    letters: dict[tuple[str, str], str] = field(default_factory=dict)
    odd: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)


def read_returned(path: Path, key_title: str, titles: Mapping[str, str]) -> Returned:
    """Read a returned workbook. `titles` says for each field by which heading it is found, `key_title` the heading of the hidden key.

    Raises ReturnRefusedError for a file that is locked, half-copied, no workbook, or none that was handed out.
    """
    data = _bytes(path)
    archive = _archive(data, path)
    sheets = _cells(data, path)
    facts = _facts(sheets)
    returned = Returned(
        path.name,
        hashlib.sha256(data).hexdigest(),
        facts.get("kind", ""),
        facts.get("handout", "") or _property(archive),
        _person(sheets, archive),
        pd.DataFrame(),
    )
    parts = _sheet_parts(archive)
    frames = []
    for name, rows in sheets.items():
        frame = _list(name, rows, key_title, titles, returned)
        if frame is not None:
            frames.append(frame)
            returned.odd |= {(name, cell): why for cell, why in _odd_cells(archive, parts.get(name, "")).items()}
    if not frames or not (returned.handout or any((frame["handout"] != "").any() for frame in frames)):
        raise ReturnRefusedError(
            f"{path.name} is not a workbook that was handed out by this register: no list with its hidden key is in it.",
            "Hand back the workbook itself, saved as .xlsx; a list copied into another file loses its key.",
        )
    returned.rows = pd.concat(frames, ignore_index=True)
    returned.rows["handout"] = returned.rows["handout"].where(returned.rows["handout"] != "", returned.handout)
    returned.handout = returned.handout or returned.rows["handout"].iloc[0]
    return returned


def kind_of(path: Path) -> str:
    """What kind of list a workbook is (``exceptions``), by its own facts; empty where it does not say. Raises as `read_returned` does."""
    data = _bytes(path)
    archive = _archive(data, path)
    handout = _property(archive) or _facts(_cells(data, path, only=FACTS_SHEET)).get("handout", "")
    return handout.split("-")[0]


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ReturnRefusedError(
                f"{path.name} has {path.stat().st_size / 1e6:,.0f} MB; no workbook handed out is that large.",
                "Hand back the workbook itself, without pictures or other sheets.",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ReturnRefusedError(f"{path} does not exist.", "Look for it in the inbox folder applied.") from error
    except OSError as error:
        raise ReturnRefusedError(
            f"{path.name} cannot be opened: {error.strerror or error}.",
            "Close it in the spreadsheet, or correct its permissions; it is read the next time.",
        ) from error
    if data[:4] == _OLE:
        raise ReturnRefusedError(
            f"{path.name} is protected by a password, or is of the old format .xls.",
            "Save it as an Excel workbook (.xlsx) without a password and hand it back.",
        )
    return data


def _archive(data: bytes, path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        if sum(entry.file_size for entry in archive.infolist()) > 4 * _MOST_BYTES:
            raise ReturnRefusedError(
                f"{path.name} unpacks to far more than any workbook handed out.",
                "Hand back the workbook itself, saved as .xlsx.",
            )
        archive.getinfo("xl/workbook.xml")
    except (zipfile.BadZipFile, NotImplementedError, KeyError) as error:
        raise ReturnRefusedError(
            f"{path.name} is not a whole Excel workbook (.xlsx): half-copied, damaged or of another format.",
            "Copy it again once it is saved and closed; from LibreOffice save it as .xlsx.",
        ) from error
    return archive


def _cells(data: bytes, path: Path, only: str | None = None) -> dict[str, list[list[Any]]]:
    """The values of every sheet, from A1 on."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        names = [name for name in book.sheet_names if only is None or name.startswith(only)]
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names}
    except (CalamineError, ValueError) as error:
        raise ReturnRefusedError(
            f"{path.name} cannot be read as a workbook: {str(error)[:120]}.",
            "It may be damaged; save it again as .xlsx and hand it back.",
        ) from error


def _facts(sheets: Mapping[str, list[list[Any]]]) -> dict[str, str]:
    """The facts of the hidden sheet, found by what is in it: the sheet may have another name by now."""
    for rows in sheets.values():
        pairs = {_text(row[0]): _text(row[1]) for row in rows[:_SEARCHED_ROWS] if len(row) > 1}
        if {"kind", "format", "run_id"} <= set(pairs):
            return pairs
    return {}


def _property(archive: zipfile.ZipFile) -> str:
    root = _xml(archive, "docProps/custom.xml")
    for prop in root if root is not None else []:
        if prop.get("name") == PROPERTY:
            return "".join(prop.itertext()).strip()
    return ""


def _person(sheets: Mapping[str, list[list[Any]]], archive: zipfile.ZipFile) -> str:
    """Whose work it is: the name beside *Your name*, else who saved the file last; empty where neither says."""
    for rows in sheets.values():
        for row in rows[: _SEARCHED_ROWS * 5]:
            words = [_text(cell).strip() for cell in row]
            if YOUR_NAME in words:
                said = " ".join("".join(words[words.index(YOUR_NAME) + 1 :][:1]).split())
                if said:
                    return said
    root = _xml(archive, "docProps/core.xml")
    for element in root if root is not None else []:
        if element.tag.endswith("}lastModifiedBy"):
            name = " ".join((element.text or "").split())
            return "" if name.casefold() in _PROGRAMS else name
    return ""


def _list(
    sheet: str, rows: list[list[Any]], key_title: str, titles: Mapping[str, str], returned: Returned
) -> pd.DataFrame | None:
    """The rows of one sheet where it is a list to fill in; None where it is something else."""
    wanted = {plain(title): name for name, title in titles.items()}
    at, heads = _heading(rows, plain(key_title), set(wanted))
    if at is None:
        if len(wanted) > 1 and any(
            set(wanted) <= {plain(_text(cell)) for cell in row} for row in rows[:_SEARCHED_ROWS]
        ):
            returned.problems.append((sheet, "", f"the hidden column {key_title} is gone: no row can be told"))
        return None
    body = rows[at + 1 :]
    marks = [head for head in (_text(cell) for cell in rows[at]) if plain(head).startswith(plain(HANDED_OUT))]
    frame = pd.DataFrame(
        {
            "sheet": sheet,
            "line": range(at + 2, at + 2 + len(body)),
            "handout": marks[0][len(HANDED_OUT) :].strip().casefold() if marks else "",
            "key": [_text(line[heads.index(plain(key_title))]).strip() for line in body],
        }
    ).astype({"sheet": "str", "handout": "str", "key": "str"})
    for title, name in wanted.items():
        places = [place for place, head in enumerate(heads) if head == title]
        if len(places) > 1:
            cells = ", ".join(f"{get_column_letter(place + 1)}{at + 1}" for place in places)
            returned.problems.append((sheet, cells, f"the column {titles[name]} is there {len(places)} times"))
        if len(places) != 1:
            frame[name] = pd.Series(pd.NA, index=frame.index, dtype="str")
            continue
        frame[name] = pd.Series([_text(line[places[0]]) for line in body], index=frame.index, dtype="str")
        returned.letters[sheet, name] = get_column_letter(places[0] + 1)
    filled = frame[list(titles)].fillna("").ne("").any(axis=1)
    for line in frame.loc[(frame["key"] == "") & filled, "line"]:
        returned.problems.append(
            (sheet, f"row {line}", "this row has no key: it was added by hand, or its key was cleared")
        )
    return frame[frame["key"] != ""]


def _heading(rows: list[list[Any]], key: str, wanted: set[str]) -> tuple[int | None, list[str]]:
    """Where the heading row is, and what it says: the first row that holds the key's heading and that of a wanted column."""
    for at, row in enumerate(rows[:_SEARCHED_ROWS]):
        heads = [plain(_text(cell)) for cell in row]
        if key in heads and wanted.intersection(heads):
            return at, heads
    return None, []


def _text(cell: Any) -> str:
    """A cell as text: a day as ``2026-12-01``, a whole number without a point, yes and no as words, one kind of line end."""
    if isinstance(cell, str):
        return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell
    if isinstance(cell, bool):
        return "Yes" if cell else "No"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)


_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_PLACE = re.compile(rb'\br="([A-Z]+[0-9]+)"')
#: One of these is in every sheet with a formula or an error: looked for first, as that takes no time.
_SIGNS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b't="e"')
_FORMULA, _ERROR = re.compile(rb"<(?:\w+:)?f[\s/>]"), re.compile(rb'\bt="e"')


def _odd_cells(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The cells of a sheet that hold a formula or an error. The workbooks handed out hold neither."""
    data = archive.read(part) if part in archive.namelist() else b""
    if not any(sign in data for sign in _SIGNS):
        return {}
    odd = {}
    for attributes, content in _CELL.findall(data):
        place = _PLACE.search(attributes)
        if place and _FORMULA.search(content):
            odd[place.group(1).decode()] = "it holds a formula; formulas are not read"
        elif place and _ERROR.search(attributes):
            odd[place.group(1).decode()] = "it holds an error value"
    return odd


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Where in the file each sheet is."""
    book, relations = _xml(archive, "xl/workbook.xml"), _xml(archive, "xl/_rels/workbook.xml.rels")
    if book is None or relations is None:
        return {}
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    parts = {}
    for sheet in book.iter():
        if sheet.tag.endswith("}sheet"):
            link = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)
            target = targets.get(link, "")
            parts[sheet.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return parts


def _xml(archive: zipfile.ZipFile, part: str) -> ElementTree.Element | None:
    """A small part of the file; None where it is absent, damaged, or declares entities, which no workbook does."""
    try:
        data = archive.read(part)
        return None if b"<!DOCTYPE" in data or b"<!ENTITY" in data else ElementTree.fromstring(data)
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile):
        return None
