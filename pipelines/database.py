"""The database itself: opened, brought up to date, locked while a night is written, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Select, create_engine, event, text, update
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError

from config.errors import ConfigurationError, StoreError
from config.settings import Settings
from pipelines import tables as t

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 883_2019


def open_engine(settings: Settings) -> Engine:
    """The engine of the council's database, with the schema up to date. Raises StoreError, or ConfigurationError for an address that is none."""
    url = settings.database_url
    try:
        if url.startswith("sqlite"):
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            path = url.removeprefix("sqlite:///")
            if not Path(path).exists():  # opening it would make it
                _need_none_before(path, settings)
        try:
            engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        except (ArgumentError, ImportError) as error:
            raise ConfigurationError(
                "EHCP_DATABASE_URL is not a database address.",
                "It looks like postgresql://user@host/ehcp; leave it empty for SQLite.",
            ) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        try:
            _upgrade(engine, settings)
        except BaseException:
            engine.dispose()
            raise
    except OSError as error:
        raise unusable(str(error.strerror)) from error
    except DBAPIError as error:
        raise unusable(first_line(error)) from error
    return engine


def read_frame(connection: Connection, query: Select[Any], columns: Iterable[str]) -> pd.DataFrame:
    """What a query gives, in its order, with these names of columns and the plain values of the database.

    The rows go over as tuples: of SQLAlchemy's own rows pandas asks each one whether it is an array, and waits for each to say no.
    """
    return pd.DataFrame(list(map(tuple, connection.execute(query))), columns=list(columns))


def lock(connection: Connection) -> None:
    """Only one night is written at a time."""
    if connection.dialect.name == "postgresql":
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
            raise StoreError("Another night is being run on this database.", "Wait for it to end, then run again.")
    else:
        connection.execute(update(t.runs).where(t.runs.c.run_id == "").values(status=""))


@contextmanager
def telling() -> Iterator[None]:
    """What a database says that is locked, full, gone or damaged becomes a StoreError; a statement of ours that is wrong keeps its traceback."""
    try:
        yield
    except DBAPIError as error:
        # A damaged file is a plain DatabaseError, the parent of what a wrong statement raises.
        if type(error) in (DatabaseError, InterfaceError, OperationalError):
            raise unusable(first_line(error)) from error
        raise


def unusable(why: str) -> StoreError:
    """The error for a database that cannot be used, to be raised."""
    return StoreError(
        f"The database cannot be used: {why}",
        "See that it is there, is not locked by another program and has room; then run again. Nothing was changed.",
    )


def first_line(error: DBAPIError) -> str:
    """What the database said, without the statement and its values."""
    return str(error.orig).splitlines()[0]


def _need_none_before(database: str, settings: Settings) -> None:
    """A database that was there and is gone, or is empty, is not begun anew in silence: its history would be lost without a word."""
    if (settings.private_dir / "tables").is_dir():
        raise StoreError(
            f"The database {database} is gone or empty, although nights have been run here.",
            f"Restore it from a backup; to begin anew on purpose, empty {settings.data_dir} first.",
        )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")


def head() -> str:
    """The newest version of the schema that this program knows: the number that its migration's file begins with."""
    return max(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(engine: Engine, settings: Settings) -> None:
    with engine.connect() as connection:
        known = None
        if connection.dialect.has_table(connection, "alembic_version"):
            known = connection.scalar(text("SELECT version_num FROM alembic_version"))
    newest = head()
    if known == newest:
        return
    if known is not None and known > newest:
        raise StoreError(
            f"The database is of a newer version ({known}) than this program ({newest}).",
            "Install the newer program, or use another database.",
        )
    if known is None:
        _need_none_before(str(engine.url.database), settings)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
