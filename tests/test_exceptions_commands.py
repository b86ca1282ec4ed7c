"""`ehcp exceptions`: what people do, through the command, on a drawn store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from store_drawn import FIRST, SECOND
from test_store_people import found, night, the_one

from config.settings import load_settings
from pipelines.cli import main
from pipelines.store import Store

GIVEN_AT = datetime(2026, 10, 28, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("EHCP_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("EHCP_DATABASE_URL", raising=False)
    opened = Store(load_settings({"EHCP_DATA": str(tmp_path / "data")}))
    night(opened, FIRST, found(severity="critical"))
    return opened


def ehcp(*words: str) -> Result:
    return CliRunner().invoke(main, ["exceptions", *words], obj=GIVEN_AT)


def test_two_people_accept_and_one_takes_it_back(store: Store) -> None:
    one = the_one(store)["exception_id"]
    words = ("accept", one, "--until", "2026-12-01", "--reason", "known", "--who")
    first = ehcp(*words, "ada")
    assert first.exit_code == 0 and "a second, different person confirms" in first.output
    assert "a second, different person" in ehcp(*words, "ADA").output
    assert "Accepted" in ehcp(*words, "grace").output
    night(store, SECOND, found(severity="critical"))
    assert the_one(store)["status"] == "accepted"
    assert ehcp("undo", one, "--who", "grace").output == f"Taken back on {one}: accepted.\n"


def test_the_trail_says_who_and_when_and_no_hash(store: Store) -> None:
    one = the_one(store)["exception_id"]
    ehcp("note", one, "asked the caseworker", "--who", "ada")
    ehcp("accept", one, "--until", "2026-12-01", "--reason", "known", "--who", "ada")
    told = json.loads(ehcp("history", "--exception", one, "--format", "json").output)
    assert [row["event"] for row in told] == ["raised", "noted", "acceptance proposed"]
    assert told[2]["value"] == "2026-12-01" and told[2]["at"] == "2026-10-28 09:00 UTC" and told[2]["who"] == "ada"
    assert len(json.loads(ehcp("history", "--month", "2026-10", "--format", "json").output)) == 3
    assert json.loads(ehcp("history", "--child", "nobody", "--format", "json").output) == []


def test_a_claim_shows_in_how_many_nights_it_still_fails(store: Store) -> None:
    one = the_one(store)["exception_id"]
    assert (
        ehcp("claim", one, "--who", "ada").output
        == "Said to be fixed in Synergy on 2026-10-25, no fresh extract since.\n"
    )
    night(store, SECOND, found(severity="critical"))
    ehcp("assign", one, "SEN team", "--who", "ada")
    shown = ehcp("show", one)
    assert shown.exit_code == 0, shown.output
    assert "still failing in 1 extract" in shown.output and "Assigned to SEN team." in shown.output
    [row] = json.loads(ehcp("list", "--assigned", "sen TEAM", "--format", "json").output)
    assert row["claim"] == "Said to be fixed in Synergy on 2026-10-25, still failing in 1 extract since"
    assert json.loads(ehcp("list", "--assigned", "ada", "--format", "json").output) == []
    counts = {"claims": 1, "still_failing": 1, "waiting": 0, "came_true": 0}
    assert json.loads(ehcp("claims", "--by", "owner", "--format", "json").output) == [
        {"owner": "SEN casework"} | counts
    ]
    assert json.loads(ehcp("claims", "--by", "person", "--format", "json").output) == [{"claimed_by": "ada"} | counts]
    assert json.loads(ehcp("claims", "--owner", "nobody", "--format", "json").output) == []


def test_an_unknown_exception_gives_two_lines(store: Store) -> None:
    result = ehcp("show", "zzz")
    assert result.exit_code == 14 and "There is no exception zzz." in result.output


def test_a_table_shows_what_the_window_has_room_for_and_says_what_it_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    narrow = ehcp("list").output
    assert max(len(line) for line in narrow.splitlines()) <= 80
    assert "priority" in narrow and the_one(store)["exception_id"] in narrow and "more columns with" in narrow
    monkeypatch.setenv("COLUMNS", "700")
    assert "more columns with" not in ehcp("list").output
    assert len(ehcp("list", "--format", "csv").output.splitlines()[0].split(",")) > 15


def test_the_list_says_why_first_and_one_thing_behind_several_is_told_once(store: Store) -> None:
    one = found(severity="high").assign(shared="100001", since_on=pd.NaT)
    night(store, SECOND, pd.concat([one, one.assign(child_id="c2", source_id="2")], ignore_index=True))
    rows = json.loads(ehcp("list", "--leads", "--format", "json").output)
    assert [(row["why_first"], row["lead"] == row["exception_id"]) for row in rows] == [("High", True)] * 2
    [cause] = json.loads(ehcp("causes", "--format", "json").output)
    assert (cause["cause"], cause["children"], cause["exceptions"]) == ("Review overdue: 100001", 2, 2)
    assert json.loads(ehcp("list", "--overdue", "--format", "json").output) == []


@pytest.mark.parametrize(("option", "misspelt"), [("--rule", "ZZ99"), ("--owner", "SEN casewrok")])
def test_a_misspelt_name_does_not_read_as_nothing_wrong(store: Store, option: str, misspelt: str) -> None:
    told = ehcp("list", option, misspelt)
    assert told.exit_code == 14 and misspelt in told.output and len(told.output.strip().splitlines()) == 2


def test_capitals_do_not_make_another_rule(store: Store) -> None:
    code = the_one(store)["rule"]
    assert ehcp("list", "--rule", code.lower(), "--format", "csv").output.count(code) == 1
