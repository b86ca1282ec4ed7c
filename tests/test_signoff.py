"""The month frozen: once, as its cut-off knew it, without what may not leave; and any later change found and named, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from signoff_drawn import CUT_OFF, EXCEPTIONS, NOW, OPENING, PERIOD, table, write_month, write_night
from sqlalchemy import text

from config.errors import ConfigurationError, StoreError
from pipelines.chain import Record, canonical, digest, next_record, receipt_name, receipt_text
from pipelines.freezing import frozen_hash, part_frames, part_hashes, row_hash
from pipelines.signoff import freeze_month, restate
from pipelines.signoff_state import journal_frame, open_caveats, periods
from pipelines.signoff_verify import verify
from pipelines.store import Store
from pipelines.store_people import note
from pipelines.store_signoff import journal, pack_folder, read_rows
from pipelines.working_days import cut_off, newest_closed, working_day


@pytest.fixture
def month(store: Store) -> Store:
    """The month, drawn and frozen."""
    write_month(store)
    freeze_month(store, PERIOD, NOW)
    return store


def records_of(store: Store) -> list[Record]:
    with store.reading() as connection:
        return journal(connection)


def rows_of(store: Store, version: int = 1) -> pd.DataFrame:
    with store.reading() as connection:
        return read_rows(connection, PERIOD, version)


def run_sql(store: Store, statement: str, **values: object) -> None:
    with store.writing() as connection:
        assert connection.execute(text(statement), values).rowcount == 1


def found(store: Store, **more: object) -> list[tuple[str, str]]:
    breaches = verify(store, **more)
    return list(zip(breaches["part"], breaches["place"], strict=True))


# Working days


@pytest.mark.parametrize(
    ("year", "month", "third"),
    [
        (2026, 11, "2026-11-04"),  # begins on a Sunday
        (2026, 4, "2026-04-07"),  # Good Friday on the 3rd, Easter Monday on the 6th
        (2026, 1, "2026-01-06"),  # New Year's Day and a weekend
        (2027, 1, "2027-01-06"),
        (2026, 9, "2026-09-03"),
        (2022, 1, "2022-01-06"),  # the substitute day of New Year's on Monday the 3rd
        (2027, 5, "2027-05-06"),  # begins on a Saturday, bank holiday on Monday the 3rd
    ],
)
def test_the_third_working_day_in_england(year: int, month: int, third: str) -> None:
    assert working_day(year, month, 3).isoformat() == third


@pytest.mark.parametrize(
    ("day", "period"), [("2026-11-03", "2026-09"), ("2026-11-04", "2026-10"), ("2027-01-05", "2026-11")]
)
def test_a_month_is_closed_from_its_cut_off_on(day: str, period: str) -> None:
    assert newest_closed(date.fromisoformat(day), 3) == period


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "october", "2026-00", "26-10"])
def test_what_is_no_month_is_two_lines(period: str) -> None:
    with pytest.raises(ConfigurationError, match="no month"):
        cut_off(period, 3)


# Freezing


def test_a_month_is_frozen_once_and_running_it_again_changes_nothing(month: Store) -> None:
    before = rows_of(month)
    record, is_new = freeze_month(month, PERIOD, NOW + timedelta(days=9))
    assert not is_new and record.facts["version"] == 1 and len(records_of(month)) == 1
    pd.testing.assert_frame_equal(rows_of(month), before)
    assert periods(month).loc[0, ["period", "stands", "night"]].tolist() == [PERIOD, "to be signed", "2026-11-04"]


def test_it_is_refused_the_day_before_its_cut_off(store: Store) -> None:
    write_month(store)
    with pytest.raises(ConfigurationError, match="closed on 2026-11-04"):
        freeze_month(store, PERIOD, NOW - timedelta(days=1))
    assert not records_of(store) and not (store.settings.data_dir / "receipts").exists()


def test_a_month_without_a_night_is_refused(store: Store) -> None:
    write_month(store)
    with pytest.raises(ConfigurationError, match="No night of 2026-12 or after it"):
        freeze_month(store, "2026-12", datetime(2027, 1, 8, 8, tzinfo=NOW.tzinfo))


def test_a_night_after_the_cut_off_does_not_change_the_month(month: Store) -> None:
    write_night(month, CUT_OFF + timedelta(days=1), met=2, plans=4, v=50.0)
    assert not freeze_month(month, PERIOD, NOW + timedelta(days=2))[1]


def test_frozen_rows_name_no_record_and_no_whereabouts_of_a_restricted_child(month: Store) -> None:
    content = "\n".join(rows_of(month)["content"])
    assert '"child_id":"C3"' in content and "Hill School" in content
    for hidden in ("Secret Hall", "100003", '"S3"', "synergy_id", "synergy plans", "decision due", "WH04"):
        assert hidden not in content
    parts = part_frames(rows_of(month))
    of_c3 = parts["kpi_members"].set_index("child_id").loc["C3"]
    assert of_c3["counted"] == "K01", "the cohort tells where the child is"


def test_what_moved_adds_up_and_says_why(month: Store) -> None:
    moves = part_frames(rows_of(month))["moves"].set_index(["code", "part"])
    whole = moves.loc[("K01", "denominator"), ["opening", "joined", "came", "left", "went", "closing"]].tolist()
    assert whole == [3, 1, 0, 0, 0, 4]
    assert moves.loc[("K01", "numerator"), ["opening", "joined", "came", "left", "went", "closing"]].tolist() == [
        3,
        1,
        0,
        0,
        1,
        3,
    ]
    moved = part_frames(rows_of(month))["moved"].set_index("child_id")
    assert moved.loc["C2", "went"] == "K01 numerator" and moved.loc["C4", "came"] == "K01 denominator; K01 numerator"


def test_why_it_moved_adds_up_to_what_moved(month: Store) -> None:
    parts = part_frames(rows_of(month))
    by_line = parts["causes"].groupby(["code", "line", "part"])[["came", "went"]].sum()
    moves = parts["moves"].set_index(["code", "line", "part"])
    moved = pd.DataFrame({"came": moves["joined"] + moves["came"], "went": moves["left"] + moves["went"]})
    moved = moved[(moved != 0).any(axis=1)]
    pd.testing.assert_frame_equal(by_line, moved, check_dtype=False, check_like=True)
    assert set(parts["causes"]["cause"]) == {"joined", "time passed, or another record"}


def test_caveats_say_what_was_late_and_what_nobody_explained(month: Store) -> None:
    told = open_caveats(month, PERIOD).set_index("id")
    assert told["weight"].to_dict() == {"critical-unexplained": "block", "late-in-month": "tick"}
    assert "Capita students" in told.loc["late-in-month", "text"]
    note(month, "E1", "the school has told us", "A. Worker", NOW)
    assert "critical-unexplained" not in set(open_caveats(month, PERIOD)["id"])


def test_a_note_of_before_a_critical_exception_came_back_explains_nothing(store: Store) -> None:
    write_night(store, OPENING)
    note(store, "E1", "the school has told us", "A. Worker", NOW - timedelta(days=30))
    write_night(store, CUT_OFF, exceptions=table(EXCEPTIONS).assign(reopened_on=pd.Timestamp(CUT_OFF)))
    freeze_month(store, PERIOD, NOW)
    assert open_caveats(store, PERIOD).set_index("id").loc["critical-unexplained", "weight"] == "block"
    note(store, "E1", "it has come back, and we know why", "A. Worker", NOW)
    assert "critical-unexplained" not in set(open_caveats(store, PERIOD)["id"])


def test_a_source_missing_at_the_cut_off_blocks(store: Store) -> None:
    write_night(store, date(2026, 10, 30))
    write_night(store, date(2026, 11, 3), students="refused")
    freeze_month(store, PERIOD, NOW)
    told = open_caveats(store, PERIOD).set_index("id")["weight"].to_dict()
    assert told == {
        "source-missing": "block",
        "critical-unexplained": "block",
        "night-before-cut-off": "tick",
        "nothing-to-compare": "tick",
    }


def test_a_month_that_history_tells_otherwise_is_refused_and_restated(month: Store) -> None:
    write_night(month, CUT_OFF, new="Y", started="2026-10-10", met=4, plans=4, v=100.0)
    with pytest.raises(ConfigurationError, match=r"kpi_values 1 rows, kpi_members 1 rows") as caught:
        freeze_month(month, PERIOD, NOW + timedelta(days=1))
    assert "ehcp signoff restate 2026-10" in caught.value.todo
    record, told = restate(month, PERIOD, "a review was keyed late", "A. Analyst", NOW + timedelta(days=1))
    assert record.facts["version"] == 2 and record.facts["replaces"] == records_of(month)[0].hash
    figures = told[told["part"] == "kpi_values"].set_index("field")
    assert figures.loc["value", ["key", "before", "after"]].tolist() == ["K01", "75", "100"]
    assert told.loc[told["part"] == "kpi_members", ["field", "after"]].to_numpy().tolist() == [["changed", "1"]]
    assert periods(month)[["version", "stands"]].to_numpy().tolist() == [[2, "to be signed"], [1, "restated"]]
    assert journal_frame(month)["kind"].tolist() == ["frozen", "restated"]
    assert found(month) == []
    assert not freeze_month(month, PERIOD, NOW + timedelta(days=2))[1]


def test_a_restatement_of_nothing_is_refused(month: Store) -> None:
    with pytest.raises(ConfigurationError, match="Nothing differs"):
        restate(month, PERIOD, "again", "A. Analyst", NOW)
    assert len(records_of(month)) == 1 and len(list((month.settings.data_dir / "receipts").iterdir())) == 1


def test_a_child_whom_an_adoption_closes_later_is_no_difference(month: Store) -> None:
    sealed = pd.DataFrame({"source": ["synergy"], "source_id": ["S1"]})
    write_night(month, CUT_OFF + timedelta(days=1), sealed=sealed)
    assert "C1" not in set(month.register(CUT_OFF)["child_id"])
    assert not freeze_month(month, PERIOD, NOW + timedelta(days=2))[1]
    assert found(month) == []


def test_a_freeze_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_month(store)
    receipts = store.settings.data_dir / "receipts"
    receipts.parent.mkdir(exist_ok=True)
    receipts.write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="receipt"):
        freeze_month(store, PERIOD, NOW)
    receipts.unlink()
    assert not records_of(store) and rows_of(store).empty
    assert freeze_month(store, PERIOD, NOW)[1]


# Verifying


def test_what_nobody_touched_is_verified(month: Store) -> None:
    assert found(month) == [] == found(month, period=PERIOD)


@pytest.mark.parametrize(("part", "key", "kind"), [("register", "C2", "row"), ("kpi_values", "K01", "figure")])
def test_one_byte_of_a_frozen_row_is_found_and_named(month: Store, part: str, key: str, kind: str) -> None:
    row = rows_of(month).set_index(["part", "key"]).loc[(part, key)]
    changed = row["content"].replace("Mill", "Mull").replace("75.0", "76.0")
    assert changed != row["content"] and len(changed) == len(row["content"])
    run_sql(month, "UPDATE signoff_rows SET content = :new WHERE hash = :hash", new=changed, hash=row["hash"])
    assert found(month) == [(kind, f"2026-10 version 1: {part} {key}")]


def test_a_row_changed_with_its_hash_and_a_row_removed_are_found(month: Store) -> None:
    rows = rows_of(month).set_index(["part", "key"])
    row = rows.loc[("register", "C2")]
    changed = row["content"].replace("Mill", "Mull")
    new = row_hash("register", "C2", changed)
    run_sql(
        month,
        "UPDATE signoff_rows SET content = :c, hash = :new WHERE hash = :old",
        c=changed,
        new=new,
        old=row["hash"],
    )
    assert found(month) == [("row", "2026-10 version 1: register C2")]
    run_sql(month, "DELETE FROM signoff_rows WHERE hash = :old", old=rows.loc[("exceptions", "E2"), "hash"])
    assert ("row", "2026-10 version 1: exceptions") in found(month)


def test_one_byte_of_a_file_of_the_pack_is_found_and_named(month: Store) -> None:
    folder = pack_folder(month, records_of(month)[0])
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 4
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        assert ("receipt" if file.parent.name == "receipts" else "file", file.as_posix()) in found(month)
        file.write_bytes(whole)
    assert found(month) == []


def test_one_byte_of_a_record_is_found_and_named(month: Store) -> None:
    record = records_of(month)[0]
    changed = record.content.replace('"council":"Test"', '"council":"Tess"')
    run_sql(month, "UPDATE signoff_journal SET content = :c WHERE number = 1", c=changed)
    assert ("record", "record 1 (frozen, 2026-10)") in found(month)


@pytest.mark.parametrize("name", ["period", "version", "parts", "rows", "hash", "files", "frozen", "kind"])
def test_a_record_that_no_longer_says_what_a_freeze_says_is_named(month: Store, name: str) -> None:
    record = records_of(month)[0]
    changed = record.content.replace(f'"{name}":', f'"{name[:-1]}_":', 1)
    assert changed != record.content
    run_sql(month, "UPDATE signoff_journal SET content = :c WHERE number = 1", c=changed)
    places = verify(month)["place"]
    assert places.str.startswith("record 1").any()


def test_a_month_that_was_taken_away_whole_is_told_by_its_rows_and_its_pack(month: Store) -> None:
    folder = pack_folder(month, records_of(month)[0])
    run_sql(month, "DELETE FROM signoff_journal WHERE number = 1")
    for receipt in month.settings.data_dir.rglob("receipts/*.json"):
        receipt.unlink()
    assert found(month) == [("row", "2026-10 version 1"), ("file", folder.as_posix())] == found(month, period=PERIOD)
    with month.writing() as connection:
        connection.execute(text("DELETE FROM signoff_rows"))
    assert found(month) == [("file", folder.as_posix())]


@pytest.mark.parametrize(("period", "what"), [("2026-09", "not frozen"), ("october", "no month")])
def test_a_month_that_was_never_frozen_is_not_said_to_be_unchanged(month: Store, period: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        verify(month, period)


def rewrite_everything(store: Store, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """What a database administrator can do: change rows, and work out every hash of rows, parts and journal anew."""
    rows = rows_of(store)
    rows["content"] = change(rows)["content"]
    new = [row_hash(*row) for row in zip(rows["part"], rows["key"], rows["content"], strict=True)]
    for old, row in zip(rows["hash"], rows.assign(new=new).itertuples(), strict=True):
        run_sql(store, "UPDATE signoff_rows SET content=:c, hash=:n WHERE hash=:o", c=row.content, n=row.new, o=old)
    parts = part_hashes(rows.assign(hash=new))
    records: list[Record] = []
    for record in records_of(store):
        facts = {name: value for name, value in record.facts.items() if name not in ("number", "previous")}
        if facts["kind"] == "frozen":
            facts |= {"parts": parts, "frozen": frozen_hash(parts)}
        records.append(next_record(records, facts["kind"], datetime.fromisoformat(facts["at"]), facts))
        body = json.loads(records[-1].content)
        run_sql(
            store,
            "UPDATE signoff_journal SET content=:c, hash=:h WHERE number=:n",
            c=canonical(body),
            h=records[-1].hash,
            n=record.number,
        )


def test_rewriting_rows_and_recomputing_the_whole_chain_is_found_by_the_receipts(month: Store) -> None:
    rewrite_everything(month, lambda rows: rows.assign(content=rows["content"].str.replace("75.0", "99.0")))
    places = found(month)
    assert ("record", "record 1 (frozen, 2026-10)") in places, "the receipt says otherwise"
    assert ("figure", "2026-10 version 1: kpi_values K01") in places, "the pack's list of hashes names the row"


def test_a_receipt_kept_by_somebody_else_tells_when_the_ones_here_were_rewritten_too(
    month: Store, tmp_path: Path
) -> None:
    folder = month.settings.data_dir / "receipts"
    [receipt] = folder.iterdir()
    kept = tmp_path / "from-the-mailbox"
    kept.mkdir()
    (kept / receipt.name).write_bytes(receipt.read_bytes())
    rewrite_everything(month, lambda rows: rows.assign(content=rows["content"].str.replace("75.0", "99.0")))
    [record] = records_of(month)
    for place in (folder, pack_folder(month, record) / "receipts"):
        (place / receipt_name(record)).write_text(receipt_text(record), encoding="utf-8")
    assert ("record", "record 1 (frozen, 2026-10)") not in found(month)
    assert ("record", "record 1 (frozen, 2026-10)") in found(month, receipts=[kept])
    with pytest.raises(ConfigurationError, match="no receipts"):
        verify(month, receipts=[tmp_path / "nowhere"])


def test_a_receipt_that_is_gone_changed_or_of_a_record_that_was_removed_is_found(month: Store) -> None:
    [receipt] = (month.settings.data_dir / "receipts").iterdir()
    whole = receipt.read_text(encoding="utf-8")
    receipt.write_text(whole.replace('"C', '"D').replace("Test", "Tess"), encoding="utf-8")
    assert [part for part, _ in found(month)] == ["receipt"]
    receipt.unlink()
    assert found(month) == [("receipt", receipt.as_posix())]
    receipt.write_text(whole, encoding="utf-8")
    folder = pack_folder(month, records_of(month)[0])
    run_sql(month, "DELETE FROM signoff_journal WHERE number = 1")
    assert found(month) == [
        ("record", "record 1 (frozen, 2026-10)"),  # the receipt in the data directory
        ("record", "record 1 (frozen, 2026-10)"),  # its copy beside the pack
        ("row", "2026-10 version 1"),
        ("file", folder.as_posix()),
    ]


def test_a_second_folder_holds_the_same_receipts(store: Store, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    second = (tmp_path / "second").as_posix()
    (config / "signoff.yml").write_text(f'receipts_folder: "{second}"\n', encoding="utf-8")
    store.settings = store.settings.model_copy(update={"config_dir": config})
    write_month(store)
    freeze_month(store, PERIOD, NOW)
    first = {path.name: path.read_bytes() for path in (store.settings.data_dir / "receipts").iterdir()}
    assert first == {path.name: path.read_bytes() for path in Path(second).iterdir()}
    assert len(first) == 1 and found(store) == []


def test_a_pack_that_is_gone_is_made_again_as_it_was(month: Store) -> None:
    folder = pack_folder(month, records_of(month)[0])
    before = {path: digest(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    assert len(before) == 4
    for path in before:
        path.unlink()
    assert {place for _, place in found(month)} == {path.as_posix() for path in before}
    freeze_month(month, PERIOD, NOW + timedelta(days=3))
    assert {path: digest(path.read_bytes()) for path in folder.rglob("*") if path.is_file()} == before
    assert found(month) == []


def test_the_drawn_month_is_what_it_says(store: Store) -> None:
    write_month(store)
    assert store.exceptions(CUT_OFF)["exception_id"].tolist() == table(EXCEPTIONS)["exception_id"].tolist()
