"""What people do to exceptions: acceptances with their boundary days, the second person, undo. Drawn events, no database."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from config.errors import ConfigurationError
from pipelines.acts import (
    ACCEPTANCE,
    ACTS,
    EVENT_COLUMNS,
    LAPSED,
    PROPOSED,
    UNDONE,
    acceptance,
    acceptances,
    honour,
    last_act,
    resting_on,
    standing,
)

NIGHT = date(2026, 10, 28)
BASIS = resting_on(pd.Series(["due 2026-10-01"])).iloc[0]
UNTIL = "2026-12-01"


def trail(*drawn: str) -> pd.DataFrame:
    """Events of the exception x1 drawn as ``event | value | who | night``; their numbers count from 1."""
    rows = [[part.strip() for part in line.split("|")] for line in drawn]
    frame = pd.DataFrame(rows, columns=["event", "value", "who", "night"], dtype="str")
    frame["night"] = pd.to_datetime(frame["night"]).astype("datetime64[us]")
    frame = frame.assign(id=range(1, len(frame) + 1), exception_id="x1", reason="", place="command", at=pd.NaT)
    return frame[list(EVENT_COLUMNS)].astype({"id": "int64", "exception_id": "str"})


def exception(**changed: object) -> pd.DataFrame:
    """The exception x1 as data left it tonight."""
    row = {"exception_id": "x1", "status": "open", "severity": "medium", "detail": "due 2026-10-01"} | changed
    frame = pd.DataFrame([row])
    frame["reopened_on"] = pd.to_datetime(frame.get("reopened_on", pd.Series([pd.NaT]))).astype("datetime64[us]")
    return frame


def on(day: str, events: pd.DataFrame, **changed: object) -> tuple[str, list[str]]:
    """Status and reasons of lapses on a night."""
    exceptions, lapsed = honour(exception(**changed), events, pd.Timestamp(day))
    return exceptions["status"].iloc[0], lapsed["reason"].tolist()


ONE = trail(f"accepted | {UNTIL} {BASIS} | ada | 2026-10-28")


@pytest.mark.parametrize(
    ("night", "status", "lapsed"),
    [
        ("2026-10-27", "open", []),  # before it was given
        ("2026-10-28", "accepted", []),  # the night it was given, run again
        ("2026-11-30", "accepted", []),  # the last night
        ("2026-12-01", "open", ["its date has come"]),
        ("2026-12-02", "open", ["its date has come"]),
    ],
)
def test_an_acceptance_holds_until_the_night_before_its_date(night: str, status: str, lapsed: list[str]) -> None:
    assert on(night, ONE) == (status, lapsed)


def test_an_acceptance_lapses_when_the_value_it_rested_on_changes() -> None:
    assert on("2026-10-29", ONE, detail="due 2026-10-02") == ("open", ["the value it rested on has changed"])


def test_what_lapsed_stays_lapsed_when_the_old_value_is_back() -> None:
    exceptions, lapsed = honour(exception(detail="other"), ONE, pd.Timestamp("2026-10-29"))
    told = lapsed.iloc[0]
    later = trail(f"accepted | {UNTIL} {BASIS} | ada | 2026-10-28", f"{LAPSED} | {told['value']} | | 2026-10-29")
    assert exceptions["status"].tolist() == ["open"] and on("2026-10-30", later) == ("open", [])


def test_what_was_resolved_and_came_back_is_open() -> None:
    assert on("2026-11-02", ONE, reopened_on="2026-11-02") == ("open", ["it was resolved and came back"])
    assert on("2026-11-02", ONE, reopened_on="2026-10-28") == ("accepted", [])


@pytest.mark.parametrize("status", ["resolved", "not_evaluated"])
def test_an_acceptance_neither_resolves_nor_judges(status: str) -> None:
    assert on("2026-10-29", ONE, status=status) == (status, [])


def test_an_acceptance_outlives_a_night_without_the_feed() -> None:
    assert on("2026-10-29", ONE, status="not_evaluated") == ("not_evaluated", [])
    assert on("2026-10-30", ONE, status="open") == ("accepted", [])


def test_accepted_of_last_night_without_an_acceptance_is_open() -> None:
    assert on("2026-10-29", trail(), status="accepted") == ("open", [])


def test_one_that_became_high_needs_a_second_person() -> None:
    assert on("2026-10-29", ONE, severity="high") == ("open", ["it now needs a second person"])


def accept(events: pd.DataFrame, who: str, until: str = UNTIL, **changed: object) -> tuple[str, str]:
    return acceptance(exception(**changed).iloc[0], events, date.fromisoformat(until), who, NIGHT)


@pytest.mark.parametrize("severity", ["medium", "info"])
def test_one_person_accepts_what_is_not_serious(severity: str) -> None:
    assert accept(trail(), "ada", severity=severity) == (ACCEPTANCE, f"{UNTIL} {BASIS}")


PROPOSAL = trail(f"acceptance proposed | {UNTIL} {BASIS} | ada | 2026-10-28")


@pytest.mark.parametrize("severity", ["critical", "high"])
def test_a_serious_one_takes_two(severity: str) -> None:
    assert accept(trail(), "ada", severity=severity)[0] == PROPOSED
    assert on("2026-10-29", PROPOSAL, severity=severity) == ("open", [])
    assert accept(PROPOSAL, "grace", severity=severity) == (ACCEPTANCE, f"{UNTIL} {BASIS} 1")
    both = trail(
        f"acceptance proposed | {UNTIL} {BASIS} | ada | 2026-10-28",
        f"accepted | {UNTIL} {BASIS} 1 | grace | 2026-10-28",
    )
    assert on("2026-10-29", both, severity=severity) == ("accepted", [])


@pytest.mark.parametrize("again", ["ada", "Ada", " ADA "])
def test_nobody_is_their_own_second_person(again: str) -> None:
    assert accept(PROPOSAL, again, severity="high")[0] == PROPOSED


def test_a_proposal_for_another_value_is_not_confirmed() -> None:
    assert accept(PROPOSAL, "grace", severity="high", detail="due 2026-10-09")[0] == PROPOSED


def test_the_second_person_gives_the_same_date() -> None:
    with pytest.raises(ConfigurationError, match="proposed until 2026-12-01"):
        accept(PROPOSAL, "grace", until="2026-12-02", severity="high")


@pytest.mark.parametrize("until", ["2026-10-27", "2026-10-28"])
def test_a_date_that_has_come_is_refused(until: str) -> None:
    with pytest.raises(ConfigurationError, match="would have lapsed"):
        accept(trail(), "ada", until=until)
    assert accept(trail(), "ada", until="2026-10-29")[0] == ACCEPTANCE


def test_a_resolved_one_is_not_accepted() -> None:
    with pytest.raises(ConfigurationError, match="resolved"):
        accept(trail(), "ada", status="resolved")


def test_undo_of_either_person_ends_the_acceptance_and_the_earlier_one_stands_again() -> None:
    drawn = [
        f"acceptance proposed | {UNTIL} {BASIS} | ada | 2026-10-28",
        f"accepted | {UNTIL} {BASIS} 1 | grace | 2026-10-28",
        "undone | {} | x | 2026-10-28",
    ]
    for act in ("1", "2"):
        events = trail(*drawn[:2], drawn[2].format(act))
        assert on("2026-10-29", events, severity="high") == ("open", [])
    shorter = trail(
        f"accepted | {UNTIL} {BASIS} | ada | 2026-10-28",
        f"accepted | 2026-10-30 {BASIS} | ada | 2026-10-28",
        "undone | 2 | ada | 2026-10-28",
    )
    assert on("2026-10-30", shorter) == ("accepted", [])
    assert on("2026-10-30", shorter.iloc[:2]) == ("open", ["its date has come"])


def test_undo_goes_back_act_by_act_and_takes_nobody_elses() -> None:
    events = trail("noted | a | ada | 2026-10-28", "noted | b | ada | 2026-10-28", "noted | c | grace | 2026-10-28")
    assert last_act(events, "ada")["value"] == "b"
    events = trail(*("noted | a | ada | 2026-10-28", "noted | b | ada | 2026-10-28", "undone | 2 | ada | 2026-10-28"))
    assert last_act(events, "ADA")["value"] == "a" and last_act(events, "grace") is None


def test_the_hash_tells_details_apart_and_bears_a_missing_one() -> None:
    hashes = resting_on(pd.Series(["a", "b", None, ""], dtype="str"))
    assert hashes.nunique() == 3 and hashes.str.len().eq(16).all()


step = st.tuples(st.sampled_from(["accept", "undo", "night"]), st.sampled_from(["ada", "grace"]), st.integers(1, 4))


@options(max_examples=15, deadline=None)
@given(st.lists(step, max_size=10), st.sampled_from(["medium", "high"]))
def test_every_accepted_state_is_explained_by_events(steps: list[tuple[str, str, int]], severity: str) -> None:
    """People act and nights pass in any order: a plain reading of the trail gives the same status, and a second run changes nothing."""
    events, today, plain = trail(), pd.Timestamp(NIGHT), []
    for kind, who, number in steps:
        row: dict[str, object] | None = None
        if kind == "night":
            today += pd.Timedelta(1, "D")
        elif kind == "undo":
            act = last_act(events, who)
            row = None if act is None else {"event": UNDONE, "value": str(act["id"]), "who": who}
            if act is not None:
                plain = [one for one in plain if act["id"] not in one["acts"]]
        else:
            try:
                event, value = acceptance(
                    exception(severity=severity).iloc[0],
                    events,
                    today.date() + timedelta(days=number),
                    who,
                    today.date(),
                )
            except ConfigurationError:
                continue  # the second person gave another date
            row = {"event": event, "value": value, "who": who}
            if event == ACCEPTANCE:
                parts = value.split()
                acts = {len(events) + 1} | {int(part) for part in parts[2:]}
                plain.append({"until": pd.Timestamp(parts[0]), "acts": acts})
        if row:
            row |= {"id": len(events) + 1, "exception_id": "x1", "night": today}
            events = pd.concat([events, pd.DataFrame([row])], ignore_index=True)
        exceptions, lapsed = honour(exception(severity=severity), events, today)
        again, lapsed_again = honour(exceptions, events, today)
        assert again.equals(exceptions) and lapsed_again.equals(lapsed)
        if kind == "night":
            told = lapsed.assign(id=range(len(events) + 1, len(events) + 1 + len(lapsed)), night=today)
            events = pd.concat([events, told], ignore_index=True) if len(told) else events
            if plain and plain[-1]["until"] <= today:
                plain = []
        expected = bool(plain) and plain[-1]["until"] > today
        assert exceptions["status"].tolist() == ["accepted" if expected else "open"]
    assert set(standing(events)["event"]) <= set(ACTS) and len(acceptances(events)) <= 1
