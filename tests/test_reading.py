"""Reading an extract: every row in one place, the line on which it stands, and the packaged profiles at work."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.canonical import TABLES
from config.errors import FeedRefusedError
from config.profiles import load_profiles
from connectors.reading import describe, feed_of, read_feed
from tests.connectors_drawn import CASEWORK, HEADER, ROW, profile, pupils, read_pupils

OTHER = "101,P311421921696,,Hoque,Maryam,13/10/2016,F,su1  0qa,N,"
NIGHTS = ["2026-10-25", "2026-10-26", "2026-10-27", "2026-10-28"]


def accounted(reading) -> bool:
    return reading.rows == reading.accepted + len(reading.set_aside) + len(reading.repeated) + reading.left_out


def test_a_table_has_the_canonical_columns_and_types(tmp_path):
    people = read_pupils(tmp_path, ROW, OTHER).tables["people"]
    assert {column: str(dtype) for column, dtype in people.dtypes.items()} == TABLES["people"].dtypes
    first = people.iloc[0]
    assert (first.source, first.source_id, first.row_id, first.file, first.line) == (
        "casework",
        "100",
        "100",
        "pupils.csv",
        2,
    )
    assert people.born_on.tolist() == [pd.Timestamp(2012, 8, 5), pd.Timestamp(2016, 10, 13)]
    assert people.uln.isna().all()
    assert people.postcode.tolist() == ["NM1 1GD", "SU1 0QA"]
    assert people.is_birth_estimated.tolist() == [False, False]


def test_text_is_trimmed_and_blank_text_is_missing(tmp_path):
    row = "100 , k883 704410403,  ,\u00a0Van\u00a0Dyke ,George,05/08/2012, M ,  ,N,"
    person = read_pupils(tmp_path, row).tables["people"].iloc[0]
    assert (person.upn, person.surname, person.sex_code) == ("K883704410403", "Van Dyke", "M")
    assert pd.isna(person.uln)
    assert pd.isna(person.postcode)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_gives_the_same_lines(tmp_path, end):
    path = pupils(tmp_path, ROW, OTHER, end=end)
    assert read_feed(profile(tmp_path), "pupils", path).tables["people"].line.tolist() == [2, 3]


def test_lines_count_the_line_feeds_within_quoted_fields(tmp_path):
    noted = ROW.replace("George", '"George,\nalias\n""Geo"""').replace("100,", "102,", 1)
    reading = read_pupils(tmp_path, ROW, noted, "too,short", OTHER)
    assert reading.tables["people"].line.tolist() == [2, 3, 7]
    assert reading.tables["people"].forename[1] == 'George,\nalias\n"Geo"'
    assert reading.set_aside.line.tolist() == [6]


texts = st.text(st.sampled_from('ab ,"\n'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(texts, texts), max_size=8))
def test_any_text_comes_back_from_the_line_on_which_it_was_written(tmp_path, rows):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Pupil ID", "Surname", "Forename"])
    expected = []
    for number, (surname, forename) in enumerate(rows, start=100):
        line = text.getvalue().count("\n") + 1
        writer.writerow([number, surname, forename])
        expected.append((str(number), line, surname.strip(), forename.strip()))
    path = tmp_path / "pupils.csv"
    path.write_bytes(text.getvalue().encode())
    mapped = (
        "system: casework\nfeeds:\n  pupils: {file: p.csv, table: people,"
        " columns: {source_id: Pupil ID, surname: Surname, forename: Forename}}\n"
    )
    people = (
        read_feed(profile(tmp_path, mapped), "pupils", path).tables["people"].fillna({"surname": "", "forename": ""})
    )
    found = list(zip(people.source_id, people.line, people.surname, people.forename, strict=True))
    assert found == expected


def test_title_rows_above_the_header_of_a_csv(tmp_path):
    path = tmp_path / "pupils.csv"
    path.write_text(f"Northmere Council\n\nPupils,as at today\n{HEADER}\n{ROW}\n", encoding="utf-8")
    for stated in ("4", "search"):
        found = profile(tmp_path, CASEWORK + f"    header: {stated}\n")
        assert read_feed(found, "pupils", path).tables["people"].line.tolist() == [5]
    with pytest.raises(FeedRefusedError, match="line 2: needed columns"):
        read_feed(profile(tmp_path, CASEWORK + "    header: 2\n"), "pupils", path)


def test_a_header_is_found_even_where_a_needed_column_was_renamed(tmp_path):
    path = tmp_path / "pupils.csv"
    path.write_text(f"Northmere Council\n{HEADER.replace('Surname', 'Family name')}\n{ROW}\n", encoding="utf-8")
    with pytest.raises(FeedRefusedError, match="line 2: needed column 'Surname' not found"):
        read_feed(profile(tmp_path, CASEWORK + "    header: search\n"), "pupils", path)


