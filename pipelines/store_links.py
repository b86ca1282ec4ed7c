"""Decisions about pairs of records, kept: rows are only ever added, and a night that is run again keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from config.errors import ConfigurationError
from pipelines import tables as t
from pipelines.acts import OF_PEOPLE
from pipelines.database import read_frame
from pipelines.decisions import (
    DECISION_COLUMNS,
    PAIR,
    UNDONE,
    bases,
    marks,
    objections,
    ordered,
    pair_key,
    records_of,
    standing,
)
from pipelines.history import ever_known, read_known, shown, typed
from pipelines.inherit import came_back
from pipelines.link_night import LAPSED, LINK_EVENT_COLUMNS, Known
from pipelines.rawstore import private_key, read_snapshot
from pipelines.store import Store, snapshot_folder
from pipelines.store_people import read_events


def read_decisions(connection: Connection, until: date | None = None) -> pd.DataFrame:
    """Every decision about a pair (`DECISION_COLUMNS`), given by the night `until`, in the order in which they were given."""
    table = t.link_decisions
    query = select(*(table.c[name] for name in DECISION_COLUMNS)).order_by(table.c.id)
    if until is not None:
        query = query.where(table.c.night.is_(None) | (table.c.night <= until))
    frame = read_frame(connection, query, DECISION_COLUMNS)
    texts = [*PAIR, "answer", "reason", "who", "basis", "place"]
    frame = frame.astype(dict.fromkeys(texts, "str") | {"id": "int64", "undoes": "Int64"})
    frame = frame.assign(
        night=pd.to_datetime(frame["night"]).astype("datetime64[us]"), at=pd.to_datetime(frame["at"], utc=True)
    )
    return ordered(frame) if len(frame) else frame


def read_link_events(connection: Connection, until: date | None = None) -> pd.DataFrame:
    """What became of whom (`LINK_EVENT_COLUMNS` and ``night``), oldest first; `until` leaves that night and later ones out."""
    table = t.link_events
    names = ["night", *LINK_EVENT_COLUMNS]
    query = select(*(table.c[name] for name in names)).order_by(table.c.night, table.c.id)
    if until is not None:
        query = query.where(table.c.night < until)
    frame = read_frame(connection, query, names)
    texts = [name for name in LINK_EVENT_COLUMNS if name != "decision_id"]
    frame = frame.astype(dict.fromkeys(texts, "str") | {"decision_id": "Int64"})
    return frame.assign(night=pd.to_datetime(frame["night"]).astype("datetime64[us]"))


def save_link_events(connection: Connection, night: date, events: pd.DataFrame) -> None:
    """Append what became of whom on a night."""
    told = events.reindex(columns=list(LINK_EVENT_COLUMNS)).astype(object)
    rows: list[dict[str, Any]] = told.where(told.notna(), None).assign(night=night).to_dict("records")
    if rows:
        connection.execute(insert(t.link_events), rows)


def known_before(connection: Connection, night: date, previous_night: date | None) -> Known:
    """What was known before the night, as the night before left it, with what people have said until that night."""
    before = previous_night or date.min
    events = read_link_events(connection, until=night)
    acts = read_events(connection, kinds=OF_PEOPLE, is_own=True)
    left = read_known(connection, "exceptions", before)
    return Known(
        links=ever_known(connection, "links", before),
        sealed=read_known(connection, "sealed_records", before),
        never=read_known(connection, "never_links", before),
        left=left,
        exceptions=left,
        followed=read_known(connection, "followed_exceptions", before),
        shadow=read_known(connection, "shadow_findings", before),
        acts=acts[acts["who"].notna() | (acts["night"] < pd.Timestamp(night))],
        decisions=read_decisions(connection, until=night),
        lapsed=frozenset(int(number) for number in events.loc[events["event"] == LAPSED, "decision_id"].dropna()),
        since=pd.Timestamp(previous_night) if previous_night else None,
    )


def earlier_exceptions(
    connection: Connection, known: Known, events: pd.DataFrame, *, night: date, of: str = "exceptions"
) -> pd.DataFrame:
    """The exceptions of the children between whom a record comes back on `night`, as they were before it left; none on most nights.

    `events` are what becomes of whom on that night (`LINK_EVENT_COLUMNS`); `of` is another table kept by `exception_id`.
    """
    table, columns = t.history_tables[of].c, t.HISTORY[of][1]
    links = t.history_tables["links"].c
    found: dict[str, tuple[Any, ...]] = {}
    for back in came_back(events, known.links).itertuples():  # a night has few of them, mostly none
        was = (links.source == back.source) & (links.source_id == back.source_id) & (links.child_id == back.child_id)
        left = connection.scalar(select(func.max(links.known_to)).where(was, links.known_to < night))
        then = (table.known_from < left) & (table.known_to.is_(None) | (table.known_to >= left))
        query = select(*(table[name] for name in columns)).where(then, table.child_id.in_([back.child_id, back.before]))
        found |= {row.exception_id: tuple(row) for row in connection.execute(query)}
    return typed(pd.DataFrame(list(found.values()), columns=list(columns)), columns)


def record_named(text: str) -> tuple[str, str]:
    """The record that a person writes as ``synergy:600123``. Raises ConfigurationError for another form."""
    source, colon, source_id = text.strip().partition(":")
    if not (source.strip() and colon and source_id.strip()):
        raise ConfigurationError(
            f"{text} does not name a record.", "Write it as system:number, for example synergy:600123."
        )
    return source.strip().lower(), source_id.strip()


def people_of_newest(store: Store) -> pd.DataFrame:
    """The person records of the newest night, from the private store. Raises ConfigurationError where they are no longer kept."""
    run_id = store.newest_run()["run_id"]
    people = read_snapshot(snapshot_folder(store.settings, run_id), "people")
    if people is None:
        raise ConfigurationError(f"The tables of run {run_id} are no longer kept.", "Run the newest night again first.")
    return people


def decisions_shown(store: Store, until: date | None = None) -> pd.DataFrame:
    """Every decision and withdrawal (`DECISION_COLUMNS`; given by the night `until`), without those about a record that an adoption closed."""
    with store.reading() as connection:
        return shown(connection, read_decisions(connection, until))


def events_shown(store: Store) -> pd.DataFrame:
    """What became of whom, night by night, without the records that an adoption closed."""
    with store.reading() as connection:
        return shown(connection, read_link_events(connection))


def draft(
    store: Store, asked: pd.DataFrame, who: str, at: datetime, place: str = "command"
) -> tuple[pd.DataFrame, pd.Series]:
    """Decisions (`DECISION_COLUMNS`, not kept yet) from asked pairs (pair, ``answer``, ``reason``), and why each is refused (blank: it is not).

    A pair that already has the answer is neither: it comes back with the word ``unchanged``. Raises ConfigurationError where no night was run.
    """
    asked = ordered(asked.reset_index(drop=True))
    people, links, said = people_of_newest(store), store.links(), standing(decisions_shown(store))
    events = events_shown(store)
    said = said[~said["id"].isin(events.loc[events["event"] == LAPSED, "decision_id"])]
    records = pd.MultiIndex.from_frame(links[["source", "source_id"]])
    refused = objections(asked, said, store.history("never_links"), records)
    stands = pd.Series(said["answer"].to_numpy(), index=pair_key(said).to_numpy(), dtype="str")
    refused = refused.mask((pair_key(asked).map(stands) == asked["answer"]) & (refused == ""), UNCHANGED)
    key = private_key(store.settings.private_dir)
    rows = asked.assign(
        id=range(_greatest(store) + 1, _greatest(store) + 1 + len(asked)),
        who=who.strip(),
        at=at.astimezone(UTC),
        night=pd.Timestamp(store.night_of()),
        basis=bases(asked, marks(people, records_of(asked), key), key),
        place=place,
        undoes=pd.array([pd.NA] * len(asked), dtype="Int64"),
    )
    return rows[list(DECISION_COLUMNS)], refused


UNCHANGED = "unchanged"


def withdrawal(store: Store, child_id: str, reason: str, who: str, at: datetime) -> pd.DataFrame:
    """The row (not kept yet) that takes back the last decision that stands about a record that ever was this child's.

    Raises ConfigurationError where there is none.
    """
    with store.reading() as connection:
        links = shown(connection, ever_known(connection, "links"))
    if not links["child_id"].eq(child_id).any():
        raise unknown_child(child_id)
    mine = pd.MultiIndex.from_frame(links.loc[links["child_id"] == child_id, ["source", "source_id"]])
    said = standing(decisions_shown(store))
    touches = [pd.MultiIndex.from_frame(said[[f"source_{end}", f"source_id_{end}"]]).isin(mine) for end in ("a", "b")]
    said = said[touches[0] | touches[1]]
    if said.empty:
        raise ConfigurationError(
            f"There is no decision about {child_id} to take back.", f"See what was decided: ehcp links show {child_id}"
        )
    last = said.sort_values("id").tail(1)
    return last.assign(
        undoes=last["id"].astype("Int64"),
        id=_greatest(store) + 1,
        answer=UNDONE,
        reason=reason,
        who=who.strip(),
        at=at.astimezone(UTC),
        night=pd.Timestamp(store.night_of()),
        basis="",
        place="command",
    ).reset_index(drop=True)


def unknown_child(child_id: str) -> ConfigurationError:
    """The error for a child that no night has known, to be raised."""
    return ConfigurationError(f"There is no child {child_id}.", "The ids are in: ehcp links list --format csv")


def keep_decisions(store: Store, rows: pd.DataFrame) -> None:
    """Append decisions or withdrawals. Raises ConfigurationError where who or why is missing."""
    if (rows["who"].str.strip() == "").any() or (rows["reason"].fillna("").str.strip() == "").any():
        raise ConfigurationError(
            "A decision needs your name and a reason.", "Give both, in a few words, without names of children."
        )
    plain = rows.drop(columns="id").astype(object)
    plain["night"] = [night.date() for night in rows["night"]]
    plain["undoes"] = [None if pd.isna(number) else int(number) for number in rows["undoes"]]
    with store.writing() as connection:
        connection.execute(insert(t.link_decisions), plain.to_dict("records"))


def _greatest(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.scalar(select(func.max(t.link_decisions.c.id))) or 0)


def link_spells(store: Store, children: set[str]) -> pd.DataFrame:
    """From which night to which one each record belonged to these children: source, source_id, child_id, how, known_from, known_to."""
    table = t.history_tables["links"]
    names = ["source", "source_id", "child_id", "how", "known_from", "known_to"]
    query = select(*(table.c[name] for name in names)).where(table.c.child_id.in_(sorted(children)))
    with store.reading() as connection:
        frame = read_frame(connection, query.order_by(table.c.known_from, table.c.source), names)
        frame = shown(connection, frame.astype(dict.fromkeys(names[:4], "str")))
    for name in names[4:]:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame
