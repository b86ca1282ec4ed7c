"""Workbooks and XML: the same verdicts on rows, whatever the file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from config.errors import FeedRefusedError
from config.profiles import load_profiles
from connectors.reading import read_feed
from tests.connectors_drawn import profile

HEADER = ["Visit ID", "Pupil ID", "Date of Visit", "Purpose", "Officer", "Child Seen?"]


def workbook(folder: Path, *rows: list, sheets: dict[str, list[list]] | None = None) -> Path:
    book = Workbook()
    for title, content in (sheets or {"Visits": list(rows)}).items():
        sheet = book.create_sheet(title)
        for row in content:
            sheet.append(row)
    book.remove(book.worksheets[0])
    path = folder / "monitoring_visits.xlsx"
    book.save(path)
    return path


def visits(path: Path):
    return read_feed(load_profiles()["synergy"], "monitoring_visits", path)


def test_title_rows_numbers_and_real_dates(tmp_path):
    path = workbook(
        tmp_path,
        ["Northmere Council"],
        ["SEND monitoring visits"],
        [],
        HEADER,
        [800162, 310293, dt.date(2026, 9, 28), "Residential placement", None, "Y"],
        [],
        [800163.0, "310294", "29/09/2026", "EOTAS package", "B Lind", "N"],
        ["800164", 310295, dt.datetime(2026, 9, 30, 14, 5), "=1+1", "", None],
    )
    reading = visits(path)
    frame = reading.tables["visits"]
    assert frame.row_id.tolist() == ["800162", "800163", "800164"]
    assert frame.source_id.tolist() == ["310293", "310294", "310295"]
    assert frame.visited_on.dt.strftime("%Y-%m-%d").tolist() == ["2026-09-28", "2026-09-29", "2026-09-30"]
    assert frame.line.tolist() == [5, 7, 8]
    assert frame.is_seen.fillna(False).tolist() == [True, False, False]
    assert frame.kind_code.unique().tolist() == ["monitoring"]
    assert reading.rows == 3


def test_a_formula_gives_its_value_and_never_its_text(tmp_path):
    path = workbook(tmp_path, HEADER, [1, 2, dt.date(2026, 1, 2), "=CMD()", "x", "Y"])
    assert visits(path).tables["visits"].purpose.isna().all()  # nobody has computed it


def test_totals_damage_and_dates_as_numbers_are_set_aside(tmp_path):
    path = workbook(
        tmp_path,
        HEADER,
        [1, 310293, dt.date(2026, 1, 2), "", "", "Y"],
        [2, 310294, 46321, "", "", "Y"],
        [3, 310295.5, dt.date(2026, 1, 2), "", "", "Y"],
        ["1.23E+09", 310296, dt.date(2026, 1, 2), "", "", "Y"],
        ["Total", None, None, "4 visits", None, None],
    )
    reading = visits(path)
    assert (reading.rows, reading.accepted) == (5, 1)
    assert reading.set_aside[["line", "reason"]].values.tolist() == [
        [3, "unparseable date: Date of Visit"],
        [4, "wrong type: Pupil ID is not a whole number"],
        [5, "wrong type: Visit ID was damaged by a spreadsheet"],
        [6, "no key: total or banner line"],
    ]


def test_a_sheet_is_found_by_its_name_and_several_of_one_layout_are_read_as_one(tmp_path):
    row = [1, 310293, dt.date(2026, 1, 2), "", "", "Y"]
    other = [2, 310294, dt.date(2026, 1, 3), "", "", "Y"]
    path = workbook(
        tmp_path, sheets={"Notes": [["read me"]], "Visits East": [HEADER, row], "Visits West": [HEADER, other]}
    )
    text = Path(load_profiles()["synergy"].origin).read_text(encoding="utf-8")
    for pattern, ids in (("Visits East", ["1"]), ("visits*", ["1", "2"])):
        found = profile(tmp_path, text.replace("    header: search", f'    sheet: "{pattern}"'), "synergy")
        frame = read_feed(found, "monitoring_visits", path).tables["visits"]
        assert frame.row_id.tolist() == ids
        assert frame.line.unique().tolist() == [2]
    assert frame.file.tolist() == ["monitoring_visits.xlsx [Visits East]", "monitoring_visits.xlsx [Visits West]"]
    found = profile(tmp_path, text.replace("    header: search", "    sheet: Besuche"), "synergy")
    with pytest.raises(FeedRefusedError, match="has no sheet 'Besuche'; it has Notes, Visits East"):
        read_feed(found, "monitoring_visits", path)
    found = profile(tmp_path, text.replace("    header: search", '    sheet: "*"'), "synergy")
    with pytest.raises(FeedRefusedError, match="sheet 'Notes': no header row found"):
        read_feed(found, "monitoring_visits", path)


def test_a_renamed_column_of_a_workbook_refuses_it_and_an_informational_one_does_not(tmp_path):
    row = [1, 310293, dt.date(2026, 1, 2), "", "", "Y"]
    renamed = visits(workbook(tmp_path, [h.replace("Officer", "Visited by") for h in HEADER], row))
    assert (renamed.missing_columns, renamed.new_columns) == (["Officer"], ["Visited by"])
    with pytest.raises(
        FeedRefusedError, match=r"monitoring_visits\.xlsx, line 1: needed column 'Date of Visit' not found"
    ):
        visits(workbook(tmp_path, [h.replace("Date of Visit", "Date") for h in HEADER], row))


def test_what_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "monitoring_visits.xlsx"
    path.write_text(",".join(HEADER), encoding="utf-8")
    with pytest.raises(FeedRefusedError, match="is not a workbook"):
        visits(path)
    whole = workbook(tmp_path, HEADER, [1, 2, dt.date(2026, 1, 2), "", "", "Y"]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FeedRefusedError, match="damaged or truncated workbook"):
        visits(path)


RETURN = """<?xml version="1.0"?>
<Message xmlns="urn:x">
 <Header><Source><LEA>883</LEA></Source></Header>
 <Persons>
  <Person>
   <Surname>Marsh</Surname><PERSONBIRTHDATE>2012-08-05</PERSONBIRTHDATE>
   <Requests>
    <Assessment><NamedPlan><StartDate>2023-12-26</StartDate>
      <PlanDetail><URN>900101</URN></PlanDetail><PlanDetail><URN>900102</URN></PlanDetail>
    </NamedPlan></Assessment>
   </Requests>
   <UPN>K883704410403</UPN>
  </Person>
  <Person>
   <Surname/><PersonBirthDate>2012-02-30</PersonBirthDate>
   <Requests><Assessment><NamedPlan><StartDate>2024-01-01</StartDate><New>x</New></NamedPlan></Assessment></Requests>
  </Person>
 </Persons>
