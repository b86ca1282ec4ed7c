"""Statutory returns and lists are read by the example profiles alone, with every row accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from checks.contracts import validate
from config.profiles import Profile, load_profiles
from connectors.reading import Reading, read_feed

EXAMPLES = Path(__file__).parent.parent / "config" / "examples"


def example(name: str) -> Profile:
    return load_profiles(EXAMPLES / name)[name]


def read_whole(found: Profile, folder: Path) -> dict[str, Reading]:
    """Every feed of a profile that has a file in the folder; the contracts hold for all of its tables."""
    readings = {}
    for name, feed in found.feeds.items():
        for path in sorted(p for pattern in feed.file for p in folder.glob(pattern)):
            reading = read_feed(found, name, path)
            gone = len(reading.set_aside) + len(reading.repeated) + reading.left_out
            assert reading.rows == reading.accepted + gone
            for table, frame in reading.tables.items():
                assert len(validate(table, frame)[1]) == 0
            readings[name] = reading
    return readings


def test_ssda903_of_invented_children(tmp_path):
    (tmp_path / "header.csv").write_text(
        "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n1,2,27/03/2008,WROM,UN1,,\n", encoding="utf-8"
    )
    (tmp_path / "episodes.csv").write_text(
        "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN\n"
        "1,15/02/2016,L,C2,N3,S1,PR0,14/08/2017,X1,CLOSE,nm1 1gd,NM1 1GD,1\n1,14/08/2017,T,ZZ,N3,A3,PR3,,X1,,,,\n",
        encoding="utf-8",
    )
    (tmp_path / "reviews.csv").write_text(
        "CHILD,DOB,REVIEW,REVIEW_CODE\n1,27/03/2008,30/08/2017,PN1\n1,27/03/2008,30/08/2017,PN1\n1,27/03/2008,01/01/2018,PN6\n",
        encoding="utf-8",
    )
    (tmp_path / "missing.csv").write_text(
        "CHILD,DOB,MISSING,MIS_START,MIS_END\n1,27/03/2008,M,13/11/2017,\n", encoding="utf-8"
    )
    readings = read_whole(example("ssda903"), tmp_path)
    assert list(readings) == ["header", "episodes", "reviews", "missing"]
    assert readings["header"].tables["people"].upn_unknown_code.tolist() == ["UN1"]
    episodes = readings["episodes"].tables["care_placements"]
    assert episodes.row_id.tolist() == ["1/15/02/2016", "1/14/08/2017"]
    assert episodes.legal_status_code.fillna("").tolist() == ["C2", ""]
    assert readings["episodes"].unknown_codes.value.tolist() == ["ZZ"]
    assert len(readings["reviews"].repeated) == 1
    assert readings["reviews"].tables["visits"].is_seen.tolist() == [True, False]


def test_school_census_of_invented_pupils(tmp_path):
    columns = {"pupilonrolltableid": "r1", "upn": "K883704410403", "dob": "2012-Aug-05 00:00:00", "surname": "MARSH"}
    columns |= {"entrydate": "2023-Sep-04 00:00:00", "sex": "M", "enrolstatus": "M", "boarder": "6", "NativeId": "SCH1"}
    found = example("school_census")
    feed = found.feeds["pupilonroll"]
    header = [*feed.headers, *feed.ignore]
    second = columns | {"pupilonrolltableid": "r2", "enrolstatus": "S", "NativeId": "SCH2"}
    rows = [",".join(row.get(name, "") for name in header) for row in (columns, second)]
    (tmp_path / "2026_pupilonroll.csv").write_text("\n".join([",".join(header), *rows, ""]), encoding="utf-8")
    reading = read_whole(found, tmp_path)["pupilonroll"]
    assert len(reading.tables["people"]) == 1
    assert reading.tables["rolls"].enrol_status_code.tolist() == ["M", "S"]
    assert reading.tables["rolls"].is_boarder.tolist() == [True, True]
    assert (reading.accepted, reading.new_columns, reading.missing_columns) == (2, [], [])


def test_annex_a_of_invented_children(tmp_path):
    found = example("annex_a")
    book = Workbook()
    book.remove(book.worksheets[0])
    care = {"Child Unique ID": 1, "Gender": "b) Female", "Ethnicity": "a) WBRI", "Child's Legal Status": "C2: FCO"}
    care |= {"Date Started to be Looked After": "06/08/2009", "Start Date of Most Recent Placement": "02/11/2009"}
    care |= {"Placement Type": "f) U6: Foster placement - not FFA", "Placement Provider": "e) PR4 - Private provision"}
    for number in range(1, 12):
        feed = found.feeds[f"list_{number}"]
        sheet = book.create_sheet(f"List {number}")
        header = [*feed.headers, *feed.ignore] or ["Individual adopter identifier", "Gender"]
        sheet.append(header)
        row = {"Child Unique ID": 1, "Gender": "a) Male", "Individual adopter identifier": 7} | (
            care if number == 8 else {}
        )
        sheet.append([row.get(name) for name in header])
    book.save(tmp_path / "Annex_A_2026.xlsx")
    readings = read_whole(found, tmp_path)
    assert [reading.rows for reading in readings.values()] == [1] * 11
    placement = readings["list_8"].tables["care_placements"].iloc[0]
    assert (placement.legal_status_code, placement.placement_code, placement.provider_code) == ("C2", "U6", "PR4")
    assert len(readings["list_8"].tables["visits"]) == 0  # no visit is recorded
    assert (readings["list_10"].left_out, readings["list_10"].tables) == (1, {})  # adoption stays out


RETURNS = {
    "ssda903": {"header": 2675, "episodes": 5050, "reviews": 12582, "missing": 43},
    "school_census": {"pupilonroll": 9498},
    "annex_a": {"list_1": 5, "list_3": 6, "list_7": 7, "list_8": 5, "list_11": 5, "send_list_1": 2, "send_list_2": 2},
    "sen2": {"person": 2, "requests": 3, "named_plan": 1, "active_plans": 1, "placement_detail": 2},
}


@pytest.mark.parametrize("name", RETURNS)
def test_sample_returns_are_read_by_profiles_alone(shared_data, name):
    readings = read_whole(example(name), shared_data / name)
    for feed, rows in RETURNS[name].items():
        assert readings[feed].rows == rows
    assert sum(len(reading.set_aside) for reading in readings.values()) == 0
    assert not any(reading.new_columns for reading in readings.values())
