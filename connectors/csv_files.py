"""CSV of any stated encoding and delimiter, as text, fast, with the physical line of every row.

The work is done by pyarrow over the whole file at once. A row with too many or too few fields is never shifted: it
is handed on as ragged, with its line and its text.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from config.errors import FeedRefusedError
from config.profiles import Feed
from connectors import files
from connectors.banners import is_banner
from connectors.grid import Grid, Ragged, check_headers, plain

#: A row of our own after the last one: a parser that does not report it is inside a quoted field that never closed.
_SENTINEL = "\x01end of file\x01"
_SEARCHED_LINES = 40


def read(path: Path, feed: Feed) -> Grid:
    """The rows of a CSV extract. Raises `FeedRefusedError` for what is not the file that the profile describes."""
    data = files.utf8(files.read_bytes(path, feed), path, feed)
    header_line, headers, start = _header(data, path, feed)
    check_headers(feed, headers, path.name, header_line, _delimiter_hint(headers, feed))
    quoted = bool(feed.quote) and feed.quote.encode() in data[start:]
    body = data[start:]
    ends_open = not body.endswith((b"\n", b"\r"))
    first_line = data.count(b"\n", 0, start) + 1 if b"\n" in data[:start] else data.count(b"\r", 0, start) + 1
    grid = _parse(body, headers, feed, path, first_line, quoted, ends_open)
    grid.header_line, grid.has_nul = header_line, b"\0" in body
    return grid


def _header(data: bytes, path: Path, feed: Feed) -> tuple[int, list[str], int]:
    """The line of the header, its fields, and where the data begins."""
    window = data[: 1 << 20].decode("utf-8", errors="ignore")
    wanted = {plain(header) for header, needed in feed.headers.items() if needed}
    at = 0
    best: tuple[int, list[str], int] | None = None
    best_hits = 0
    for number, record in enumerate(_records(window, feed, 1 if feed.header is None else _SEARCHED_LINES), start=1):
        text, fields = record
        at += len(text.encode())
        if feed.header == "search":
            hits = len(wanted & {plain(field) for field in fields})
            if hits > best_hits:
                best, best_hits = (number, fields, at), hits
            if hits == len(wanted):
                break
        elif number == (feed.header or 1):
            return number, fields, at
    if best is None:
        raise FeedRefusedError(
            f"{path.name}: no header line found{' in its first lines' if feed.header == 'search' else ''}.",
            "Look at the file: the profile states the line of the header ('header') and the 'delimiter'.",
        )
    return best


def _records(text: str, feed: Feed, most: int) -> list[tuple[str, list[str]]]:
    """The first records of a text, each with the characters it took (a quoted header may hold line feeds)."""
    lines = io.StringIO(text, newline="").readlines() if "\n" in text else re.findall(r"[^\r]*\r|[^\r]+$", text)
    records: list[tuple[str, list[str]]] = []
    pending = ""
    for line in lines:
        pending += line
        if feed.quote and pending.count(feed.quote) % 2 and len(pending) < 100_000:
            continue
        style = {"quotechar": feed.quote} if feed.quote else {"quoting": csv.QUOTE_NONE}
        try:
            rows = list(csv.reader(io.StringIO(pending, newline=""), delimiter=feed.delimiter, **style))
        except csv.Error:  # a field longer than csv allows: this line is no header, and the caller says so
            rows = []
        records.append((pending, [cell for row in rows for cell in row]))
        pending = ""
        if len(records) >= most:
            break
    return records


def _delimiter_hint(headers: list[str], feed: Feed) -> str:
    """A likelier delimiter, where the whole header came out as one column."""
    if len(headers) > 1:
        return ""
    other = max(",|;\t", key=lambda mark: headers[0].count(mark) if headers else 0)
    if not headers or not headers[0].count(other):
        return ""
    stated, seen = ("a tab" if mark == "\t" else f"'{mark}'" for mark in (feed.delimiter, other))
    return f"The profile says that fields are separated by {stated}; this file seems to use {seen}."


def _parse(
    body: bytes,
    headers: list[str],
    feed: Feed,
    path: Path,
    first_line: int,
    quoted: bool,
    ends_open: bool,
) -> Grid:
    width = len(headers)
    names = [str(number) for number in range(width)]
    invalid: list[arrow_csv.InvalidRow] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    given = body
    if quoted:
        body = body + (b"\n" if ends_open else b"") + _SENTINEL.encode() + b"\n"
    if not body:
        nothing = pa.table({name: pa.array([], pa.string()) for name in names})
        return _grid(nothing, headers, np.array([], dtype=np.int64), [])
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(body),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=min(len(body) + 1, 1 << 26)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=feed.delimiter,
                quote_char=feed.quote if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as problem:
        raise FeedRefusedError(
            f"{path.name} cannot be read as CSV: its quotes and lines do not fit together.",
            "A quoted field was probably never closed; ask for the extract again.",
        ) from problem
    if quoted and width == 1:
        closed = table.num_rows > 0 and table["0"][table.num_rows - 1].as_py() == _SENTINEL
        table = table.slice(0, table.num_rows - 1)
    else:
        closed = not quoted or bool(invalid) and invalid[-1].text == _SENTINEL
    lines, at_invalid, last_line = _line_numbers(table, invalid, first_line, quoted)
    if not closed:
        line = at_invalid[-1] if at_invalid and invalid[-1].text.endswith(_SENTINEL) else last_line
        raise FeedRefusedError(
            f"{path.name}, line {line}: a quoted field is opened there and never closed; the file is cut or damaged.",
            "Ask for the extract again; the last accepted one is used until then.",
        )
    if quoted and width > 1:
        invalid, at_invalid = invalid[:-1], at_invalid[:-1]
    if not table.num_rows and _all_end_with_delimiter(invalid, width, feed):
        return _parse(given, [*headers, ""], feed, path, first_line, quoted, ends_open)
    ragged = [
        Ragged(
            line,
            row.text,
            "total or banner line"
            if is_banner(row.text)
            else f"{'too few' if row.actual_columns < width else 'too many'} fields: {row.actual_columns}, not {width}",
        )
        for row, line in zip(invalid, at_invalid, strict=True)
    ]
    is_last = bool(ragged) and (len(lines) == 0 or ragged[-1].line > lines[-1])
    if ends_open and is_last and ragged[-1].reason.startswith("too few"):
        raise FeedRefusedError(
            f"{path.name}, line {ragged[-1].line}: the file stops in the middle of a row; it was cut short.",
            "Ask for the extract again; the last accepted one is used until then.",
        )
    return _grid(table, headers, lines, ragged)


def _all_end_with_delimiter(rows: list[arrow_csv.InvalidRow], width: int, feed: Feed) -> bool:
    """Whether every row, and the header not, ends with a delimiter: then no field is missing a name, and none is shifted."""
    rows = [row for row in rows if not is_banner(row.text)]
    return bool(rows) and all(row.actual_columns == width + 1 and row.text.endswith(feed.delimiter) for row in rows)


def _line_numbers(
    table: pa.Table, invalid: list[arrow_csv.InvalidRow], first_line: int, quoted: bool
) -> tuple[np.ndarray, list[int], int]:
    """The line on which each row begins; a quoted field may hold line feeds, which move the rows after it."""
    total = table.num_rows + len(invalid)
    bad = np.array([row.number for row in invalid], dtype=np.int64) - 1
    good = np.ones(total, dtype=bool)
    good[bad] = False
    extra = np.zeros(total, dtype=np.int64)
    if quoted:
        inside = np.zeros(table.num_rows, dtype=np.int64)
        for name in table.column_names:
            inside += pc.count_substring(table[name], "\n").to_numpy().astype(np.int64)
        extra[good] = inside
        extra[bad] = [row.text.count("\n") for row in invalid]
    begins = np.arange(total, dtype=np.int64) + first_line + np.cumsum(extra) - extra
    return begins[good], begins[bad].tolist(), int(begins[-1]) if total else first_line


def _grid(table: pa.Table, headers: list[str], lines: np.ndarray, ragged: list[Ragged]) -> Grid:
    columns = [column.combine_chunks() for column in table.combine_chunks().columns]
    return Grid(headers=headers, columns=columns, lines=lines, ragged=ragged)
