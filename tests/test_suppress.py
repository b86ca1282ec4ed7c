"""Suppression: no count of 1 to 4 children is shown, and none can be had by taking the others from the total."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outputs.suppress import in_words, is_small, parts_suppressed, suppressed


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (1, "fewer than 5"), (4, "fewer than 5"), (5, "5"), (1234, "1,234"), (None, "–"), (pd.NA, "–")],
)
def test_a_count_of_one_to_four_is_said_as_fewer_than_five(number, words):
    assert in_words(number) == words


def test_a_count_kept_back_for_another_is_not_called_few():
    assert in_words(40, True) == "not shown" and in_words(3, True) == "fewer than 5"


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([10, 20, 30], []),
        ([0, 20, 30], []),
        ([5, 20, 30], []),
        ([4, 20, 30], [0, 1]),  # alone it is the total less the others; so the next smallest goes too
        ([4, 1, 30], [0, 1]),
        ([1, 1, 30], [0, 1, 2]),  # two that come to 2 are one each
        ([3, 0, 0], [0, 1, 2]),  # nothing but noughts to hide behind, and the total, 3, is small itself
        ([2], [0]),
        ([], []),
    ],
)
def test_drawn_groups(counts, hidden):
    found = suppressed(pd.Series(counts, dtype="int64"))
    assert list(found[found].index) == hidden


def test_each_group_is_protected_by_itself():
    frame = pd.DataFrame({"by": ["a", "a", "a", "b", "b"], "n": [3, 9, 20, 50, 60]})
    assert suppressed(frame["n"], frame["by"]).tolist() == [True, True, False, False, False]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_what_is_hidden_cannot_be_worked_out_from_the_total(counts):
    numbers = pd.Series(counts, dtype="int64")
    hidden = suppressed(numbers)
    assert not is_small(numbers[~hidden]).any()
    if hidden.any() and not hidden.all():
        assert hidden.sum() >= 2 and numbers[hidden].sum() >= 5


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_neither_those_who_meet_a_figure_nor_those_who_do_not_can_be_worked_out(pairs):
    met = pd.Series([a for a, _ in pairs], dtype="int64")
    unmet = pd.Series([b for _, b in pairs], dtype="int64")
    numerators, denominators = parts_suppressed(met, met + unmet)
    assert not is_small(met[~numerators]).any() and not is_small(unmet[~numerators]).any()
    assert not is_small((met + unmet)[~denominators]).any() and (numerators | ~denominators).all()
    for part in (met, unmet):
        if numerators.any() and not numerators.all():
            assert numerators.sum() >= 2 and part[numerators].sum() >= 5