INVOLVEMENTS = """
system: shared
feeds:
  involvements:
    file: involvements.csv
    delimiter: "|"
    dates: "%Y-%m-%d"
    ignore_rows: {TYPE: [SEN Support]}
    tables:
      plans:
        rows: {TYPE: [EHCP]}
        columns: {row_id: INV_ID, source_id: STUD_ID, started_on: START}
      reviews:
        rows: {TYPE: [EHCP Review]}
        columns: {row_id: INV_ID, source_id: STUD_ID, met_on: START, outcome_code: {from: OUTCOME, codes: outcome}}
codes:
  outcome: {file: "lookup_0441_*.csv", from: CODE, to: SEN2_CODE, values: {AMD: A}}
"""


def involvements(folder: Path, *rows: str) -> Path:
    path = folder / "involvements.csv"
    path.write_text("\n".join(["INV_ID|STUD_ID|TYPE|START|OUTCOME", *rows, ""]), encoding="utf-8")
    return path


def test_one_file_feeds_two_tables_by_the_value_of_a_column(tmp_path):
    path = involvements(
        tmp_path,
        "1|10|EHCP|2020-01-01|",
        "2|10|EHCP Review|2021-01-01|AMD",
        "3|10|SEN Support|2019-01-01|",
        "4|11|Gipsy liaison|2019-01-01|",
        "5|11||2019-01-01|",
        "|||Total rows 5|",
        "2|10|EHCP|2020-01-01|",
    )
    reading = read_feed(profile(tmp_path, INVOLVEMENTS, "shared"), "involvements", path)
    assert {name: frame.row_id.tolist() for name, frame in reading.tables.items()} == {"plans": ["1"], "reviews": ["2"]}
    assert (reading.rows, reading.accepted, reading.left_out) == (7, 2, 1)
    assert reading.set_aside[["line", "reason"]].values.tolist() == [
        [5, "unknown code: TYPE"],
        [6, "no table takes the row: TYPE blank"],
        [7, "no key: total or banner line"],
    ]
    assert reading.unknown_codes[["line", "column", "value"]].values.tolist() == [[5, "TYPE", "Gipsy liaison"]]
    assert reading.repeated[["table", "row_id", "line", "first_line"]].values.tolist() == [["plans", "2", 8, 3]]


def test_a_lookup_file_beside_the_extract_wins_over_the_codes_of_the_profile(tmp_path):
    found = profile(tmp_path, INVOLVEMENTS, "shared")
    path = involvements(tmp_path, "2|10|EHCP Review|2021-01-01|AMD", "3|10|EHCP Review|2021-01-01|NEW")
    without = read_feed(found, "involvements", path)
    assert without.tables["reviews"].outcome_code.fillna("").tolist() == ["A", ""]
    assert without.unknown_codes.value.tolist() == ["NEW"]
    lookup = tmp_path / "lookup_0441_review_outcome.csv"
    lookup.write_text("TABLE_ID|CODE|SEN2_CODE\n0441|AMD|M\n0441|NEW|C\n", encoding="utf-8")
    assert read_feed(found, "involvements", path).tables["reviews"].outcome_code.tolist() == ["M", "C"]
    elsewhere = read_feed(found, "involvements", path, lookups=tmp_path / "nowhere")
    assert elsewhere.unknown_codes.value.tolist() == ["NEW"]
    lookup.write_text("TABLE_ID|CODE|MEANING\n", encoding="utf-8")
    with pytest.raises(FeedRefusedError, match="columns 'CODE' and 'SEN2_CODE' not found"):
        read_feed(found, "involvements", path)
    for encoding in ("utf-16", "utf-99"):
        stated = profile(tmp_path, INVOLVEMENTS.replace("{file:", f"{{encoding: {encoding}, file:"), "shared")
        with pytest.raises(FeedRefusedError, match=f"cannot be read as {encoding}"):
            read_feed(stated, "involvements", path)


def test_a_table_may_take_only_rows_that_say_something(tmp_path):
    text = (
        "system: shared\nfeeds:\n  list:\n    file: list.csv\n    dates: '%Y-%m-%d'\n    yes: ['Yes']\n    no: ['No']\n"
        "    tables:\n"
        "      people: {distinct: true, columns: {source_id: Child, surname: Name}}\n"
        "      visits: {when: Seen, columns: {row_id: {from: [Child, Seen]}, source_id: Child, visited_on: Seen,"
        " kind_code: {constant: CINV}, is_seen: {constant: 'Yes'}}}\n"
    )
    path = tmp_path / "list.csv"
    path.write_text("Child,Name,Seen\n1,A,2026-01-02\n1,A,2026-02-02\n1,B,\n2,C,\n2,C,2026-13-01\n", encoding="utf-8")
    reading = read_feed(profile(tmp_path, text, "shared"), "list", path)
    assert reading.tables["people"][["source_id", "surname"]].values.tolist() == [["1", "A"], ["2", "C"]]
    assert reading.tables["visits"].row_id.tolist() == ["1/2026-01-02", "1/2026-02-02"]
    assert reading.tables["visits"].is_seen.tolist() == [True, True]
    assert (reading.rows, reading.accepted, len(reading.set_aside), len(reading.repeated)) == (5, 4, 1, 0)
    assert reading.notes == ["people: 1 rows differ from the first row of the same key, which was kept"]


