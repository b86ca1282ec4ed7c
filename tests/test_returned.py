"""A workbook handed out comes back as it was, whatever was done to the file in between, or is refused in words."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import get_column_letter
from returns_drawn import FIELDS, at, drawn_rows, hand_out, put, read, worked

from config.errors import ReturnRefusedError
from connectors.returned import kind_of
from pipelines.handed_out import read_handed_out
from pipelines.returns import changed


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Path, str, Path]:
    path, handout = hand_out(tmp_path, tmp_path / "private")
    return path, handout, tmp_path / "private"


def edits(path: Path, private: Path) -> list[tuple[str, str, str, str]]:
    """What the file says: key, field, new value, and why it is not taken."""
    returned = read(path)
    found = changed(returned, read_handed_out(private, returned.rows["handout"], path.name), FIELDS)
    return [tuple(row) for row in found[["key", "field", "new", "why"]].to_numpy().tolist()]


def through_libreoffice(path: Path, folder: Path) -> Path:
    """Opened and saved by a real LibreOffice."""
    office = shutil.which("libreoffice") or shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    folder.mkdir(exist_ok=True)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    words = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(folder),
        str(path),
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=180)
    return folder / path.name


def test_an_unedited_file_says_nothing(drawn):
    path, handout, private = drawn
    returned = read(path)
    assert (returned.kind, returned.handout, returned.who, returned.problems) == ("drawn", handout, "", [])
    assert returned.rows["key"].tolist() == ["k1", "k2", "k3", "k1", "k2"]
    assert edits(path, private) == []
    assert kind_of(path) == "drawn"


def test_saved_by_libreoffice_it_says_the_same(drawn, tmp_path):
    path, handout, private = drawn
    same = through_libreoffice(path, tmp_path / "office")
    assert edits(same, private) == [] and read(same).handout == handout
    worked(path, lambda book: [put("All", "k1", "Assign to", "Ada")(book), put("All", "k3", "Until", None)(book)])
    office = through_libreoffice(path, tmp_path / "office")
    assert edits(office, private) == edits(path, private) == [("k1", "to", "Ada", ""), ("k3", "until", "", "")]
    assert read(office).who == "Ada"


def sort_backwards(book):
    for name in ("All", "Mine"):
        rows = [[cell.value for cell in row] for row in book[name].iter_rows(min_row=2)]
        for place, row in enumerate(reversed(rows), 2):
            for column, value in enumerate(row, 1):
                book[name].cell(place, column).value = value


def move_columns(book):
    sheet = book["All"]
    columns = [[cell.value for cell in column] for column in sheet.iter_cols()]
    sheet.delete_cols(1, len(columns))
    for place, column in enumerate([columns[-1], ["own notes", "x", "y", "z"], *columns[:-1]], 1):
        for row, value in enumerate(column, 1):
            sheet.cell(row, place).value = value


def lose_the_facts(book):
    del book["_run"]
    book["All"].title = "My work"


def titles_above(book):
    book["All"].insert_rows(1, 3)
    book["All"]["A1"] = "My list"


def delete_a_column(book):
    heads = [cell.value for cell in book["All"][1]]
    for name in ("All", "Mine"):
        book[name].delete_cols(heads.index("Fixed") + 1)


ODDITIES = {
    "sorted": sort_backwards,
    "columns moved": move_columns,
    "row deleted": lambda book: book["All"].delete_rows(3),
    "sheet copied": lambda book: book.copy_worksheet(book["All"]),
    "facts lost, sheet renamed": lose_the_facts,
    "rows above": titles_above,
    "column deleted": delete_a_column,
    "everything visible": lambda book: [setattr(d, "hidden", False) for d in book["All"].column_dimensions.values()],
    "sheet deleted": lambda book: book.remove(book["Mine"]),
    "capitals in headings": lambda book: [setattr(cell, "value", str(cell.value).upper()) for cell in book["All"][1]],
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_whatever_was_done_to_its_shape_the_edit_is_found_and_nothing_else(drawn, oddity):
    path, _, private = drawn
    worked(path, lambda book: [put("All", "k1", "Assign to", "Ada")(book), ODDITIES[oddity](book)])
    assert edits(path, private) == [("k1", "to", "Ada", "")]


def test_a_sheet_copied_into_another_workbook_knows_where_it_is_from(drawn, tmp_path):
    path, handout, private = drawn
    old, other = openpyxl.load_workbook(path), openpyxl.Workbook()
    for row in old["All"].iter_rows(values_only=True):
        other.active.append(row)
    other.active.cell(2, 4).value = "Ada"
    other.save(tmp_path / "mine.xlsx")
    assert read(tmp_path / "mine.xlsx").handout == handout
    assert edits(tmp_path / "mine.xlsx", private) == [("k1", "to", "Ada", "")]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (datetime(2026, 12, 24), "2026-12-24"),
        ("24/12/2026", "2026-12-24"),
        ("2026-12-24", "2026-12-24"),
        ("24 Dec 2026", "2026-12-24"),
        ("24.12.2026", "2026-12-24"),
        ("03/04/2027", "2027-04-03"),
        (46380, "2026-12-24"),
        ("46380", "2026-12-24"),
    ],
)
def test_a_date_is_understood_as_people_and_programs_write_it(drawn, value, wanted):
    path, _, private = drawn
    worked(path, put("All", "k1", "Until", value))
    assert edits(path, private) == [("k1", "until", wanted, "")]


def test_all_dates_as_text_say_nothing_new(drawn):
    path, _, private = drawn
    worked(path, put("All", "k3", "Until", "01/12/2026"))
    assert edits(path, private) == []


@pytest.mark.parametrize(
    ("title", "value", "why"),
    [
        ("Until", "soon", "it is no date"),
        ("Until", "31/02/2027", "it is no date"),
        ("Fixed", "maybe", "it can only say Yes, or nothing"),
        ("Assign to", "=1+1", "it holds a formula"),
        ("Assign to", '=HYPERLINK("http://x","y")', "it holds a formula"),
        ("Until", "=TODAY()", "it holds a formula"),
        ("Assign to", "#N/A", "it holds an error value"),
        ("Assign to", "x" * 32_500, "it has 32,500 characters"),
    ],
)
def test_a_cell_that_cannot_be_taken_is_refused_and_its_neighbour_is_not(drawn, title, value, why):
    path, _, private = drawn
    worked(path, lambda book: [put("All", "k1", title, value)(book), put("All", "k2", "Assign to", "Ada")(book)])
    told = edits(path, private)
    assert [row[:2] for row in told if row[3]] == [
        ("k1", {"Until": "until", "Fixed": "fixed", "Assign to": "to"}[title])
    ]
    assert next(row[3] for row in told if row[3]).startswith(why)
    assert ("k2", "to", "Ada", "") in told


TEXTS = (
    "=1+1", "+44", "-x", "@you", "🙂👩‍👧", "שלום עולם", "\u202eabc", "a\nb", "_x0041_", "'quoted", "<b>&amp;", "a" * 32_000,
)  # fmt: skip


def test_text_comes_back_as_it_was(tmp_path):
    rows = drawn_rows(len(TEXTS)).assign(to=list(TEXTS))
    path, _ = hand_out(tmp_path, tmp_path / "private", rows)
    assert edits(path, tmp_path / "private") == []
    assert edits(through_libreoffice(path, tmp_path / "office"), tmp_path / "private") == []
    sheet = openpyxl.load_workbook(path)["All"]
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize("text", ["=1+1", "+44", "🙂", "שלום", "a\nb", "<b>&amp;"])
def test_text_written_by_people_is_taken_as_text(drawn, text):
    path, _, private = drawn

    def work(book):
        cell = at(book, "All", "k1", "Assign to")
        cell.value, cell.data_type = text, "s"

    worked(path, work)
    assert edits(path, private) == [("k1", "to", text, "")]


def test_control_characters_are_refused_by_cell(drawn):
    path, _, private = drawn
    worked(path, put("All", "k1", "Assign to", "BELL"))
    parts = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(b"BELL", b"a_x0007_b"))
    [(key, field, _, why)] = edits(path, private)
    assert (key, field) == ("k1", "to") and why.startswith("it holds control characters")


def test_a_row_without_its_key_is_named_and_a_strange_key_refused(drawn):
    path, _, private = drawn

    def work(book):
        at(book, "All", "k1", "Assign to").value = "Ada"
        at(book, "All", "k1", "Key").value = None
        at(book, "All", "k3", "Key").value = "k99"
        book["Mine"].delete_rows(2, 2)

    worked(path, work)
    assert [(sheet, cell) for sheet, cell, _ in read(path).problems] == [("All", "row 2")]
    assert edits(path, private) == [("k99", "until", "2026-12-01", "nothing of this key was handed out")]


def test_a_column_that_is_there_twice_is_named(drawn):
    path, _, private = drawn
    worked(path, lambda book: book["All"].cell(1, 12, "Assign to"))
    [(sheet, cells, why)] = read(path).problems
    assert sheet == "All" and "D1" in cells and "2 times" in why


def test_the_person_is_the_cover_s_else_who_saved_it(drawn):
    path, _, _ = drawn
    worked(path, lambda book: setattr(book.properties, "lastModifiedBy", "Grace H"), who=None)
    assert read(path).who == "Grace H"
    worked(path, lambda book: None, who="  Ada   L ")
    assert read(path).who == "Ada L"


def test_what_is_no_workbook_of_ours_is_refused_in_two_lines(drawn, tmp_path):
    path, _, private = drawn
    whole = path.read_bytes()
    files = {
        "half.xlsx": whole[: len(whole) // 2],
        "empty.xlsx": b"",
        "text.xlsx": b"a,b,c\n1,2,3\n",
        "old.xlsx": b"\xd0\xcf\x11\xe0" + bytes(600),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    other = openpyxl.Workbook()
    other.active.append(["Key", "Something"])
    other.save(tmp_path / "other.xlsx")
    keyless = tmp_path / "keyless.xlsx"
    worked(path, lambda book: [book[name].delete_cols(1) for name in ("All", "Mine")], to=keyless)
    for name in [*files, "other.xlsx", "keyless.xlsx", "absent.xlsx"]:
        with pytest.raises(ReturnRefusedError) as refusal:
            read(tmp_path / name)
        assert refusal.value.todo
    path_of = read(path).rows["handout"]
    shutil.rmtree(private)
    with pytest.raises(ReturnRefusedError, match="not kept here"):
        read_handed_out(private, path_of, path.name)


def test_everything_but_the_cells_to_fill_in_is_locked(drawn):
    book = openpyxl.load_workbook(drawn[0])
    for name in ("All", "Mine"):
        sheet = book[name]
        assert sheet.protection.sheet and not sheet.protection.autoFilter and not sheet.protection.password
        heads = [cell.value for cell in sheet[1]]
        open_titles = {
            heads[cell.column - 1] for row in sheet.iter_rows(min_row=2) for cell in row if not cell.protection.locked
        }
        assert open_titles == {"Assign to", "Fixed", "Until"}
        rules = sheet.data_validations.dataValidation
        assert {rule.type for rule in rules} == {"list", "date", "custom"}
        [asks_first] = [rule for rule in rules if rule.type == "custom"]
        assert asks_first.errorStyle == "warning" and asks_first.showErrorMessage and asks_first.formula1 == "FALSE"
        rows, locked = sheet.max_row, {heads.index(head) for head in heads if head not in open_titles}
        cells = {f"{get_column_letter(place + 1)}2:{get_column_letter(place + 1)}{rows}" for place in locked}
        assert {str(part) for part in asks_first.sqref.ranges} == cells
    lists = {
        str(rule.sqref): rule.formula1 for rule in book["All"].data_validations.dataValidation if rule.type == "list"
    }
    assert lists == {"D2:D4": "'_lists'!$A$1:$A$2", "E2:E4": "'_lists'!$B$1:$B$1"}
    assert book["_lists"].sheet_state == "hidden" and book["_lists"]["A2"].value == "Grace"


def test_pandas_missing_values_never_reach_a_cell(drawn):
    assert not [
        c for sheet in openpyxl.load_workbook(drawn[0]) for row in sheet.values for c in row if c is pd.NA or c == "nan"
    ]
