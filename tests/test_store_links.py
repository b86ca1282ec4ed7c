"""Decisions about pairs in the store, on both databases: only ever added, honoured by the night they were given for, kept when it runs again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from store_drawn import FIRST, NOW, SECOND, contents, draw, people, run, spells

from config.errors import ConfigurationError
from pipelines import tables as t
from pipelines.answers_links import decisions_of_child, review_queue
from pipelines.decisions import PAIR
from pipelines.link_night import LINK_EVENT_COLUMNS
from pipelines.store import Store
from pipelines.store_links import (
    decisions_shown,
    draft,
    events_shown,
    keep_decisions,
    known_before,
    save_link_events,
    withdrawal,
)


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    return draw(
        tmp_path / "in", pupils=people(1, 2), plans=spells(1, 2), persons=people(1, 2), involvements=spells(1, 2)
    )


def asked(answer: str, reason: str = "seen both") -> pd.DataFrame:
    rows = [["synergy", "1", "liquidlogic", "2", answer, reason]]
    return pd.DataFrame(rows, columns=[*PAIR, "answer", "reason"], dtype="str")


def decide(store: Store, answer: str) -> None:
    rows, refused = draft(store, asked(answer), "ada", NOW)
    assert refused.tolist() == [""]
    keep_decisions(store, rows)


def test_given_taken_back_and_given_anew_with_every_row_kept(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    decide(store, "same")
    assert draft(store, asked("same"), "ada", NOW)[1].tolist() == ["unchanged"]
    assert "take that back first" in draft(store, asked("different"), "ada", NOW)[1].item()
    keep_decisions(store, withdrawal(store, "s1", "no", "grace", NOW))
    with pytest.raises(ConfigurationError, match="no decision about s1"):
        withdrawal(store, "s1", "again", "grace", NOW)
    decide(store, "different")
    said = decisions_shown(store)
    assert said["answer"].tolist() == ["same", "undone", "different"]
    assert said["who"].tolist() == ["ada", "grace", "ada"] and said["undoes"].tolist() == [pd.NA, 1, pd.NA]
    assert set(said["night"]) == {pd.Timestamp(FIRST)} and set(said["at"]) == {pd.Timestamp(NOW)}
    assert said["source_a"].unique().tolist() == ["liquidlogic"], "a pair is one pair whichever way it was given"


def test_an_older_night_knows_nothing_of_a_later_decision_and_a_rerun_keeps_it(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    run(store, SECOND, extracts)
    decide(store, "same")
    with store.reading() as connection:
        assert known_before(connection, FIRST, None).decisions.empty
        assert len(known_before(connection, SECOND, FIRST).decisions) == 1
    run(store, SECOND, extracts)
    assert len(decisions_shown(store)) == 1


def test_the_queue_of_a_past_night_holds_what_waited_then_and_was_answered_by_then(
    store: Store, extracts: Path
) -> None:
    run(store, FIRST, extracts)
    waits = dict(zip(PAIR, ["synergy", "1", "liquidlogic", "2"], strict=True)) | {
        "weight": 3.0,
        "agrees": "agrees: surname",
    }
    with store.writing() as connection:
        of_run = {"night": FIRST, "run_id": store.newest_run()["run_id"]}
        connection.execute(sa.insert(t.nightly_tables["review_pairs"]), waits | of_run)
    run(store, SECOND, extracts)
    decide(store, "same")
    assert review_queue(store).empty and review_queue(store, known_on=SECOND).empty
    waited = review_queue(store, known_on=FIRST)
    assert waited[["record_a", "record_b", "answered"]].to_numpy().tolist() == [["synergy:1", "liquidlogic:2", ""]]


def test_what_became_of_whom_is_taken_back_with_its_night(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    before = contents(store)
    event = dict.fromkeys(LINK_EVENT_COLUMNS, "x") | {"decision_id": 1, "source": "synergy", "source_id": "1"}
    run(store, SECOND, extracts)
    with store.writing() as connection:
        save_link_events(connection, SECOND, pd.DataFrame([event]))
    assert len(events_shown(store)) == 1
    run(store, SECOND, extracts)
    assert events_shown(store).empty
    assert contents(store)["link_decisions"] == before["link_decisions"]


def test_a_decision_without_a_name_or_a_reason_is_refused(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    for reason, who in (("", "ada"), ("seen", " ")):
        rows, _ = draft(store, asked("same", reason), who, NOW)
        with pytest.raises(ConfigurationError, match="needs your name and a reason"):
            keep_decisions(store, rows)
    assert decisions_shown(store).empty


def test_what_an_adoption_closed_is_in_no_decision_that_is_shown(store: Store, extracts: Path) -> None:
    run(store, FIRST, extracts)
    decide(store, "same")
    with store.writing() as connection:
        sealed = {"known_from": SECOND, "row_hash": 1, "source": "liquidlogic", "source_id": "2"}
        connection.execute(sa.insert(t.history_tables["sealed_records"]), sealed)
    assert decisions_shown(store).empty
    assert "there is no record" in draft(store, asked("different"), "ada", NOW)[1].item()


def test_what_is_written_about_a_restricted_child_is_withheld(store: Store, extracts: Path, monkeypatch) -> None:
    run(store, FIRST, extracts)
    decide(store, "same")
    assert decisions_of_child(store, "s1")["reason"].tolist() == ["seen both"]
    monkeypatch.setattr(Store, "restricted", lambda self: {"s1"})
    assert decisions_of_child(store, "s1")["reason"].tolist() == ["restricted"]
