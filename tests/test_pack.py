"""The pack of a frozen month: the same bytes on both databases, nothing in it that may not leave, and everything a director needs."""

from __future__ import annotations

import re
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from pypdf import PdfReader
from signoff_drawn import CUT_OFF, MIDDLE, NOW, OPENING, PERIOD, write_month, write_night
from store_drawn import settings_in, throw_away_database

from outputs import pack_frames as frames
from pipelines.caveats import feeds_in_words
from pipelines.freezing import part_frames
from pipelines.signoff import freeze_month, restate
from pipelines.store import Store
from pipelines.store_people import accept, note
from pipelines.store_signoff import pack_folder, read_rows


def frozen_in(folder: Path, url: str | None = None, later: int = 0) -> dict[str, bytes]:
    """The files of the pack of the drawn month."""
    store = Store(settings_in(folder, url))
    write_month(store)
    record, _ = freeze_month(store, PERIOD, NOW + timedelta(minutes=later))
    store.engine.dispose()
    folder = pack_folder(store, record)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def cells_of(book: bytes) -> str:
    sheets = load_workbook(BytesIO(book)).worksheets
    return "\n".join(str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row if cell)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return frozen_in(tmp_path_factory.mktemp("pack"))


@pytest.mark.postgres
def test_the_same_month_gives_the_same_bytes_on_both_databases(pack: dict[str, bytes], tmp_path: Path) -> None:
    try:
        with throw_away_database() as url:
            other = frozen_in(tmp_path, url)
    except sa.exc.OperationalError:
        pytest.skip("no PostgreSQL server answers; set EHCP_TEST_DATABASE_URL to test on one")
    receipt = "receipts/000001-frozen-2026-10.json"
    assert set(pack) == {"pack-2026-10.pdf", "pack-2026-10.xlsx", "row-hashes.txt", receipt}
    assert pack == other


def test_at_another_time_only_the_stamp_differs(pack: dict[str, bytes], tmp_path: Path) -> None:
    later = frozen_in(tmp_path, later=5)
    assert later["row-hashes.txt"] == pack["row-hashes.txt"]
    texts = [text_of(files["pack-2026-10.pdf"]).replace("07:35", "07:30") for files in (pack, later)]
    assert texts[0] == texts[1] and "07:30" in texts[0]
    inside = [
        {name: archive.read(name) for name in archive.namelist()}
        for archive in (zipfile.ZipFile(BytesIO(files["pack-2026-10.xlsx"])) for files in (pack, later))
    ]
    differ = {name for name in inside[0] if inside[0][name] != inside[1][name]}
    assert differ == {"docProps/core.xml", "xl/worksheets/sheet1.xml"}
    for name in differ:
        told = [re.sub(rb"07:3[05]", b"", files[name]) for files in inside]
        assert told[0] == told[1], name


def test_the_pack_says_what_a_director_needs(pack: dict[str, bytes]) -> None:
    told = " ".join(text_of(pack["pack-2026-10.pdf"]).split())
    for wanted in (
        "October 2026: the month for sign-off", "1 condition must be put right", "Plans reviewed within 12 months", "75.0%", "3 / 4", "-25.0",
        "reviewed in time / all", "opening + joined + came - left - went = closing", "C1", "Capita", "1 of 2", "critical-unexplained", "late-in-month",
        "nobody yet",
    ):  # fmt: skip
        assert wanted in told, wanted
    book = load_workbook(BytesIO(pack["pack-2026-10.xlsx"]))
    assert book.sheetnames == [
        "Read me first", "Figures", "What moved", "Children who moved", "Critical exceptions", "Accepted", "Feeds let through", "Sources",
    ]  # fmt: skip
    [_, *rows] = book["What moved"].iter_rows(values_only=True)
    assert rows[0][4:] == (3, 1, 0, 0, 0, 4, "1 joined", None)
    assert rows[1][4:] == (3, 1, 0, 0, 1, 3, "1 joined", "1 time passed, or another record")
    [_, *rows] = book["Children who moved"].iter_rows(values_only=True)
    reviewed = "K01 Plans reviewed within 12 months"
    assert rows == [
        ("C2", None, f"{reviewed} (meets it)"),
        ("C4", f"{reviewed} (is counted, meets it)", None),
    ]


