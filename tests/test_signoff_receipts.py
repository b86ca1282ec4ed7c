"""Receipts beside the pack of a month, and files there that do not belong to it: held against the database and the other receipts."""

from __future__ import annotations

import shutil

import pytest
from signoff_drawn import NOW, PERIOD, write_month
from sqlalchemy import text
from test_signoff import found, records_of, run_sql

from config.errors import StoreError
from pipelines.chain import next_record, receipt_name, receipt_text
from pipelines.signing import Decision, Proof, decide, enrol
from pipelines.signoff import freeze_month
from pipelines.signoff_state import open_caveats
from pipelines.store import Store
from pipelines.store_people import note
from pipelines.store_signoff import pack_folder


@pytest.fixture
def month(store: Store) -> Store:
    """The month, drawn and frozen."""
    write_month(store)
    freeze_month(store, PERIOD, NOW)
    return store


def test_a_record_that_is_gone_with_its_receipt_is_told_by_the_copy_beside_the_pack(month: Store) -> None:
    """As after a rewrite by somebody who holds the database and the receipts of the data directory."""
    enrol(month, "Ada Marsh", "Director", "ada@council.example", "correct horse battery", "operator", NOW)
    told = open_caveats(month, PERIOD)["id"].tolist()
    note(month, "E1", "the school has told us", "A. Worker", NOW)
    decision = Decision("signed", "Ada Marsh", "Director", "", tuple(set(told) - {"critical-unexplained"}))
    record = decide(month, PERIOD, decision, Proof(passphrase="correct horse battery"), NOW)
    here, copy = (
        folder / "receipts" / receipt_name(record) for folder in (month.settings.data_dir, pack_folder(month, record))
    )
    assert here.read_bytes() == copy.read_bytes() == receipt_text(record).encode() and found(month) == []
    copy.rename(copy.with_suffix(".kept"))
    assert ("receipt", copy.as_posix()) in found(month), "the data directory still holds it"
    copy.with_suffix(".kept").rename(copy)
    here.unlink()
    assert found(month) == [("receipt", here.as_posix())], "the pack still holds it"
    run_sql(month, "DELETE FROM signoff_journal WHERE number = :n", n=record.number)
    assert found(month) == [("record", record.title)] == found(month, period=PERIOD)


def test_a_month_that_was_taken_away_is_not_frozen_again_over_its_receipts(month: Store) -> None:
    [receipt] = (month.settings.data_dir / "receipts").iterdir()
    receipt.unlink()
    for name in ("signoff_journal", "signoff_rows"):
        with month.writing() as connection:
            connection.execute(text(f"DELETE FROM {name}"))
    with pytest.raises(StoreError, match="nothing was frozen over it") as caught:
        freeze_month(month, PERIOD, NOW)
    assert "ehcp signoff verify" in caught.value.todo
    assert ("record", "record 1 (frozen, 2026-10)") in found(month)


def test_a_month_frozen_when_packs_held_no_receipts_is_verified_and_its_later_records_are_copied(month: Store) -> None:
    [record] = records_of(month)
    facts = {key: value for key, value in record.facts.items() if key not in ("has_receipts_in_pack", "previous")}
    old = next_record([], record.facts["kind"], NOW, facts)
    run_sql(month, "UPDATE signoff_journal SET content = :c, hash = :h", c=old.content, h=old.hash)
    [receipt] = (month.settings.data_dir / "receipts").iterdir()
    receipt.write_text(receipt_text(old), encoding="utf-8")
    beside = pack_folder(month, old) / "receipts"
    shutil.rmtree(beside)
    assert found(month) == []
    enrol(month, "Ada Marsh", "Director", "ada@council.example", "correct horse battery", "operator", NOW)
    no = Decision("declined", "Ada Marsh", "Director", "not yet")
    declined = decide(month, PERIOD, no, Proof(passphrase="correct horse battery"), NOW)
    assert [path.name for path in beside.iterdir()] == [receipt_name(declined)] and found(month) == []


def test_a_file_that_was_added_to_a_pack_is_named(month: Store) -> None:
    folder = pack_folder(month, records_of(month)[0])
    added = [folder / "note.pdf", folder / "receipts" / "note.docx", folder / "more" / "pack-2026-10.pdf"]
    for path in added:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"added")
    assert found(month) == [("file", path.as_posix()) for path in sorted([*added, folder / "more"])]
    for path in added:
        path.unlink()
    (folder / "more").rmdir()
    (folder / "~$pack-2026-10.xlsx").write_bytes(b"somebody has it open")
    assert found(month) == []
    (folder / "receipts" / "000009-signed-2026-10.json").write_text("{}", encoding="utf-8")
    assert [part for part, _ in found(month)] == ["receipt"]
