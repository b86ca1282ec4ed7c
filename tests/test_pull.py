"""Where extracts are found: folders, far places and databases; what is complete, late, passed over or missing."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import fsspec
import pytest
import sqlalchemy as sa

from config.errors import ConfigurationError, ExtractError, FeedRefusedError
from config.profiles import Profile
from connectors.pull import fetch, fetch_lookups, find_extracts, place_of
from connectors.reading import read_feed
from tests.connectors_drawn import CASEWORK, HEADER, ROW, profile

AS_OF = dt.date(2026, 10, 25)
NOW = dt.datetime(2026, 10, 26, 1, 30, tzinfo=dt.UTC)
CONTENT = f"{HEADER}\n{ROW}\n"


def lay(folder: Path, name: str = "pupils.csv", minutes_ago: float = 60, content: str = CONTENT) -> Path:
    """A file that was last changed so many minutes before now."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content, encoding="utf-8")
    moment = (NOW - dt.timedelta(minutes=minutes_ago)).timestamp()
    os.utime(path, (moment, moment))
    return path


def only(found: Profile, root: Path | None, base: Path | None = None, **kwargs):
    (arrival,) = find_extracts(found, root, AS_OF, NOW, base, **kwargs)
    return arrival


def test_a_file_in_the_folder_of_the_profile(tmp_path):
    path = lay(tmp_path / "inbox")
    arrival = only(profile(tmp_path), None, tmp_path)
    assert (arrival.system, arrival.feed, arrival.status, arrival.path) == ("casework", "pupils", "arrived", path)
    assert (arrival.size, arrival.modified_at) == (len(CONTENT), NOW - dt.timedelta(minutes=60))
    assert fetch(arrival, profile(tmp_path), tmp_path / "work") == path
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("minutes_ago", "status"), [(9.9, "not_quiet"), (10, "arrived"), (-5, "not_quiet")])
def test_a_file_is_taken_once_it_has_been_quiet_for_the_set_time(tmp_path, minutes_ago, status):
    lay(tmp_path / "inbox", minutes_ago=minutes_ago)
    arrival = only(profile(tmp_path), None, tmp_path)
    assert arrival.status == status
    assert ("may still be being written" in arrival.why) == (status == "not_quiet")


def test_with_an_explicit_folder_neither_quiet_time_nor_cut_off_applies(tmp_path):
    path = lay(tmp_path / "extracts" / "casework", minutes_ago=-9999)
    late = profile(tmp_path, **{"{folder: inbox}": '{folder: inbox, cut_off: "09:00"}'})
    arrival = only(late, tmp_path / "extracts")
    assert (arrival.status, arrival.path) == ("arrived", path)


def test_an_explicit_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ExtractError, match="does not exist") as told:
        find_extracts(profile(tmp_path), tmp_path / "nowhere", AS_OF, NOW)
    assert "one folder" in told.value.todo or "a folder per system" in told.value.todo


def test_a_system_without_its_folder_or_file_is_missing_and_says_why_and_only_the_log_says_where(tmp_path, caplog):
    (tmp_path / "extracts").mkdir()
    assert only(profile(tmp_path), tmp_path / "extracts").why == "its folder of extracts does not exist"
    assert f"the folder {tmp_path / 'extracts' / 'casework'} does not exist" in caplog.text
    lay(tmp_path / "extracts" / "casework", name="students.csv")
    arrival = only(profile(tmp_path), tmp_path / "extracts")
    assert (arrival.status, arrival.why) == ("missing", "no file fits pupils*.csv")
    with pytest.raises(ExtractError, match="no extract of 'pupils'"):
        fetch(arrival, profile(tmp_path), tmp_path / "work")


def test_a_folder_that_cannot_be_listed_makes_the_feed_missing(tmp_path, monkeypatch):
    lay(tmp_path / "inbox")
    found = profile(tmp_path)

    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    arrival = only(found, None, tmp_path)
    assert (arrival.status, arrival.why.rpartition(": ")[2]) == ("missing", "Permission denied")


def test_the_newest_of_several_files_wins_and_the_others_are_named(tmp_path):
    lay(tmp_path / "inbox", "pupils_2026-10-24.csv", minutes_ago=1500)
    newest = lay(tmp_path / "inbox", "Pupils_2026-10-25.CSV", minutes_ago=60)
    lay(tmp_path / "inbox", "pupils_2026-10-25.csv.part", minutes_ago=1)
    arrival = only(profile(tmp_path), None, tmp_path)
    assert arrival.path == newest
    assert arrival.passed_over == ("pupils_2026-10-24.csv",)