def test_systems_feeds_and_parts_of_figures_are_told_in_words() -> None:
    moved = {"child_id": "C1", "came": "K06/out_of_authority: in_interval numerator", "went": "K01 denominator"}
    figures = pd.DataFrame({"code": ["K06", "K01"], "title": ["Welfare visits in date", "Plans reviewed"]})
    let = {"system": "liquidlogic", "feed": "missing_episodes", "who": "A. First", "reason": "moved", "sha256": "0"}
    parts = {"moved": pd.DataFrame([moved]), "kpi_values": figures, "feed_acceptances": pd.DataFrame([let])}
    assert frames.moved(parts).loc[0].tolist() == [
        "C1",
        "K06 Welfare visits in date: Placed out of authority: seen in time (meets it)",
        "K01 Plans reviewed (is counted)",
    ]
    assert frames.moved({}).empty
    assert frames.let_through(parts).loc[0, ["system", "feed"]].tolist() == ["Liquidlogic", "missing episodes"]
    sources = pd.DataFrame({"system": ["synergy", "liquidlogic"], "feed": ["visits", "missing_episodes"]})
    assert feeds_in_words(sources) == "Liquidlogic missing episodes; Synergy visits"


def test_a_source_that_was_late_says_when_and_why_and_names_a_copy_only_where_one_stands_in(tmp_path: Path) -> None:
    store = Store(settings_in(tmp_path))
    for night, students in ((OPENING, "accepted"), (MIDDLE, "missing"), (CUT_OFF, "refused")):
        write_night(store, night, students=students, copy=OPENING)
    record, _ = freeze_month(store, PERIOD, NOW)
    with store.reading() as connection:
        parts = part_frames(read_rows(connection, PERIOD, 1))
    told = frames.sources(parts).set_index("feed")
    columns = ["is_late", "nights_late", "last_late_on", "old_copy_of", "reason"]
    assert told.loc["students", columns].tolist() == [True, 2, pd.Timestamp(CUT_OFF), pd.Timestamp(OPENING), "no file"]
    assert told.loc["plans", ["is_late", "nights_late"]].tolist() == [False, 0]
    assert pd.isna(told.loc["plans", "old_copy_of"]) and pd.isna(told.loc["plans", "last_late_on"])
    assert "30 Sep 2026" in text_of((pack_folder(store, record) / "pack-2026-10.pdf").read_bytes())


def test_nothing_in_the_pack_says_where_a_restricted_child_is(pack: dict[str, bytes]) -> None:
    told = text_of(pack["pack-2026-10.pdf"]) + cells_of(pack["pack-2026-10.xlsx"])
    for hidden in ("Secret Hall", "100003", "S3", "Hill School", "decision due"):
        assert hidden not in told


def test_acceptances_name_both_people_and_a_restatement_shows_its_difference(tmp_path: Path) -> None:
    store = Store(settings_in(tmp_path))
    write_month(store)
    until = CUT_OFF + timedelta(days=60)
    accept(store, "E2", until, "the panel agreed", "A. First", NOW - timedelta(days=1))
    accept(store, "E2", until, "seen", "B. Second", NOW - timedelta(days=1))
    accept(store, "E3", until, "at Secret Hall until Easter", "A. First", NOW - timedelta(days=1))
    note(store, "E1", "known", "A. First", NOW)
    freeze_month(store, PERIOD, NOW)
    from signoff_drawn import EXCEPTIONS, table

    exceptions = table(EXCEPTIONS).assign(status=["open", "accepted", "accepted"])
    write_night(store, CUT_OFF, new="Y", started="2026-10-10", met=4, plans=4, v=100.0, exceptions=exceptions)
    record, _ = restate(store, PERIOD, "keyed late", "C. Third", NOW)
    told = " ".join(text_of((pack_folder(store, record) / "pack-2026-10.pdf").read_bytes()).split())
    for wanted in (
        "What this restatement changes",
        "Restated by C. Third: keyed late",
        "75",
        "100",
        "B. Second, proposed by A. First",
        "K01 Plans reviewed within 12 months Meet it 3 4",
        "A. First, 4 Nov 2026",
        "restricted",
    ):
        assert wanted in told, wanted
    assert "Secret Hall" not in told and "1 condition" not in told
