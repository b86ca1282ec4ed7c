"""What every reader hands on: the rows of one extract as text, with the line on which each row stands."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from config.errors import FeedRefusedError
from config.profiles import Feed

#: Characters that systems use for one another in headers.
_ALIKE = str.maketrans({"‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "’": "'", "‘": "'", "`": "'", "\ufeff": ""})


@dataclass
class Ragged:
    """A row that does not have as many fields as the header: never used, always set aside."""

    line: int
    raw: str
    reason: str


@dataclass
class Grid:
    """Rows of text: `columns` in the order of the `headers`, the `lines` they stand on, and the rows that do not fit.

    `iso_dates` is true where the reader itself wrote dates, as ``yyyy-mm-dd`` (cells of a workbook, columns of a
    database).
    """

    headers: list[str]
    columns: list[pa.Array]
    lines: np.ndarray
    ragged: list[Ragged] = field(default_factory=list)
    iso_dates: bool = False
    #: The file and sheet of each row, where rows of several sheets are read as one.
    sheets: pa.Array | None = None
    header_line: int | None = None
    has_nul: bool = False
    #: Columns that no row has, where a row may leave any out (XML).
    unseen: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that fit the header and rows that do not."""
        return len(self.lines) + len(self.ragged)


def plain(header: str) -> str:
    """A header without the accidents of its typing: one space for white space and line feeds, one kind of hyphen and
    apostrophe, no byte order mark, any case. What two systems call the same is equal here."""
    text = unicodedata.normalize("NFKC", header.translate(_ALIKE)).translate(_ALIKE)
    return re.sub(r"\s+", " ", text).strip().casefold()


def pick_headers(found: list[str], wanted: dict[str, bool], file: str) -> tuple[dict[str, int], list[str]]:
    """The position of every wanted header in the file, and the wanted ones that are absent.

    `wanted` says of each header whether it is needed; an absent needed header refuses the feed, and so does one that
    occurs twice, because nobody can tell which is meant.
    """
    places: dict[str, list[int]] = {}
    for position, header in enumerate(found):
        places.setdefault(plain(header), []).append(position)
    positions: dict[str, int] = {}
    absent = []
    for header in wanted:
        at = places.get(plain(header), [])
        if len(at) > 1:
            raise FeedRefusedError(
                f"{file}: column '{header}' occurs {len(at)} times (columns {', '.join(str(p + 1) for p in at)}).",
                "Ask for the extract with one column of that name; which one is meant cannot be told.",
            )
        if at:
            positions[header] = at[0]
        else:
            absent.append(header)
    return positions, absent


def check_headers(
    feed: Feed, found: list[str], file: str, line: int | None = None, hint: str = ""
) -> tuple[dict[str, int], list[str]]:
    """Where the feed's columns are in the file, and the informational ones that are absent. Raises
    `FeedRefusedError` when needed ones are. What the file has is shown only where some of it is known, because the
    first line of a file without a header is a child."""
    positions, absent = pick_headers(found, feed.headers, file)
    needed = [header for header in absent if feed.headers[header]]
    if needed or not found:
        where = f", line {line}" if line else ""
        columns = ", ".join(f"'{header}'" for header in needed)
        advice = "No known column is there: the file may have no header, or the profile states another line for it."
        shown = ", ".join(" ".join(header.split()) for header in found[:12] if header) + (
            ", ..." if len(found) > 12 else ""
        )
        raise FeedRefusedError(
            f"{file}{where}: needed column{'s' if len(needed) > 1 else ''} {columns} not found.",
            hint
            or (
                f"Correct the name in the profile or ask for the column; the file has: {shown}."
                if positions
                else advice
            ),
        )
    return positions, absent
