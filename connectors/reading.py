"""One extract in, canonical tables out, with every row accounted for: accepted, set aside, repeated or left out.

reading = read_feed(profiles["synergy"], "pupils", Path("pupils.csv"), as_of=date(2026, 10, 28))
reading.tables["people"]
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd

from config.canonical import TABLES
from config.profiles import Feed, Profile
from connectors import csv_files, workbooks, xml_files
from connectors.grid import Grid, check_headers
from connectors.rows import Rows

#: Dates that say nothing about how fresh a feed is.
_NOT_NEWS = {"born_on"}
_READERS: dict[str, Callable[[Path, Feed], Grid]] = {
    "csv": csv_files.read,
    "sql": csv_files.read,
    "xlsx": workbooks.read,
    "xml": xml_files.read,
}
#: The form in which `connectors.pull` writes the answer of a query.
_ANSWER = {"encoding": "utf-8", "delimiter": ",", "quote": '"', "header": None}


@dataclass
class Reading:
    """What came of one extract. `rows` are the rows in the file; each is in one place only: accepted (in `tables`),
    `set_aside`, `repeated`, or `left_out` (rows that the profile leaves out by name).

    `set_aside`: file, line, row_id, source_id, reason, column (their header), raw (private), table.
    `unknown_codes`: table, source_id, row_id, line, column (their header), value; the value is blank in the table.
    `repeated`: table, source_id, row_id, line, first_line (of the row that was kept), differs (in any column).
    `new_columns` and `missing_columns` are headers; `newest_on` is the newest date carried, up to the day given.
    """

    system: str
    feed: str
    file: str
    rows: int
    accepted: int
    tables: dict[str, pd.DataFrame]
    set_aside: pd.DataFrame
    unknown_codes: pd.DataFrame
    repeated: pd.DataFrame
    left_out: int = 0
    new_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    newest_on: dt.date | None = None
    notes: list[str] = field(default_factory=list)


def read_feed(
    profile: Profile, feed_name: str, path: Path, *, as_of: dt.date | None = None, lookups: Path | None = None
) -> Reading:
    """Reads one extract as its profile says.

    `as_of` is the file's day, for `newest_on` (default: the day on which the file was last changed). `lookups` is the
    folder with the lookup files of code maps (default: the folder of the file).

    Raises `ExtractError` for a file that is missing, empty or cannot be opened, and `FeedRefusedError` for one that
    is not what the profile says; both name the file, the line where there is one, and what to do.
    """
    feed = profile.feeds[feed_name]
    if feed.kind == "sql":
        feed = feed.model_copy(update=_ANSWER)
    grid = _READERS[feed.kind](path, feed)
    grid.iso_dates = grid.iso_dates or feed.kind == "sql"
    positions, absent = check_headers(feed, grid.headers, path.name, grid.header_line)
    rows = Rows(profile, feed, grid, positions, path, lookups or path.parent)
    tables = rows.tables()
    left_out = int(rows.left_out.sum())
    if rows.total != rows.accepted + len(rows.set_aside) + len(rows.repeated) + left_out:
        raise AssertionError(
            f"{path.name}: {rows.total} rows, but {rows.accepted} accepted, {len(rows.set_aside)} set aside, "
            f"{len(rows.repeated)} repeated and {left_out} left out"
        )
    return Reading(
        system=profile.system,
        feed=feed.name,
        file=path.name,
        rows=rows.total,
        accepted=rows.accepted,
        tables=tables,
        set_aside=rows.set_aside,
        unknown_codes=rows.unknown_codes(),
        repeated=rows.repeated,
        left_out=left_out,
        new_columns=[] if feed.ignore_others else rows.new_columns(),
        missing_columns=absent + grid.unseen,
        newest_on=_newest(tables, as_of or _changed_on(path)),
        notes=rows.notes,
    )


def _changed_on(path: Path) -> dt.date:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()


def _newest(frames: dict[str, pd.DataFrame], day: dt.date) -> dt.date | None:
    """The newest date in any table, leaving out births and what lies after the file's day."""
    limit = pd.Timestamp(day)
    newest = None
    for name, frame in frames.items():
        for column, kind in TABLES[name].columns.items():
            if kind == "date" and column not in _NOT_NEWS:
                latest = frame[column].where(frame[column] <= limit).max()
                if pd.notna(latest) and (newest is None or latest > newest):
                    newest = latest
    return None if newest is None else newest.date()


def describe(reading: Reading) -> dict[str, Any]:
    """Counts, headers, codes and lines only, with no personal data: what a command prints about a reading."""
    reasons = reading.set_aside["reason"].value_counts()
    unknown = (reading.unknown_codes["column"] + ": " + reading.unknown_codes["value"]).value_counts()
    return {
        "system": reading.system,
        "feed": reading.feed,
        "file": reading.file,
        "rows": reading.rows,
        "accepted": reading.accepted,
        "set_aside": len(reading.set_aside),
        "repeated": len(reading.repeated),
        "left_out": reading.left_out,
        "tables": {name: len(frame) for name, frame in reading.tables.items()},
        "set_aside_reasons": {str(reason): int(count) for reason, count in reasons.items()},
        "set_aside_lines": [int(line) for line in reading.set_aside["line"].head(20)],
        "unknown_codes": {str(code): int(count) for code, count in unknown.items()},
        "new_columns": reading.new_columns,
        "missing_columns": reading.missing_columns,
        "newest_on": reading.newest_on.isoformat() if reading.newest_on else None,
        "notes": reading.notes,
    }


def feed_of(profile: Profile, file_name: str) -> str | None:
    """The feed that a file belongs to by its name, or None."""
    for name, feed in profile.feeds.items():
        if any(fnmatchcase(file_name.lower(), pattern.lower()) for pattern in feed.file):
            return name
    return None
