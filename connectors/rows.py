"""From the rows of one file to canonical tables, with a verdict on every row.

A verdict is for the row as a whole: accepted, set aside (with the first reason found), repeated, or left out because
the profile says so by name. A row that is not accepted is in no table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.canonical import DTYPES, TABLES
from config.errors import FeedRefusedError
from config.profiles import Column, Feed, Profile, TableMap, column_reading
from connectors import convert
from connectors.banners import is_banner
from connectors.grid import Grid, plain
from connectors.lookups import code_map

SET_ASIDE = ["file", "line", "row_id", "source_id", "reason", "column", "raw", "table"]
UNKNOWN_CODES = ["table", "source_id", "row_id", "line", "column", "value"]
REPEATED = ["table", "source_id", "row_id", "line", "first_line", "differs"]
#: Columns that can be the key of a row, for telling totals and banners from rows.
_KEYS = ("row_id", "source_id", "urn", "postcode")


class Rows:
    """The rows of one file while they are read. `tables()` does the work; the counts are right after it."""

    def __init__(self, profile: Profile, feed: Feed, grid: Grid, positions: dict[str, int], path: Path, lookups: Path):
        self.profile, self.feed, self.path, self.lookups = profile, feed, path, lookups
        self.headers, self.positions, self.ragged = grid.headers, positions, grid.ragged
        self.iso_dates, self.has_nul = grid.iso_dates, grid.has_nul
        full = _not_blank(grid)
        self.columns = grid.columns if full is None else [column.filter(full) for column in grid.columns]
        self.lines = grid.lines if full is None else grid.lines[full.to_numpy(zero_copy_only=False)]
        self.count = len(self.lines)
        self.files = grid.sheets if full is None or grid.sheets is None else grid.sheets.filter(full)
        self.notes = [] if full is None else [f"{len(grid.lines) - self.count} blank lines"]
        self.gone = np.zeros(self.count, dtype=bool)
        self.left_out = np.zeros(self.count, dtype=bool)
        self.accepted = 0
        self.repeated = typed(pd.DataFrame(columns=REPEATED))
        self.set_aside = typed(pd.DataFrame(columns=SET_ASIDE))
        self._faults: list[tuple[np.ndarray, str, str, str]] = []
        self._unknown: list[pd.DataFrame] = []
        self._tidied: dict[tuple[str, ...], pa.Array] = {}
        self._ids: dict[int, tuple[pa.Array, np.ndarray]] = {}
        self._keys_of: dict[str, tuple[pa.Array, pa.Array]] = {}

    @property
    def total(self) -> int:
        """Rows in the file that hold anything, those that do not fit the header included."""
        return self.count + len(self.ragged)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The canonical tables of the accepted rows. Raises `FeedRefusedError` when most rows break."""
        taken = self._divide()
        if self.has_nul and taken:
            damaged = np.logical_or.reduce([_contains(column, "\0") for column in self.columns])
            self._fault(damaged, "damaged: NUL byte in the row", "", next(iter(taken)))
        built = {name: self._table(name, mapped, taken[name]) for name, mapped in self.feed.tables.items()}
        self.set_aside = self._list_set_aside()
        self._refuse_when_most_break()
        self.repeated = self._list_repeated(taken)
        used = np.zeros(self.count, dtype=bool)
        frames = {}
        for name, frame in built.items():
            used |= taken[name]
            kept = taken[name] & ~self.gone
            frame = frame if kept.all() else frame.loc[kept].reset_index(drop=True)
            frames[name] = self._once(name, frame) if self.feed.tables[name].distinct else frame
        self.accepted = int((used & ~self.gone).sum())
        return frames

    def new_columns(self) -> list[str]:
        """Headers that the profile neither uses nor ignores by name."""
        known = {plain(header) for header in (*self.feed.headers, *self.feed.ignore)}
        new = []
        for position, header in enumerate(self.headers):
            if plain(header) and plain(header) not in known:
                new.append(header.strip())
            elif not plain(header) and pc.any(pc.not_equal(self.columns[position], "")).as_py():
                new.append(f"(column {position + 1}, without a header)")
        return new

    def unknown_codes(self) -> pd.DataFrame:
        """Unknown codes of accepted rows, and those for which a row itself was set aside."""
        if not self._unknown:
            return typed(pd.DataFrame(columns=UNKNOWN_CODES))
        found = pd.concat(self._unknown, ignore_index=True)
        because = np.zeros(self.count, dtype=bool)
        for places, reason, _, _ in self._faults:
            because[places] |= reason.startswith("unknown code")
        places = found["place"].to_numpy()
        kept = found.loc[~self.gone[places] | because[places]]
        return typed(kept.drop_duplicates(["line", "column"])[UNKNOWN_CODES].reset_index(drop=True))

    # -- text of the file

    def _text(self, column: Column) -> pa.Array:
        """The tidy text of a column; several headers are joined with '/', null where all are blank."""
        return self._tidy(column.from_, column.blank)

    def _tidy(self, headers: tuple[str, ...], blank: tuple[str, ...] = ()) -> pa.Array:
        key = (*headers, "", *blank)
        if key in self._tidied:
            return self._tidied[key]
        if len(headers) > 1:
            parts = [pc.fill_null(self._tidy((header,), blank), "") for header in headers]
            joined = pc.binary_join_element_wise(*parts, "/")
            empty = pc.equal(pc.replace_substring(joined, "/", ""), "")
            text = pc.if_else(empty, pa.scalar(None, pa.string()), joined)
        elif headers[0] in self.positions:
            text = convert.tidy(self.columns[self.positions[headers[0]]], blank)
        else:
            text = pa.nulls(self.count, pa.string())
        self._tidied[key] = text
        return text

    def _identifiers(self, text: pa.Array) -> tuple[pa.Array, np.ndarray]:
        if id(text) not in self._ids:
            self._ids[id(text)] = convert.identifiers(text)
        return self._ids[id(text)]

    def _keys(self, name: str) -> tuple[pa.Array, pa.Array]:
        """The person's key and the row's own; in `people` they are one unless the profile says otherwise."""
        if name not in self._keys_of:
            columns = self.feed.tables[name].columns
            source, row = (self._key(columns.get(key)) for key in ("source_id", "row_id"))
            source = pa.nulls(self.count, pa.string()) if source is None else source
            self._keys_of[name] = (source, source if row is None else row)
        return self._keys_of[name]

    def _key(self, column: Column | None) -> pa.Array | None:
        if column is None:
            return None
        if column.constant is not None:
            return pa.array([column.constant] * self.count, pa.string())
        text, _ = self._identifiers(self._text(column))
        return {"postcode": convert.postcodes, "upn": convert.upns}.get(column.as_ or "", lambda same: same)(text)

    # -- verdicts

    def _fault(self, mask: np.ndarray, reason: str, column: str, table: str) -> None:
        """Sets rows aside, each for the first reason found."""
        first = mask & ~self.gone
        if first.any():
            self._faults.append((np.flatnonzero(first), reason, column, table))
            self.gone |= first

    def _divide(self) -> dict[str, np.ndarray]:
        """Which rows each table takes; a row that none takes, and that is not left out by name, is set aside."""
        if self.feed.unused:
            self.left_out[:] = True
        for header, values in self.feed.ignore_rows.items():
            self.left_out |= self._among(header, values)
        self.gone |= self.left_out
        taken = {}
        for name, mapped in self.feed.tables.items():
            taken[name] = ~self.left_out
            for header, values in mapped.rows.items():
                taken[name] = taken[name] & self._among(header, values)
            if mapped.when:
                taken[name] = taken[name] & convert.present(self._tidy((mapped.when,)))
        nobody = ~self.left_out
        for mask in taken.values():
            nobody = nobody & ~mask
        if nobody.any():
            self._taken_by_nobody(nobody)
        return taken

    def _among(self, header: str, values: tuple[str, ...]) -> np.ndarray:
        return pc.is_in(self._tidy((header,)), pa.array(values, pa.string())).to_numpy(zero_copy_only=False)

    def _taken_by_nobody(self, nobody: np.ndarray) -> None:
        by_value = [(name, mapped) for name, mapped in self.feed.tables.items() if mapped.rows]
        name, mapped = by_value[0] if by_value else next(iter(self.feed.tables.items()))
        header = next(iter(mapped.rows)) if by_value else mapped.when or ""
        text = self._tidy((header,))
        named = convert.present(text)
        self._no_key(name, mapped, nobody & ~named)
        self._fault(nobody & ~named, f"no table takes the row: {header} blank", header, name)
        self._fault(nobody, f"unknown code: {header}", header, name)
        self._note_unknown(name, header, text, nobody & named)

    def _no_key(self, name: str, mapped: TableMap, among: np.ndarray) -> None:
        """Sets aside rows without a key, and the totals and banners that stand where a key should."""
        self._fault(among & self._banners(mapped), "no key: total or banner line", "", name)
        for key in TABLES[name].needed or ("row_id",):
            column = mapped.columns.get(key)
            if column is not None and column.from_:
                header = " + ".join(column.from_)
                self._fault(among & ~convert.present(self._text(column)), f"no key: {header} blank", header, name)

    def _banners(self, mapped: TableMap) -> np.ndarray:
        """Rows whose key is a banner, or which lack a key and hold a banner anywhere."""
        banners = np.zeros(self.count, dtype=bool)
        lacking = np.zeros(self.count, dtype=bool)
        for key in _KEYS:
            column = mapped.columns.get(key)
            if column is None or not column.from_:
                continue
            text = self._text(column)
            lacking |= ~convert.present(text)
            odd = np.flatnonzero(convert.present(text) & ~convert.matches(text, r"^[A-Za-z]?[\w./-]*\d"))
            texts = text.take(pa.array(odd)).to_pylist()
            verdict = {value: is_banner(value) for value in set(texts)}
            banners[odd] |= np.array([verdict[value] for value in texts], dtype=bool)
        for place in np.flatnonzero(lacking & ~banners).tolist():
            banners[place] = any(is_banner(column[place].as_py()) for column in self.columns)
        return banners

    # -- tables

    def _table(self, name: str, mapped: TableMap, taken: np.ndarray) -> pd.DataFrame:
        """The canonical frame of all rows of the file; those that do not belong to it are taken out later."""
        table = TABLES[name]
        self._no_key(name, mapped, taken & ~self.gone)
        index = pd.RangeIndex(self.count)
        data: dict[str, Any] = {
            column_name: self._column(name, column_name, column, taken)
            for column_name, column in mapped.columns.items()
        }
        data["source_id"], data["row_id"] = (convert.series(key) for key in self._keys(name))
        data["source"] = _constant(self.profile.system, "str", self.count)
        named = self.files is not None
        data["file"] = convert.series(self.files) if named else _constant(self.path.name, "str", self.count)
        data["line"] = pd.Series(self.lines, index=index).astype("Int64")
        frame = {
            column_name: data[column_name].astype(dtype) if column_name in data else pd.Series(index=index, dtype=dtype)
            for column_name, dtype in table.dtypes.items()
        }
        return pd.DataFrame(frame, index=index)

    def _column(self, table: str, name: str, column: Column, taken: np.ndarray) -> pd.Series:
        kind = {"source_id": "id", "row_id": "id"}.get(name) or TABLES[table].columns[name]
        if column.constant is not None:
            return self._constant_column(table, name, column, kind)
        reading = column_reading(table, name, column)
        header = " + ".join(column.from_)
        text = self._text(column)
        if reading == "date":
            forms = [*(column.format or self.feed.dates), *(convert.ISO_FORMS if self.iso_dates else ())]
            days, wrong = convert.dates(text, forms)
            self._fault(wrong & taken, f"unparseable date: {header}", header, table)
            return days
        if reading == "flag":
            flags, unknown = convert.flags(text, column.yes or self.feed.yes, column.no or self.feed.no)
            self._note_unknown(table, header, text, unknown & taken)
            return flags
        if reading == "number":
            numbers, wrong = convert.numbers(text)
            self._fault(wrong & taken, f"wrong type: {header} is not a whole number", header, table)
            return numbers
        if reading in ("id", "whole"):
            text, wrong = self._identifiers(text)
            self._fault(wrong & taken, f"wrong type: {header} was damaged by a spreadsheet", header, table)
            if reading == "whole":
                wrong = convert.not_whole(text)
                self._fault(wrong & taken, f"wrong type: {header} is not a whole number", header, table)
        elif reading in _TREATMENTS:
            text = _TREATMENTS[reading](text)
        if column.codes:
            text, unknown = convert.codes(text, code_map(self.profile, self.feed, column.codes, self.lookups))
            self._note_unknown(table, header, self._text(column), unknown & taken)
        return convert.series(text)

    def _constant_column(self, table: str, name: str, column: Column, kind: str) -> pd.Series:
        """One value for every row: a flag is given as one of the feed's texts for yes and no."""
        if kind == "flag":
            return _constant(column.constant in (column.yes or self.feed.yes), "boolean", self.count)
        return _constant(column.constant or "", DTYPES[kind], self.count)

    def _note_unknown(self, table: str, header: str, text: pa.Array, unknown: np.ndarray) -> None:
        places = np.flatnonzero(unknown)
        if not len(places):
            return
        at = pa.array(places)
        source, row = self._keys(table)
        self._unknown.append(
            pd.DataFrame(
                {
                    "table": table,
                    "source_id": convert.series(source.take(at)),
                    "row_id": convert.series(row.take(at)),
                    "line": self.lines[places],
                    "column": header,
                    "value": convert.series(text.take(at)),
                    "place": places,
                }
            )
        )

    # -- lists of what was not accepted

    def _list_set_aside(self) -> pd.DataFrame:
        rows = []
        for places, reason, header, table in self._faults:
            source, row = self._keys(table)
            rows += [
                {
                    "file": self.path.name if self.files is None else self.files[place].as_py(),
                    "line": int(self.lines[place]),
                    "row_id": row[place].as_py(),
                    "source_id": source[place].as_py(),
                    "reason": reason,
                    "column": header,
                    "raw": _shown(self.feed.delimiter.join(column[place].as_py() or "" for column in self.columns)),
                    "table": table,
                }
                for place in places.tolist()
            ]
        table = next(iter(self.feed.tables), "")
        rows += [
            {"file": self.path.name, "line": bad.line, "row_id": None, "source_id": None, "reason": bad.reason}
            | {"column": "", "raw": _shown(bad.raw), "table": table}
            for bad in self.ragged
        ]
        return typed(pd.DataFrame(rows, columns=SET_ASIDE).sort_values("line", kind="stable", ignore_index=True))

    def _refuse_when_most_break(self) -> None:
        gate, broken = self.feed.set_aside, len(self.set_aside)
        if broken > gate.rows and broken * 100 > gate.percent * self.total:
            reasons = self.set_aside["reason"]
            commonest = reasons.value_counts().index[0]
            line = int(self.set_aside.loc[reasons == commonest, "line"].iloc[0])
            raise FeedRefusedError(
                f"{self.path.name}, line {line}: {commonest}; {broken:,} of {self.total:,} rows cannot be read.",
                "So many are no slips: the file has another form. Correct the profile, or ask for the extract again.",
            )

    def _list_repeated(self, taken: dict[str, np.ndarray]) -> pd.DataFrame:
        """Rows whose key came before in the same file: the first is kept. Tables that share their key and divide the
        rows between them are looked at together, since a key identifies a row of the file."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, mapped in self.feed.tables.items():
            key = mapped.columns.get("row_id") or mapped.columns.get("source_id")
            if key is not None and key.from_ and not mapped.distinct:
                groups.setdefault(key.from_, []).append(name)
        found = []
        for names in groups.values():
            together = np.zeros(self.count, dtype=bool)
            for name in names:
                together |= taken[name]
            rows = np.flatnonzero(together & ~self.gone)
            sources, keys = self._keys(names[0])
            ids = convert.series(keys).iloc[rows]
            again = ids.duplicated().to_numpy()
            if not again.any():
                continue
            first = dict(zip(ids[~again].tolist(), rows[~again].tolist(), strict=True))
            for place in rows[again].tolist():
                row_id = keys[place].as_py()
                before = first[row_id]
                found.append(
                    {
                        "table": next(name for name in names if taken[name][place]),
                        "source_id": sources[place].as_py(),
                        "row_id": row_id,
                        "line": int(self.lines[place]),
                        "first_line": int(self.lines[before]),
                        "differs": any(not column[place].equals(column[before]) for column in self.columns),
                    }
                )
                self.gone[place] = True
        return typed(pd.DataFrame(found, columns=REPEATED))

    def _once(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per key; says how many later rows of the same key do not say the same."""
        own = [column for column in TABLES[name].columns if frame[column].notna().any()]
        once = ~frame.duplicated("row_id")
        differing = int((~frame.duplicated(["row_id", *own]) & ~once).sum())
        if differing:
            self.notes.append(f"{name}: {differing} rows differ from the first row of the same key, which was kept")
        return frame.loc[once].reset_index(drop=True)


