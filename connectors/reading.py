"""One extract in, canonical tables out, with every row accounted for: accepted, set aside, repeated or left out.

    reading = read_feed(profiles["synergy"], "pupils", Path("pupils.csv"), as_of=date(2026, 10, 28))
    reading.tables["people"]
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.canonical import TABLES
from config.errors import FeedRefusedError
from config.profiles import Column, Feed, Profile, TableMap, column_reading
from connectors import convert, csv_files, workbooks, xml_files
from connectors.banners import is_banner
from connectors.grid import Grid, missing_needed, pick_headers, plain
from connectors.lookups import code_map

SET_ASIDE = ["file", "line", "row_id", "source_id", "reason", "column", "raw", "table"]
UNKNOWN_CODES = ["table", "source_id", "row_id", "line", "column", "value"]
REPEATED = ["table", "source_id", "row_id", "line", "first_line", "differs"]
#: Dates that say nothing about how fresh a feed is.
_NOT_NEWS = {"born_on"}


@dataclass
class Reading:
    """What came of one extract. `rows` are the rows in the file; they are all in `tables`, `set_aside`, `repeated`
    or `left_out` (rows that the profile leaves out by name), each in one place only.

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
    grid = _reader(feed)(path, feed)
    positions, absent = pick_headers(grid.headers, feed.headers, path.name)
    needed = [header for header in absent if feed.headers[header]]
    if needed:
        raise missing_needed(path.name, grid.header_line, needed, grid.headers, grid.hint)
    day = as_of or dt.date.fromtimestamp(path.stat().st_mtime)
    return _Run(profile, feed, grid, positions, absent, path, lookups or path.parent).reading(day)


def _reader(feed: Feed) -> Any:
    return {"csv": csv_files.read, "sql": csv_files.read, "xlsx": workbooks.read, "xml": xml_files.read}[feed.kind]


