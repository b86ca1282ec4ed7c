"""Bad input: every damaged file is refused, or its damaged rows set aside, in two lines that say what to do."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from config.errors import EhcpError, ExtractError, FeedRefusedError
from connectors.reading import read_feed
from tests.connectors_drawn import CASEWORK, HEADER, ROW, profile, pupils, read_pupils

OTHER = "101,P311421921696,,Hoque,Maryam,13/10/2016,F,SU1 0QA,N,"


def refused(folder: Path, content: bytes, text: str = CASEWORK, error: type[EhcpError] = FeedRefusedError) -> str:
    """What is said of a pupils file of that content: two lines, with the name of the file in the first."""
    path = folder / "pupils.csv"
    path.write_bytes(content)
    with pytest.raises(error) as told:
        read_feed(profile(folder, text), "pupils", path)
    first, second = str(told.value).split("\n")
    assert "pupils.csv" in first
    assert second
    for private in ("Marsh", "George", "Hoque", "K883704410403", "05/08/2012", "NM1 1GD"):
        assert private not in str(told.value)
    return f"{first}\n{second}"


def lines(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExtractError, match="does not exist") as told:
        read_feed(profile(tmp_path), "pupils", tmp_path / "pupils.csv")
    assert told.value.exit_code == 10
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ExtractError, match="is a folder"):
        read_feed(profile(tmp_path), "pupils", tmp_path / "folder.csv")


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_counts_as_missing(tmp_path, content):
    assert "is empty" in refused(tmp_path, content, error=ExtractError)


def test_a_file_with_only_a_header_has_no_rows(tmp_path):
    reading = read_pupils(tmp_path)
    assert (reading.rows, len(reading.tables["people"])) == (0, 0)
    path = tmp_path / "pupils.csv"
    path.write_bytes(HEADER.encode())
    assert read_feed(profile(tmp_path), "pupils", path).rows == 0


def test_a_last_line_that_is_cut_refuses_the_file(tmp_path):
    said = refused(tmp_path, lines(ROW) + b"101,P3114219")
    assert "pupils.csv, line 3: the file stops in the middle of a row" in said


def test_a_last_line_without_line_feed_is_complete_when_its_fields_are(tmp_path):
    path = tmp_path / "pupils.csv"
    path.write_bytes(lines(ROW, OTHER).rstrip(b"\n"))
    assert read_feed(profile(tmp_path), "pupils", path).accepted == 2


def test_a_quoted_field_that_never_closes_refuses_the_file(tmp_path):
    broken = OTHER.replace("Hoque", '"Hoque')
    assert "line 3: a quoted field is opened there and never closed" in refused(tmp_path, lines(ROW, broken, ROW))
    swallowed = OTHER.replace("N,", 'N,"tel')
    assert "line 3: a quoted field" in refused(tmp_path, lines(ROW, swallowed, ROW))


def test_a_stray_quote_within_a_field_is_text(tmp_path):
    reading = read_pupils(tmp_path, ROW.replace("George", 'George "Geo" '), OTHER)
    assert reading.accepted == 2
    assert reading.tables["people"].forename[0] == 'George "Geo"'


def test_the_wrong_encoding_is_told_with_the_line(tmp_path):
    latin = OTHER.replace("Maryam", "Noémie").encode("cp1252")
    assert "line 3: byte 0xe9 is not utf-8" in refused(tmp_path, lines(ROW) + latin + b"\n")
    stated = CASEWORK.replace("encoding: utf-8", "encoding: cp1252")
    assert "is UTF-8, and the profile says cp1252" in refused(tmp_path, lines(ROW.replace("George", "Noémie")), stated)
    assert "is UTF-16" in refused(tmp_path, lines(ROW).decode().encode("utf-16"))


def test_the_stated_encoding_is_read(tmp_path):
    row = ROW.replace("George", "Noémie")
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        found = profile(tmp_path, CASEWORK.replace("encoding: utf-8", f"encoding: {encoding}"))
        path = pupils(tmp_path, row, encoding=encoding)
        assert read_feed(found, "pupils", path).tables["people"].forename[0] == "Noémie"


def test_a_renamed_needed_column_refuses_the_file_and_names_it(tmp_path):
    said = refused(tmp_path, lines(ROW).replace(b"Date of Birth", b"DOB"))
    assert "line 1: needed column 'Date of Birth' not found" in said
    assert "the file has: Pupil ID, UPN" in said
    assert "needed columns 'UPN', 'Sex' not found" in refused(
        tmp_path, lines(ROW).replace(b"UPN", b"Number").replace(b"Sex", b"Gender")
    )


def test_a_file_without_a_header_is_refused_without_showing_its_first_child(tmp_path):
    assert "No known column is there" in refused(tmp_path, f"{ROW}\n{OTHER}\n".encode())
    refused(tmp_path, f"{ROW}\n{OTHER}\n".encode(), CASEWORK + "    header: search\n")


def test_an_absent_informational_column_and_a_new_one_are_reported(tmp_path):
    reading = read_pupils(tmp_path, ROW, header=HEADER.replace("Estimated", "Is Estimated"))
    assert reading.missing_columns == ["Estimated"]
    assert reading.new_columns == ["Is Estimated"]
    assert reading.tables["people"].is_birth_estimated.isna().all()


def test_a_header_that_differs_only_in_its_typing_is_the_same(tmp_path):
    typed = HEADER.replace("Date of Birth", '"DATE OF\n Birth "').replace("Pupil ID", "\ufeffPupil\u00a0ID")
    reading = read_pupils(tmp_path, ROW, header=typed)
    assert (reading.accepted, reading.new_columns) == (1, [])
    assert reading.tables["people"].line[0] == 3


def test_the_same_header_twice_refuses_the_file_where_it_is_needed(tmp_path):
    twice = HEADER.replace("Telephone", "Sex")
    assert "column 'Sex' occurs 2 times (columns 7, 10)" in refused(tmp_path, f"{twice}\n{ROW}\n".encode())
    harmless = read_pupils(tmp_path, ROW + ",x", header=HEADER + ",Telephone")
    assert harmless.accepted == 1


def test_an_unknown_code_is_listed_and_never_guessed(tmp_path):
    reading = read_pupils(tmp_path, ROW.replace(",M,", ",m,"), OTHER)
    assert reading.accepted == 2
    assert reading.tables["people"].sex_code.isna().tolist() == [True, False]
    unknown = reading.unknown_codes
    assert unknown[["table", "source_id", "line", "column", "value"]].values.tolist() == [
        ["people", "100", 2, "Sex", "m"]
    ]


@pytest.mark.parametrize(
    "day", ["31/02/2012", "2012-08-05", "05/08/12", "August", "05/08/1212", "05/08/2912", "00/00/0000"]
)
def test_an_impossible_date_sets_the_row_aside(tmp_path, day):
    reading = read_pupils(tmp_path, ROW.replace("05/08/2012", day), OTHER)
    assert (reading.rows, reading.accepted) == (2, 1)
    assert reading.set_aside[["line", "reason", "column", "source_id"]].values.tolist() == [
        [2, "unparseable date: Date of Birth", "Date of Birth", "100"]
    ]
    assert day in reading.set_aside.raw[0]


def test_a_repeated_key_keeps_the_first_row_and_says_whether_the_other_differs(tmp_path):
    reading = read_pupils(tmp_path, ROW, OTHER, ROW, ROW.replace("Marsh", "Marsch"))
    assert (reading.rows, reading.accepted, len(reading.repeated)) == (4, 2, 2)
    assert reading.repeated[["row_id", "line", "first_line", "differs"]].values.tolist() == [
        ["100", 4, 2, False],
        ["100", 5, 2, True],
    ]
    assert reading.tables["people"].surname.tolist() == ["Marsh", "Hoque"]


def test_a_row_set_aside_does_not_make_the_next_of_its_key_a_repeat(tmp_path):
    reading = read_pupils(tmp_path, ROW.replace("05/08/2012", "31/02/2012"), ROW)
    assert (len(reading.set_aside), len(reading.repeated), reading.accepted) == (1, 0, 1)


def test_a_workbook_where_text_should_be(tmp_path):
    path = tmp_path / "pupils.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "is a workbook or an archive" in refused(tmp_path, path.read_bytes())
    assert "is a workbook" in refused(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(100))


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html><body>Sign in</body></html>", b"\n <HTML><head>"])
def test_a_login_page_where_an_extract_should_be(tmp_path, page):
    assert "is a web page" in refused(tmp_path, page)


def test_another_delimiter_is_named(tmp_path):
    said = refused(tmp_path, lines(ROW).replace(b",", b"|"))
    assert "needed column" in said
    assert "separated by ','; this file seems to use '|'" in said
    assert "seems to use a tab" in refused(tmp_path, lines(ROW).replace(b",", b"\t"))
    tabs = CASEWORK.replace('delimiter: ","', 'delimiter: "\\t"')
    assert "separated by a tab; this file seems to use ','" in refused(tmp_path, lines(ROW), tabs)


def test_a_formula_in_a_name_stays_text(tmp_path):
    reading = read_pupils(tmp_path, ROW.replace("Marsh", "=HYPERLINK(1)").replace("George", "@SUM(A1)"))
    assert reading.tables["people"][["surname", "forename"]].values.tolist() == [["=HYPERLINK(1)", "@SUM(A1)"]]


def test_nul_bytes(tmp_path):
    few = read_pupils(tmp_path, ROW.replace("Marsh", "Mar\0sh"), OTHER)
    assert (few.rows, few.accepted) == (2, 1)
    assert few.set_aside.reason.tolist() == ["damaged: NUL byte in the row"]
    assert "runs of NUL bytes" in refused(tmp_path, lines(ROW, OTHER) + bytes(64))
    assert "line 2: runs of NUL bytes" in refused(tmp_path, lines(ROW.replace("Marsh", "\0" * 60), *[OTHER] * 20))


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "pupils.csv"
    with path.open("wb") as file:
        file.write(lines(ROW))
        file.truncate(2_000_000_000)  # sparse: two gigabytes that take no room
    with pytest.raises(FeedRefusedError, match="has 2,000 MB; at most 800 MB") as told:
        read_feed(profile(tmp_path), "pupils", path)
    assert "max_megabytes" in told.value.todo
    small = profile(tmp_path, CASEWORK + "    max_megabytes: 0.0001\n")
    path.write_bytes(lines(ROW, OTHER))
    with pytest.raises(FeedRefusedError, match="max_megabytes"):
        read_feed(small, "pupils", path)


def test_a_locked_file(tmp_path, monkeypatch):
    path = pupils(tmp_path, ROW)

    def locked(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(ExtractError, match="cannot be opened: Permission denied") as told:
        read_feed(_profile_before(monkeypatch, tmp_path), "pupils", path)
    assert "close it or allow reading" in told.value.todo


def _profile_before(monkeypatch, folder):
    monkeypatch.undo()
    found = profile(folder)

    def locked(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    return found


@pytest.mark.skipif(os.name == "nt" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root may read all files")
def test_a_file_without_permission(tmp_path):
    path = pupils(tmp_path, ROW)
    path.chmod(0)
    with pytest.raises(ExtractError, match="cannot be opened"):
        read_feed(profile(tmp_path), "pupils", path)


def test_a_share_that_goes_away_while_reading(tmp_path, monkeypatch):
    path, found = pupils(tmp_path, ROW), profile(tmp_path)

    def gone(self):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", gone)
    with pytest.raises(ExtractError, match="cannot be read: Input/output error"):
        read_feed(found, "pupils", path)


RAGGED = [
    (ROW + ",x", "too many fields: 11, not 10"),
    (ROW.replace(",,", ","), "too few fields: 9, not 10"),
    ("Total rows: 2", "total or banner line"),
    ("*** PRINT ABORTED ***", "total or banner line"),
    ("", None),
]


@pytest.mark.parametrize(("row", "reason"), RAGGED)
def test_a_row_of_another_width_is_never_shifted(tmp_path, row, reason):
    reading = read_pupils(tmp_path, ROW, row, OTHER)
    assert reading.tables["people"].source_id.tolist() == ["100", "101"]
    assert reading.tables["people"].line.tolist() == [2, 4]
    if reason is None:
        assert (reading.rows, reading.notes) == (2, ["1 blank lines"])
    else:
        assert reading.rows == 3
        assert reading.set_aside[["line", "reason", "raw"]].values.tolist() == [[3, reason, row]]


def test_a_delimiter_at_the_end_of_every_row_is_no_field(tmp_path):
    reading = read_pupils(tmp_path, ROW + ",", OTHER.replace("Hoque", '"Hoque, H"') + ",", "Total rows: 2")
    assert reading.tables["people"][["source_id", "surname"]].values.tolist() == [["100", "Marsh"], ["101", "Hoque, H"]]
    assert (reading.tables["people"].line.tolist(), reading.new_columns) == ([2, 3], [])
    assert reading.set_aside.reason.tolist() == ["total or banner line"]
    assert read_pupils(tmp_path, ROW + ",", OTHER).set_aside.reason.tolist() == ["too many fields: 11, not 10"]


BROKEN_KEYS = [
    (ROW.replace("100,", ",", 1), "no key: Pupil ID blank"),
    ("Total,,,end of report,,,,,,", "no key: total or banner line"),
    (",,,*** PRINT ABORTED ***,,,,,,", "no key: total or banner line"),
    (ROW.replace("100,", "1O0,", 1), "wrong type: Pupil ID is not a whole number"),
    (ROW.replace("100,", "3.1E+05,", 1), "wrong type: Pupil ID was damaged by a spreadsheet"),
    (ROW.replace(",,Marsh", ",1.02E+09,Marsh"), "wrong type: ULN was damaged by a spreadsheet"),
]


@pytest.mark.parametrize(("row", "reason"), BROKEN_KEYS)
def test_a_row_without_a_usable_key_is_set_aside(tmp_path, row, reason):
    reading = read_pupils(tmp_path, row, OTHER)
    assert (reading.rows, reading.accepted) == (2, 1)
    assert reading.set_aside[["file", "line", "reason", "table"]].values.tolist() == [
        ["pupils.csv", 2, reason, "people"]
    ]


def test_a_key_that_went_through_a_spreadsheet_without_loss_is_repaired(tmp_path):
    reading = read_pupils(tmp_path, ROW.replace("100,", "100.0,", 1), ROW.replace("100,", "0099,", 1))
    assert reading.tables["people"].source_id.tolist() == ["100", "0099"]


def test_a_file_in_which_most_rows_break_is_refused_with_the_commonest_reason(tmp_path):
    rows = [ROW.replace("100", str(number), 1).replace("05/08/2012", "08-05-2012") for number in range(100, 125)]
    said = refused(tmp_path, lines(OTHER.replace("101", "99"), *rows))
    assert "line 3: unparseable date: Date of Birth; 25 of 26 rows cannot be read" in said
    few = read_pupils(tmp_path, *rows[:20])
    assert len(few.set_aside) == 20  # twenty are not yet "most rows of a file"


def test_a_first_line_longer_than_any_header_is_refused(tmp_path):
    assert "not found" in refused(tmp_path, b"a" * 600_000)


def test_an_archive_and_a_file_of_nul_bytes_are_not_taken_for_another_encoding(tmp_path):
    assert "a workbook or an archive" in refused(tmp_path, gzip.compress(lines(ROW)))
    assert "nothing but NUL bytes" in refused(tmp_path, bytes(4000), error=ExtractError)


def test_a_header_with_a_line_feed_is_told_in_two_lines(tmp_path):
    said = refused(tmp_path, lines(ROW).replace(b"Date of Birth", b'"Born\non"'))
    assert "Born on" in said


def test_a_workbook_of_a_zip_version_that_does_not_exist_is_refused(tmp_path):
    path = tmp_path / "pupils.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 0x4D
    path.write_bytes(bytes(content))
    with pytest.raises(FeedRefusedError, match="damaged or truncated workbook"):
        read_feed(profile(tmp_path, **{'file: "pupils*.csv"': 'file: "pupils*.xlsx"'}), "pupils", path)


def test_a_cell_far_outside_the_table_is_told_before_memory_runs_out(tmp_path):
    book = openpyxl.Workbook()
    for row in (HEADER.split(","), ROW.split(",")):
        book.active.append(row)
    path, found = tmp_path / "pupils.xlsx", profile(tmp_path, **{'file: "pupils*.csv"': 'file: "pupils*.xlsx"'})
    book.save(path)
    assert read_feed(found, "pupils", path).accepted == 1
    book.active["XFD1048576"] = " "
    book.save(path)
    with pytest.raises(
        FeedRefusedError, match="pupils.xlsx: a sheet reaches to cell XFD1048576, which is 17,179,869,184"
    ):
        read_feed(found, "pupils", path)
