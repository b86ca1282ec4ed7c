"""Small numbers of a table whose rows and columns both add up, hidden so that nothing can be worked back.

`outputs.suppress` is for one list of counts and for a figure's two parts; with totals both ways that is not enough.

A number below the limit (5 unless set) is hidden, and so many more that no hidden one follows from what is shown. A table of rows and columns with
totals is a network: rows and columns are its knots, each number is an edge. A hidden number has more than one solution in whole numbers
exactly where it lies on a ring of hidden numbers that can go up and down in turn. Where it lies on none, the ring that hides least is closed.
Zeros are shown, since a reader takes what is hidden to be at least 1. Totals stay as they are, and are hidden last.

Tables that share totals (one question by age, by need, and by both) can be held against each other: what one hides beside a small total another may
show. So the totals are settled once, and given to each table as `totals`: see `hidden_in_list`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from outputs.suppress import THRESHOLD

_TOTAL_COSTS = 1_000_000

Cell = tuple[int, int]


def hidden_cells(numbers: np.ndarray, limit: int = THRESHOLD, totals: np.ndarray | None = None) -> np.ndarray:
    """Which numbers of a table to hide, a flag each; the last row and the last column of `numbers` are its totals.

    A table of one column (no column of totals) is taken as a list of categories that ends with its total. `totals` (flags of the same shape) says
    which totals other tables hide: then these are hidden and no others. Where that leaves no way, the whole inside is hidden, zeros too: it
    then says nothing that the totals do not.
    """
    small = (numbers > 0) & (numbers < limit)
    is_total = np.array([[any(_is_total(numbers, cell)) for cell in row] for row in _places(numbers)])
    hidden = small if totals is None else np.where(is_total, totals, small)
    while True:
        unsafe = [cell for cell in _cells(hidden) if not is_safe(numbers, hidden, cell)]
        if not unsafe:
            return hidden
        rings = [_ring(numbers, hidden, unsafe[0], raised, totals is not None) for raised in (True, False)]
        cheapest = min((ring for ring in rings if ring is not None), default=None)
        if cheapest is None:
            return numbers > 0 if totals is None else np.where(is_total, totals, True)
        for cell in cheapest[1]:
            hidden[cell] = True


def hidden_in_list(counts: np.ndarray, limit: int = THRESHOLD) -> np.ndarray | None:
    """Which numbers of a list that ends with its total to hide; the total only where it is small itself, so that it is the same in every list of it.

    None where the list cannot be given beside its total: five categories of one child each follow from a total of 5.
    """
    numbers = counts.reshape(-1, 1)
    totals = np.zeros(numbers.shape, dtype=bool)
    totals[-1] = 0 < counts[-1] < limit
    hidden = hidden_cells(numbers, limit, totals)
    return hidden[:, 0] if all(is_safe(numbers, hidden, cell) for cell in _cells(hidden)) else None


def is_safe(numbers: np.ndarray, hidden: np.ndarray, cell: Cell) -> bool:
    """Whether a hidden number could be another one, by all that is shown and by what is hidden being at least 1."""
    rings = (_ring(numbers, hidden, cell, raised) for raised in (True, False))
    return any(ring is not None and not ring[1] for ring in rings)


def _cells(flags: np.ndarray) -> list[Cell]:
    return [(int(row), int(column)) for row, column in np.argwhere(flags)]


def _places(numbers: np.ndarray) -> list[list[Cell]]:
    rows, columns = numbers.shape
    return [[(row, column) for column in range(columns)] for row in range(rows)]


def _is_total(numbers: np.ndarray, cell: Cell) -> tuple[bool, bool]:
    rows, columns = numbers.shape
    return cell[0] == rows - 1, cell[1] == columns - 1 and columns > 1


def _ways(numbers: np.ndarray, cell: Cell) -> Iterator[tuple[str, str]]:
    """From which knot to which a number leads: from its row to its column where it can go up, back where it can go down.

    A total stands on the other side of its sum, so its signs are the other way round. In a single column no row holds a sum: all rows are one
    knot that gives and takes freely.
    """
    row = "row" if numbers.shape[1] == 1 else f"row {cell[0]}"
    column = f"column {cell[1]}"
    of_row, of_column = _is_total(numbers, cell)
    can_fall = bool(numbers[cell] >= 2)
    can_go_up, can_go_down = (can_fall, True) if of_row != of_column else (True, can_fall)
    if can_go_up:
        yield row, column
    if can_go_down:
        yield column, row


def _ring(
    numbers: np.ndarray, hidden: np.ndarray, cell: Cell, raised: bool, totals_stand: bool = False
) -> tuple[float, list[Cell]] | None:
    """The cheapest ring through a number that lets it go up (`raised`) or down: what it costs, and what has to be hidden for it.

    A hidden number costs nothing, a shown one itself, a total more than all others (where `totals_stand` no shown one is on a ring); None where
    there is no ring at all.
    """
    own = [way for way in _ways(numbers, cell) if way[0].startswith("row") == raised]
    if not own:
        return None
    goal, start = own[0]
    steps: dict[str, list[tuple[float, str, Cell]]] = {}
    for other in _cells(numbers > 0):
        stands = totals_stand and not hidden[other] and any(_is_total(numbers, other))
        if other != cell and not stands:
            cost = 0.0 if hidden[other] else float(numbers[other]) + _TOTAL_COSTS * sum(_is_total(numbers, other))
            for here, there in _ways(numbers, other):
                steps.setdefault(here, []).append((cost, there, other))
    done: set[str] = set()
    waiting: list[tuple[float, str, list[Cell]]] = [(0.0, start, [])]
    while waiting:
        cost, knot, path = heapq.heappop(waiting)
        if knot == goal:
            return cost, [each for each in path if not hidden[each]]
        if knot not in done:
            done.add(knot)
            for more, there, other in steps.get(knot, ()):
                heapq.heappush(waiting, (cost + more, there, [*path, other]))
    return None