class _Run:
    """The reading of one file: the verdict on every row is collected here while the tables are built."""

    def __init__(
        self,
        profile: Profile,
        feed: Feed,
        grid: Grid,
        positions: dict[str, int],
        absent: list[str],
        path: Path,
        lookups: Path,
    ) -> None:
        self.profile, self.feed, self.path, self.lookups = profile, feed, path, lookups
        self.headers, self.absent, self.positions, self.ragged = grid.headers, absent, positions, grid.ragged
        self.iso_dates = grid.iso_dates or feed.kind == "sql"
        full = _not_blank(grid)
        self.columns = grid.columns if full is None else [column.filter(full) for column in grid.columns]
        self.lines = grid.lines if full is None else grid.lines[full.to_numpy(zero_copy_only=False)]
        self.count = len(self.lines)
        self.keys: dict[str, tuple[pa.Array, pa.Array]] = {}
        self.reason = np.full(self.count, "", dtype=object)
        self.column = np.full(self.count, "", dtype=object)
        self.table_of = np.full(self.count, "", dtype=object)
        self.dropped = np.zeros(self.count, dtype=bool)
        self.texts: dict[tuple[str, tuple[str, ...]], pa.Array] = {}
        self.unknown: list[pd.DataFrame] = []
        self.notes: list[str] = []
        if full is not None:
            self.notes.append(f"{len(grid.lines) - self.count} blank lines")

    def reading(self, day: dt.date) -> Reading:
        taken = self._rows_of_tables()
        built = {name: self._table(name, table, taken[name]) for name, table in self.feed.tables.items()}
        set_aside = self._set_aside()
        self._refuse_when_most_break(set_aside)
        repeated = self._repeats(built, taken)
        left_out = int(self.left_out.sum())
        frames = {}
        for name, frame in built.items():
            kept = frame.loc[taken[name] & ~self.dropped].reset_index(drop=True)
            if self.feed.tables[name].distinct:
                kept = self._distinct(name, kept)
            frames[name] = kept
        used = np.zeros(self.count, dtype=bool)
        for name in built:
            used |= taken[name]
        accepted = int((used & ~self.dropped).sum())
        rows = self.count + len(self.ragged)
        if rows != accepted + len(set_aside) + len(repeated) + left_out:
            raise AssertionError(
                f"{self.path.name}: {rows} rows, but {accepted} accepted, {len(set_aside)} set aside, "
                f"{len(repeated)} repeated and {left_out} left out"
            )
        known = {plain(header) for header in (*self.feed.headers, *self.feed.ignore)}
        new = [] if self.feed.ignore_others else self._new_columns(known)
        return Reading(
            system=self.profile.system,
            feed=self.feed.name,
            file=self.path.name,
            rows=rows,
            accepted=accepted,
            tables=frames,
            set_aside=set_aside,
            unknown_codes=self._unknown_codes(),
            repeated=repeated,
            left_out=left_out,
            new_columns=new,
            missing_columns=list(self.absent),
            newest_on=_newest(frames, day),
            notes=self.notes,
        )

    def _new_columns(self, known: set[str]) -> list[str]:
        new = []
        for position, header in enumerate(self.headers):
            if plain(header) in known:
                continue
            if plain(header):
                new.append(header.strip())
            elif pc.any(pc.not_equal(self.columns[position], "")).as_py():
                new.append(f"(column {position + 1}, without a header)")
        return new

    def _text(self, headers: tuple[str, ...], blank: tuple[str, ...] = ()) -> pa.Array:
        """The tidy text of a header; several are joined with '/', blank where any of them is."""
        key = ("|".join(blank), headers)
        if key not in self.texts:
            if len(headers) == 1:
                at = self.positions.get(headers[0])
                raw = pa.nulls(self.count, pa.string()) if at is None else self.columns[at]
                self.texts[key] = convert.tidy(raw, blank) if at is not None else raw
            else:
                parts = [pc.fill_null(self._text((header,), blank), "") for header in headers]
                joined = pc.binary_join_element_wise(*parts, "/")
                empty = pc.equal(pc.replace_substring(joined, "/", ""), "")
                self.texts[key] = pc.if_else(empty, pa.scalar(None, pa.string()), joined)
        return self.texts[key]

    def _break(self, mask: np.ndarray, reason: str, column: str, table: str) -> None:
        """Sets rows aside, each for the first reason found."""
        first = mask & ~self.dropped
        if first.any():
            self.reason[first], self.column[first], self.table_of[first] = reason, column, table
            self.dropped |= first

    def _rows_of_tables(self) -> dict[str, np.ndarray]:
        """Which rows each table takes. A row that none takes, and that is not left out by name, has an unknown code."""
        taken = {}
        everything = np.ones(self.count, dtype=bool)
        self.left_out = np.zeros(self.count, dtype=bool)
        for header, values in self.feed.ignore_rows.items():
            self.left_out |= pc.is_in(self._text((header,)), pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
        self.dropped |= self.left_out
        for name, table in self.feed.tables.items():
            chosen = everything
            for header, values in table.rows.items():
                text = self._text((header,))
                chosen = pc.is_in(text, pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
            taken[name] = chosen & ~self.left_out
        nobody = ~np.logical_or.reduce(list(taken.values())) & ~self.left_out
        if nobody.any():
            name, table = next((n, t) for n, t in self.feed.tables.items() if t.rows)
            header = next(iter(table.rows))
            text = self._text((header,))
            self._keys(name, table)
            blank = nobody & ~convert.present(text)
            keyless = self._keyless(name, table, blank)
            self._break(nobody & ~convert.present(text) & ~keyless, f"no table takes the row: {header} blank", header, name)
            self._break(nobody & ~self.dropped, f"unknown code: {header}", header, name)
            self._note_unknown(name, header, text, nobody & convert.present(text))
        return taken

    def _keys(self, name: str, table: TableMap) -> tuple[pa.Array, pa.Array]:
        """The person's key and the row's own; in `people`, and in a reference table, they may be one."""
        if name not in self.keys:
            nothing = pa.nulls(self.count, pa.string())
            source = self._identifier(table.columns.get("source_id"))
            row = self._identifier(table.columns.get("row_id"))
            source = nothing if source is None else source
            self.keys[name] = (source, source if row is None else row)
        return self.keys[name]

    def _identifier(self, column: Column | None) -> pa.Array | None:
        if column is None:
            return None
        if column.constant is not None:
            return pa.array([column.constant] * self.count, pa.string())
        text = convert.identifiers(self._text(column.from_, column.blank))[0]
        return {"postcode": convert.postcodes, "upn": convert.upns}.get(column.as_ or "", lambda same: same)(text)

    def _keyless(self, name: str, table: TableMap, among: np.ndarray) -> np.ndarray:
        """Sets aside the rows without a key, and the totals and banners that stand where a key should."""
        found = np.zeros(self.count, dtype=bool)
        banners = among & self._banners(table)
        self._break(banners, "no key: total or banner line", "", name)
        found |= banners
        for key in TABLES[name].needed or ("row_id",):
            column = table.columns.get(key)
            if column is None or not column.from_:
                continue
            empty = among & ~convert.present(self._text(column.from_, column.blank))
            header = " + ".join(column.from_)
            self._break(empty, f"no key: {header} blank", header, name)
            found |= empty
        return found

    def _banners(self, table: TableMap) -> np.ndarray:
        """Rows whose key is a banner, or which have an empty key and a banner anywhere."""
        banners = np.zeros(self.count, dtype=bool)
        lacking = np.zeros(self.count, dtype=bool)
        for key in ("row_id", "source_id", *(n for n in ("urn", "postcode") if n in table.columns)):
            column = table.columns.get(key)
            if column is None or not column.from_:
                continue
            text = self._text(column.from_, column.blank)
            lacking |= ~convert.present(text)
            odd = convert.present(text) & ~convert.matches(text, r"^[A-Za-z]?[\w./-]*\d")
            places = np.flatnonzero(odd)
            if len(places):
                distinct = {value: is_banner(value) for value in set(text.take(pa.array(places)).to_pylist())}
                hits = [place for place in places.tolist() if distinct[text[place].as_py()]]
                banners[hits] = True
        for place in np.flatnonzero(lacking & ~banners):
            texts = [text for text in (column[int(place)].as_py() for column in self.columns) if text]
            banners[place] = any(is_banner(text) for text in texts)
        return banners

    def _table(self, name: str, mapped: TableMap, taken: np.ndarray) -> pd.DataFrame:
        """The canonical frame of all rows of the file; rows that do not belong to it are dropped later."""
        table = TABLES[name]
        self._keyless(name, mapped, taken & ~self.dropped)
        data: dict[str, Any] = {}
        for column_name in table.all_columns:
            column = mapped.columns.get(column_name)
            if column is None:
                continue
            data[column_name] = self._column(name, column_name, column, taken)
        source_id, row_id = (convert.series(key) for key in self._keys(name, mapped))
        data |= {"source_id": source_id, "row_id": row_id}
        index = pd.RangeIndex(self.count)
        data["source"] = pd.Series(self.profile.system, index=index, dtype="str")
        data["file"] = pd.Series(self.path.name, index=index, dtype="str")
        data["line"] = pd.Series(self.lines, index=index).astype("Int64")
        frame = {
            column_name: data[column_name] if column_name in data else pd.Series(index=index, dtype=dtype)
            for column_name, dtype in table.dtypes.items()
        }
        return pd.DataFrame(frame, index=index).astype(table.dtypes)

    def _column(self, table: str, name: str, column: Column, taken: np.ndarray) -> pd.Series:
        reading = column_reading(table, name, column)
        if column.constant is not None:
            return pd.Series(column.constant, index=pd.RangeIndex(self.count), dtype="str")
        header = " + ".join(column.from_)
        text = self._text(column.from_, column.blank)
        open_ = taken & ~self.dropped
        if column.codes and reading != "flag":
            decoded, unknown = convert.codes(text, code_map(self.profile, column.codes, self.lookups))
            self._note_unknown(table, header, text, unknown & taken)
            return convert.series(decoded)
        if reading == "date":
            forms = [*(column.format or self.feed.dates), *(convert.ISO_FORMS if self.iso_dates else ())]
            days, wrong = convert.dates(text, forms)
            self._break(wrong & open_, f"unparseable date: {header}", header, table)
            return days
        if reading == "flag":
            values, unknown = convert.flags(text, column.yes or self.feed.yes, column.no or self.feed.no)
            self._note_unknown(table, header, text, unknown & taken)
            return values
        if reading == "number":
            whole_numbers, wrong = convert.numbers(text)
            self._break(wrong & open_, f"wrong type: {header} is not a whole number", header, table)
            return whole_numbers
        if reading in ("id", "whole"):
            ids, wrong = convert.identifiers(text)
            self._break(wrong & open_, f"wrong type: {header} was damaged by a spreadsheet", header, table)
            if reading == "whole":
                ids, wrong = convert.whole(text)
                self._break(wrong & open_, f"wrong type: {header} is not a whole number", header, table)
            return convert.series(ids)
        treat = {"upn": convert.upns, "upn_reason": convert.upn_reasons, "postcode": convert.postcodes}
        return convert.series(treat[reading](text) if reading in treat else text)

    def _note_unknown(self, table: str, header: str, text: pa.Array, unknown: np.ndarray) -> None:
        places = np.flatnonzero(unknown)
        if not len(places):
            return
        at = pa.array(places)
        source, row = self._keys(table, self.feed.tables[table])
        self.unknown.append(
            pd.DataFrame(
                {
                    "table": table,
                    "source_id": convert.series(source.take(at)),
                    "row_id": convert.series(row.take(at)),
                    "line": self.lines[places],
                    "column": header,
                    "value": convert.series(text.take(at)),
                    "_place": places,
                }
            )
        )

    def _unknown_codes(self) -> pd.DataFrame:
        """Unknown codes of rows that were kept, and the codes for which a row itself was set aside."""
        if not self.unknown:
            return _typed(pd.DataFrame(columns=UNKNOWN_CODES))
        found = pd.concat(self.unknown, ignore_index=True)
        places = found["_place"].to_numpy()
        because = np.array([str(reason).startswith("unknown code") for reason in self.reason[places]], dtype=bool)
        kept = found.loc[~self.dropped[places] | because]
        return _typed(kept.drop_duplicates(["line", "column"])[UNKNOWN_CODES].reset_index(drop=True))

    def _set_aside(self) -> pd.DataFrame:
        broken = np.flatnonzero(self.dropped & ~self.left_out)
        rows = []
        for place in broken.tolist():
            keys = self.keys.get(self.table_of[place])
            rows.append(
                {
                    "file": self.path.name,
                    "line": int(self.lines[place]),
                    "row_id": keys[1][place].as_py() if keys else None,
                    "source_id": keys[0][place].as_py() if keys else None,
                    "reason": self.reason[place],
                    "column": self.column[place],
                    "raw": self.feed.delimiter.join(column[place].as_py() or "" for column in self.columns),
                    "table": self.table_of[place],
                }
            )
        first = next(iter(self.feed.tables))
        rows += [
            {"file": self.path.name, "line": bad.line, "row_id": None, "source_id": None, "reason": bad.reason}
            | {"column": "", "raw": bad.raw, "table": first}
            for bad in self.ragged
        ]
        frame = pd.DataFrame(rows, columns=SET_ASIDE).sort_values("line", kind="stable", ignore_index=True)
        return _typed(frame)

    def _refuse_when_most_break(self, set_aside: pd.DataFrame) -> None:
        gate, broken, rows = self.feed.set_aside, len(set_aside), self.count + len(self.ragged)
        if broken > gate.rows and broken * 100 > gate.percent * rows:
            commonest = set_aside["reason"].value_counts().index[0]
            line = int(set_aside.loc[set_aside["reason"] == commonest, "line"].iloc[0])
            raise FeedRefusedError(
                f"{self.path.name}, line {line}: {commonest}; {broken:,} of {rows:,} rows cannot be read.",
                "So many cannot be slips: the form of the file changed. Correct the profile, or ask for the extract again.",
            )

    def _repeats(self, built: dict[str, pd.DataFrame], taken: dict[str, np.ndarray]) -> pd.DataFrame:
        """Rows whose key came before in the same file: the first is kept. Tables that share their key and divide the
        rows between them are looked at together, since a key identifies a row of the file."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, table in self.feed.tables.items():
            key = table.columns.get("row_id") or table.columns.get("source_id")
            if key is not None and key.from_ and not table.distinct:
                groups.setdefault(key.from_, []).append(name)
        found = []
        for names in groups.values():
            rows = np.flatnonzero(np.logical_or.reduce([taken[name] for name in names]) & ~self.dropped)
            name_of = {int(place): name for name in reversed(names) for place in np.flatnonzero(taken[name])} if len(
                names
            ) > 1 else {}
            ids = built[names[0]]["row_id"].iloc[rows]
            again = ids.duplicated().to_numpy()
            if not again.any():
                continue
            first = dict(zip(ids[~again], rows[~again], strict=True))
            for place in rows[again].tolist():
                name = name_of.get(place, names[0])
                before = int(first[built[name].at[place, "row_id"]])
                found.append(
                    {
                        "table": name,
                        "source_id": built[name].at[place, "source_id"],
                        "row_id": built[name].at[place, "row_id"],
                        "line": int(self.lines[place]),
                        "first_line": int(self.lines[before]),
                        "differs": any(not column[place].equals(column[before]) for column in self.columns),
                    }
                )
                self.dropped[place] = True
        return _typed(pd.DataFrame(found, columns=REPEATED))

    def _distinct(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per key; says how many later rows of the same key do not say the same."""
        own = [column for column in TABLES[name].columns if frame[column].notna().any()]
        once = ~frame.duplicated("row_id")
        differing = int((~frame.duplicated(["row_id", *own]) & ~once).sum())
        if differing:
            self.notes.append(f"{name}: {differing} rows differ from the first row of the same key, which was kept")
        return frame.loc[once].reset_index(drop=True)


def _not_blank(grid: Grid) -> pa.Array | None:
    """Which rows hold anything; None when all do."""
    if not len(grid.lines) or not grid.columns:
        return None
    full = pc.not_equal(grid.columns[0], "")
    for column in grid.columns[1:]:
        if pc.all(full).as_py():
            return None
        full = pc.or_(full, pc.not_equal(pc.utf8_trim_whitespace(column), ""))
    return None if pc.all(full).as_py() else full


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    kinds = {"line": "Int64", "first_line": "Int64", "differs": "boolean"}
    return frame.astype({column: kinds.get(column, "str") for column in frame.columns})


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
    """Counts and names only, with no personal data: what a command prints about a reading."""
    reasons = reading.set_aside["reason"].value_counts()
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
        "unknown_codes": {
            f"{column}: {value}": int(count)
            for (column, value), count in reading.unknown_codes.groupby(["column", "value"]).size().items()
        },
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
