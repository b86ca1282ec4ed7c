"""History as changes: a row of history carries `known_from` and `known_to`, the nights between which it was the latest knowledge.

A night that finds nothing new writes nothing. A date that is the night itself (a roll that tonight's feed still carries) would change every row
every night, so it is written as `FAR` and read back as the night that is asked for; what is counted from the night (age of an
exception, days waiting) is not stored at all. Functions of an open connection; `pipelines.store` says when they are called.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from pipelines import tables as t
from pipelines.database import read_frame
from pipelines.sealing import sealed_children, without_sealed

FAR = date(9999, 12, 31)


def write_changes(connection: Connection, name: str, frame: pd.DataFrame, night: date) -> int:
    """Bring a history table up to `frame`: rows that are new or different begin tonight, rows that are gone or different end tonight.

    Raises ValueError where a key comes twice: one night knows one thing of it.
    """
    table, (keys, columns) = t.history_tables[name], t.HISTORY[name]
    frame = frame.reindex(columns=list(columns)).reset_index(drop=True)
    if frame.duplicated(list(keys)).any():
        raise ValueError(f"{name}: a key ({', '.join(keys)}) comes more than once")
    for column in t.TONIGHT.get(name, ()):
        frame[column] = (
            frame[column].astype("datetime64[us]").mask(frame[column] == pd.Timestamp(night), pd.Timestamp(FAR))
        )
    frame["row_hash"] = _hashes(frame, columns)
    current = read_frame(
        connection, select(table.c.id, table.c.row_hash).where(table.c.known_to.is_(None)), ["id", "row_hash"]
    )
    ended = current.loc[~current["row_hash"].isin(frame["row_hash"]), "id"]
    begun = frame[~frame["row_hash"].isin(current["row_hash"])]
    if len(ended):
        connection.execute(
            update(table).where(table.c.id == bindparam("row")).values(known_to=night),
            [{"row": int(row)} for row in ended],
        )
    insert_rows(connection, table, begun, columns | {"row_hash": "hash"}, known_from=night)
    return len(ended) + len(begun)


def read_known(connection: Connection, name: str, night: date, child_id: str | None = None) -> pd.DataFrame:
    """A history table as the night left it (of one child, where asked), with proper types."""
    table, (_, columns) = t.history_tables[name], t.HISTORY[name]
    query = select(*(table.c[column] for column in columns)).where(
        table.c.known_from <= night, (table.c.known_to.is_(None)) | (table.c.known_to > night)
    )
    query = query.where(table.c.child_id == child_id) if child_id else query
    frame = typed(read_frame(connection, query, columns), columns)
    for column in t.TONIGHT.get(name, ()):
        frame[column] = frame[column].mask(frame[column] == pd.Timestamp(FAR), pd.Timestamp(night))
    return frame


def ever_known(
    connection: Connection, name: str, until: date | None = None, ids: Collection[str] | None = None
) -> pd.DataFrame:
    """Every row that a history table ever held (by the night `until`; of these keys alone, where it has one), newest first."""
    table, (keys, columns) = t.history_tables[name], t.HISTORY[name]
    query = select(*(table.c[column] for column in columns))
    query = query.order_by(table.c.known_from.desc(), *(table.c[key] for key in keys))
    query = query.where(table.c.known_from <= until) if until else query
    query = query if ids is None else query.where(table.c[keys[0]].in_(ids))
    return typed(read_frame(connection, query, columns), columns)


def shown(connection: Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of history as people may read it: see `pipelines.sealing`."""
    names_anyone = any(name == "child_id" or name.startswith("source_id") for name in frame)
    return without_sealed(frame, *closed_by_adoption(connection)) if names_anyone else frame


def closed_by_adoption(connection: Connection) -> tuple[pd.DataFrame, set[str]]:
    """The records (``source, source_id``) that an adoption ever closed, and the children who have no other, by the links of any night."""
    sealed = ever_known(connection, "sealed_records").drop_duplicates()
    if sealed.empty:
        return sealed, set()
    links = t.history_tables["links"].c
    columns = [links.source, links.source_id, links.child_id]
    theirs = select(links.child_id).where(links.source_id.in_(sealed["source_id"].tolist()))
    query = select(*columns).where(links.child_id.in_(theirs)).distinct()
    frame = read_frame(connection, query, ["source", "source_id", "child_id"]).astype("str")
    return sealed, sealed_children(frame, sealed)


def restricted_now(connection: Connection) -> set[str]:
    """The children whose newest row of the register says that they are restricted."""
    register = t.history_tables["register"].c
    flagged = select(register.child_id).where(register.is_restricted)
    query = select(register.child_id, register.is_restricted).where(register.child_id.in_(flagged))
    newest = dict(row._tuple() for row in connection.execute(query.order_by(register.known_from)))
    return {child for child, is_restricted in newest.items() if is_restricted}


