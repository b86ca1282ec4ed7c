"""exceptions.xlsx, read back: it adds up, dates are dates, ids are text, nothing runs, and it explains itself."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook
from test_outputs_frames import NASTY, SECRET_DETAIL, about, exceptions, register

from outputs.exceptions_workbook import COLUMNS
from outputs.looks import SEVERITY_COLOURS
from outputs.sheets import safe_sheet_name
from outputs.wording import SEVERITIES
from outputs.workbooks import write_exceptions

TITLES = [column.title for column in COLUMNS]


def written(folder: Path, frame: pd.DataFrame, row_limit: int = 1_048_576) -> Workbook:
    path = folder / "exceptions.xlsx"
    write_exceptions(path, frame, about(), register(), row_limit=row_limit)
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return exceptions(400)


@pytest.fixture(scope="module")
def book(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    return written(tmp_path_factory.mktemp("book"), frame)


def table(book: Workbook, name: str) -> pd.DataFrame:
    rows = list(book[name].values)
    return pd.DataFrame(rows[1:], columns=list(rows[0]))


def words(book: Workbook, name: str) -> str:
    return "\n".join(str(value) for row in book[name].values for value in row if value is not None)


def test_sheets_stand_in_the_order_of_a_morning(book: Workbook, frame: pd.DataFrame) -> None:
    owners = sorted(frame.loc[frame["status"] != "resolved", "owner"].unique(), key=str.casefold)
    assert book.sheetnames == ["Read me first", "Summary", "All exceptions", *owners, "Resolved", "_run"]
    assert book["_run"].sheet_state == "hidden"


def test_the_cover_explains_itself(book: Workbook, frame: pd.DataFrame) -> None:
    cover = words(book, "Read me first")
    for text in (
        "Northmere Council (invented)",
        "night of 28 October 2026",
        "2026-10-28-a1b2c3",
        "visits: no file for this night",
    ):
        assert text in cover
    assert "the copy of 27 October 2026 is used" in cover
    for column in COLUMNS:
        assert column.is_hidden or (column.title in cover and column.about in cover)
    assert f"{(frame['status'] != 'resolved').sum()} exceptions tonight" in cover


def test_no_line_of_the_cover_or_the_summary_lies_over_the_next(tmp_path: Path) -> None:
    counts = dict.fromkeys(["new", "backlog", "reopened", "resolved", "newly_overdue", "overdue", "open", "accepted", "not_evaluated", "to_shadow", "relinked"], 1)  # fmt: skip
    volume = pd.DataFrame([{"severity": name, "owner": "Data team", **counts} for name in SEVERITIES])
    path = tmp_path / "exceptions.xlsx"
    write_exceptions(path, exceptions(400), about(), register(), volume=volume)
    book = openpyxl.load_workbook(path)
    wrapped = 0
    for name in ("Read me first", "Summary"):
        sheet = book[name]
        joined = {place for area in sheet.merged_cells.ranges for row in area.rows for place in row}
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)):
            if cell.alignment.wrap_text and (cell.row, cell.column) not in joined:
                lines = math.ceil(len(cell.value) / (1.2 * sheet.column_dimensions[cell.column_letter].width))
                tall = sheet.row_dimensions[cell.row].height or 15
                assert tall >= 12 * lines, cell.value
                wrapped += lines > 1
    assert wrapped >= 2, "nothing here needed a second line"


def test_all_exceptions_are_there_once_and_again_with_their_owner(book: Workbook, frame: pd.DataFrame) -> None:
    standing = frame[frame["status"] != "resolved"]
    whole = table(book, "All exceptions")
    assert list(whole.columns) == TITLES
    assert sorted(whole["Key"]) == sorted(standing["exception_id"])
    for owner, own in standing.groupby("owner"):
        sheet = table(book, str(owner))
        assert sorted(sheet["Key"]) == sorted(own["exception_id"]) and set(sheet["Owner"]) == {owner}
    assert len(table(book, "Resolved")) == (frame["status"] == "resolved").sum()


def test_the_three_summaries_add_up_to_the_same_total(book: Workbook, frame: pd.DataFrame) -> None:
    total = int((frame["status"] != "resolved").sum())
    rows = [list(row) for row in book["Summary"].values]
    totals = [row for row in rows if "Total" in row]
    assert len(totals) == 3 and {row[7] for row in totals} == {total}
    start = 0
    for row in totals:
        end = rows.index(row, start)
        head = max(place for place in range(end) if rows[place][3] == "Critical")
        for column in range(3, 10):
            assert sum(line[column] or 0 for line in rows[head + 1 : end]) == row[column]
        start = end + 1


def test_the_most_serious_come_first_with_colour_and_with_text(book: Workbook) -> None:
    sheet = book["All exceptions"]
    column = TITLES.index("Severity") + 1
    shown = [sheet.cell(row, column).value for row in range(2, sheet.max_row + 1)]
    order = ["Critical", "High", "Medium", "Info"]
    assert shown == sorted(shown, key=order.index)
    for severity, (fill, ink) in SEVERITY_COLOURS.items():
        cell = sheet.cell(shown.index(severity.capitalize()) + 2, column)
        assert cell.fill.start_color.rgb.endswith(fill) and cell.font.color.rgb.endswith(ink)


def test_dates_are_dates_ids_are_text_and_numbers_are_numbers(book: Workbook, frame: pd.DataFrame) -> None:
    sheet = book["All exceptions"]
    cell = {title: sheet.cell(2, place) for place, title in enumerate(TITLES, 1)}
    assert isinstance(cell["First found"].value, datetime) and cell["First found"].number_format == "dd/mm/yyyy"
    assert isinstance(cell["Days open"].value, int)
    for title in ("Child", "Key", "Rule", "Row"):
        assert cell[title].data_type == "s" and cell[title].number_format == "@"
    by_key = table(book, "All exceptions").set_index("Key")["First found"]
    wanted = frame[frame["status"] != "resolved"].set_index("exception_id")["first_seen_on"]
    assert (pd.to_datetime(by_key) == wanted.reindex(by_key.index)).all()


def test_it_can_be_worked_in_filtered_and_printed(book: Workbook) -> None:
    sheet = book["All exceptions"]
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref == f"A1:AC{sheet.max_row}"
    assert sheet.column_dimensions["A"].hidden and not sheet.column_dimensions["B"].hidden
    assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.fitToWidth == 1
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows == "$1:$1"
    assert "night of 28 October 2026" in sheet.oddFooter.left.text


def test_nasty_text_is_as_it_was_and_never_runs(book: Workbook, frame: pd.DataFrame) -> None:
    sheet = book["All exceptions"]
    column = TITLES.index("What was found") + 1
    found = {sheet.cell(row, 1).value: sheet.cell(row, column) for row in range(2, sheet.max_row + 1)}
    open_ones = frame[(frame["status"] != "resolved") & frame["detail"].isin(NASTY)]
    seen = 0
    for key, text in zip(open_ones["exception_id"], open_ones["detail"], strict=True):
        cell = found[key]
        assert cell.data_type == "s"
        if text in NASTY:
            seen += 1
            clean = text.replace("\x07", "").replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
            assert cell.value == clean or cell.value.endswith("[cut here: the record holds 40,000 characters]")
            assert bool(cell.quotePrefix) == (clean[0] in "=+-@\t\n")
    assert seen >= 8


def test_no_cell_of_any_sheet_is_a_formula(book: Workbook) -> None:
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type in ("f", "e")]


def test_restricted_children_are_masked_here_as_well(book: Workbook) -> None:
    assert not [value for sheet in book for row in sheet.values for value in row if SECRET_DETAIL in str(value)]


def test_links_lead_to_sheets_that_are_there(book: Workbook) -> None:
    targets = [
        cell.hyperlink.location
        for name in ("Read me first", "Summary")
        for row in book[name].iter_rows()
        for cell in row
        if cell.hyperlink
    ]
    assert len(targets) >= 8
    assert {target.rsplit("!", 1)[0].strip("'") for target in targets} <= set(book.sheetnames)


def test_the_hidden_sheet_says_what_a_file_handed_back_was(book: Workbook) -> None:
    facts = dict(book["_run"].iter_rows(min_col=1, max_col=2, values_only=True))
    assert facts["run_id"] == "2026-10-28-a1b2c3" and facts["as_of"] == "2026-10-28" and facts["kind"] == "exceptions"
    assert facts["column:exception_id"] == "Key"


def test_owners_of_any_name_get_a_sheet_each(tmp_path: Path) -> None:
    names = [
        "A/B: [team]?*",
        "a/b: [TEAM]",
        "'quoted'",
        "Summary",
        "History",
        "x" * 60,
        "x" * 61,
        "👩‍👧" * 20,
        "",
        None,
    ]
    frame = exceptions(60)
    frame["owner"] = pd.Series([names[place % len(names)] for place in range(60)])
    frame["status"] = "open"
    book = written(tmp_path, frame)
    assert len(book.sheetnames) == len({name.casefold() for name in book.sheetnames})
    assert all(0 < len(name) <= 31 for name in book.sheetnames)
    owned = [name for name in book.sheetnames if name not in ("Read me first", "Summary", "All exceptions", "_run")]
    assert sum(len(table(book, name)) for name in owned) == 60
    assert "No owner" in book.sheetnames


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SEN casework", "SEN casework"),
        ("SEN/health: [north]", "SEN health north"),
        ("'quoted'", "quoted"),
        ("", "Sheet"),
        ("???", "Sheet"),
        ("History", "History list"),
        ("x" * 40, "x" * 31),
    ],
)
def test_sheet_names_are_safe(text: str, name: str) -> None:
    taken: set[str] = set()
    assert safe_sheet_name(text, taken) == name
    assert safe_sheet_name(text, taken) != name, "the second of a name gets a number"


def test_more_rows_than_a_sheet_holds_go_on_in_the_next_with_a_note(tmp_path: Path) -> None:
    frame = exceptions(100)
    frame["status"] = "open"
    book = written(tmp_path, frame, row_limit=40)
    parts = [name for name in book.sheetnames if name.startswith("All exceptions")]
    assert parts == ["All exceptions", "All exceptions part 2", "All exceptions part 3"]
    assert all(book[name].max_row <= 40 for name in book.sheetnames if name not in ("Read me first", "Summary", "_run"))
    note = "This list goes on in the next sheet: part 2 of 3."
    assert book["All exceptions"].cell(40, 2).value == note
    keys = [key for name in parts for key in table(book, name)["Key"] if str(key).startswith("x0")]
    assert sorted(keys) == sorted(frame["exception_id"])


@pytest.mark.parametrize("rows", [0, 1])
def test_a_quiet_night_still_gives_a_workbook(tmp_path: Path, rows: int) -> None:
    book = written(tmp_path, exceptions(5).head(rows).assign(status="open"))
    assert f"{rows} exception" in words(book, "Read me first")
    assert table(book, "All exceptions").shape[0] == rows


def test_with_every_source_received_the_cover_says_so(tmp_path: Path) -> None:
    write_exceptions(tmp_path / "x.xlsx", exceptions(20), about(received=True), register())
    cover = words(openpyxl.load_workbook(tmp_path / "x.xlsx"), "Read me first")
    assert "Every source that was expected for this night was received and accepted." in cover
