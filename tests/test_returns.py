"""Three-way comparison: handed out, theirs and now; who wins, who is told."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.returns import (
    APPLY,
    CONFLICT,
    CURRENT_COLUMNS,
    EDIT_COLUMNS,
    REFUSED,
    SAME,
    contested,
    value_hash,
    weigh,
)


def edits(*rows: str) -> pd.DataFrame:
    """Edits drawn as ``file | who | cell | key | field | old | new``; a seventh word is a reason of refusal."""
    drawn = [[part.strip() for part in row.split("|")] for row in rows]
    frame = pd.DataFrame(drawn, columns=["file", "who", "cell", "key", "field", "old", "new"], dtype="str")
    frame = frame.assign(
        sheet="All", line=1, handout="h", was=frame["old"], basis="b", title=frame["field"], why="", outcome=APPLY
    )
    return frame[list(EDIT_COLUMNS)]


def now(*rows: str) -> pd.DataFrame:
    """What stands now, drawn as ``key | field | value | who``; a ``?`` behind the value makes it a proposal."""
    drawn = [[part.strip() for part in row.split("|")] for row in rows]
    frame = pd.DataFrame(drawn, columns=["key", "field", "value", "who"]).astype("str")
    frame = frame.assign(place="ada.xlsx, All!D2", is_proposed=frame["value"].str.endswith("?"))
    return frame.assign(value=frame["value"].str.rstrip("?"))[list(CURRENT_COLUMNS)]


@pytest.mark.parametrize(
    ("old", "new", "current", "outcome"),
    [
        ("", "B", [], APPLY),
        ("A", "", ["k|to|A|ada"], APPLY),
        ("A", "B", ["k|to|A|grace"], APPLY),
        ("", "B", ["k|to|B|grace"], SAME),
        ("", "", [], SAME),
        ("A", "", [], SAME),
        ("", "B", ["k|to|C|grace"], CONFLICT),
        ("A", "B", ["k|to|C|grace"], CONFLICT),
        ("A", "", ["k|to|C|grace"], CONFLICT),
        ("", "B", ["k|to|C|ada"], APPLY),
        ("", "B", ["k|to|C| Ada "], APPLY),
        ("A", "B", ["k|to||"], APPLY),
        ("", "B", ["k|note|C|grace"], APPLY),
        ("", "B", ["k2|to|C|grace"], APPLY),
        ("", "B", ["k|to|B?|grace"], APPLY),
        ("", "B", ["k|to|B?|ada"], SAME),
        ("", "B", ["k|to|C?|grace"], CONFLICT),
    ],
)
def test_an_edit_against_what_stands_now(old, new, current, outcome):
    weighed = weigh(edits(f"a.xlsx|ada|D2|k|to|{old}|{new}"), now(*current))
    assert weighed["outcome"].tolist() == [outcome]


def test_both_values_are_named_with_cell_and_person():
    [why] = weigh(edits("b.xlsx|grace|D2|k|to||B"), now("k|to|C|ada"))["why"]
    for word in ("ada in ada.xlsx, All!D2 put ‘C’", "this file says ‘B’"):
        assert word in why


def test_an_edit_has_its_effect_once_also_when_it_was_overtaken():
    drawn = edits("a.xlsx|ada|D2|k|to||B")
    taken = drawn[["handout", "key", "field"]].assign(value_hash=value_hash(drawn["new"]), who="Ada")
    assert weigh(drawn, now("k|to|C|ada"), taken)["outcome"].tolist() == [SAME]
    assert weigh(drawn.assign(new="D"), now("k|to|C|ada"), taken)["outcome"].tolist() == [APPLY]


def test_different_cells_of_two_people_both_hold():
    drawn = edits("a.xlsx|ada|D2|k|to||A", "b.xlsx|grace|E2|k|note||B", "b.xlsx|grace|D3|k2|to||B")
    assert contested(drawn)["outcome"].tolist() == [APPLY] * 3


def test_the_same_cell_of_two_people_neither():
    drawn = edits("a.xlsx|ada|D2|k|to||A", "b.xlsx|grace|D9|k|to||B", "b.xlsx|grace|D3|k2|to||B")
    found = contested(drawn)
    assert found["outcome"].tolist() == [CONFLICT, CONFLICT, APPLY]
    for why in found["why"].head(2):
        assert "‘A’ (a.xlsx, All!D2, ada) and ‘B’ (b.xlsx, All!D9, grace); neither is applied" in why


def test_the_same_value_of_two_people_is_no_conflict():
    assert contested(edits("a.xlsx|ada|D2|k|to||A", "b.xlsx|grace|D2|k|to||A"))["outcome"].tolist() == [APPLY] * 2


def test_one_person_s_later_file_stands_over_the_earlier():
    found = contested(edits("a.xlsx|ada|D2|k|to||A", "b.xlsx|Ada|D2|k|to||B"))
    assert found["outcome"].tolist() == [SAME, APPLY]


def test_on_two_sheets_of_one_file_nobody_can_say_which():
    found = contested(edits("a.xlsx|ada|D2|k|to||A", "a.xlsx|ada|D7|k|to||B"))
    assert found["outcome"].tolist() == [CONFLICT] * 2 and "D7" in found["why"].iloc[0]


def test_what_was_refused_or_is_so_already_contests_nothing():
    drawn = edits("a.xlsx|ada|D2|k|to||A", "b.xlsx|grace|D2|k|to||B")
    for outcome in (REFUSED, SAME):
        found = contested(drawn.assign(outcome=[outcome, APPLY]))
        assert found["outcome"].tolist() == [outcome, APPLY]


def test_two_values_may_stand_side_by_side_where_the_caller_says_so():
    drawn = edits("a.xlsx|ada|D2|k|reason||known", "b.xlsx|grace|D2|k|reason||I agree")
    assert contested(drawn, pd.Series(["", ""]))["outcome"].tolist() == [APPLY] * 2


def test_nothing_handed_in_gives_nothing():
    assert contested(weigh(edits("a|b|c|d|e||f").iloc[:0], now().iloc[:0])).empty