def rewind(connection: Connection, night: date) -> None:
    """Take back everything that this night and later ones wrote, so that the night before stands again."""
    for table in t.history_tables.values():
        connection.execute(delete(table).where(table.c.known_from >= night))
        connection.execute(update(table).where(table.c.known_to >= night).values(known_to=None))
    for name, table in t.nightly_tables.items():
        # The feeds of later nights stay: they are what those nights are replayed from, also when a backfill dies half-way.
        later_too = table.c.night == night if name == "run_feeds" else table.c.night >= night
        connection.execute(delete(table).where(later_too))
    connection.execute(
        delete(t.exception_events).where(t.exception_events.c.night >= night, t.exception_events.c.who.is_(None))
    )
    connection.execute(delete(t.link_events).where(t.link_events.c.night >= night))
    connection.execute(update(t.runs).where(t.runs.c.as_of > night).values(status="superseded"))


def read_nightly(connection: Connection, name: str, night: date) -> pd.DataFrame:
    """A table that is written whole each night, with proper types."""
    table, columns = t.nightly_tables[name], t.NIGHTLY[name]
    query = select(*(table.c[column] for column in columns)).where(table.c.night == night).order_by(table.c.id)
    return typed(read_frame(connection, query, columns), columns)


def kpi_trend(connection: Connection) -> pd.DataFrame:
    """Every night's figures, oldest first."""
    table = t.nightly_tables["kpi_values"]
    columns = ["code", "line", "value", "numerator", "denominator"]
    query = select(table.c.night, *(table.c[c] for c in columns)).order_by(table.c.night, table.c.id)
    frame = read_frame(connection, query, ["as_of", *columns])
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def link_trend(connection: Connection) -> pd.DataFrame:
    """How well every night linked, oldest first: as_of, measure, group, count, of, rate."""
    table, columns = t.nightly_tables["link_quality"], {"night": "date", **t.NIGHTLY["link_quality"]}
    query = select(*(table.c[name] for name in columns)).order_by(table.c.night, table.c.id)
    frame = typed(read_frame(connection, query, columns), columns)
    return frame.rename(columns={"night": "as_of"})


def aged(exceptions: pd.DataFrame, night: pd.Timestamp, nights: pd.Series) -> pd.DataFrame:
    """Exceptions with `age_days` (days since first seen), `nights` (of `nights`, those since then), `is_new` and `news` (``new``, ``back``,
    ``backlog``, or empty) as of a night."""
    known = nights.sort_values().to_numpy()
    since = exceptions["first_seen_on"]
    counted = (known <= night.to_datetime64()).sum() - known.searchsorted(since.to_numpy())
    # What a rule found on its first night was there before: backlog, and not news.
    is_backlog = exceptions["is_backlog"].fillna(False).astype(bool)
    is_new = (since == night) & ~is_backlog
    news = pd.Series("", index=exceptions.index, dtype="str")
    for word, holds in (
        ("new", is_new),
        ("backlog", (since == night) & is_backlog),
        ("back", exceptions["reopened_on"] == night),
    ):
        news = news.mask(holds, word)
    age = (night - since).dt.days.astype("Int64")
    return exceptions.assign(age_days=age, nights=counted, is_new=is_new, news=news)


_DTYPES = {"text": "str", "date": "datetime64[us]", "flag": "boolean", "number": "Int64", "share": "Float64"}


def typed(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """What a database gave, as the kinds of `pipelines.tables` in pandas."""
    for column, kind in columns.items():
        if kind == "date":
            frame[column] = pd.to_datetime(frame[column], errors="coerce").astype("datetime64[us]")
        else:
            frame[column] = frame[column].astype(_DTYPES[kind])
    return frame


def insert_rows(
    connection: Connection, table: Table, frame: pd.DataFrame, columns: dict[str, str], **always: Any
) -> None:
    """Write the rows of a frame, each with what is `always` the same; some thousand at a time, so that a region's are never all in memory twice."""
    for start in range(0, len(frame), _AT_ONCE):
        rows = records(frame.iloc[start : start + _AT_ONCE], columns)
        for row in rows:
            row |= always
        connection.execute(insert(table), rows)


_AT_ONCE = 20_000


def records(frame: pd.DataFrame, columns: dict[str, str]) -> list[dict[str, Any]]:
    """Rows for a database: plain values, None where nothing is known."""
    plain = {}
    for column, kind in columns.items():
        values = frame[column]
        if kind == "date":
            values = pd.to_datetime(values).astype("datetime64[us]")
            plain[column] = values.dt.date.astype(object).where(values.notna(), None).tolist()
        elif kind == "hash":
            plain[column] = values.astype("int64").tolist()
        else:
            values = values.astype(_DTYPES[kind])
            plain[column] = values.astype(object).where(values.notna(), None).tolist()
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _hashes(frame: pd.DataFrame, columns: dict[str, str]) -> pd.Series:
    """One number a row, the same for the same values in any night and on any machine."""
    text_frame = pd.DataFrame(index=frame.index)
    for column, kind in columns.items():
        values = frame[column]
        if kind == "date":
            values = pd.to_datetime(values).astype("datetime64[us]").dt.strftime("%Y-%m-%d")
        elif kind in ("flag", "number"):
            values = values.astype(_DTYPES[kind])
        text_frame[column] = values.astype("str").fillna("").astype(object)
    return pd.Series(pd.util.hash_pandas_object(text_frame, index=False).to_numpy().view("int64"), index=frame.index)
