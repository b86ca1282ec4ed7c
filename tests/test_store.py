"""The store: one night is one transaction, history as changes, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import gc
import sqlite3
import warnings
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from store_drawn import (
    FIRST,
    FOURTH,
    NOW,
    SECOND,
    THIRD,
    contents,
    draw,
    people,
    run,
    settings_in,
    spells,
)

from config.errors import ConfigurationError, EhcpError, StoreError
from pipelines import tables as t
from pipelines.history import read_known, rewind, write_changes
from pipelines.rawstore import write_snapshot
from pipelines.store import NightStore, Store


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    return draw(
        tmp_path / "in", pupils=people(1, 2, 3), plans=spells(1, 2, 3), persons=people(1, 2), involvements=spells(1, 2)
    )


def impatient(store: Store) -> Store:
    """Wait a moment for the lock of SQLite, not five seconds; PostgreSQL does not wait at all."""
    if store.engine.dialect.name == "sqlite":
        sa.event.listen(store.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
        store.engine.dispose()
    return store


def test_the_same_night_twice_changes_nothing(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    before = contents(store)
    run(store, FIRST, extracts)
    assert contents(store) == before
    assert list(store.runs()["status"]) == ["complete", "superseded"]


def test_a_night_without_changes_writes_no_history(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    run(store, SECOND, extracts)
    with store.engine.connect() as connection:
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in t.history_tables.items()
        }
    assert counts["links"] == 5 and counts["register"] == 5
    assert set(store.register(FIRST)["corroborated_on"]) == {pd.Timestamp(FIRST)}
    assert set(store.register()["corroborated_on"]) == {pd.Timestamp(SECOND)}
    assert set(store.register()["waiting_days"]) == {25}


def test_the_links_so_far_remember_a_record_that_left(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    with store.night(SECOND) as kept:
        links = kept.previous("links")
        kept.open_run({"application": "test"}, NOW)
        kept.save("links", links[links["child_id"] != "s3"].replace({"child_id": {"s2": "s9"}}))
        write_snapshot(kept.snapshot, {})
        kept.close_run(0, {}, {})
    with pytest.raises(RuntimeError), store.night(THIRD) as kept:
        known = kept.links_so_far()
        raise RuntimeError("seen enough")
    assert set(known["child_id"]) == {"s1", "s2", "s3", "s9", "l1", "l2"}
    newest = known.drop_duplicates(["source", "source_id"]).set_index(["source", "source_id"])["child_id"]
    assert newest["synergy", "2"] == "s9" and newest["synergy", "3"] == "s3"


def test_a_fault_leaves_the_night_before(store: Store, extracts: Path, tmp_path: Path) -> None:
    run(store, FIRST, extracts)
    before = contents(store)
    later = draw(
        tmp_path / "later",
        pupils=people(1, 2, 3, 4),
        plans=spells(1, 2, 3, 4),
        persons=people(1),
        involvements=spells(1),
    )
    with pytest.raises(RuntimeError):
        run(store, SECOND, later, fault=RuntimeError("killed"))
    assert contents(store) == before
    assert store.night_of() == FIRST
    assert [folder.name for folder in (store.settings.private_dir / "tables").iterdir()] == [f"{FIRST}-1"]
    run(store, SECOND, later)
    assert store.night_of() == SECOND


@pytest.mark.parametrize("step", ["open_run", "save", "save_nightly", "close_run"])
def test_a_fault_at_any_step_leaves_the_night_before(
    store: Store, extracts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run(store, FIRST, extracts)
    before = contents(store)
    later = draw(tmp_path / "later", pupils=people(1, 2), plans=spells(1, 2), persons=people(1), involvements=spells(1))
    whole = getattr(NightStore, step)

    def killed(*args: object, **kwargs: object) -> None:
        whole(*args, **kwargs)
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(NightStore, step, killed)
        with pytest.raises(RuntimeError, match="killed"):
            run(store, SECOND, later)
    assert contents(store) == before and store.night_of() == FIRST
    run(store, SECOND, later)
    after = contents(store)
    run(store, SECOND, later)
    assert contents(store) == after


def test_a_late_file_is_taken_by_a_second_run_of_the_night(store: Store, extracts: Path, tmp_path: Path) -> None:
    run(store, FIRST, extracts)
    early = draw(
        tmp_path / "early", pupils=people(1, 2, 3, 4), plans=None, persons=people(1, 2), involvements=spells(1, 2)
    )
    missing = run(store, SECOND, early)
    assert missing.feeds.set_index("feed").loc["plans", "status"] == "missing"
    run(store, SECOND, draw(early, plans=spells(1, 2, 3, 4)))
    late = contents(store)
    fresh = Store(settings_in(tmp_path / "never-late"))
    run(fresh, FIRST, extracts)
    run(fresh, SECOND, early)
    assert late["register"] == contents(fresh)["register"] and late["links"] == contents(fresh)["links"]
    assert store.feeds().set_index("feed").loc["plans", "status"] == "accepted"


def test_a_fault_in_a_second_attempt_leaves_the_first(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    before = contents(store)
    with pytest.raises(RuntimeError):
        run(store, FIRST, extracts, fault=RuntimeError("killed"))
    assert contents(store) == before
    assert store.newest_run()["run_id"] == f"{FIRST}-1"


def test_an_older_night_needs_backfill(store: Store, extracts: Path) -> None:
    run(store, SECOND, extracts)
    with pytest.raises(ConfigurationError, match="older than the newest") as caught:
        run(store, FIRST, extracts)
    assert "--backfill" in caught.value.todo
    run(store, FIRST, extracts, backfill=True)
    assert store.night_of() == FIRST


def test_a_backfill_that_is_killed_can_still_replay_the_later_nights(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    run(store, THIRD, extracts)
    run(store, SECOND, extracts, backfill=True)  # and killed before the third night is replayed
    assert [night for night, feeds in store.nights_after(SECOND) if len(feeds)] == [THIRD]


def test_only_one_night_at_a_time(store: Store) -> None:
    other = impatient(Store(store.settings))
    with store.night(FIRST), pytest.raises(StoreError), other.night(FIRST):
        pass
    other.engine.dispose()


def test_accepting_a_feed_while_a_night_runs_is_told_in_two_lines(tmp_path: Path, extracts: Path) -> None:
    store = Store(settings_in(tmp_path / "data"))
    run(store, FIRST, extracts)
    with store.engine.begin() as connection:
        connection.execute(sa.update(t.nightly_tables["run_feeds"]).values(status="gated", sha256="a"))
    other = impatient(Store(store.settings))
    with store.night(SECOND), pytest.raises(StoreError):
        other.accept_feed("synergy", "pupils", "right", "me", NOW)


def test_a_newer_schema_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(StoreError, match="newer version"):
            _ = Store(store.settings).engine
        gc.collect()
    assert ResourceWarning not in [warning.category for warning in said]  # the connection was closed


def test_migrations_give_the_declared_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ehcp.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 50)
    with pytest.raises(StoreError):
        _ = Store(settings_in(tmp_path)).engine


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", "mysql://u@h/d"])
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(EhcpError):
        _ = Store(settings_in(tmp_path, url)).engine


def test_a_vanished_database_is_noticed(tmp_path: Path, extracts: Path) -> None:
    store = Store(settings_in(tmp_path / "data"))
    run(store, FIRST, extracts)
    store.engine.dispose()
    for file in (tmp_path / "data").glob("ehcp.sqlite*"):
        file.unlink()
    with pytest.raises(StoreError, match="gone or empty"):
        run(Store(store.settings), SECOND, extracts)
    assert not list((tmp_path / "data").glob("ehcp.sqlite*"))


def test_an_emptied_database_is_noticed_too(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    with store.engine.begin() as connection:
        for view in sa.inspect(connection).get_view_names():
            connection.execute(sa.text(f"DROP VIEW {view}"))
        t.metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE alembic_version"))
    store.engine.dispose()
    with pytest.raises(StoreError, match="gone or empty") as told:
        run(Store(store.settings), SECOND, extracts)
    assert len(str(told.value).splitlines()) == 2


def test_a_damaged_database_is_told_in_two_lines(tmp_path: Path, extracts: Path) -> None:
    store = Store(settings_in(tmp_path / "data"))
    run(store, FIRST, extracts)
    store.engine.dispose()
    path = tmp_path / "data" / "ehcp.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))  # the schema can be read, the tables cannot
    with pytest.raises(StoreError, match="malformed") as told:
        run(Store(store.settings), SECOND, extracts)
    assert len(str(told.value).splitlines()) == 2


def test_a_server_that_goes_away_is_told_in_two_lines(store: Store, extracts: Path) -> None:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no server")
    run(store, FIRST, extracts)
    other = sa.create_engine(store.engine.url)
    with pytest.raises(StoreError) as told, store.night(SECOND) as night:
        backend = night.connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with other.begin() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        night.nights()
    other.dispose()
    assert len(str(told.value).splitlines()) == 2
    assert store.night_of() == FIRST


def test_a_locked_database_is_told_in_two_lines(tmp_path: Path, extracts: Path) -> None:
    store = Store(settings_in(tmp_path / "data"))
    run(store, FIRST, extracts)
    impatient(store)
    holder = sqlite3.connect(tmp_path / "data" / "ehcp.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreError, match="locked"):
            run(store, SECOND, extracts)
    finally:
        holder.close()


_nights = st.lists(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.tuples(st.sampled_from(["", "x", "y"]), st.booleans() | st.none(), st.sampled_from([None, 0, 1, 2])),
    ),
    min_size=1,
    max_size=5,
)


@options(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights=_nights, again=st.integers(0, 4))
def test_history_is_what_copies_of_every_night_would_be(nights: list[dict], again: int) -> None:
    """Against the naive way: keep a whole copy a night. Then rewind to any night and write the rest again."""
    engine = sa.create_engine("sqlite://")
    t.metadata.create_all(engine)
    frames = [_frame(rows, FIRST + timedelta(days=n)) for n, rows in enumerate(nights)]
    with engine.begin() as connection:
        for n, frame in enumerate(frames):
            write_changes(connection, "register", frame, FIRST + timedelta(days=n))
        _agree(connection, frames)
        start = min(again, len(frames) - 1)
        rewind(connection, FIRST + timedelta(days=start))
        _agree(connection, frames[:start])
        for n in range(start, len(frames)):
            write_changes(connection, "register", frames[n], FIRST + timedelta(days=n))
        _agree(connection, frames)
        assert write_changes(connection, "register", frames[-1], FIRST + timedelta(days=len(frames) - 1)) == 0


def _frame(rows: dict, night: object) -> pd.DataFrame:
    day = pd.Timestamp(night)
    when = {None: pd.NaT, 0: day, 1: day - pd.Timedelta(days=1), 2: pd.Timestamp(2020, 1, 1)}
    return pd.DataFrame(
        {
            "child_id": pd.Series(list(rows), dtype="str"),
            "setting_name": pd.Series([v[0] or None for v in rows.values()], dtype="str"),
            "is_restricted": pd.Series([v[1] for v in rows.values()], dtype="boolean"),
            "seen_on": pd.Series([when[v[2]] for v in rows.values()], dtype="datetime64[us]"),
            "visit_due_on": pd.Series([when[v[2]] for v in rows.values()], dtype="datetime64[us]"),
        }
    )


def _agree(connection: sa.Connection, frames: list[pd.DataFrame]) -> None:
    for n, frame in enumerate(frames):
        known = read_known(connection, "register", FIRST + timedelta(days=n)).sort_values("child_id", ignore_index=True)
        pd.testing.assert_frame_equal(known[list(frame.columns)], frame.sort_values("child_id", ignore_index=True))


def test_a_key_that_comes_twice_is_an_error() -> None:
    engine = sa.create_engine("sqlite://")
    t.metadata.create_all(engine)
    twice = pd.DataFrame({"source": "synergy", "source_id": ["1", "1"], "child_id": ["a", "b"], "how": ""})
    with engine.begin() as connection, pytest.raises(ValueError):
        write_changes(connection, "links", twice, FOURTH)
