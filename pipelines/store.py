"""What the system knows and what it knew: one transaction a night, history as changes, read back as any night left it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from config.errors import ConfigurationError, StoreError
from config.settings import Settings
from outputs.star import STAR
from pipelines import tables as t
from pipelines.database import lock, open_engine, telling
from pipelines.history import (
    aged,
    closed_by_adoption,
    ever_known,
    insert_rows,
    kpi_trend,
    link_trend,
    read_known,
    read_nightly,
    restricted_now,
    rewind,
    shown,
    write_changes,
)

_STAR_KINDS = {"text": "text", "date": "date", "flag": "flag", "whole": "number", "number": "share"}


class Store:
    """The database of one council. Opens lazily; brings the schema up to date at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, with the schema up to date."""
        if self._engine is None:
            self._engine = open_engine(self.settings)
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with. Raises StoreError for a database that cannot be used."""
        with telling(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction. Raises StoreError for a database that cannot be used."""
        with telling(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def night(self, as_of: date, backfill: bool = False) -> Iterator[NightStore]:
        """One night's transaction: everything that `NightStore` saves is kept together, or not at all."""
        with telling(), self.engine.begin() as connection:
            lock(connection)
            newest = connection.scalar(select(func.max(t.runs.c.as_of)).where(t.runs.c.status == "complete"))
            if newest and as_of < newest and not backfill:
                raise ConfigurationError(
                    f"The night of {as_of} is older than the newest one, {newest}.",
                    "Add --backfill to run it all the same; the later nights are then replayed from their raw files.",
                )
            kept = NightStore(connection, as_of, self.settings)
            try:
                yield kept
            except BaseException:
                shutil.rmtree(kept.snapshot, ignore_errors=True)
                raise

    def night_of(self, known_on: date | None = None) -> date:
        """The newest complete night on or before the day; without a day, the newest. Raises ConfigurationError where there is none."""
        with self.reading() as connection:
            query = select(func.max(t.runs.c.as_of)).where(t.runs.c.status == "complete")
            found = connection.scalar(query.where(t.runs.c.as_of <= known_on) if known_on else query)
        if found is None:
            when = f"on or before {known_on}" if known_on else "yet"
            raise ConfigurationError(
                f"No night has been run {when}.", "Run one: ehcp run nightly, or ehcp demo to see it work."
            )
        return found

    def newest_run(self, night: date | None = None) -> dict[str, Any]:
        """The run that stands for a night (the newest night unless said): run_id, as_of, counts, seconds, versions."""
        night = night or self.night_of()
        with self.reading() as connection:
            row = (
                connection.execute(select(t.runs).where(t.runs.c.as_of == night, t.runs.c.status == "complete"))
                .mappings()
                .one()
            )
        return dict(row)

    def history(self, name: str, known_on: date | None = None, child_id: str | None = None) -> pd.DataFrame:
        """A history table (of one child, where asked) as the night of `known_on` (the newest unless said) left it, without what an adoption has closed
        since."""
        night = self.night_of(known_on)
        with self.reading() as connection:
            return shown(connection, read_known(connection, name, night, child_id))

    def closed_by_adoption(self) -> tuple[pd.DataFrame, set[str]]:
        """The records that an adoption ever closed, and the children who have no other: see `pipelines.sealing`."""
        with self.reading() as connection:
            return closed_by_adoption(connection)

    def restricted(self) -> set[str]:
        """The children who are restricted by the newest knowledge of them, whatever an earlier night knew."""
        with self.reading() as connection:
            return restricted_now(connection)

    def register(self, known_on: date | None = None) -> pd.DataFrame:
        """The register with `waiting_days`, as that night left it."""
        night = pd.Timestamp(self.night_of(known_on))
        frame = self.history("register", known_on).sort_values("child_id", ignore_index=True)
        place = frame.columns.get_loc("awaiting_since") + 1
        frame.insert(place, "waiting_days", (night - frame["awaiting_since"]).dt.days.astype("Int64"))
        return frame

    def exceptions(self, known_on: date | None = None, include_resolved: bool = False) -> pd.DataFrame:
        """Exceptions with `age_days` and `nights` (complete nights since first seen), as that night left them."""
        night = self.night_of(known_on)
        frame = self.history("exceptions", night)
        if not include_resolved:
            frame = frame[frame["status"] != "resolved"]
        with self.reading() as connection:
            nights = pd.to_datetime(
                pd.Series(connection.scalars(select(t.runs.c.as_of).where(t.runs.c.status == "complete")).all())
            )
        return aged(frame, pd.Timestamp(night), nights)

    def links(self, known_on: date | None = None) -> pd.DataFrame:
        """Which record is which child, as that night left it."""
        return self.history("links", known_on).sort_values(["child_id", "source"], ignore_index=True)

    def nightly(self, name: str, known_on: date | None = None) -> pd.DataFrame:
        """A table that is written whole each night (`kpi_values`, `run_feeds`, `rule_results`, `expectation_results`, `review_pairs`)."""
        night = self.night_of(known_on)
        with self.reading() as connection:
            return shown(connection, read_nightly(connection, name, night))

    def feeds(self, known_on: date | None = None) -> pd.DataFrame:
        """What arrived and what was accepted on that night."""
        return self.nightly("run_feeds", known_on)

    def kpis(self, known_on: date | None = None) -> pd.DataFrame:
        """The KPI figures of that night."""
        return self.nightly("kpi_values", known_on)

    def kpi_trend(self) -> pd.DataFrame:
        """Every night's figures: as_of, code, line, value, numerator, denominator."""
        with self.reading() as connection:
            return kpi_trend(connection)

    def link_trend(self) -> pd.DataFrame:
        """How well every night linked: as_of, measure, group, count, of, rate."""
        with self.reading() as connection:
            return link_trend(connection)

    def runs(self) -> pd.DataFrame:
        """Every run, newest first, with its counts and seconds."""
        with self.reading() as connection:
            rows = (
                connection.execute(select(t.runs).order_by(t.runs.c.as_of.desc(), t.runs.c.attempt.desc()))
                .mappings()
                .all()
            )
        names = ["rows", "accepted", "set_aside", "repeated", "linked", "children", "findings", "open"]
        return pd.DataFrame(
            [
                {
                    "run_id": row["run_id"],
                    "as_of": row["as_of"].isoformat(),
                    "status": row["status"],
                    "exit_code": row["exit_code"],
                }
                | {name: row["counts"].get(name) for name in names}
                | {"seconds": round(sum(row["seconds"].values()), 1)}
                for row in rows
            ],
            columns=["run_id", "as_of", "status", "exit_code", *names, "seconds"],
        )

    def run_details(self, run_id: str | None = None) -> pd.DataFrame:
        """One run as part and value: counts, seconds a stage, versions."""
        with self.reading() as connection:
            wanted = run_id or self.newest_run()["run_id"]
            row = connection.execute(select(t.runs).where(t.runs.c.run_id == wanted)).mappings().one_or_none()
        if row is None:
            raise ConfigurationError(f"There is no run {run_id}.", "See the runs with: ehcp runs list")
        parts = {
            "run": row["run_id"],
            "night": row["as_of"].isoformat(),
            "status": row["status"],
            "exit code": row["exit_code"],
            "finished": row["finished_at"].isoformat(),
        }
        for group in ("counts", "seconds", "versions"):
            parts |= {f"{group}: {name}": value for name, value in row[group].items()}
        return pd.DataFrame({"part": list(parts), "value": [str(value) for value in parts.values()]})

    def accept_feed(self, system: str, feed: str, reason: str, who: str, at: datetime) -> date:
        """Record that a person lets the gated file of the newest night through; gives the night."""
        night = self.night_of()
        feeds = self.feeds()
        gated = feeds[(feeds["system"] == system) & (feeds["feed"] == feed) & (feeds["status"] == "gated")]
        if gated.empty:
            raise ConfigurationError(
                f"No gated feed {system} {feed} in the night of {night}.", "See what was gated with: ehcp feeds list"
            )
        with self.writing() as connection:
            connection.execute(
                insert(t.feed_acceptances),
                {
                    "system": system,
                    "feed": feed,
                    "sha256": gated["sha256"].iloc[0],
                    "reason": reason,
                    "who": who,
                    "at": at,
                },
            )
        return night

    def raw_in_use(self) -> set[str]:
        """The SHA-256 of every raw file that is the last accepted copy of its feed."""
        feeds = t.nightly_tables["run_feeds"]
        with self.reading() as connection:
            query = (
                select(feeds.c.system, feeds.c.feed, feeds.c.sha256).where(feeds.c.is_accepted).order_by(feeds.c.night)
            )
            return {sha256 for *_, sha256 in {row[:2]: row for row in connection.execute(query).all()}.values()}

    def nights(self, first: date, last: date) -> list[date]:
        """The complete nights from one day to another, oldest first."""
        night = t.runs.c.as_of
        query = select(night).where(t.runs.c.status == "complete", night >= first, night <= last).order_by(night)
        with self.reading() as connection:
            return list(connection.scalars(query).all())

    def nights_after(self, night: date) -> list[tuple[date, pd.DataFrame]]:
        """The nights after a night, oldest first, with the feeds each one took: for replaying them."""
        feeds = t.nightly_tables["run_feeds"]
        with self.reading() as connection:
            query = select(feeds.c.night).where(feeds.c.night > night).distinct().order_by(feeds.c.night)
            later = connection.scalars(query).all()
            return [(day, read_nightly(connection, "run_feeds", day)) for day in later]


class NightStore:
    """A night being written. Made by `Store.night`; begins by taking back whatever an earlier attempt at this night, or later nights, wrote."""

    def __init__(self, connection: Connection, night: date, settings: Settings) -> None:
        self.connection, self.night, self.settings = connection, night, settings
        attempts = connection.scalar(select(func.max(t.runs.c.attempt)).where(t.runs.c.as_of == night)) or 0
        self.attempt = attempts + 1
        self.run_id = f"{night.isoformat()}-{self.attempt}"
        rewind(connection, night)
        self.previous_night = connection.scalar(
            select(func.max(t.runs.c.as_of)).where(t.runs.c.status == "complete", t.runs.c.as_of < night)
        )

    @property
    def snapshot(self) -> Path:
        """Where this run keeps its canonical tables."""
        return snapshot_folder(self.settings, self.run_id)

    @property
    def previous_snapshot(self) -> Path | None:
        """Where the run before kept them; None on the first night."""
        if self.previous_night is None:
            return None
        row = self.connection.execute(
            select(t.runs.c.run_id).where(t.runs.c.as_of == self.previous_night, t.runs.c.status == "complete")
        ).one()
        folder = snapshot_folder(self.settings, row.run_id)
        if not folder.is_dir():
            raise StoreError(
                f"The tables of the night before ({self.previous_night}) are gone from {folder}.",
                f"Restore that folder, or run that night again first: ehcp run nightly --as-of {self.previous_night} --backfill",
            )
        return folder

    def previous(self, name: str) -> pd.DataFrame:
        """A history table as the night before left it."""
        return read_known(self.connection, name, self.previous_night or self.night)

    def links_so_far(self) -> pd.DataFrame:
        """Which record was which child on any earlier night, newest first: a record that was away comes back as itself."""
        return ever_known(self.connection, "links", self.previous_night or self.night)

    def previous_nightly(self, name: str) -> pd.DataFrame:
        """A nightly table of the night before; empty on the first night."""
        return read_nightly(self.connection, name, self.previous_night or self.night)

    def acceptances(self) -> set[tuple[str, str, str]]:
        """System, feed and SHA-256 of every file a person let through."""
        columns = t.feed_acceptances.c
        return {tuple(row) for row in self.connection.execute(select(columns.system, columns.feed, columns.sha256))}

    def nights(self) -> pd.Series:
        """All complete nights before this one, and this one."""
        found = self.connection.scalars(
            select(t.runs.c.as_of).where(t.runs.c.status == "complete", t.runs.c.as_of < self.night)
        ).all()
        return pd.to_datetime(pd.Series([*found, self.night]))

    def aged(self, exceptions: pd.DataFrame) -> pd.DataFrame:
        """Exceptions with `age_days` and `nights` as of this night."""
        return aged(exceptions, pd.Timestamp(self.night), self.nights())

    def trend(self) -> pd.DataFrame:
        """Every earlier night's figures."""
        return kpi_trend(self.connection)

    def link_trend(self) -> pd.DataFrame:
        """How well every earlier night linked."""
        return link_trend(self.connection)

    def save(self, name: str, frame: pd.DataFrame) -> int:
        """Keep a history table; gives how many rows changed."""
        return write_changes(self.connection, name, frame, self.night)

    def save_nightly(self, name: str, frame: pd.DataFrame) -> None:
        """Keep a table that is written whole each night."""
        columns = t.NIGHTLY[name]
        whole = frame.reindex(columns=list(columns))
        insert_rows(self.connection, t.nightly_tables[name], whole, columns, run_id=self.run_id, night=self.night)

    def save_star(self, tables: dict[str, pd.DataFrame]) -> None:
        """Put tonight's tables for business intelligence in the place of the ones before."""
        for name, table in t.star_tables.items():
            self.connection.execute(delete(table))
            kinds = {column: _STAR_KINDS[kind] for column, (kind, _) in STAR[name].columns.items()}
            insert_rows(self.connection, table, tables[name], kinds)

    def save_events(self, events: pd.DataFrame) -> None:
        """Append what data did to exceptions tonight: exception_id, event and, where it has them, value and reason."""
        told = events.reindex(columns=["exception_id", "event", "value", "reason"]).astype(object)
        rows = told.where(told.notna(), None).assign(night=self.night).to_dict("records")
        if rows:
            self.connection.execute(insert(t.exception_events), rows)

    def open_run(self, versions: dict[str, str], at: datetime) -> None:
        """Write the run first, so that the night's rows can point at it; earlier attempts at this night are superseded."""
        self.connection.execute(update(t.runs).where(t.runs.c.as_of == self.night).values(status="superseded"))
        self.connection.execute(
            insert(t.runs),
            {
                "run_id": self.run_id,
                "as_of": self.night,
                "attempt": self.attempt,
                "status": "complete",
                "exit_code": 0,
                "finished_at": at,
                "counts": {},
                "seconds": {},
                "versions": versions,
            },
        )

    def close_run(self, exit_code: int, counts: dict[str, int], seconds: dict[str, float]) -> None:
        """Put the counts and times on the run."""
        self.connection.execute(
            update(t.runs)
            .where(t.runs.c.run_id == self.run_id)
            .values(exit_code=exit_code, counts=counts, seconds=seconds)
        )


def snapshot_folder(settings: Settings, run_id: str) -> Path:
    """The private folder with a run's canonical tables."""
    return settings.private_dir / "tables" / run_id
