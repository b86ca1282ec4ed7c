"""Two clocks: what was true on a day, and what a night knew. Drawn tables, and an invented council asked about its own nights."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from store_drawn import FIRST, FOURTH, SECOND, THIRD, settings_in

from config.canonical import DTYPES, TABLES
from config.errors import ConfigurationError
from pipelines.answers import exceptions_known, kpis_as_of, register_as_of
from pipelines.demonstrate import END, demo_store
from pipelines.facts import forget_facts, keep_facts, read_facts
from pipelines.pastday import as_at, vanished_by
from pipelines.positions import position
from pipelines.rawstore import read_snapshot
from pipelines.store import Store, snapshot_folder

pytestmark = pytest.mark.usefixtures("no_outputs")

DAY, KNOWN = pd.Timestamp(2026, 3, 31), pd.Timestamp(2026, 10, 27)


def table(name: str, *rows: dict[str, object]) -> pd.DataFrame:
    kinds = TABLES[name].all_columns | {"carried_on": "date", "feed": "text"}
    frame = pd.DataFrame([{"source": "synergy", "feed": name, **row} for row in rows]).reindex(columns=list(kinds))
    return frame.astype({column: DTYPES[kind] for column, kind in kinds.items()})


@pytest.mark.parametrize(
    ("met_on", "is_there"),
    [
        ("2026-03-30", True),
        ("2026-03-31", True),  # the day itself counts
        ("2026-04-01", False),
        ("2026-10-27", False),  # the night's own day
        ("2026-10-28", True),  # after what is known: a mistake, which the rules find
        (None, True),
    ],
)
def test_a_row_begun_after_the_day_was_not_there_yet(met_on: str | None, is_there: bool) -> None:
    reviews = table("reviews", {"row_id": "1", "met_on": pd.Timestamp(met_on) if met_on else pd.NaT})
    assert len(as_at({"reviews": reviews}, DAY, KNOWN)["reviews"]) == is_there


@pytest.mark.parametrize(("decided_on", "decision"), [("2026-03-31", "N"), ("2026-04-01", None), ("2026-11-01", "N")])
def test_a_later_decision_goes_with_what_came_with_it(decided_on: str, decision: str | None) -> None:
    received = pd.Timestamp(2026, 3, 1)
    asked = table(
        "requests",
        {"row_id": "1", "received_on": received, "decided_on": pd.Timestamp(decided_on), "decision_code": "N"},
    )
    found = as_at({"requests": asked, "visits": None}, DAY, KNOWN)
    row = found["requests"].iloc[0]
    assert (row["decision_code"] if pd.notna(row["decision_code"]) else None) == decision
    assert pd.isna(row["decided_on"]) == (decision is None)
    assert found["visits"] is None


def test_a_placement_that_begins_later_stays_because_it_was_planned() -> None:
    placements = table("placements", {"row_id": "1", "started_on": pd.Timestamp(2026, 9, 1)})
    assert len(as_at({"placements": placements}, DAY, KNOWN)["placements"]) == 1


def test_nothing_is_taken_out_for_the_night_itself() -> None:
    visits = table("visits", {"row_id": "1", "visited_on": KNOWN})
    assert len(as_at({"visits": visits}, KNOWN, KNOWN)["visits"]) == 1


def test_a_record_vanished_from_the_night_after_its_feed_last_carried_it() -> None:
    people = table(
        "people", *({"source_id": n, "row_id": n, "carried_on": on} for n, on in (("1", SECOND), ("2", FOURTH)))
    )
    assert vanished_by(people, pd.Timestamp(SECOND)).empty
    assert vanished_by(people, pd.Timestamp(THIRD))["source_id"].tolist() == ["1"]


def _kept(folder: Path, night: date, ended: str | None, extra: bool = False) -> None:
    on = pd.Timestamp(night)
    people = table("people", {"source_id": "7", "row_id": "7", "surname": "Quill", "upn": "A1", "carried_on": on})
    plan = {"source_id": "7", "row_id": "107", "started_on": pd.Timestamp(2024, 1, 1), "carried_on": on}
    plans = table("plans", plan | {"ceased_on": pd.Timestamp(ended) if ended else pd.NaT})
    rows = [{"source_id": "7", "row_id": str(n), "carried_on": on} for n in range(1 + extra)]
    links = pd.DataFrame([("synergy", "7", "C1"), ("synergy", "8", "C2")], columns=["source", "source_id", "child_id"])
    tables = dict.fromkeys(TABLES) | {"people": people, "plans": plans, "visits": table("visits", *rows)}
    keep_facts(folder, tables, links, night)


def _read(folder: Path, night: date, accepted: bool = True) -> dict[str, pd.DataFrame]:
    feeds = pd.DataFrame({"system": "synergy", "feed": ["people", "plans", "visits"], "is_accepted": accepted})
    found = read_facts(folder, night, feeds.assign(old_copy_of=pd.Timestamp(FIRST)))
    assert found
    return found[0]


def test_facts_are_kept_as_changes_and_read_as_any_night_knew_them(tmp_path: Path) -> None:
    _kept(tmp_path, FIRST, None)
    _kept(tmp_path, SECOND, None, extra=True)
    _kept(tmp_path, THIRD, "2026-10-20")
    assert [len(_read(tmp_path, night)["visits"]) for night in (FIRST, SECOND, THIRD, FOURTH)] == [1, 2, 1, 1]
    ceased = [_read(tmp_path, night)["plans"]["ceased_on"].notna().item() for night in (FIRST, SECOND, THIRD)]
    assert ceased == [False, False, True]
    kept = {path.stem: pd.read_parquet(path) for path in (tmp_path / "facts").glob("*.parquet")}
    assert len(kept["people"]) == 1 and len(kept["plans"]) == 2 and len(kept["visits"]) == 2
    assert not {"surname", "upn", "postcode"} & {column for frame in kept.values() for column in frame}
    assert kept["links"]["child_id"].tolist() == ["C1"]


def test_a_night_that_is_run_again_takes_back_what_it_and_later_ones_wrote(tmp_path: Path) -> None:
    _kept(tmp_path, FIRST, None)
    _kept(tmp_path, SECOND, "2026-10-20", extra=True)
    _kept(tmp_path, THIRD, None)
    _kept(tmp_path, SECOND, None)
    alone = tmp_path / "alone"
    _kept(alone, FIRST, None)
    _kept(alone, SECOND, None)
    for name in ("plans", "visits", "people"):
        pd.testing.assert_frame_equal(
            *(pd.read_parquet(folder / "facts" / f"{name}.parquet") for folder in (tmp_path, alone))
        )


def test_facts_past_their_retention_go_and_the_nights_that_rested_on_them_are_not_read(tmp_path: Path) -> None:
    _kept(tmp_path, FIRST, None)
    _kept(tmp_path, SECOND, None, extra=True)
    _kept(tmp_path, THIRD, "2026-10-20")
    later = _read(tmp_path, THIRD)
    assert forget_facts(tmp_path, SECOND) == 0 and len(_read(tmp_path, FIRST)["visits"]) == 1
    assert forget_facts(tmp_path, THIRD) == 2
    # Neither is a night of before read as what is left of it, nor one of after changed; nor does an earlier day bring it back.
    assert forget_facts(tmp_path, SECOND) == 0
    assert read_facts(tmp_path, SECOND, pd.DataFrame()) is None
    for name, frame in _read(tmp_path, THIRD).items():
        if frame is not None:
            pd.testing.assert_frame_equal(frame, later[name])
    _kept(tmp_path, FOURTH, None)
    assert [_read(tmp_path, night)["plans"]["ceased_on"].notna().item() for night in (THIRD, FOURTH)] == [True, False]


def test_a_row_is_dated_to_the_copy_that_carried_it(tmp_path: Path) -> None:
    _kept(tmp_path, FIRST, None)
    _kept(tmp_path, SECOND, None)
    assert _read(tmp_path, SECOND)["people"]["carried_on"].item() == pd.Timestamp(SECOND)
    assert _read(tmp_path, SECOND, accepted=False)["people"]["carried_on"].item() == pd.Timestamp(FIRST)


def test_before_the_first_night_there_are_no_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path, FIRST, pd.DataFrame()) is None


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return demo_store(tmp_path_factory.mktemp("clocks"), plans=200, nights=2)


BEFORE = END - timedelta(days=1)


def test_the_night_before_by_what_is_known_now_is_what_it_knew_but_for_later_news(council: Store) -> None:
    """Nothing of the first night is corrected in the second: only the record that vanished in between differs."""
    then, now = register_as_of(council, None, BEFORE), register_as_of(council, BEFORE, None)
    assert then["child_id"].tolist() == now["child_id"].tolist()
    differing = (then.astype("str").fillna("") != now.astype("str").fillna("")).sum()
    assert set(differing[differing > 0].index) <= {"vanished", "recorded_on"}, differing[differing > 0]
    # A day by the night's own knowledge is what the night left.
    pd.testing.assert_frame_equal(register_as_of(council, BEFORE, BEFORE), then)


def test_exceptions_and_figures_of_the_night_before_by_what_is_known_now(council: Store) -> None:
    found, known = exceptions_known(council, as_of=BEFORE), exceptions_known(council, BEFORE)
    known = known[~known["rule"].isin([f"SR0{n}" for n in range(1, 8)]) & (known["status"] == "open")]
    assert set(found["exception_id"]) == set(known["exception_id"])
    assert found["first_seen_on"].notna().all() and (found["age_days"] == 0).all()
    figures = [kpis_as_of(council, *clocks).fillna({"line": ""}) for clocks in ((BEFORE, None), (None, BEFORE))]
    figures = [frame[frame["code"] != "K17"].reset_index(drop=True) for frame in figures]
    pd.testing.assert_frame_equal(*figures, check_dtype=False)


def test_leaving_out_other_pupils_changes_no_finding(council: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow, kept = (position(council, BEFORE, with_names=True) for _ in range(2))
    pd.testing.assert_frame_equal(narrow.findings(words=True), kept.findings(words=True))
    folder = snapshot_folder(council.settings, council.newest_run()["run_id"])
    tables = {name: read_snapshot(folder, name) for name in TABLES}
    links = read_snapshot(folder, "links")
    monkeypatch.setattr("pipelines.positions._whole", lambda *_: (tables, links))
    whole = position(council, BEFORE, with_names=True)
    assert len(narrow.assembled.tables["people"]) < len(whole.assembled.tables["people"]) / 2
    key = ["rule", "child_id", "source", "source_id", "row_id"]
    both = [each.findings(words=True).sort_values(key, ignore_index=True) for each in (narrow, whole)]
    pd.testing.assert_frame_equal(*both)


def test_both_clocks_at_once(council: Store) -> None:
    """The day before the first night, as the first night knew it, and the same by what the second one knew."""
    day = BEFORE - timedelta(days=30)
    first, second = register_as_of(council, day, BEFORE), register_as_of(council, day, None)
    assert first["child_id"].tolist() == second["child_id"].tolist()
    assert (first["seen_on"].dropna() <= pd.Timestamp(day)).all()
    assert (first["last_completed_review_on"].dropna() <= pd.Timestamp(day)).all()


def test_a_child_who_is_restricted_now_is_protected_on_every_day(
    council: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = register_as_of(council, None, BEFORE).query("active_plan == 'Y'")["child_id"].iloc[0]
    monkeypatch.setattr(Store, "restricted", lambda store: {child})
    for clocks in ((None, BEFORE), (BEFORE, None), (BEFORE - timedelta(days=300), None)):
        row = register_as_of(council, *clocks).set_index("child_id").loc[child]
        assert row["setting_name"] == row["setting_urn"] == row["provision_type"] == "restricted"
        assert row["is_restricted"]


def test_exceptions_need_tables_that_are_still_kept(council: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.positions.read_snapshot", lambda folder, name: None)
    with pytest.raises(ConfigurationError, match="no longer kept"):
        exceptions_known(council, BEFORE, as_of=BEFORE - timedelta(days=1))
    assert len(register_as_of(council, BEFORE - timedelta(days=1), BEFORE))


def test_no_night_before_the_day_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No night has been run on or before"):
        register_as_of(Store(settings_in(tmp_path)), None, date(2020, 1, 1))
