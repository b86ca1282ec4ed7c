"""Small numbers hidden: by hand, and against every table that a reader could think of."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outputs.suppress_tables import hidden_cells, hidden_in_list, is_safe


def with_totals(inner: np.ndarray) -> np.ndarray:
    if inner.shape[1] == 1:
        return np.vstack([inner, inner.sum(axis=0)])
    wide = np.hstack([inner, inner.sum(axis=1, keepdims=True)])
    return np.vstack([wide, wide.sum(axis=0)])


def solutions(numbers: np.ndarray, hidden: np.ndarray, up_to: int = 16) -> list[np.ndarray]:
    """Every table that agrees with what is shown; hidden numbers are at least 1. By trying all inner numbers."""
    rows, columns = numbers.shape[0] - 1, max(numbers.shape[1] - 1, 1)
    choices = [
        range(1, up_to) if hidden[row, column] else [int(numbers[row, column])]
        for row, column in product(range(rows), range(columns))
    ]
    found = []
    for inner in product(*choices):
        table = with_totals(np.array(inner).reshape(rows, columns))
        if (table == numbers)[~hidden].all() and (table[hidden] >= 1).all():
            found.append(table)
    return found


@pytest.mark.parametrize(
    ("numbers", "hidden"),
    [
        ([10, 20, 30], []),
        ([4, 20, 30], [0, 1]),  # one alone would follow from the total: the next smallest goes too
        ([5, 20, 30], []),
        ([1, 1, 30], [0, 1, 2]),  # 1 and 1 would follow from their sum, 2
        ([1, 2, 30], [0, 1]),
        ([0, 3, 30], [1, 2]),  # a zero hides nothing
        ([3, 0, 0], [0, 3]),  # the total is the number
    ],
)
def test_one_column(numbers: list[int], hidden: list[int]) -> None:
    table = with_totals(np.array(numbers).reshape(-1, 1))
    assert np.flatnonzero(hidden_cells(table)[:, 0]).tolist() == hidden


def test_the_limit_is_a_setting() -> None:
    table = with_totals(np.array([[7], [12], [30]]))
    assert not hidden_cells(table).any()
    assert hidden_cells(table, limit=10)[:, 0].tolist() == [True, True, False, False]


def test_rows_and_columns_each_give_a_second_hidden_number() -> None:
    table = with_totals(np.array([[2, 20, 30], [25, 35, 45], [15, 50, 60]]))
    hidden = hidden_cells(table)
    assert hidden[0, 0] and hidden.sum() == 4
    assert not hidden[-1].any() and not hidden[:, -1].any()


def test_two_rings_joined_by_one_number_do_not_hide_that_number() -> None:
    """Two hidden numbers in every row and column are not enough: a number that joins two rings follows from the rest."""
    numbers = with_totals(np.full((4, 4), 9))
    hidden = np.zeros((5, 5), dtype=bool)
    for cell in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 2)]:
        hidden[cell] = True
    assert not is_safe(numbers, hidden, (1, 2))
    assert is_safe(numbers, hidden, (0, 0))


@settings(deadline=None, max_examples=40)
@given(arrays(np.int64, st.tuples(st.integers(1, 3), st.just(1)), elements=st.integers(0, 9)))
def test_nothing_in_one_column_can_be_worked_back(inner: np.ndarray) -> None:
    numbers = with_totals(inner)
    _check(numbers, hidden_cells(numbers), up_to=16)


@settings(deadline=None, max_examples=40)
@given(arrays(np.int64, st.just((2, 2)), elements=st.integers(0, 8)))
def test_nothing_in_rows_and_columns_can_be_worked_back(inner: np.ndarray) -> None:
    numbers = with_totals(inner)
    _check(numbers, hidden_cells(numbers), up_to=12)


@settings(deadline=None, max_examples=15)
@given(arrays(np.int64, st.just((2, 3)), elements=st.integers(0, 5)))
def test_nothing_in_a_wider_table_can_be_worked_back(inner: np.ndarray) -> None:
    numbers = with_totals(inner)
    _check(numbers, hidden_cells(numbers), up_to=8)


@settings(deadline=None, max_examples=40)
@given(arrays(np.int64, st.tuples(st.integers(2, 7), st.integers(2, 6)), elements=st.integers(0, 40)))
def test_every_hidden_number_of_a_large_table_is_safe_and_every_small_one_hidden(inner: np.ndarray) -> None:
    numbers = with_totals(inner)
    hidden = hidden_cells(numbers)
    assert hidden[(numbers > 0) & (numbers < 5)].all()
    assert not hidden[numbers == 0].any()
    assert all(is_safe(numbers, hidden, (int(r), int(c))) for r, c in np.argwhere(hidden))


def test_a_total_hidden_in_one_table_is_not_shown_by_another() -> None:
    """By rows alone 3 and 7 are hidden. By rows and columns the ring would be closed cheaper elsewhere, and 7 be shown: then 3 would follow."""
    numbers = with_totals(np.array([[3, 0], [0, 7], [9, 30]]))
    of_rows, of_columns = hidden_in_list(numbers[:, -1]), hidden_in_list(numbers[-1])
    assert of_rows is not None and of_rows.tolist() == [True, True, False, False]
    hidden = hidden_cells(numbers, totals=_totals(numbers, of_rows, of_columns))
    assert hidden[:, -1].tolist() == of_rows.tolist() and not hidden[-1].any()
    assert all(is_safe(numbers, hidden, (int(r), int(c))) for r, c in np.argwhere(hidden))


def test_a_list_whose_total_tells_every_number_is_not_given() -> None:
    assert hidden_in_list(np.array([1, 1, 1, 1, 1, 5])) is None
    assert hidden_in_list(np.array([1, 1, 2])) is not None  # the total is hidden too


@settings(deadline=None, max_examples=60)
@given(arrays(np.int64, st.just((2, 2)), elements=st.integers(0, 8)))
def test_nothing_can_be_worked_back_from_three_tables_of_one_question(inner: np.ndarray) -> None:
    """By rows, by columns and by both, held against each other: every set of numbers that agrees with all three is tried."""
    inner = inner[inner.sum(axis=1) > 0][:, inner.sum(axis=0) > 0]
    if not inner.size:
        return
    wide = np.hstack([inner, inner.sum(axis=1, keepdims=True)])
    numbers = np.vstack([wide, wide.sum(axis=0)])
    of_rows, of_columns = hidden_in_list(numbers[:, -1]), hidden_in_list(numbers[-1])
    if of_rows is None or of_columns is None:
        return
    totals = _totals(numbers, of_rows, of_columns)
    hidden = hidden_cells(numbers, totals=totals)
    small = (numbers > 0) & (numbers < 5)
    assert hidden[small].all()
    drawn = np.stack(np.meshgrid(*[range(14)] * inner.size, indexing="ij"), axis=-1).reshape(-1, *inner.shape)
    wide = np.concatenate([drawn, drawn.sum(axis=2, keepdims=True)], axis=2)
    tables = np.concatenate([wide, wide.sum(axis=1, keepdims=True)], axis=1)
    agrees = ((tables == numbers) | hidden).all(axis=(1, 2))
    # A category is named because a child is in it.
    both = tables[agrees & (tables[:, :, -1] >= 1).all(axis=1) & (tables[:, -1] >= 1).all(axis=1)]
    assert not ((both.max(axis=0) == both.min(axis=0)) & small).any(), (numbers, hidden)


def _totals(numbers: np.ndarray, of_rows: np.ndarray, of_columns: np.ndarray) -> np.ndarray:
    totals = np.zeros(numbers.shape, dtype=bool)
    totals[:, -1], totals[-1] = of_rows, of_columns
    return totals


def _check(numbers: np.ndarray, hidden: np.ndarray, up_to: int) -> None:
    assert hidden[(numbers > 0) & (numbers < 5)].all()
    if hidden.any():
        found = np.stack(solutions(numbers, hidden, up_to))
        assert (found == numbers).all(axis=(1, 2)).any()
        certain = (found.max(axis=0) == found.min(axis=0)) & hidden
        assert not certain.any(), (numbers, hidden)