def test_texts_that_mean_nothing_and_several_forms_of_date(tmp_path):
    text = CASEWORK.replace(
        "born_on: Date of Birth",
        "born_on: {from: Date of Birth, format: ['%d/%m/%Y', '%d %b %Y'], blank: ['31/12/9999']}",
    )
    rows = [ROW, ROW.replace("100,", "102,", 1).replace("05/08/2012", "31/12/9999")]
    rows.append(ROW.replace("100,", "103,", 1).replace("05/08/2012", "5 Aug 2012"))
    people = read_feed(profile(tmp_path, text), "pupils", pupils(tmp_path, *rows)).tables["people"]
    assert people.born_on.dt.strftime("%Y-%m-%d").fillna("").tolist() == ["2012-08-05", "", "2012-08-05"]


def test_a_reason_written_into_the_upn_column_goes_to_its_own_place(tmp_path):
    path = tmp_path / "persons.csv"
    header = (
        "DIM_PERSON_ID,LEGACY_ID,UPN,FORENAME,SURNAME,BIRTH_DTTM,DOB_ESTIMATED,GENDER_MAIN_CODE,ETHNICITY_MAIN_CODE"
    )
    path.write_bytes(
        f"{header},DEATH_DTTM,DUPLICATED_DTTM\n1,LL1,UN1,Noémie,Nagy,2014-05-14 00:00:00.000,N,F,WOTH,,\n"
        "2,LL2,T883226118327,Ola,Nagy,2014-05-14 00:00:00.000,Y,U,WOTH,,2025-12-20 00:00:00.000\n".encode("cp1252")
    )
    people = (
        read_feed(load_profiles()["liquidlogic"], "persons", path)
        .tables["people"]
        .fillna({"upn": "", "upn_unknown_code": ""})
    )
    assert people.upn.tolist() == ["", "T883226118327"]
    assert people.upn_unknown_code.tolist() == ["UN1", ""]
    assert people.merged_on.notna().tolist() == [False, True]


def test_newest_date_leaves_out_births_and_what_lies_ahead(tmp_path):
    path = involvements(tmp_path, "1|10|EHCP|2026-10-20|", "2|10|EHCP Review|2027-01-01|AMD")
    found = profile(tmp_path, INVOLVEMENTS, "shared")
    assert read_feed(found, "involvements", path, as_of=dt.date(2026, 10, 25)).newest_on == dt.date(2026, 10, 20)
    assert read_feed(found, "involvements", path, as_of=dt.date(2026, 10, 19)).newest_on is None
    assert read_pupils(tmp_path, ROW).newest_on is None


def test_describe_holds_counts_and_names_but_nothing_personal(tmp_path):
    reading = read_pupils(
        tmp_path, ROW, OTHER, ROW, ROW.replace("100,", ",", 1), ROW.replace("100,", "102,", 1).replace(",M,", ",X,")
    )
    said = describe(reading)
    assert (said["rows"], said["accepted"], said["set_aside"], said["repeated"]) == (5, 3, 1, 1)
    assert said["set_aside_reasons"] == {"no key: Pupil ID blank": 1}
    assert said["unknown_codes"] == {"Sex: X": 1}
    assert "Marsh" not in str(said)
    assert "K883" not in str(said)


def test_a_file_knows_its_feed_by_its_name():
    profiles = load_profiles()
    assert feed_of(profiles["synergy"], "Monitoring_Visits 2026-10-25.XLSX") == "monitoring_visits"
    assert feed_of(profiles["reference"], "edubasealldata20261025.csv") == "edubasealldata"
    assert feed_of(profiles["reference"], "pcd_to_la.csv") == "postcodes"
    assert feed_of(profiles["synergy"], "notes.docx") is None


