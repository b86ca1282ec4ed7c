"""Shared fixtures. Every child in these tests is invented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from store_drawn import settings_in, throw_away_database

from pipelines import run
from pipelines.demonstrate import demo_store
from pipelines.store import Store


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Sample data beside the checkout, where a developer has it; the tests that need it say that they skipped."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the sample data folder ../shared/data is not beside this checkout")
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, on each database."""
    if request.param == "sqlite":
        yield Store(settings_in(tmp_path / "data"))
        return
    try:
        with throw_away_database() as url:
            opened = Store(settings_in(tmp_path / "data", url))
            yield opened
            opened.engine.dispose()
    except sa.exc.OperationalError:
        pytest.skip("no PostgreSQL server answers; set EHCP_TEST_DATABASE_URL to test on one")


@pytest.fixture(scope="session")
def council(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An invented council of 200 plans with two nights, made once: for tests that only ask it, or put back what they add."""
    return demo_store(tmp_path_factory.mktemp("council"), plans=200, nights=2)


@pytest.fixture(scope="module")
def no_outputs() -> Iterator[None]:
    """The nights of this module write no workbooks and pages: for tests that read the store alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "write_outputs", lambda *_: None)
        yield