def test_the_newest_file_is_waited_for_and_an_older_one_not_taken_instead(tmp_path):
    lay(tmp_path / "inbox", "pupils_1.csv", minutes_ago=1500)
    lay(tmp_path / "inbox", "pupils_2.csv", minutes_ago=2)
    assert only(profile(tmp_path), None, tmp_path).status == "not_quiet"


# The cut-off of the night of 25 October is 09:00 on the 26th in London, which is on winter time by then.
@pytest.mark.parametrize(("hour", "minute", "status"), [(9, 0, "arrived"), (9, 1, "missing")])
def test_a_file_after_the_cut_off_belongs_to_the_next_night(tmp_path, hour, minute, status):
    path = lay(tmp_path / "inbox")
    came = dt.datetime(2026, 10, 26, hour, minute, tzinfo=dt.UTC).timestamp()
    os.utime(path, (came, came))
    found = profile(tmp_path, **{"{folder: inbox}": '{folder: inbox, cut_off: "09:00"}'})
    (arrival,) = find_extracts(found, None, AS_OF, NOW + dt.timedelta(hours=12), tmp_path)
    assert arrival.status == status
    if status == "missing":
        assert "came after the cut-off and belongs to the next night" in arrival.why
        assert arrival.passed_over == ("pupils.csv",)


def test_now_needs_a_time_zone(tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        find_extracts(profile(tmp_path), None, AS_OF, NOW.replace(tzinfo=None))


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    filesystem.makedirs("/drop", exist_ok=True)
    filesystem.pipe("/drop/pupils.csv", CONTENT.encode())
    yield filesystem
    filesystem.rm("/drop", recursive=True)


def test_a_far_place_is_listed_and_its_file_fetched_whole(tmp_path, memory):
    found = profile(tmp_path, **{"{folder: inbox}": "{url: 'memory://drop', quiet_minutes: 10}"})
    made = memory.info("/drop/pupils.csv")["created"]
    (waiting,) = find_extracts(found, None, AS_OF, made + dt.timedelta(minutes=9))
    assert (waiting.status, waiting.path) == ("not_quiet", None)
    (arrival,) = find_extracts(found, None, AS_OF, made + dt.timedelta(minutes=10))
    assert (arrival.status, arrival.path, arrival.size) == ("arrived", None, len(CONTENT))
    path = fetch(arrival, found, tmp_path / "work")
    assert path.read_text(encoding="utf-8") == CONTENT
    assert dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) == arrival.modified_at
    assert read_feed(found, "pupils", path).accepted == 1
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["pupils.csv"]


def test_a_file_url_works_like_any_far_place(tmp_path):
    lay(tmp_path / "drop")
    found = profile(tmp_path, **{"{folder: inbox}": f"{{url: '{(tmp_path / 'drop').as_uri()}'}}"})
    arrival = only(found, None)
    assert (arrival.status, arrival.modified_at) == ("arrived", NOW - dt.timedelta(minutes=60))
    assert fetch(arrival, found, tmp_path / "work").read_text(encoding="utf-8") == CONTENT