_TREATMENTS = {
    "upn": convert.upns,
    "upn_reason": convert.upn_reasons,
    "postcode": convert.postcodes,
    "choice": convert.choices,
}


def _contains(column: pa.Array, part: str) -> np.ndarray:
    return pc.fill_null(pc.match_substring(column, part), False).to_numpy(zero_copy_only=False)


def _shown(raw: str) -> str:
    """Raw text with its NUL bytes made visible, since no database keeps them."""
    return raw.replace("\0", "\\0")


def _constant(value: Any, dtype: str, count: int) -> pd.Series:
    return pd.Series(value, index=pd.RangeIndex(count), dtype=dtype)


def _not_blank(grid: Grid) -> pa.Array | None:
    """Which rows hold anything; None when all do."""
    if not len(grid.lines) or not grid.columns:
        return None
    full = pa.array(np.zeros(len(grid.lines), dtype=bool))
    for column in grid.columns:
        full = pc.or_(full, pc.not_equal(pc.utf8_trim_whitespace(column), ""))
        if pc.all(full).as_py():
            return None
    return full


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A list of rows with its types: numbers of lines, yes and no, text."""
    kinds = {"line": "Int64", "first_line": "Int64", "differs": "boolean"}
    return frame.astype({column: kinds.get(column, "str") for column in frame.columns})
