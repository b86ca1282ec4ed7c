"""The facts behind the register, kept as changes in the private store: what any night knew of plans, placements, reviews and visits.

One Parquet file a table, a row valid from the night `known_from` to the night before `known_to`; a quiet night writes nothing. Only children who
have, or have asked for, a plan; no name, number of a person, postcode or line of an address. The night that wrote them may be run again or
die: what it wrote is taken back by the next one, and nobody reads a night that is not complete.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from config.canonical import DTYPES, TABLES
from config.errors import StoreError
from config.identifiers import postcode_key
from pipelines.frames import is_among
from pipelines.rawstore import private_folder

Tables = dict[str, Any]
FAR = pd.Timestamp(9999, 12, 31)
#: Columns that are never kept: who the child is, the lines of addresses, free text, and where a row stood in its file.
_LEFT_OUT = {
    "file", "line", "upn", "former_upn", "uln", "nhs_number", "alternative_id", "surname", "forename", "known_as", "preferred_surname",
    "former_surname", "house", "street", "town", "postcode", "home_postcode", "purpose", "worker", "team", "interview_offered_code",
}  # fmt: skip
#: Reference data that is not kept: millions of postcodes; the care placements carry the authority that theirs lies in.
_NOT_KEPT = {"postcodes"}
#: The file that says which night is the first whose facts are still whole, once some were removed.
_SINCE = "since.txt"
_CARRIED = {"carried_on": "date", "feed": "text"}


def _columns(name: str) -> dict[str, str]:
    kinds = {column: kind for column, kind in TABLES[name].all_columns.items() if column not in _LEFT_OUT}
    if name == "care_placements":
        kinds["la_code"] = "code"
    return kinds | ({} if TABLES[name].is_reference else _CARRIED)


def children_of_interest(tables: Tables, links: pd.DataFrame) -> pd.Series:
    """The ids of the children who have a plan or have asked for one, in any system."""
    records = [tables[name][["source", "source_id"]] for name in ("plans", "requests") if tables[name] is not None]
    return pd.concat(records).drop_duplicates().merge(links, on=["source", "source_id"])["child_id"].drop_duplicates()


def keep_facts(private_dir: Path, tables: Tables, links: pd.DataFrame, night: date) -> None:
    """Bring the kept facts up to a night. `tables` are its effective tables, `links` says which record is which child."""
    from duckdb import connect

    folder = private_folder(private_folder(private_dir) / "facts")
    ours = links[is_among(links["child_id"], children_of_interest(tables, links))]
    records = pd.MultiIndex.from_frame(ours[["source", "source_id"]])
    everything = {name: frame for name, frame in tables.items() if name not in _NOT_KEPT and frame is not None}
    with connect(config={"threads": 2}) as database:
        for name, frame in everything.items():
            _keep(database, folder / f"{name}.parquet", _slim(name, frame, records, tables.get("postcodes")), night)
        _keep(database, folder / "links.parquet", ours[["source", "source_id", "child_id"]], night)


def _slim(name: str, frame: pd.DataFrame, records: pd.MultiIndex, postcodes: pd.DataFrame | None) -> pd.DataFrame:
    if not TABLES[name].is_reference:
        newest = frame.groupby(["source", "feed"])["carried_on"].transform("max")
        # Rows that their feed carries are dated to it when they are read; only those left behind keep a date of their own.
        frame = frame.assign(carried_on=frame["carried_on"].where(frame["carried_on"] < newest))
        frame = frame[pd.MultiIndex.from_frame(frame[["source", "source_id"]]).isin(records)]
    if name == "care_placements":
        frame = frame.assign(la_code=_authority(frame["postcode"], postcodes))
    return frame[list(_columns(name))]


def _authority(postcode: pd.Series, postcodes: pd.DataFrame | None) -> pd.Series:
    """The authority that each postcode lies in; missing where it is not known."""
    if postcodes is None or postcode.isna().all():
        return pd.Series(pd.NA, index=postcode.index, dtype="str")
    wanted = postcode_key(postcode)
    known = postcodes.assign(key=postcode_key(postcodes["postcode"]))
    known = known[is_among(known["key"], wanted.dropna())].drop_duplicates("key").set_index("key")["la_code"]
    return wanted.map(known).astype("str")


def _keep(database: Any, path: Path, now: pd.DataFrame, night: date) -> None:
    """Rows that are new or different begin tonight, rows that are gone or different end tonight; the file appears whole or not at all."""
    import pyarrow as pa

    database.register("now", pa.Table.from_pandas(now.drop_duplicates(), preserve_index=False))
    names = ", ".join(f'"{column}"' for column in now)
    text, far = f"DATE '{night}'", "DATE '9999-12-31'"
    began = f"SELECT *, {text} AS known_from, {far} AS known_to FROM now"
    if path.exists():
        source = str(path).replace("'", "''")
        database.execute(
            f"CREATE OR REPLACE TEMP TABLE before AS SELECT * REPLACE (CASE WHEN known_to >= {text} THEN {far} ELSE known_to END AS known_to)"
            f" FROM read_parquet('{source}') WHERE known_from < {text}"
        )
        current = f"SELECT {names} FROM before WHERE known_to = {far}"
        database.execute(f"CREATE OR REPLACE TEMP TABLE begun AS SELECT {names} FROM now EXCEPT {current}")
        database.execute(f"CREATE OR REPLACE TEMP TABLE ended AS {current} EXCEPT SELECT {names} FROM now")
        same = " AND ".join(f'b."{column}" IS NOT DISTINCT FROM e."{column}"' for column in now)
        began = (
            f"SELECT b.* REPLACE (CASE WHEN b.known_to = {far} AND EXISTS (SELECT 1 FROM ended e WHERE {same}) THEN {text} ELSE b.known_to END"
            f" AS known_to) FROM before b UNION ALL SELECT {names}, {text}, {far} FROM begun"
        )
    part = path.with_suffix(".part")
    try:
        target = str(part).replace("'", "''")
        database.execute(f"COPY ({began}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"The facts of this night cannot be kept: {error.strerror}.",
            "Make room in the data directory, then run again. Nothing was changed.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def forget_facts(private_dir: Path, before: date) -> int:
    """Remove what ended by a day, so that no night before it is read any more; gives how many rows. What still held on the day stays."""
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile, write_table

    folder, gone = private_dir / "facts", 0
    for path in sorted(folder.glob("*.parquet")):
        with ParquetFile(path) as file:
            table = file.read()
        kept = table.filter(pc.greater(table["known_to"], before))
        if len(kept) < len(table):
            # The day is written down first: a night whose rows are half gone must not be read as if it were whole.
            _write_since(folder, before)
            write_table(kept, path.with_suffix(".part"), compression="zstd")
            path.with_suffix(".part").replace(path)
            gone += len(table) - len(kept)
    return gone


def _since(folder: Path) -> date:
    """The first night whose facts are whole."""
    path = folder / _SINCE
    return date.fromisoformat(path.read_text(encoding="ascii")) if path.exists() else date.min


def _write_since(folder: Path, day: date) -> None:
    part = folder / f"{_SINCE}.part"
    part.write_text(max(day, _since(folder)).isoformat(), encoding="ascii")
    part.replace(folder / _SINCE)


def read_facts(private_dir: Path, night: date, feeds: pd.DataFrame) -> tuple[Tables, pd.DataFrame] | None:
    """The canonical tables and the links as a night knew them; None where its facts were not kept, or are no longer.

    `feeds` are that night's (``system, feed, is_accepted, old_copy_of``): a row is dated to the night of the copy that carried it.
    What is never kept (names, addresses) is there as empty columns.
    """
    folder = private_dir / "facts"
    links = None if night < _since(folder) else _read(folder / "links.parquet", night)
    if links is None or links.empty:
        return None
    copies = feeds.assign(on=feeds["old_copy_of"].mask(feeds["is_accepted"].astype(bool), pd.Timestamp(night)))
    carried = copies.set_index(["system", "feed"])["on"]
    tables: Tables = {}
    for name, table in TABLES.items():
        frame = _read(folder / f"{name}.parquet", night)
        if frame is not None:
            kinds = table.all_columns | _columns(name)
            frame = frame.reindex(columns=list(kinds))
            frame = frame.astype({c: DTYPES[kind] for c, kind in kinds.items() if frame.dtypes[c] != DTYPES[kind]})
            if not table.is_reference:
                of_feed = carried.reindex(pd.MultiIndex.from_frame(frame[["source", "feed"]])).set_axis(frame.index)
                frame = frame.assign(carried_on=frame["carried_on"].fillna(of_feed).astype("datetime64[us]"))
        tables[name] = frame
    return tables, links.astype("str")


def _read(path: Path, night: date) -> pd.DataFrame | None:
    if not path.exists():
        return None
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile

    # A file of one row group has nothing to pass over: filtered once it is read, at half the cost of a data set's own filter.
    with ParquetFile(path) as file:
        table = file.read(use_threads=False)
    known = pc.and_(pc.less_equal(table["known_from"], night), pc.greater(table["known_to"], night))
    return table.filter(known).drop_columns(["known_from", "known_to"]).to_pandas()
