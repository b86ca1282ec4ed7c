"""A vanished child explained by a person: what it takes to prove that wrong, drawn with its boundary days, and kept in the store."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from store_drawn import FIRST, SECOND, THIRD
from test_acts import trail
from test_store_people import BEFORE, NOW, found, the_one, told

from config.errors import ConfigurationError
from pipelines import store_people as people
from pipelines.acts import EXPLAINED, FELL, OF_PEOPLE, UNDONE, readable
from pipelines.explain import explanations, honour_explanations, records_of
from pipelines.lifecycle import advance
from pipelines.store import Store


def register(**known: object) -> pd.DataFrame:
    row = {
        "child_id": "c1",
        "has_active_plan": True,
        "seen_on": None,
        "synergy_id": "1",
        "liquidlogic_id": None,
        "capita_id": "9",
    } | known
    frame = pd.DataFrame([row])
    frame["seen_on"] = pd.to_datetime(frame["seen_on"]).astype("datetime64[us]")
    return frame.astype(dict.fromkeys(["synergy_id", "liquidlogic_id", "capita_id"], "str"))


THEN = records_of(register())["c1"]
GIVEN = trail(f"{EXPLAINED} | {THEN} | ada | 2026-10-01")


def on(
    day: str, events: pd.DataFrame = GIVEN, known: dict[str, object] | None = None, **changed: object
) -> tuple[str, list[str]]:
    """Status and reasons of explanations that fell, on a night."""
    row = {"exception_id": "x1", "rule": "SR08", "child_id": "c1", "status": "open", "reopened_on": None} | changed
    frame = pd.DataFrame([row])
    frame["reopened_on"] = pd.to_datetime(frame["reopened_on"]).astype("datetime64[us]")
    exceptions, fell = honour_explanations(frame, events, register(**(known or {})), pd.Timestamp(day), 28)
    return exceptions["status"].iloc[0], fell["reason"].tolist()


HOLDS = ("explained", [])
STAYS = "28 days later the child still has an active plan"


@pytest.mark.parametrize(
    ("day", "known", "got"),
    [
        ("2026-09-30", {}, ("open", [])),  # before it was given
        ("2026-10-01", {}, HOLDS),
        ("2026-10-28", {}, HOLDS),  # the 27th day after
        ("2026-10-29", {}, ("open", [STAYS])),
        ("2026-10-29", {"has_active_plan": False}, HOLDS),
        ("2026-10-02", {"seen_on": "2026-10-01"}, HOLDS),  # seen before it was explained
        ("2026-10-02", {"seen_on": "2026-10-02"}, ("open", ["the child was seen since"])),
        ("2026-10-02", {"capita_id": None}, HOLDS),  # one record fewer proves nothing
        ("2026-10-02", {"liquidlogic_id": "5"}, ("open", ["a record of the child is there that was not there then"])),
        ("2026-10-02", {"capita_id": "10"}, ("open", ["a record of the child is there that was not there then"])),
        ("2026-10-02", {"child_id": "other"}, HOLDS),  # no longer on the register: the data bear it out
    ],
)  # fmt: skip
def test_an_explanation_holds_until_the_data_prove_it_wrong(
    day: str, known: dict[str, object], got: tuple[str, list[str]]
) -> None:
    assert on(day, known=known) == got


def test_it_falls_when_the_record_was_back_and_went_again() -> None:
    assert on("2026-10-09", reopened_on="2026-10-09") == ("open", ["the record was back, and has gone again"])
    assert on("2026-10-09", reopened_on="2026-10-01") == HOLDS


def test_what_fell_stays_fallen_until_somebody_explains_anew() -> None:
    fallen = trail(f"{EXPLAINED} | {THEN} | ada | 2026-10-01", f"{FELL} | 1 | | 2026-10-02")
    assert on("2026-10-03", fallen) == ("open", [])
    again = trail(
        f"{EXPLAINED} | {THEN} | ada | 2026-10-01",
        f"{FELL} | 1 | | 2026-10-02",
        f"{EXPLAINED} | {THEN} | ada | 2026-10-03",
    )
    assert on("2026-10-03", again) == HOLDS


def test_what_was_taken_back_explains_nothing_and_nothing_else_is_explained() -> None:
    undone = trail(f"{EXPLAINED} | {THEN} | ada | 2026-10-01", f"{UNDONE} | 1 | ada | 2026-10-01")
    assert on("2026-10-02", undone) == ("open", []) and on("2026-10-02", undone, status="explained") == ("open", [])
    assert on("2026-10-02", rule="WH01") == ("open", []) and on("2026-10-02", status="resolved") == ("resolved", [])


def test_what_it_rests_on_says_no_number_and_is_not_shown() -> None:
    assert THEN and "9" not in THEN.split() and readable(GIVEN)["value"].isna().all()


def night(store: Store, day: date, findings: pd.DataFrame, plan: bool = True) -> None:
    """A night as far as a vanished child goes."""
    with store.night(day) as kept:
        today = pd.Timestamp(day)
        exceptions, events = advance(kept.previous("exceptions"), findings, {"SR08": "fresh"}, set(), today)
        acts = people.read_events(kept.connection, kinds=OF_PEOPLE)
        exceptions, fell = honour_explanations(exceptions, acts, register(has_active_plan=plan), today, 28)
        kept.open_run({"application": "test"}, NOW)
        kept.save("register", register().drop(columns=["has_active_plan", "seen_on"]))
        kept.save("exceptions", exceptions)
        kept.save_events(pd.concat([events, fell], ignore_index=True))
        kept.close_run(0, {}, {})


VANISHED = found().assign(rule="SR08", source="capita", source_id="9", severity="critical")


def test_explained_from_the_next_night_until_it_proves_wrong(store: Store) -> None:
    night(store, FIRST, VANISHED)
    one = the_one(store)["exception_id"]
    people.explain(store, one, "moved abroad, confirmed by the family", "ada", BEFORE)
    assert the_one(store)["status"] == "open"
    assert people.standing_of(store, one) == [f"Explained by ada on the night of {FIRST}."]
    night(store, SECOND, VANISHED)
    assert the_one(store)["status"] == "explained"
    night(store, FIRST + timedelta(28), VANISHED)
    assert the_one(store)["status"] == "open" and the_one(store)["age_days"] == 28
    assert told(store) == ["raised", "explained", "explanation proved wrong"]


def test_it_is_taken_back_like_any_act(store: Store) -> None:
    night(store, FIRST, VANISHED)
    one = the_one(store)["exception_id"]
    people.explain(store, one, "moved abroad", "ada", BEFORE)
    night(store, SECOND, VANISHED)
    assert people.undo(store, one, "ada", BEFORE) == "explained"
    night(store, THIRD, VANISHED)
    assert the_one(store)["status"] == "open" and explanations(people.events_of(store, one)).empty


def test_only_a_vanished_child_that_is_still_gone_is_explained(store: Store) -> None:
    night(store, FIRST, found())
    with pytest.raises(ConfigurationError, match="is no vanished child"):
        people.explain(store, the_one(store)["exception_id"], "because", "ada", BEFORE)


def test_a_record_that_is_back_resolves_it_whatever_people_said(store: Store) -> None:
    night(store, FIRST, VANISHED)
    one = the_one(store)["exception_id"]
    people.explain(store, one, "moved abroad", "ada", BEFORE)
    night(store, SECOND, VANISHED.iloc[:0])
    assert the_one(store)["status"] == "resolved"
    night(store, THIRD, VANISHED)
    assert the_one(store)["status"] == "open"
    with pytest.raises(ConfigurationError, match="nothing in the reason"):
        people.explain(store, one, " ", "ada", BEFORE)