</Message>
"""
SEN2 = """
system: sen2
feeds:
  people:
    {file: "*.xml", xml: {row: Person}, dates: "%Y-%m-%d", table: people,
     columns: {source_id: "Person/#", surname: Surname, born_on: PersonBirthDate}, ignore: [UPN]}
  plans:
    {file: "*.xml", xml: {row: namedplan}, dates: "%Y-%m-%d", table: plans,
     columns: {row_id: "NamedPlan/#", source_id: "Person/#", started_on: StartDate, named_urn: PlanDetail/URN,
               maintaining_la_code: Source/LEA, named_setting_name: Person/UPN, request_id: Assessment/Nothing}}
"""


def test_xml_rows_with_their_lines_ancestors_and_children(tmp_path):
    path = tmp_path / "sen2.xml"
    path.write_text(RETURN, encoding="utf-8")
    found = profile(tmp_path, SEN2, "sen2")
    plans = read_feed(found, "plans", path)
    frame = plans.tables["plans"]
    assert frame.source_id.tolist() == ["1", "2"]
    assert frame.line.tolist() == [8, 16]
    assert frame.named_urn.fillna("").tolist() == ["900101", ""]
    assert frame.maintaining_la_code.tolist() == ["883", "883"]
    assert frame.named_setting_name.fillna("").tolist() == [
        "K883704410403",
        "",
    ]  # said after the row, and by its own person
    assert (plans.new_columns, plans.missing_columns) == (["New"], ["Assessment/Nothing"])
    people = read_feed(found, "people", path)
    assert people.tables["people"].surname.tolist() == ["Marsh"]
    assert people.set_aside[["line", "reason"]].values.tolist() == [[14, "unparseable date: PersonBirthDate"]]


def test_damaged_and_dangerous_xml_is_refused_with_the_line(tmp_path):
    path, found = tmp_path / "sen2.xml", profile(tmp_path, SEN2, "sen2")
    path.write_text(RETURN[: len(RETURN) // 2], encoding="utf-8")
    with pytest.raises(FeedRefusedError, match=r"sen2\.xml, line \d+: not well-formed XML"):
        read_feed(found, "people", path)
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><Message/>', encoding="utf-8")
    with pytest.raises(FeedRefusedError, match="declares a document type"):
        read_feed(found, "people", path)
    path.write_text("<Message><Persons/></Message>", encoding="utf-8")
    assert read_feed(found, "people", path).rows == 0


def test_a_choice_of_a_printed_list_is_its_code(tmp_path):
    text = (
        "system: lists\nfeeds:\n  care: {file: care.csv, dates: '%Y-%m-%d', table: care_placements,"
        " columns: {row_id: Child, source_id: Child,"
        " placement_code: {from: Placement, as: choice, codes: ssda903_placement}}}\n"
    )
    path = tmp_path / "care.csv"
    rows = ["1,f) U6: Foster placement - not FFA", "2,P1", "3,aa) K2 – Children's home", "4,N1 - Abuse"]
    path.write_text("\n".join(["Child,Placement", *rows, ""]), encoding="utf-8")
    reading = read_feed(profile(tmp_path, text, "lists"), "care", path)
    assert reading.tables["care_placements"].placement_code.fillna("").tolist() == ["U6", "P1", "K2", ""]
    assert reading.unknown_codes.value.tolist() == ["N1 - Abuse"]
