"""What people do, kept in the store: append-only, honoured by the next night, and still there when a night is run again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa
from store_drawn import FIRST, FOURTH, NOW, SECOND, THIRD

from config.errors import ConfigurationError
from pipelines import store_people as people
from pipelines import tables as t
from pipelines.acts import honour
from pipelines.answers import claims_known
from pipelines.lifecycle import advance
from pipelines.store import Store

BEFORE = datetime(2026, 10, 28, 23, 30, tzinfo=UTC)


def found(detail: str = "due 2026-10-01", severity: str = "medium") -> pd.DataFrame:
    row = {"rule": "RV01", "child_id": "c1", "source": "synergy", "source_id": "1", "row_id": "11", "thing": "", "field": "", "detail": detail,
           "severity": severity, "kind": "duty", "owner": "SEN casework"}  # fmt: skip
    return pd.DataFrame([row], dtype="str").assign(on_old_data=False)


def night(store: Store, day: date, findings: pd.DataFrame, state: str = "fresh", backfill: bool = False) -> None:
    """A night as far as exceptions go."""
    with store.night(day, backfill) as kept:
        today = pd.Timestamp(day)
        exceptions, events = advance(kept.previous("exceptions"), findings, {"RV01": state}, set(), today)
        exceptions, lapsed = honour(exceptions, people.read_events(kept.connection), today)
        kept.open_run({"application": "test"}, NOW)
        kept.save("exceptions", exceptions)
        kept.save_events(pd.concat([events, lapsed], ignore_index=True))
        kept.close_run(0, {}, {})


def the_one(store: Store) -> pd.Series:
    frame = store.exceptions(include_resolved=True)
    assert len(frame) == 1
    return frame.iloc[0]


def told(store: Store) -> list[str]:
    return people.trail(store)["event"].tolist()


def test_accepted_from_the_next_night_until_its_date(store: Store) -> None:
    night(store, FIRST, found())
    one = the_one(store)["exception_id"]
    assert people.accept(store, one, THIRD, "agreed with the family", "ada", BEFORE) == "accepted"
    assert the_one(store)["status"] == "open"
    seen = []
    for day in (SECOND, THIRD, FOURTH):
        night(store, day, found())
        seen.append((the_one(store)["status"], the_one(store)["age_days"]))
    assert seen == [("accepted", 1), ("open", 2), ("open", 3)]
    assert told(store) == ["raised", "accepted", "acceptance lapsed"]


def test_a_changed_value_ends_it_for_good(store: Store) -> None:
    night(store, FIRST, found())
    people.accept(store, the_one(store)["exception_id"], date(2027, 1, 1), "known", "ada", BEFORE)
    seen = []
    for day, detail in ((SECOND, "due 2026-10-01"), (THIRD, "due 2026-10-09"), (FOURTH, "due 2026-10-01")):
        night(store, day, found(detail))
        seen.append(the_one(store)["status"])
    assert seen == ["accepted", "open", "open"]


def test_a_critical_one_waits_for_the_second_person(store: Store) -> None:
    night(store, FIRST, found(severity="critical"))
    one, until = the_one(store)["exception_id"], date(2027, 1, 1)
    assert people.accept(store, one, until, "known", "ada", BEFORE) == "acceptance proposed"
    assert people.accept(store, one, until, "known", "Ada", BEFORE) == "acceptance proposed"
    night(store, SECOND, found(severity="critical"))
    assert the_one(store)["status"] == "open"
    assert people.accept(store, one, until, "I agree", "grace", BEFORE) == "accepted"
    night(store, THIRD, found(severity="critical"))
    assert the_one(store)["status"] == "accepted"
    assert people.undo(store, one, "grace", BEFORE) == "accepted"
    night(store, FOURTH, found(severity="critical"))
    assert the_one(store)["status"] == "open"


def test_a_night_without_the_feed_loses_no_acceptance(store: Store) -> None:
    night(store, FIRST, found())
    people.accept(store, the_one(store)["exception_id"], date(2027, 1, 1), "known", "ada", BEFORE)
    night(store, SECOND, found())
    night(store, THIRD, found().iloc[:0], state="not_evaluated")
    night(store, FOURTH, found())
    assert the_one(store)["status"] == "accepted" and the_one(store)["age_days"] == 3


def test_a_night_run_again_keeps_what_people_did_and_honours_it(store: Store) -> None:
    night(store, FIRST, found())
    night(store, SECOND, found())
    one = the_one(store)["exception_id"]
    people.note(store, one, "asked the caseworker", "ada", BEFORE)
    people.accept(store, one, FOURTH, "known", "ada", BEFORE)
    before = people.trail(store).drop(columns="id")
    for _ in range(2):
        night(store, SECOND, found())
        assert the_one(store)["status"] == "accepted" and the_one(store)["age_days"] == 1
        pd.testing.assert_frame_equal(people.trail(store).drop(columns="id"), before)
    night(store, FOURTH, found())
    night(store, FOURTH, found())
    assert told(store).count("acceptance lapsed") == 1 and the_one(store)["status"] == "open"


def test_an_older_night_run_again_does_not_know_later_acts(store: Store) -> None:
    for day in (FIRST, SECOND, THIRD):
        night(store, day, found())
    people.accept(store, the_one(store)["exception_id"], date(2027, 1, 1), "known", "ada", BEFORE)
    night(store, SECOND, found(), backfill=True)
    assert the_one(store)["status"] == "open"
    night(store, THIRD, found(), backfill=True)
    assert the_one(store)["status"] == "accepted"


def test_events_are_only_added(store: Store) -> None:
    night(store, FIRST, found())
    one = the_one(store)["exception_id"]
    seen: list[tuple] = []
    acts = [
        lambda: people.assign(store, one, "Grace Hopper", "ada", BEFORE),
        lambda: people.note(store, one, "=1+1 \U0001f600", "ada", BEFORE),
        lambda: people.claim(store, one, None, "ada", BEFORE),
        lambda: people.undo(store, one, "ada", BEFORE),
        lambda: people.undo(store, one, "ada", BEFORE),
    ]
    for act in acts:
        act()
        with store.engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(sa.select(t.exception_events).order_by("id"))]
        assert rows[: len(seen)] == seen and len(rows) == max(len(seen), 1) + 1
        seen = rows
    trail = people.trail(store, child_id="c1")
    assert trail["event"].tolist() == ["raised", "assigned", "noted", "claimed fixed", "undone", "undone"]
    assert trail["reason"].tolist()[-2:] == ["claimed fixed", "noted"]
    assert trail["at"].iloc[1] == BEFORE and trail["value"].iloc[2] == "=1+1 \U0001f600"


def test_nothing_of_mine_to_take_back(store: Store) -> None:
    night(store, FIRST, found())
    one = the_one(store)["exception_id"]
    people.note(store, one, "mine", "ada", BEFORE)
    with pytest.raises(ConfigurationError, match="nothing of grace"):
        people.undo(store, one, "grace", BEFORE)


def claimed(store: Store) -> tuple[date, int] | None:
    told = claims_known(store, "exception")
    return None if told.empty else (told["claimed_on"].iloc[0].date(), int(told["claim_failing"].iloc[0]))


def test_a_claim_counts_the_nights_that_still_found_it(store: Store) -> None:
    night(store, FIRST, found())
    one = the_one(store)["exception_id"]
    assert claimed(store) is None
    people.claim(store, one, "corrected today", "ada", BEFORE)
    assert claimed(store) == (FIRST, 0)
    night(store, SECOND, found())
    night(store, THIRD, found().iloc[:0], state="old")  # the extract did not arrive: no evidence either way
    night(store, FOURTH, found())
    assert claimed(store) == (FIRST, 2)
    night(store, FOURTH + timedelta(1), found().iloc[:0])
    assert the_one(store)["status"] == "resolved" and claimed(store) == (FIRST, 2)
    night(store, FOURTH + timedelta(2), found())
    assert claimed(store) is None and the_one(store)["age_days"] == 5


def test_the_trail_of_one_month_and_of_nobody(store: Store) -> None:
    night(store, FIRST, found())
    people.note(store, the_one(store)["exception_id"], "a", "ada", BEFORE)
    assert len(people.trail(store, month="2026-10")) == 2
    assert people.trail(store, month="2026-11").empty and people.trail(store, child_id="c2").empty


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_words_and_unknown_exceptions_are_refused(store: Store, text: str) -> None:
    night(store, FIRST, found())
    one = the_one(store)["exception_id"]
    for act in (people.note, people.assign):
        with pytest.raises(ConfigurationError, match="nothing in"):
            act(store, one, text, "ada", BEFORE)
        with pytest.raises(ConfigurationError, match="no exception zzz"):
            act(store, "zzz", "words", "ada", BEFORE)
    with pytest.raises(ConfigurationError, match="nothing in"):
        people.accept(store, one, FOURTH, text, "ada", BEFORE)
    assert told(store) == ["raised"]
