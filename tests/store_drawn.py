"""A council of two systems and a handful of invented children, drawn as rows, for the tests of the store and of ingest."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from config.profiles import Profile
from config.settings import Council, Settings
from connectors.pull import find_extracts
from pipelines.ingest import Ingested, ingest
from pipelines.rawstore import write_snapshot
from pipelines.store import Store

NOW = datetime(2026, 10, 28, 2, 0, tzinfo=UTC)
FIRST, SECOND, THIRD, FOURTH = (date(2026, 10, day) for day in (25, 26, 27, 28))
_PERSON = {"row_id": "ID", "source_id": "ID", "surname": "SURNAME", "born_on": "DOB", "died_on": "DIED"}
_SPELL = {"row_id": "ROW", "source_id": "ID", "started_on": "START"}
PROFILES = {
    "synergy": Profile.model_validate(
        {
            "system": "synergy",
            "defaults": {"dates": "%Y-%m-%d"},
            "feeds": {
                "pupils": {"file": "pupils.csv", "table": "people", "columns": _PERSON},
                "plans": {"file": "plans.csv", "table": "plans", "columns": _SPELL | {"ceased_on": "END"}},
            },
        }
    ),
    "liquidlogic": Profile.model_validate(
        {
            "system": "liquidlogic",
            "defaults": {"dates": "%Y-%m-%d"},
            "feeds": {
                "persons": {"file": "persons.csv", "table": "people", "columns": _PERSON},
                "involvements": {
                    "file": "involvements.csv",
                    "table": "involvements",
                    "columns": _SPELL | {"ended_on": "END"},
                },
            },
        }
    ),
}
_HEADERS = {
    "pupils": "ID,SURNAME,DOB,DIED",
    "persons": "ID,SURNAME,DOB,DIED",
    "plans": "ROW,ID,START,END",
    "involvements": "ROW,ID,START,END",
}
_SYSTEMS = {"pupils": "synergy", "plans": "synergy", "persons": "liquidlogic", "involvements": "liquidlogic"}


def settings_in(folder: Path, url: str | None = None) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=url or f"sqlite:///{folder.as_posix()}/ehcp.sqlite",
        config_dir=None,
        council=Council(name="Test", la_code="883"),
    )


def server_url() -> str:
    return os.environ.get("EHCP_TEST_DATABASE_URL") or "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@contextmanager
def throw_away_database() -> Iterator[str]:
    """A new PostgreSQL database, dropped afterwards. Raises OperationalError when there is no server."""
    server = sa.create_engine(server_url(), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"ehcp_test_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def people(*numbers: int, **changed: str) -> list[str]:
    """A line a person; `changed` replaces the date of death by number, as ``p7='2026-01-01'``."""
    return [f"{n},Name{n},2012-03-0{1 + n % 9},{changed.get(f'p{n}', '')}" for n in numbers]


def spells(*numbers: int, **ended: str) -> list[str]:
    """A spell a person, begun in 2024; row 100 + number."""
    return [f"{100 + n},{n},2024-01-01,{ended.get(f'p{n}', '')}" for n in numbers]


def draw(folder: Path, **feeds: list[str] | None) -> Path:
    """Write the extracts of a night; a feed that is None has no file, an empty list a header only."""
    for feed, rows in feeds.items():
        place = folder / _SYSTEMS[feed]
        place.mkdir(parents=True, exist_ok=True)
        if rows is not None:
            (place / f"{feed}.csv").write_text("\n".join([_HEADERS[feed], *rows]) + "\n", encoding="utf-8")
    return folder


def run(store: Store, night: date, extracts: Path, fault: Exception | None = None, backfill: bool = False) -> Ingested:
    """A night as far as the store goes: ingest, one child a record, register, feeds, snapshot; `fault` is raised before it ends."""
    with store.night(night, backfill) as kept:
        arrivals = [a for profile in PROFILES.values() for a in find_extracts(profile, extracts, night, NOW)]
        got = ingest(kept, PROFILES, arrivals, night, store.settings)
        records = got.tables["people"][["source", "source_id"]]
        links = records.assign(child_id=records["source"].str[:1] + records["source_id"], how="drawn")
        kept.open_run({"application": "test"}, NOW)
        kept.save("links", links)
        kept.save("register", register_of(links["child_id"], night))
        kept.save_nightly("run_feeds", got.feeds)
        write_snapshot(kept.snapshot, got.tables)
        if fault:
            raise fault
        kept.close_run(0, {"rows": int(got.feeds["rows"].sum())}, {"all": 0.1})
    return got


def register_of(children: Any, night: date) -> pd.DataFrame:
    day = pd.Timestamp(night).as_unit("us")
    return pd.DataFrame({"child_id": list(children)}).assign(
        active_plan="Y", corroborated_on=day, awaiting_since=pd.Timestamp(2026, 10, 1).as_unit("us")
    )


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the database but the log of runs and the numbers of rows, to compare two states."""
    from pipelines.tables import metadata

    found = {}
    with store.engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name != "runs":
                columns = [column for column in table.columns if column.name not in ("id", "run_id")]
                found[table.name] = sorted((tuple(row) for row in connection.execute(sa.select(*columns))), key=repr)
    return found