def test_another_councils_headers_need_yaml_only(tmp_path):
    text = (
        "system: elsewhere\nfeeds:\n  plans:\n    file: 'EHCP_Register_*.txt'\n    delimiter: ';'\n"
        "    encoding: cp1252\n    quote: ''\n    dates: '%d.%m.%Y'\n    table: plans\n    columns:\n"
        "      row_id: {from: [Student, Begins]}\n      source_id: Student\n      started_on: Begins\n"
        "      named_setting_name: School\n"
    )
    path = tmp_path / "EHCP_Register_2026.txt"
    path.write_bytes('Student;Begins;School\nA-1;01.09.2024;St "Anne’s\n'.encode("cp1252"))
    plans = read_feed(profile(tmp_path, text, "elsewhere"), "plans", path).tables["plans"]
    assert plans[["source_id", "row_id", "named_setting_name"]].values.tolist() == [
        ["A-1", "A-1/01.09.2024", 'St "Anne’s']
    ]


def test_a_hundred_thousand_rows_take_about_a_second(tmp_path):
    rows = [ROW.replace("100,", f"{number},", 1) for number in range(100_000, 200_000)]
    path, found = pupils(tmp_path, *rows), profile(tmp_path)
    began = time.perf_counter()
    reading = read_feed(found, "pupils", path)
    assert reading.accepted == 100_000
    assert reading.tables["people"].line.iloc[-1] == 100_001
    assert time.perf_counter() - began < 5  # about 0.5 s; the rest is for a busy machine


@pytest.mark.parametrize("night", NIGHTS)
def test_a_borough_night_is_read_with_every_row_accounted_for(shared_data, night):
    key = pd.read_csv(shared_data / "borough" / "truth" / f"exceptions-{night}.csv", dtype=str, keep_default_na=False)
    aside, repeated, drifted = set(), set(), set()
    for system, found in load_profiles().items():
        for name, feed in found.feeds.items():
            files = [
                p for pattern in feed.file for p in (shared_data / "borough" / f"night-{night}" / system).glob(pattern)
            ]
            for path in files:
                reading = read_feed(found, name, path, as_of=dt.date.fromisoformat(night))
                assert accounted(reading)
                assert reading.unknown_codes.empty
                aside |= {(system, name, int(line)) for line in reading.set_aside.line}
                repeated |= {(system, row_id) for row_id in reading.repeated.row_id}
                drifted |= {(system, name)} if reading.new_columns or reading.missing_columns else set()
                for table, frame in reading.tables.items():
                    assert {c: str(t) for c, t in frame.dtypes.items()} == TABLES[table].dtypes
    expected = key.loc[key.rule == "SR04"]
    gated = {(row.system, row.field, 7) for row in key.loc[key.rule == "SR03"].itertuples()}
    assert aside - gated == {(row.system, row.field, 7) for row in expected.itertuples()}
    # The key also counts the repeats in the old copy of a system that did not come.
    missing = set(key.loc[key.rule == "SR01", "system"])
    expected = key.loc[(key.rule == "SR07") & ~key.system.isin(missing)]
    assert repeated == set(expected[["system", "source_id"]].itertuples(index=False, name=None))
    assert drifted == set(key.loc[key.rule == "SR06", ["system", "field"]].itertuples(index=False, name=None))


def test_real_successor_links_are_read(shared_data):
    found = load_profiles()["reference"]
    reading = read_feed(found, "links_edubasealldata", shared_data / "gias" / "links_edubasealldata20250422.csv")
    assert accounted(reading)
    assert reading.rows == 33_801  # and no line feed after the last
    assert len(reading.set_aside) == 0


def test_the_national_register_is_read_among_its_many_columns(tmp_path):
    found = load_profiles()["reference"]
    ours = list(found.feeds["edubasealldata"].headers)
    others = [
        "EstablishmentTypeGroup (code)",
        "ReasonEstablishmentOpened (name)",
        "OfficialSixthForm (name)",
        "TelephoneNum",
    ]
    others += ["HeadTitle (name)", "HeadFirstName", "DistrictAdministrative (code)", "Easting", "PreviousLA (code)"]
    header = [*others[:4], *ours, *others[4:], "A column of next year"]
    row = {"URN": "100001", "LA (code)": "201", "EstablishmentName": "St Anne’s, City", "OpenDate": "01-01-1920"}
    row |= {
        "CloseDate": "",
        "StatutoryLowAge": "5",
        "StatutoryHighAge": "16",
        "Postcode": "EC1A1AA",
        "Easting": "533498",
    }
    path = tmp_path / "edubasealldata20261025.csv"
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([header, [row.get(name, "") for name in header]])
    path.write_bytes(text.getvalue().encode("cp1252"))
    reading = read_feed(found, "edubasealldata", path)
    setting = reading.tables["settings"].iloc[0]
    assert (setting.urn, setting.row_id, setting.la_code, setting.low_age, setting.high_age) == (
        "100001",
        "100001",
        "201",
        5,
        16,
    )
    assert (setting.setting_name, setting.postcode, setting.opened_on.year) == ("St Anne’s, City", "EC1A 1AA", 1920)
    assert pd.isna(setting.closed_on)
    assert reading.new_columns == []
