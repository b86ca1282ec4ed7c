"""Invented children who go through every night's linking: all is well with the model that comes along, and each kind of fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.link_canaries import read_canaries, wrongly_linked
from tests.link_drawn import AS_OF, MODEL, NICKNAMES

CANARIES = read_canaries(Path(__file__).parent.parent / "config" / "canaries.csv")


def test_all_is_well_with_what_comes_along():
    assert wrongly_linked(CANARIES, NICKNAMES, AS_OF, MODEL) == []


@pytest.mark.parametrize(
    ("column", "value", "where", "told"),
    [
        ("child", "1", CANARIES["child"] == "2", "the records of canary 1 were not linked"),
        (
            "child",
            "99",
            (CANARIES["child"] == "1") & (CANARIES["source"] == "capita"),
            "canaries 1, 99 became one child",
        ),
        ("adopted_on", None, CANARIES["adopted_on"].notna(), None),
        ("adopted_on", "2099-01-01", CANARIES["adopted_on"].notna(), "canary record liquidlogic 9014 is not sealed"),
    ],
)
def test_what_is_told(column, value, where, told):
    changed = CANARIES.copy()
    changed.loc[where, column] = value
    wrong = wrongly_linked(changed, NICKNAMES, AS_OF, MODEL)
    assert wrong == [] if told is None else told in wrong


def test_a_deterministic_cascade_alone_misses_the_slip_of_the_pen():
    assert wrongly_linked(CANARIES, NICKNAMES, AS_OF, None) == ["the records of canary 8 were not linked"]
