"""Profiles: names, dates and codes in YAML, and what a person is told when one of them cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.canonical import TABLES
from config.errors import ConfigurationError
from config.profiles import load_profiles, read_profile
from connectors.reading import read_feed
from tests.connectors_drawn import CASEWORK, HEADER, ROW, profile, pupils


def test_packaged_profiles_feed_every_table_of_the_register():
    profiles = load_profiles()
    assert list(profiles) == ["synergy", "liquidlogic", "capita", "reference"]
    fed = {table for found in profiles.values() for feed in found.feeds.values() for table in feed.tables}
    assert fed == set(TABLES)


def test_feeds_are_named_like_their_files():
    feeds = {name: list(found.feeds) for name, found in load_profiles().items()}
    assert feeds["synergy"][:2] == ["pupils", "ehc_requests"]
    assert feeds["capita"] == ["students", "school_history", "involvements", "missing_education"]
    assert feeds["reference"] == ["edubasealldata", "links_edubasealldata", "postcodes"]


def test_volume_gate_and_freshness_have_the_stated_defaults():
    feed = load_profiles()["synergy"].feeds["pupils"]
    gate = feed.volume
    assert (gate.raise_percent, gate.raise_rows, gate.stop_percent, gate.stop_rows) == (10, 20, 15, 20)
    assert (feed.freshness_hours, feed.expected, feed.is_reference) == (26, True, False)
    reference = load_profiles()["reference"].feeds["postcodes"]
    assert reference.freshness_hours is None
    assert reference.is_reference


def test_defaults_of_a_profile_are_handed_down_and_a_feed_may_say_otherwise(tmp_path):
    found = profile(
        tmp_path, CASEWORK + '    delimiter: "|"\n    freshness_hours: 50\n    volume: {raise_percent: 5}\n'
    )
    feed = found.feeds["pupils"]
    assert (feed.delimiter, feed.freshness_hours) == ("|", 50)
    assert (feed.volume.raise_percent, feed.volume.stop_percent) == (5, 15)


def test_everything_in_the_yaml_is_text(tmp_path):
    found = profile(tmp_path, CASEWORK + "codes:\n  answer: {NO: N, on: 'Y', 001: one, 2026-01-02: day}\n")
    assert found.codes["answer"].values == {"NO": "N", "on": "Y", "001": "one", "2026-01-02": "day"}


def test_a_councils_own_file_replaces_a_packaged_profile_and_adds_a_system(tmp_path):
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "synergy.yml").write_text(CASEWORK.replace("system: casework", "system: synergy"), encoding="utf-8")
    (sources / "casework.yml").write_text(CASEWORK, encoding="utf-8")
    (sources / "capita.yml").write_text("system: capita\nfeeds: {}\n", encoding="utf-8")
    profiles = load_profiles(tmp_path)
    assert list(profiles["synergy"].feeds) == ["pupils"]
    assert profiles["casework"].title == "An invented casework system"
    assert "capita" not in profiles  # a profile without feeds switches its system off
    assert len(profiles["liquidlogic"].feeds) == 6


def test_a_councils_own_code_lists_replace_the_shared_ones(tmp_path):
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "codes.yml").write_text("sex: {Male: M, Female: F}\n", encoding="utf-8")
    (sources / "casework.yml").write_text(CASEWORK, encoding="utf-8")
    assert load_profiles(tmp_path)["casework"].codes["sex"].values == {"Male": "M", "Female": "F"}


@pytest.mark.parametrize("example", ["ssda903", "school_census", "annex_a", "sen2"])
def test_example_profiles_load(example):
    folder = Path(__file__).parent.parent / "config" / "examples" / example
    assert example in load_profiles(folder)


COMPLAINTS = [
    ("surname: Surname", "last_name: Surname", "feeds.pupils.tables.people.columns.last_name", "no such column"),
    ("table: people", "table: persons", "feeds.pupils.tables.persons", "no canonical table of that name"),
    ("surname: Surname", "surname: Surname\n      surname: Family Name", "line 15", "'surname' is given twice"),
    ("ignore: [Telephone]", "ignore: [Telephone, Sex]", "feeds.pupils.ignore", "'Sex' is used by a column and ignored"),
    ("as: upn", "as: guess", "upn", "'as: guess' is not a way of reading"),
    ("as: upn", "as: date", "upn", "'as: date' cannot fill a column of kind id"),
    ("codes: sex", "codes: gender", "sex_code", "no code map named 'gender'"),
    ('dates: "%d/%m/%Y", ', "", "born_on", "say the form of the date"),
    ('dates: "%d/%m/%Y"', 'dates: ["%d/%m/%Y", "%m/%d/%Y"]', "born_on", "would be a guess"),
    ('dates: "%d/%m/%Y"', 'dates: "dd/mm/yyyy"', "born_on", "'dd/mm/yyyy' is no form of a date"),
    ("An invented casework system", "An invented \x00 system", "line 3", "a control character (U+0000)"),
    ("yes: [Y], ", "", "is_birth_estimated", "say which texts mean yes and no"),
    ("source_id: {from: Pupil ID, as: whole}", "nc_year: Year", "columns", "cannot do without source_id"),
    ('file: "pupils*.csv"', 'folder: "pupils"', "feeds.pupils.folder", "there is no such key"),
    ("defaults: {", "defaults: {sheet: One, ", "defaults", "'sheet' cannot be given for all feeds"),
    ('dates: "%d/%m/%Y"', 'dates: "%Q/%m/%Y"', "born_on", "'%Q/%m/%Y' is no form of a date"),
    ('delimiter: ","', 'delimiter: "||"', "feeds.pupils.delimiter", "one character"),
    ('delimiter: ","', 'delimiter: "\\n"', "feeds.pupils.delimiter", "one character"),
    ('delimiter: ","', 'delimiter: "¬"', "feeds.pupils.delimiter", "one character"),
    ('delimiter: ","', 'delimiter: ",", quote: ","', "feeds.pupils.quote", "not the delimiter"),
    ('delimiter: ","', 'delimiter: ",", quote: "ab"', "feeds.pupils.quote", "one character"),
    ("encoding: utf-8", "encoding: utf-99", "feeds.pupils.encoding", "no encoding 'utf-99'"),
    ("encoding: utf-8", "encoding: base64", "feeds.pupils.encoding", "no encoding 'base64'"),
    (
        "{folder: inbox}",
        "{folder: inbox, url: 'sftp://host/dir'}",
        "where",
        "give one of 'folder', 'url' and 'url_env'",
    ),
    ("{from: Sex, codes: sex}", "{from: Sex, constant: M}", "sex_code", "needs either 'from'"),
    ("table: people", "tables: {}\n    table: people", "feeds.pupils", "not both"),
    ("feeds:", "feeds: [", "line", "while parsing" if False else "expected"),
    ("system: casework", "system: Case Work", "system", "pattern"),
]


@pytest.mark.parametrize(("old", "new", "key", "complaint"), COMPLAINTS)
def test_a_mistake_is_told_in_two_lines_with_the_file_and_the_key(tmp_path, old, new, key, complaint):
    with pytest.raises(ConfigurationError) as told:
        profile(tmp_path, **{old: new})
    first, second = str(told.value).split("\n")
    assert "casework.yml" in first
    assert key in first
    assert complaint in first
    assert second.endswith(".")
    assert told.value.exit_code == 14


def test_a_tab_is_a_delimiter(tmp_path):
    found = profile(tmp_path, **{'delimiter: ","': 'delimiter: "\\t"'})
    assert (
        read_feed(found, "pupils", pupils(tmp_path, ROW.replace(",", "\t"), header=HEADER.replace(",", "\t"))).accepted
        == 1
    )
    with pytest.raises(ConfigurationError, match="in double quotes"):
        profile(tmp_path, **{'delimiter: ","': "delimiter: '\\t'"})


def test_day_numbers_of_a_spreadsheet_are_dates_where_the_profile_says_so(tmp_path):
    found = profile(tmp_path, **{'dates: "%d/%m/%Y"': "dates: excel"})
    rows = [
        ROW.replace("100", key, 1).replace("05/08/2012", day)
        for key, day in (("1", "41126"), ("2", "41126.75"), ("3", "05/08/2012"))
    ]
    reading = read_feed(found, "pupils", pupils(tmp_path, *rows))
    assert reading.tables["people"].born_on.dt.strftime("%Y-%m-%d").tolist() == ["2012-08-05"] * 2
    assert reading.set_aside[["line", "reason"]].values.tolist() == [[4, "unparseable date: Date of Birth"]]


def test_a_feed_that_feeds_nothing_says_why(tmp_path):
    unused = "system: casework\nfeeds:\n  notes: {file: notes.csv, ignore_others: Not used.}\n"
    with pytest.raises(ConfigurationError, match="which table the file feeds, or why none does"):
        profile(tmp_path, unused)
    assert profile(tmp_path, unused.replace("ignore_others", "unused")).feeds["notes"].tables == {}


def test_a_missing_folder_and_a_misnamed_file_are_told(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_profiles(tmp_path / "nowhere")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "mosaic.yml").write_text(CASEWORK, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"the file is named mosaic\.yml"):
        load_profiles(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_profile(tmp_path / "nothing.yml")
