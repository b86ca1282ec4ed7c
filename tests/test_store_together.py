"""Two programs on one store: what one of them commits while the other waits for its turn."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from config.errors import ConfigurationError
from config.settings import Council, Settings
from pipelines import store as under_test
from pipelines.store import Store

AT = datetime(2026, 10, 28, 2, 0, tzinfo=UTC)
OLDER, NEWER = date(2026, 10, 26), date(2026, 10, 28)


def store_in(folder: Path) -> Store:
    url = f"sqlite:///{folder.as_posix()}/ehcp.sqlite"
    council = Council(name="Testshire", la_code="999")
    return Store(Settings(data_dir=folder, database_url=url, config_dir=None, council=council))


def write(store: Store, night: date) -> None:
    with store.night(night) as kept:
        kept.open_run({}, AT)
        kept.close_run(0, {}, {})


def test_runs_one_after_the_other(tmp_path: Path) -> None:
    write(store_in(tmp_path), NEWER)
    with pytest.raises(ConfigurationError, match="older than the newest"):
        write(store_in(tmp_path), OLDER)
    assert store_in(tmp_path).night_of() == NEWER


def test_an_older_night_that_waits_for_a_newer_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = under_test.lock
    store_in(tmp_path).engine.dispose()

    def waiting(connection: Connection) -> None:
        monkeypatch.setattr(under_test, "lock", lock)
        write(store_in(tmp_path), NEWER)
        lock(connection)

    monkeypatch.setattr(under_test, "lock", waiting)
    with pytest.raises(ConfigurationError, match="older than the newest"):
        write(store_in(tmp_path), OLDER)
    assert store_in(tmp_path).night_of() == NEWER
