"""An exception's life: raised, kept, resolved and reopened by data alone."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.lifecycle import advance, identify, rule_states
from pipelines.tables import HISTORY

DAYS = [pd.Timestamp(2026, 10, day) for day in (25, 26, 27, 28)]
FRESH = {"RV01": "fresh", "WH06": "fresh", "SR04": "fresh", "SR08": "fresh"}
NONE = pd.DataFrame(
    {
        column: pd.Series(
            dtype="datetime64[us]" if column.endswith("_on") else "boolean" if column == "on_old_data" else "str"
        )
        for column in HISTORY["exceptions"][1]
    }
)
KEYS = ["rule", "child_id", "source", "source_id", "row_id", "thing", "field"]


def found(*rows: str) -> pd.DataFrame:
    """Findings drawn as ``rule child source source_id row_id thing field``; a dot is blank."""
    drawn = [["" if part == "." else part for part in row.split()] for row in rows]
    frame = pd.DataFrame(drawn, columns=KEYS, dtype="str")
    return frame.assign(detail="", severity="high", kind="duty", owner="SEN casework", on_old_data=False)


OVERDUE = "RV01 c1 synergy 1 11 11 ."
MISSING = "WH06 c2 liquidlogic 2 22 22 ."


def live(*nights: tuple, uncertain: set[str] = frozenset()) -> tuple[pd.DataFrame, list[list[tuple[str, str]]]]:
    """Run (findings, states) night by night; gives the last exceptions by rule, and the events of each night."""
    exceptions, told = NONE, []
    for day, (findings, states) in zip(DAYS, nights, strict=False):
        exceptions, events = advance(exceptions, findings, states, set(uncertain), day)
        rule = exceptions.set_index("exception_id")["rule"]
        told.append(sorted((rule[i], event) for i, event in zip(events["exception_id"], events["event"], strict=True)))
    return exceptions.set_index("rule"), told


def test_raised_kept_resolved_reopened() -> None:
    last, told = live((found(OVERDUE), FRESH), (found(OVERDUE), FRESH), (found(), FRESH), (found(OVERDUE), FRESH))
    assert told == [[("RV01", "raised")], [], [("RV01", "resolved")], [("RV01", "reopened")]]
    assert last.loc["RV01", ["status", "first_seen_on", "reopened_on"]].tolist() == ["open", DAYS[0], DAYS[3]]
    assert pd.isna(last.loc["RV01", "resolved_on"]) and len(last) == 1


def test_a_resolved_one_stays_resolved_without_events() -> None:
    last, told = live((found(OVERDUE), FRESH), (found(), FRESH), (found(), FRESH))
    assert told[2] == [] and last.loc["RV01", "resolved_on"] == DAYS[1]


@pytest.mark.parametrize(("state", "status"), [("old", "open"), ("not_evaluated", "not_evaluated")])
def test_nothing_resolves_without_fresh_feeds(state: str, status: str) -> None:
    nights = (
        (found(OVERDUE, MISSING), FRESH),
        (found(OVERDUE), FRESH | {"WH06": state}),
        (found(OVERDUE), FRESH | {"WH06": state}),
    )
    last, told = live(*nights)
    assert last["status"].to_dict() == {"RV01": "open", "WH06": status}
    assert last["on_old_data"].astype(bool).to_dict() == {"RV01": False, "WH06": True}
    assert told[1] == ([("WH06", "not evaluated")] if state == "not_evaluated" else []) and told[2] == []
    last, told = live(*nights, (found(OVERDUE), FRESH))
    assert last.loc["WH06", "status"] == "resolved" and told[3] == [("WH06", "resolved")]


def test_a_rule_that_is_no_longer_in_the_catalogue_resolves_nothing() -> None:
    last, _ = live((found(OVERDUE), FRESH), (found(), {"WH06": "fresh"}))
    assert last.loc["RV01", "status"] == "not_evaluated"


def test_nothing_resolves_for_a_vanished_child_but_its_own_alarm() -> None:
    last, _ = live((found(OVERDUE, "SR08 c1 synergy 1 . . pupils"), FRESH), (found(), FRESH), uncertain={"c1"})
    assert last["status"].to_dict() == {"RV01": "open", "SR08": "resolved"}


def test_a_feed_that_was_not_read_resolves_none_of_its_rows() -> None:
    feeds = pd.DataFrame(
        {
            "system": ["capita", "synergy"],
            "feed": ["students", "pupils"],
            "status": ["gated", "accepted"],
            "is_accepted": [False, True],
            "is_expected": True,
            "tables": "people",
        }
    )
    states = rule_states(pd.DataFrame({"rule": list(FRESH), "state": "fresh", "is_shadow": False}), {}, feeds)
    rows = found("SR04 . capita . . l1 students", "SR04 . synergy . . l1 pupils", "SR08 c9 capita 9 . . students")
    last, _ = live((rows, FRESH), (found(), states))
    assert last.reset_index().set_index(["rule", "source"])["status"].to_dict() == {
        ("SR04", "capita"): "not_evaluated",
        ("SR04", "synergy"): "resolved",
        ("SR08", "capita"): "open",
    }


def test_identity_survives_a_new_child_id_and_a_renamed_field() -> None:
    last, told = live((found(OVERDUE), FRESH), (found("RV01 c77 synergy 1 11 11 renamed"), FRESH))
    assert told[1] == [] and last.loc["RV01", "child_id"] == "c77" and last.loc["RV01", "first_seen_on"] == DAYS[0]


def test_identity_tells_things_rows_and_records_apart() -> None:
    rows = found(
        OVERDUE,
        "RV01 c1 synergy 1 12 12 .",
        "RV01 c1 capita 1 11 11 .",
        "RV01 c1 . . . a .",
        "RV01 c1 . . . b .",
        "RV01 c2 . . . a .",
    )
    assert identify(rows).is_unique


def test_the_order_of_findings_does_not_matter() -> None:
    rows = found(OVERDUE, MISSING, "RV01 c1 . . . a .")
    assert set(identify(rows)) == set(identify(rows.iloc[::-1]))


def test_a_first_night_without_findings() -> None:
    exceptions, events = advance(NONE, found(), FRESH, set(), DAYS[0])
    assert exceptions.empty and events.empty


TWO_SYSTEMS = pd.DataFrame(
    {"system": ["synergy", "liquidlogic"], "feed": ["visits", "care"], "status": ["accepted", "missing"], "is_accepted": [True, False], "is_expected": True,
     "tables": ["visits", "care_placements"]}
)  # fmt: skip


def test_a_rule_that_rests_on_two_systems_resolves_nothing_without_one() -> None:
    uses = {"VS02": ("visits", "care_placements")}
    states = rule_states(pd.DataFrame({"rule": ["VS02"], "state": ["old"], "is_shadow": [False]}), uses, TWO_SYSTEMS)
    last, _ = live((found("VS02 c1 synergy 1 . . ."), {"VS02": "fresh"}), (found(), states))
    assert last["status"].tolist() == ["open"]


def test_a_rule_that_rests_on_its_own_system_resolves_without_another() -> None:
    both = TWO_SYSTEMS.assign(tables="people")
    states = rule_states(
        pd.DataFrame({"rule": ["ID05"], "state": ["old"], "is_shadow": [False]}), {"ID05": ("people",)}, both
    )
    rows = found("ID05 c1 synergy 1 . . .", "ID05 c2 liquidlogic 2 . . .")
    last, _ = live((rows, {"ID05": "fresh"}), (found(), states))
    assert last.set_index("source")["status"].to_dict() == {"synergy": "resolved", "liquidlogic": "open"}
