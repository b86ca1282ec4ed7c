"""Source health pages and the files for business intelligence."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from test_outputs_frames import (
    NASTY,
    SECRET_DETAIL,
    SECRET_SETTING,
    about,
    exceptions,
    feeds,
    health,
    kpis,
    register,
)

from outputs.about import not_received, system_title
from outputs.extracts import TABLES, data_dictionary, shaped, write_extracts
from outputs.health import write_health
from outputs.wording import counted, line_title, percent, plain_detail, short_date, uk_date, whole

ASIDE = pd.DataFrame(
    {
        "system": ["synergy", "synergy", "capita"],
        "file": ["/srv/drop/pupils.csv", "C:\\drop\\pupils.csv", "students.csv"],
        "line": pd.array([7, 9, 7], dtype="Int64"),
        "row_id": [None, "12", None],
        "column": ["source_id", "born_on", "source_id"],
        "reason": ["no key: pupil id blank", "unparseable date", "no key"],
        "raw": ["Smith,Jane,01/02/2012", "Smith,Jane,2012", "SMITH"],
    }
)
CODES = pd.DataFrame(
    {"system": "synergy", "table": "placements", "column": "setting_code", "value": ["X", "X", "Y"], "line": [4, 3, 9]}
)
COLUMNS = pd.DataFrame({"system": ["synergy"], "feed": ["pupils"], "column": ["Shoe size"]})


def health_page(folder: Path, system: str) -> str:
    path = write_health(folder, system, feeds(), health(), ASIDE, CODES, COLUMNS, about())
    assert path == folder / f"health-{system}.html"
    return path.read_text(encoding="utf-8")


def test_a_health_page_is_about_its_system_alone_and_fetches_nothing(tmp_path: Path) -> None:
    page = health_page(tmp_path, "synergy")
    assert "Synergy: source health" in page and "ehc_plans.csv" in page and "students" not in page
    assert "http" not in page and "<script" not in page and "<link" not in page
    assert "All 2 feeds arrived and were accepted." in page


def test_rows_set_aside_are_told_by_file_line_and_reason_and_never_by_their_text(tmp_path: Path) -> None:
    page = health_page(tmp_path, "synergy")
    assert "no key: pupil id blank" in page and "unparseable date" in page and ">9<" in page
    assert "Smith" not in page and "/srv/drop" not in page and "C:\\drop" not in page


def test_expectations_not_met_stand_with_what_was_found_and_wanted(tmp_path: Path) -> None:
    page = health_page(tmp_path, "capita")
    assert "1 of 1 feed not accepted." in page and "20% fewer rows than the last accepted" in page
    assert "Not as expected: 1" in page and "5,100 to 6,900" in page and "nothing is published" in page
    assert "1 expectation that must hold before anything is published does not." in page
    assert "−20.0%" in page and "copy of 26 Oct 2026 used" not in page, "what stands in is said where it is known"


def test_unknown_codes_and_new_headings_are_counted(tmp_path: Path) -> None:
    page = health_page(tmp_path, "synergy")
    assert '<td>X</td><td class="n">2</td><td class="n">3</td>' in page and "Shoe size" in page


def test_rows_that_a_profile_leaves_out_are_accounted_for(tmp_path: Path) -> None:
    night = feeds().assign(left_out=pd.array([0, 12, None, 0], dtype="Int64"))
    page = write_health(tmp_path, "synergy", night, None, None, None, None, about()).read_text(encoding="utf-8")
    assert "Left out" in page and '<td class="n">12</td>' in page and "+ left out" in page
    assert "Left out" not in health_page(tmp_path, "synergy")


def test_expectations_are_told_by_their_title_and_codes_by_their_feed(tmp_path: Path) -> None:
    results = health().assign(title=lambda frame: "In words: " + frame["expectation"], expectation="code")
    codes = CODES.drop(columns=["table", "line"]).assign(feed="placements")
    page = write_health(tmp_path, "synergy", feeds(), results, None, codes, None, about()).read_text(encoding="utf-8")
    assert "In words: Every pupil has a date of birth" in page and ">code<" not in page
    assert '<th scope="row">placements</th><td>setting_code</td><td>X</td><td class="n">2</td>' in page


def test_a_system_without_anything_has_a_page(tmp_path: Path) -> None:
    path = write_health(tmp_path, "reference", feeds(), None, None, None, None, about())
    page = path.read_text(encoding="utf-8")
    assert "National reference data: source health" in page and "No feed of this system is expected." in page


def test_what_was_not_received_comes_from_the_feeds() -> None:
    missing = not_received(feeds())
    assert [(one.title, one.old_copy_of) for one in missing] == [
        ("Liquidlogic: visits", date(2026, 10, 27)),
        ("Capita: students", date(2026, 10, 26)),
    ]
    assert missing[0].reason == "no file for this night"
    assert [one.old_copy_of for one in not_received(feeds().drop(columns="old_copy_of"))] == [None, None]
    assert system_title("mosaic") == "Mosaic"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bi")
    paths = write_extracts(folder, register(), exceptions(), kpis(), about())
    assert all(path.exists() for path in paths) and len(paths) == 7
    return folder


@pytest.mark.parametrize("table", list(TABLES))
def test_columns_and_types_are_those_declared(folder: Path, table: str) -> None:
    frame = pd.read_parquet(folder / f"{table}.parquet")
    assert list(frame.columns) == list(TABLES[table])
    assert frame.dtypes.astype(str).equals(shaped(table, frame, about()).dtypes.astype(str))
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(TABLES[table]) and len(rows) == len(frame) + 1


def test_types_do_not_depend_on_what_a_night_holds(tmp_path: Path) -> None:
    write_extracts(tmp_path, register().head(0), exceptions().head(0), kpis().head(0), about())
    for table in TABLES:
        empty = pd.read_parquet(tmp_path / f"{table}.parquet")
        full = shaped(table, {"register": register(), "exceptions": exceptions(), "kpis": kpis()}[table], about())
        assert empty.dtypes.astype(str).equals(full.dtypes.astype(str)) and len(empty) == 0


def test_csv_begins_with_a_byte_order_mark_and_runs_nothing(folder: Path) -> None:
    assert (folder / "exceptions.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (folder / "exceptions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert '\'=cmd|"/c calc"!A1' in [cell for row in rows for cell in row]


def test_parquet_holds_text_as_it_is_and_ids_as_text(folder: Path) -> None:
    frame = pd.read_parquet(folder / "exceptions.parquet")
    assert NASTY[0] in frame["detail"].tolist()
    children = pd.read_parquet(folder / "register.parquet")
    assert children["capita_id"].str.startswith("00").all()
    assert children["is_restricted"].sum() == register()["is_restricted"].sum()


def test_nothing_says_where_a_restricted_child_is(folder: Path) -> None:
    for path in folder.iterdir():
        content = path.read_bytes()
        assert SECRET_SETTING.encode() not in content and SECRET_DETAIL.encode() not in content, path.name
    for name in ("register", "exceptions"):
        text = pd.read_parquet(folder / f"{name}.parquet").to_csv()
        assert SECRET_SETTING not in text and SECRET_DETAIL not in text


def test_the_dictionary_explains_every_column() -> None:
    words = data_dictionary()
    assert len(words) == sum(len(columns) for columns in TABLES.values())
    assert words["meaning"].str.len().gt(3).all()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(pd.Timestamp("2026-10-27"), "27 October 2026"), (date(2026, 1, 2), "2 January 2026"), (None, ""), (pd.NaT, "")],
)
def test_dates_are_written_as_people_here_write_them(value: object, shown: str) -> None:
    assert uk_date(value) == shown
    assert short_date(value) == (" ".join((shown.split()[0], shown.split()[1][:3], shown.split()[2])) if shown else "")


@pytest.mark.parametrize(
    ("value", "is_exact", "shown"),
    [
        (100.0, True, "100%"),
        (100.0, False, "100.0%"),
        (0.0, False, "0.0%"),
        (0.0, True, "0%"),
        (79.45, True, "79.5%"),
        (None, True, "–"),
        (float("nan"), True, "–"),
    ],
)
def test_all_and_nothing_are_told_from_what_rounds_to_them(value: float | None, is_exact: bool, shown: str) -> None:
    assert percent(value, is_exact) == shown


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("due 2026-05-11", "due 11/05/2026"),
        ("looked_after: last seen 2026-08-21", "Looked after: last seen 21/08/2026"),
        ("residential since 2025-06-16", "Residential school or college since 16/06/2025"),
        ("the folder in/night-2026-05-11/capita is empty", "the folder in/night-2026-05-11/capita is empty"),
        ("the residential flag of 12026-05-11", "the residential flag of 12026-05-11"),
        (None, None),
    ],
)
def test_what_was_found_is_told_in_words_and_dates_of_here(detail: str | None, shown: str | None) -> None:
    told = plain_detail(pd.Series([detail], dtype="str")).tolist()[0]
    assert told == shown or (shown is None and pd.isna(told))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("", ""),
        (None, ""),
        ("out_of_authority: never_seen", "Placed out of authority: never seen, though due"),
        ("synergy: rows accepted", "Synergy: rows accepted"),
        ("age_5_to_10", "Age 5 to 10"),
    ],
)
def test_parts_of_figures_have_words(line: str | None, shown: str) -> None:
    assert line_title(line) == shown


def test_numbers_in_words() -> None:
    assert (whole(1234), whole(pd.NA)) == ("1,234", "–")
    assert (counted(1, "child", "children"), counted(1200, "child", "children")) == ("1 child", "1,200 children")
