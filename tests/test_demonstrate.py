"""The demonstration can be asked for again, and never gets among the nights of a real council."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from store_drawn import FIRST, FOURTH, SECOND, THIRD, draw, people, run, settings_in, spells

from config.errors import ConfigurationError
from pipelines.cli import main
from pipelines.demo import Demo
from pipelines.demonstrate import demonstration
from pipelines.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(settings_in(tmp_path / "data"))


def wanted(store: Store, nights: int = 2, seed: int = 1, yesterday: date = SECOND) -> tuple[Demo, set[date]]:
    return demonstration(store.settings, 200, nights, seed, None, yesterday)


def done(store: Store, tmp_path: Path, *nights: date) -> None:
    extracts = draw(tmp_path / "drawn", pupils=people(1), plans=spells(1), persons=people(1), involvements=spells(1))
    for night in nights:
        run(store, night, extracts)


def test_a_demonstration_is_found_again_on_a_later_day(store: Store, tmp_path: Path) -> None:
    council, before = wanted(store)
    assert [night for night, _ in council.nights] == [FIRST, SECOND] and before == set()
    done(store, tmp_path, FIRST, SECOND)
    assert wanted(store, yesterday=FOURTH) == (council, {FIRST, SECOND})


def test_one_that_stopped_half_way_goes_on(store: Store, tmp_path: Path) -> None:
    council, _ = wanted(store)
    done(store, tmp_path, FIRST)
    assert wanted(store, yesterday=FOURTH) == (council, {FIRST})


def test_another_demonstration_is_refused(store: Store, tmp_path: Path) -> None:
    wanted(store)
    done(store, tmp_path, FIRST, SECOND)
    with pytest.raises(ConfigurationError, match="not of this demonstration"):
        wanted(store, seed=2)


@pytest.mark.parametrize("invented_before", [False, True])
def test_a_night_that_it_did_not_invent_is_refused(store: Store, tmp_path: Path, invented_before: bool) -> None:
    if invented_before:
        wanted(store)
        done(store, tmp_path, FIRST, SECOND)
    done(store, tmp_path, THIRD)
    with pytest.raises(ConfigurationError, match="must not get among them") as told:
        wanted(store, yesterday=FOURTH)
    assert len(str(told.value).splitlines()) == 2


def test_the_command_given_again_says_where_to_look(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHCP_DATA", str(store.settings.data_dir))
    monkeypatch.delenv("EHCP_DATABASE_URL", raising=False)
    monkeypatch.delenv("EHCP_CONFIG", raising=False)
    wanted(store)
    done(store, tmp_path, FIRST, SECOND)
    said = CliRunner().invoke(
        main, ["demo", "--plans", "200", "--nights", "2"], obj=datetime(2026, 11, 2, 9, tzinfo=UTC)
    )
    assert said.exit_code == 0 and "was run before" in said.output and "report.html" in said.output
