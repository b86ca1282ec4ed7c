"""How many came, went and are late: drawn nights, and one account from night to night."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from config.priority import load_priority
from pipelines.lifecycle import advance
from pipelines.shadow import marked
from pipelines.volume import COUNTS, summed, volume

WEIGHTS = load_priority()
DAY = pd.Timestamp(2026, 10, 28)


def exceptions(*drawn: str) -> pd.DataFrame:
    """Drawn as ``id | severity | status | first seen | reopened | resolved | backlog``."""
    names = ["exception_id", "severity", "status", "first_seen_on", "reopened_on", "resolved_on", "is_backlog"]
    rows = [[part.strip() for part in line.split("|")] for line in drawn]
    frame = pd.DataFrame(rows, columns=names, dtype="str").assign(rule="RV01", owner="SEN casework")
    for name in ("first_seen_on", "reopened_on", "resolved_on"):
        frame[name] = pd.to_datetime(frame[name].replace("", None)).astype("datetime64[us]")
    return frame.assign(is_backlog=frame["is_backlog"] == "yes")


def counts(before: pd.DataFrame, tonight: pd.DataFrame) -> dict[str, int]:
    told = volume(before, tonight, WEIGHTS, DAY)
    return {name: number for name, number in told[list(COUNTS)].sum().items() if number}


@pytest.mark.parametrize(
    ("before", "tonight", "counted"),
    [
        ([], ["a | high | open | 2026-10-28 | | |"], {"open": 1, "new": 1}),
        ([], ["a | high | open | 2026-10-28 | | | yes"], {"open": 1, "backlog": 1}),
        (["a | high | open | 2026-10-27 | | | yes"], ["a | high | open | 2026-10-27 | | | yes"], {"open": 1}),
        (["a | high | open | 2026-10-27 | | |"], ["a | high | resolved | 2026-10-27 | | 2026-10-28 |"], {"resolved": 1}),
        (["a | high | resolved | 2026-09-01 | | 2026-10-01 |"], ["a | high | resolved | 2026-09-01 | | 2026-10-01 |"], {}),
        (["a | high | resolved | 2026-09-01 | | 2026-10-01 |"], ["a | high | open | 2026-09-01 | 2026-10-28 | |"], {"open": 1, "reopened": 1}),
        # Raised on the 17th, high: in time until the 27th, late from the 28th.
        (["a | high | open | 2026-10-17 | | |"], ["a | high | open | 2026-10-17 | | |"], {"open": 1, "overdue": 1, "newly_overdue": 1}),
        (["a | high | open | 2026-10-18 | | |"], ["a | high | open | 2026-10-18 | | |"], {"open": 1}),
        (["a | high | open | 2026-10-16 | | |"], ["a | high | open | 2026-10-16 | | |"], {"open": 1, "overdue": 1}),
        # Late long ago, but accepted until tonight: newly late tonight.
        (["a | high | accepted | 2026-09-01 | | |"], ["a | high | open | 2026-09-01 | | |"], {"open": 1, "overdue": 1, "newly_overdue": 1}),
        (["a | high | open | 2026-09-01 | | |"], ["a | high | accepted | 2026-09-01 | | |"], {"accepted": 1}),
        (["a | high | open | 2026-10-28 | | |"], ["a | high | not_evaluated | 2026-10-27 | | |"], {"not_evaluated": 1}),
    ],
)  # fmt: skip
def test_a_night_is_counted(before: list[str], tonight: list[str], counted: dict[str, int]) -> None:
    assert counts(exceptions(*before), exceptions(*tonight)) == counted


def test_a_night_without_a_run_before_it_counts_what_became_late_in_between() -> None:
    """The night before was the 26th: what was late then is not newly late, what became late since is."""
    tonight = exceptions("a | high | open | 2026-10-15 | | |", "b | high | open | 2026-10-16 | | |")
    told = volume(tonight, tonight, WEIGHTS, DAY, since=pd.Timestamp(2026, 10, 26))
    assert told["newly_overdue"].sum() == 1 and told["overdue"].sum() == 2


def test_the_counts_add_up_by_each_of_their_keys() -> None:
    tonight = exceptions("a | high | open | 2026-10-28 | | |", "b | critical | open | 2026-10-01 | | |")
    told = volume(tonight.iloc[:0], tonight.assign(owner=["A", "B"]), WEIGHTS, DAY)
    for by in ("rule", "severity", "owner"):
        assert summed(told, by)[list(COUNTS)].sum().to_dict() == told[list(COUNTS)].sum().to_dict()


@options(max_examples=60, deadline=None)
@given(
    nights=st.lists(st.sets(st.integers(1, 5)), min_size=2, max_size=6),
    starts=st.sets(st.integers(0, 5)),
    shadows=st.sets(st.integers(0, 5)),
)
def test_what_stands_is_what_stood_and_came_less_what_went(
    nights: list[set[int]], starts: set[int], shadows: set[int]
) -> None:
    parts = ["child_id", "source", "source_id", "row_id", "thing", "field", "detail", "on_old_data"]
    before = exceptions().assign(**{name: pd.Series(dtype="str") for name in parts})
    stood = 0
    for place, numbers in enumerate(nights):
        day = DAY + pd.Timedelta(days=place)
        rows = [{"rule": "RV01", "child_id": f"c{n}", "source": "synergy", "source_id": str(n), "row_id": "", "thing": "", "field": "",
                 "detail": "", "severity": "high", "owner": "x"} for n in sorted(numbers)]  # fmt: skip
        names = ["rule", "child_id", "source", "source_id", "row_id", "thing", "field", "detail", "severity", "owner"]
        findings = pd.DataFrame(rows, columns=names, dtype="str")
        in_shadow, was_in_shadow = place in shadows, place - 1 in shadows
        found, state = (findings.iloc[:0], "not_evaluated") if in_shadow else (findings, "fresh")
        tonight, _ = advance(before, found, {"RV01": state}, set(), day)
        tonight = marked(tonight, before, {"RV01"} if place in starts else set(), day)
        rules = [{"RV01"} if flag else set() for flag in (in_shadow, was_in_shadow)]
        told = volume(before, tonight, WEIGHTS, day, None, *rules)[list(COUNTS)].sum()
        stands = told["open"] + told["accepted"] + told["not_evaluated"]
        came, went = told["new"] + told["backlog"] + told["reopened"], told["resolved"] + told["to_shadow"]
        assert stands == stood + came - went == (0 if in_shadow else len(numbers))
        before, stood = tonight, stands


def test_severities_stand_from_the_worst_on():
    frame = pd.concat(
        [exceptions(f"{name} | {name} | open | 2026-10-28 | | |") for name in ("info", "high", "critical")]
    )
    told = volume(frame.iloc[:0], frame, WEIGHTS, DAY)
    assert summed(told, "severity")["severity"].tolist() == ["critical", "high", "info"]
    assert summed(told, "owner")["new"].tolist() == [3]
