"""A past night put together again from its raw extracts is what history holds of it, row for row."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest
from store_drawn import contents, settings_in

from pipelines.demo_history import history_nights, invent_history
from pipelines.run import run_night
from pipelines.store import Store

pytestmark = pytest.mark.usefixtures("no_outputs")

END = date(2026, 10, 27)


def test_the_nights_of_a_history_are_month_ends_and_then_every_night() -> None:
    nights = history_nights(END, months=36, nightly_days=60)
    assert nights[0] == date(2023, 10, 31) and nights[-1] == END
    assert nights[-60:] == [END - timedelta(days=back) for back in range(59, -1, -1)]
    assert all((night + timedelta(days=1)).day == 1 for night in nights[:-60])
    assert len(nights) == len(set(nights)) == 34 + 60


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[tuple[date, Path]]]:
    """Three nights of an invented council, weeks apart: plans cease, reviews are held, mistakes are found."""
    folder = tmp_path_factory.mktemp("rebuild")
    store = Store(settings_in(folder / "data"))
    nights = [date(2026, 8, 31), date(2026, 9, 30), END]
    written = list(invent_history(folder / "extracts", 200, nights, pupils_per_plan=2))
    for night, extracts in written:
        run_night(store.settings, night, extracts=extracts, now=_morning_after(night))
    return store, written


def _morning_after(night: date) -> datetime:
    return datetime.combine(night + timedelta(days=1), time(6), tzinfo=UTC)


def test_something_happened_between_the_nights(council: tuple[Store, list[tuple[date, Path]]]) -> None:
    store, written = council
    registers = [store.register(night) for night, _ in written]
    plans = [set(frame.loc[frame["active_plan"] == "Y", "child_id"]) for frame in registers]
    assert plans[0] - plans[2], "plans ceased in between"
    assert not registers[0].equals(registers[1]) and not registers[1].equals(registers[2])


def test_the_invented_past_holds_no_more_faults_than_were_planted(
    council: tuple[Store, list[tuple[date, Path]]],
) -> None:
    """Whoever was elsewhere before, in care, or no longer has a plan, was so rightly: a past of faults would hide those that are there to be found."""
    store, written = council
    for night, _ in written:
        found = store.exceptions(night)["rule"].value_counts()
        assert found.get("VS04", 0) == 0, "no visit before the placement or the birth"
        assert found.get("PL07", 0) <= 3 and found.get("PL08", 0) == 0, "plans name the setting of then, and it fits"
        assert found.get("SR04", 0) <= 1, "every date can be read"
    then, now = (
        frame.set_index("child_id")["setting_urn"].dropna()
        for frame in (store.register(written[0][0]), store.register())
    )
    both = then.index.intersection(now.index)
    assert (then[both] != now[both]).any(), "somebody moved in September"


def test_every_night_rebuilt_from_raw_extracts_is_what_history_holds(
    council: tuple[Store, list[tuple[date, Path]]],
) -> None:
    """The first night is run again from its folder; the two after it are replayed from the raw files that were kept."""
    store, written = council
    before = contents(store)
    facts = store.settings.private_dir / "facts"
    kept = {path.name: pd.read_parquet(path) for path in facts.glob("*.parquet")}
    first, extracts = written[0]
    result = run_night(store.settings, first, extracts=extracts, backfill=True, now=_morning_after(END))
    assert len(result.messages) >= 2 and store.night_of() == END
    after = contents(store)
    for table, rows in before.items():
        assert after[table] == rows, table
    for name, frame in kept.items():
        again = pd.read_parquet(facts / name)
        keys = list(frame.columns)
        pd.testing.assert_frame_equal(
            again.sort_values(keys, ignore_index=True), frame.sort_values(keys, ignore_index=True)
        )