def test_a_far_file_that_changes_while_it_is_fetched_leaves_nothing(tmp_path, memory):
    found = profile(tmp_path, **{"{folder: inbox}": "{url: 'memory://drop', quiet_minutes: 0}"})
    arrival = only(found, None)
    memory.pipe("/drop/pupils.csv", CONTENT.encode() * 2)
    with pytest.raises(ExtractError, match="changed while it was fetched"):
        fetch(arrival, found, tmp_path / "work")
    memory.rm("/drop/pupils.csv")
    with pytest.raises(ExtractError, match="could not be fetched: FileNotFoundError"):
        fetch(arrival, found, tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_far_file_larger_than_allowed_is_not_fetched_further(tmp_path, memory):
    text = CASEWORK.replace("{folder: inbox}", "{url: 'memory://drop', quiet_minutes: 0}")
    found = profile(tmp_path, text + "    max_megabytes: 0.0001\n")
    with pytest.raises(FeedRefusedError, match="it was not fetched further"):
        fetch(only(found, None), found, tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_lookup_files_of_a_far_place_come_along(tmp_path, memory):
    memory.pipe("/drop/lookup_0441_x.csv", b"CODE|SEN2_CODE\n")
    text = CASEWORK.replace("{folder: inbox}", "{url: 'memory://drop', quiet_minutes: 0}")
    text += "codes:\n  outcome: {file: 'lookup_0441_*.csv', from: CODE, to: SEN2_CODE}\n"
    fetch_lookups(profile(tmp_path, text), tmp_path / "work")
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["lookup_0441_x.csv"]


def test_a_far_place_that_is_not_there_makes_the_feed_missing(tmp_path, caplog):
    found = profile(tmp_path, **{"{folder: inbox}": "{url: 'memory://nowhere'}"})
    assert only(found, None).why == "the place of its extracts does not exist"
    assert "memory://nowhere does not exist" in caplog.text


def test_an_address_from_the_environment_and_its_password_stays_out_of_messages(tmp_path):
    found = profile(tmp_path, **{"{folder: inbox}": "{url_env: CASEWORK_DROP}"})
    with pytest.raises(ConfigurationError, match="environment variable CASEWORK_DROP is not set"):
        only(found, None, environ={})
    with pytest.raises(ConfigurationError) as told:
        only(found, None, environ={"CASEWORK_DROP": "carrier-pigeon://me:secret@host/dir"})
    assert "secret" not in str(told.value)
    stated = profile(tmp_path, **{"{folder: inbox}": "{url: 'sftp://me:secret@host/dir?x=1'}"})
    assert place_of(stated) == "sftp://host/dir"
    nowhere = profile(tmp_path, **{"where: {folder: inbox}": ""})
    with pytest.raises(ConfigurationError, match="no folder and no address"):
        only(nowhere, None)


SQL = """
system: casework
where: {url_env: CASEWORK_DB}
defaults: {dates: "%d/%m/%Y", yes: [Y, "1"], no: [N, "0"]}
feeds:
  pupils:
    sql: select id, surname, born, estimated, score from pupil order by id
    table: people
    columns:
      source_id: {from: id, as: whole}
      surname: surname
      born_on: born
      is_birth_estimated: estimated
    ignore: [score]
"""


def database(folder: Path) -> dict[str, str]:
    url = f"sqlite:///{(folder / 'source.db').as_posix()}"
    engine = sa.create_engine(url)
    columns = "id integer, surname text, born date, estimated boolean, score float"
    with engine.begin() as connection:
        connection.execute(sa.text(f"create table pupil ({columns})"))
        connection.execute(
            sa.text("insert into pupil values (1, 'O''Neill, \"Jo\"', '2012-08-05', 1, 2.0), (2, NULL, NULL, 0, 1.5)")
        )
    engine.dispose()
    return {"CASEWORK_DB": url}


def test_a_query_becomes_a_file_that_is_read_like_any_other(tmp_path):
    environ = database(tmp_path)
    found = profile(tmp_path, SQL)
    arrival = only(found, None, environ=environ)
    assert (arrival.status, arrival.path, arrival.modified_at) == ("arrived", None, NOW)
    path = fetch(arrival, found, tmp_path / "work", environ)
    assert path.read_text(encoding="utf-8").splitlines()[1] == '1,"O\'Neill, ""Jo""",2012-08-05,1,2'
    people = read_feed(found, "pupils", path).tables["people"]
    assert people.surname.fillna("").tolist() == ['O\'Neill, "Jo"', ""]
    assert people.born_on.dt.strftime("%d/%m/%Y").fillna("").tolist() == ["05/08/2012", ""]
    assert people.is_birth_estimated.tolist() == [True, False]
    assert people.line.tolist() == [2, 3]


def test_a_file_may_stand_in_for_a_query_in_an_explicit_folder(tmp_path):
    lay(tmp_path / "extracts" / "casework", content="id,surname,born,estimated,score\n1,Marsh,2012-08-05,Y,\n")
    found = profile(tmp_path, SQL)
    arrival = only(found, tmp_path / "extracts")
    assert arrival.path is not None
    assert read_feed(found, "pupils", arrival.path).accepted == 1


def test_a_query_that_fails_is_told_and_leaves_nothing(tmp_path):
    environ = database(tmp_path)
    broken = profile(tmp_path, SQL.replace("from pupil ", "from pupils "))
    with pytest.raises(ExtractError, match="query of feed 'pupils' of casework failed"):
        fetch(only(broken, None), broken, tmp_path / "work", environ)
    assert list((tmp_path / "work").iterdir()) == []
    found = profile(tmp_path, SQL)
    with pytest.raises(ConfigurationError, match="not a database address"):
        fetch(only(found, None), found, tmp_path / "work", {"CASEWORK_DB": "no address"})
    small = profile(tmp_path, SQL + "    max_megabytes: 0.00001\n")
    with pytest.raises(FeedRefusedError, match="gives more than"):
        fetch(only(small, None), small, tmp_path / "work", environ)
    assert list((tmp_path / "work").iterdir()) == []
