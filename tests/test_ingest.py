"""Ingest: every row accounted for, old copies, the volume gate, and children whose record vanishes."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from store_drawn import FIRST, FOURTH, NOW, SECOND, THIRD, contents, draw, people, run, settings_in, spells

from config.errors import StoreError
from pipelines import rawstore
from pipelines.ingest import Ingested
from pipelines.store import Store

ALL = range(1, 8)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(settings_in(tmp_path / "data"))


def night(store: Store, tmp_path: Path, day, gone=(), plans: dict | None = None, **feeds) -> Ingested:
    """A whole night of seven children in Synergy and three in Liquidlogic; `gone` leave both files of Synergy."""
    here = [n for n in ALL if n not in gone]
    drawn = {
        "pupils": people(*here),
        "plans": spells(*here, **(plans or {})),
        "persons": people(1, 2, 3),
        "involvements": spells(1, 2, 3),
    } | feeds
    return run(store, day, draw(tmp_path / f"in-{day}", **drawn))


def lost(got: Ingested) -> list[tuple[str, str]]:
    return sorted(zip(got.vanished["source"], got.vanished["source_id"], strict=True))


def feed(got: Ingested, name: str) -> pd.Series:
    return got.feeds.set_index("feed").loc[name]


def test_every_row_is_accounted_for(store: Store, tmp_path: Path) -> None:
    rows = [*people(*ALL), people(7)[0], "8,Late,31/02/2012,", ",Nobody,2012-03-01,"]
    got = night(store, tmp_path, FIRST, pupils=rows)
    pupils = feed(got, "pupils")
    assert (pupils["rows"], pupils["accepted"], pupils["set_aside"], pupils["repeated"]) == (10, 7, 2, 1)
    assert (got.feeds["rows"] == got.feeds[["accepted", "set_aside", "repeated", "left_out"]].sum(axis=1)).all()
    assert set(got.tables["people"]["carried_on"]) == {pd.Timestamp(FIRST)} and not got.tables["people"]["is_old"].any()


@pytest.mark.parametrize(("rows", "reason"), [(None, "no file"), ([], "no rows")])
def test_a_missing_feed_uses_the_last_accepted_copy(
    store: Store, tmp_path: Path, rows: list | None, reason: str
) -> None:
    night(store, tmp_path, FIRST)
    for day in (SECOND, THIRD):
        got = night(store, tmp_path, day, plans=None, **{"pupils": rows})
        pupils = got.tables["people"].query("source == 'synergy'")
        assert feed(got, "pupils")["status"] == "missing" and reason in feed(got, "pupils")["reason"]
        assert len(pupils) == 7 and pupils["is_old"].all() and set(pupils["carried_on"]) == {pd.Timestamp(FIRST)}
        assert feed(got, "pupils")["previous_rows"] == 7
    got = night(store, tmp_path, FOURTH)
    assert not got.tables["people"]["is_old"].any()


def test_an_empty_file_and_one_that_is_a_spreadsheet(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    folder = draw(
        tmp_path / "x", pupils=people(*ALL), plans=spells(*ALL), persons=people(1, 2, 3), involvements=spells(1, 2, 3)
    )
    (folder / "synergy" / "plans.csv").write_bytes(b"")
    (folder / "synergy" / "pupils.csv").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    got = run(store, SECOND, folder)
    assert feed(got, "plans")["status"] == "missing" and feed(got, "pupils")["status"] == "refused"
    assert len(got.tables["plans"]) == 7 and lost(got) == []


def big(store: Store, tmp_path: Path, day, count: int) -> Ingested:
    numbers = range(1, count + 1)
    return run(
        store,
        day,
        draw(
            tmp_path / f"big-{day}",
            pupils=people(*numbers),
            plans=spells(*range(1, 11)),
            persons=people(1),
            involvements=spells(1),
        ),
    )


@pytest.mark.parametrize(
    ("count", "status", "moved"),
    [
        (180, "accepted", False),
        (179, "accepted", True),
        (170, "accepted", True),
        (169, "gated", True),
        (220, "accepted", False),
        (231, "gated", True),
    ],
)
def test_the_volume_gate_at_its_limits(store: Store, tmp_path: Path, count: int, status: str, moved: bool) -> None:
    big(store, tmp_path, FIRST, 200)
    pupils = feed(big(store, tmp_path, SECOND, count), "pupils")
    assert (pupils["status"], bool(pupils["is_volume_moved"]), pupils["previous_rows"]) == (status, moved, 200)


def test_twenty_rows_are_never_too_many(store: Store, tmp_path: Path) -> None:
    big(store, tmp_path, FIRST, 50)
    assert feed(big(store, tmp_path, SECOND, 30), "pupils")["status"] == "accepted"


def test_a_gated_feed_settles_the_next_night(store: Store, tmp_path: Path) -> None:
    big(store, tmp_path, FIRST, 200)
    got = big(store, tmp_path, SECOND, 150)
    assert len(got.tables["people"].query("source == 'synergy'")) == 200 and got.vanished.empty
    again = big(store, tmp_path, SECOND, 150)
    assert feed(again, "pupils")["status"] == "gated", "the same night again is no second night"
    settled = feed(big(store, tmp_path, THIRD, 153), "pupils")
    assert (settled["status"], settled["previous_rows"]) == ("accepted", 200)


def test_a_gated_feed_that_moves_on_stays_gated(store: Store, tmp_path: Path) -> None:
    big(store, tmp_path, FIRST, 200)
    big(store, tmp_path, SECOND, 150)
    assert feed(big(store, tmp_path, THIRD, 154), "pupils")["status"] == "gated"


def test_a_person_lets_exactly_that_file_through(store: Store, tmp_path: Path) -> None:
    big(store, tmp_path, FIRST, 200)
    big(store, tmp_path, SECOND, 150)
    store.accept_feed("synergy", "pupils", "a school closed", "A. Nalyst", NOW)
    assert feed(big(store, tmp_path, SECOND, 150), "pupils")["status"] == "accepted"
    assert feed(big(store, tmp_path, SECOND, 140), "pupils")["status"] == "gated"


def test_a_vanished_child_is_kept_every_night_until_it_is_back(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    for day in (SECOND, THIRD):
        got = night(store, tmp_path, day, gone=(7,))
        assert lost(got) == [("synergy", "7")]
        assert set(got.vanished["last_carried_on"]) == {pd.Timestamp(FIRST)}
        assert set(got.tables["plans"].query("source_id == '7'")["carried_on"]) == {pd.Timestamp(FIRST)}
    assert lost(night(store, tmp_path, FOURTH)) == []


def test_a_record_that_goes_while_its_plan_stays(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    got = night(store, tmp_path, SECOND, pupils=people(*range(1, 7)))
    assert lost(got) == [("synergy", "7")] and len(got.tables["plans"].query("source_id == '7'")) == 1


def test_a_vanished_child_stays_vanished_when_the_people_feed_is_missing(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    night(store, tmp_path, SECOND, gone=(7,))
    got = night(store, tmp_path, THIRD, gone=(7,), pupils=None)
    assert lost(got) == [("synergy", "7")]


def test_a_missing_people_feed_makes_nobody_vanish(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    assert lost(night(store, tmp_path, SECOND, pupils=None, persons=None)) == []


def test_a_ceased_plan_explains(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST, plans={"p7": "2026-10-20"})
    got = night(store, tmp_path, SECOND, gone=(7,))
    assert lost(got) == [] and "7" not in set(got.tables["people"]["source_id"])


def test_an_earlier_plan_that_ceased_does_not_explain(store: Store, tmp_path: Path) -> None:
    both = [*spells(*ALL), "900,7,2019-01-01,2021-07-31"]
    run(store, FIRST, draw(tmp_path / "a", pupils=people(*ALL), plans=both, persons=people(1), involvements=spells(1)))
    assert lost(night(store, tmp_path, SECOND, gone=(7,))) == [("synergy", "7")]


def test_a_plan_that_ceases_next_year_does_not_explain(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST, plans={"p7": "2027-07-31"})
    assert lost(night(store, tmp_path, SECOND, gone=(7,))) == [("synergy", "7")]


def test_an_ended_involvement_explains_in_social_care_only(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST, involvements=spells(1, 2, 3, p3="2026-10-24"))
    got = night(store, tmp_path, SECOND, persons=people(1), involvements=spells(1))
    assert lost(got) == [("liquidlogic", "2")]


def test_a_lost_snapshot_is_not_taken_for_a_first_night(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    shutil.rmtree(store.settings.private_dir / "tables")
    with pytest.raises(StoreError):
        night(store, tmp_path, SECOND, gone=(7,))


def test_raw_files_are_kept_once_and_privately(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    got = night(store, tmp_path, SECOND)
    kept = [path for path in (store.settings.private_dir / "raw").rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == sorted(set(got.feeds["sha256"]))
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in kept)
    if os.name == "posix":
        assert stat.S_IMODE(store.settings.private_dir.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


class _Full(io.BytesIO):
    """A file on a full disk."""

    def write(self, data: object) -> int:
        raise OSError(28, "No space left on device")


def opening(monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable[[], Any]) -> None:
    """Opening a file of that name does what `fault` does; all others open as ever."""
    before = Path.open

    def faulty(path: Path, *args: Any, **kwargs: Any) -> Any:
        return fault() if path.name == name else before(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", faulty)


def test_a_full_disk_is_told_in_two_lines(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(store, tmp_path, FIRST)
    opening(monkeypatch, "pupils.csv.part", _Full)
    with pytest.raises(StoreError, match="No space left") as caught:
        night(store, tmp_path, SECOND, pupils=people(*ALL, 9))
    assert len(str(caught.value).splitlines()) == 2
    assert store.night_of() == FIRST and not list((store.settings.private_dir / "raw").rglob("*.part"))


def test_a_file_that_is_far_too_large_is_refused_before_a_copy_is_kept(store: Store, tmp_path: Path) -> None:
    night(store, tmp_path, FIRST)
    before = sorted(path.name for path in (store.settings.private_dir / "raw").rglob("*"))
    extracts = draw(
        tmp_path / "huge",
        pupils=people(*ALL),
        plans=spells(*ALL),
        persons=people(1, 2, 3),
        involvements=spells(1, 2, 3),
    )
    with (extracts / "synergy" / "plans.csv").open("ab") as file:
        file.truncate(2_000_000_000)  # sparse: two gigabytes that take no room
    got = run(store, SECOND, extracts)
    assert feed(got, "plans")["status"] == "refused" and "2,000 MB" in feed(got, "plans")["reason"]
    assert sorted(path.name for path in (store.settings.private_dir / "raw").rglob("*")) == before


def test_a_disk_that_is_full_for_the_snapshot(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(store, tmp_path, FIRST)
    before = contents(store)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(StoreError, match="No space left"):
        night(store, tmp_path, SECOND)
    assert contents(store) == before
    assert [folder.name for folder in (store.settings.private_dir / "tables").iterdir()] == [f"{FIRST}-1"]


def test_a_locked_extract_counts_as_missing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night(store, tmp_path, FIRST)

    def locked() -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    extracts = draw(
        tmp_path / "locked",
        pupils=people(*ALL),
        plans=spells(*ALL),
        persons=people(1, 2, 3),
        involvements=spells(1, 2, 3),
    )
    opening(monkeypatch, "plans.csv", locked)
    got = run(store, SECOND, extracts)
    assert feed(got, "plans")["status"] == "missing" and len(got.tables["plans"]) == 7


def test_the_sha256_is_of_what_was_kept(tmp_path: Path) -> None:
    source = tmp_path / "pupils.csv"
    source.write_bytes(os.urandom(3_000_000))
    sha256 = rawstore.keep_raw(tmp_path / "private", source)
    kept = rawstore.raw_path(tmp_path / "private", sha256)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == sha256
    assert rawstore.keep_raw(tmp_path / "private", source) == sha256
    assert [path for path in (tmp_path / "private" / "raw").rglob("*") if path.is_file()] == [kept]


def test_retention_keeps_what_is_needed(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    kept = []
    for text in ("old", "needed", "new"):
        source.write_text(text, encoding="utf-8")
        kept.append(rawstore.keep_raw(tmp_path / "private", source))
        if text != "new":
            os.utime(rawstore.raw_path(tmp_path / "private", kept[-1]), (0, 0))
    assert rawstore.purge_raw(tmp_path / "private", [kept[1]], NOW.replace(year=2020)) == 1
    assert [rawstore.raw_path(tmp_path / "private", sha256).exists() for sha256 in kept] == [False, True, True]
