"""Small numbers kept back from outputs that leave the council's own staff: no count of 1 to 4 children can be read, nor worked out.

A count of 1 to 4 is hidden (primary suppression). Where the counts of a breakdown add up to a total that is shown, one hidden count could be
had by taking the others from the total; so the next smallest is hidden as well, until at least two are and they come to 5 or more
(secondary suppression). A nought is no child and is shown, unless it is needed to hide another. The rule is the one the Department uses for
its own tables of children with EHC plans: 5 is the smallest number published.
"""

from __future__ import annotations

import pandas as pd

#: The smallest number of children that is published.
THRESHOLD = 5
#: What stands in the place of a number that is kept back.
FEW = "fewer than 5"
HIDDEN = "not shown"


def is_small(counts: pd.Series) -> pd.Series:
    """True for 1 to 4 children; a missing count is not small."""
    numbers = pd.to_numeric(counts, errors="coerce")
    return ((numbers > 0) & (numbers < THRESHOLD)).fillna(False).astype(bool)


def is_few(number: object) -> bool:
    """Whether one number is of 1 to 4 children."""
    return number is not None and not pd.isna(number) and 0 < int(number) < THRESHOLD  # type: ignore[call-overload]


def suppressed(counts: pd.Series, within: pd.Series | None = None, also: pd.Series | None = None) -> pd.Series:
    """True for the counts that must not be shown where the total of each group is.

    `within` names the group of each count (one group where it is not given); `also` marks counts that are to be hidden for another reason and
    count as hidden here. The total itself is the caller's: it is hidden where it is small (`is_small`).
    """
    numbers = pd.to_numeric(counts, errors="coerce").fillna(0).astype("int64")
    group = pd.Series(0, index=counts.index) if within is None else within.astype("object").fillna("")
    hidden = is_small(numbers)
    if also is not None:
        hidden |= also.fillna(False).astype(bool)
    # The smallest first; a nought only where nothing else is left to hide.
    order = numbers.mask(numbers == 0, numbers.max() + 1).sort_values(kind="stable").index
    while True:
        of_group = pd.DataFrame({"cells": hidden, "sum": numbers.where(hidden, 0)}).groupby(group).transform("sum")
        is_open = (of_group["cells"] == 1) | ((of_group["cells"] > 0) & (of_group["sum"] < THRESHOLD))
        candidates = (is_open & ~hidden).reindex(order)
        chosen = candidates[candidates].index
        if chosen.empty:
            return hidden
        hidden[chosen[~group.reindex(chosen).duplicated().to_numpy()]] = True


def parts_suppressed(
    numerators: pd.Series, denominators: pd.Series, within: pd.Series | None = None
) -> tuple[pd.Series, pd.Series]:
    """Which numerators, and which denominators, of a breakdown of a KPI must not be shown.

    A numerator is hidden where it is small, where what is left of its denominator is (all but three of ninety tells of three), and where the
    denominator is hidden. A percentage is hidden with its numerator.
    """
    left = pd.to_numeric(denominators, errors="coerce") - pd.to_numeric(numerators, errors="coerce")
    without = suppressed(denominators, within)
    met = suppressed(numerators, within, also=without | is_small(left))
    unmet = suppressed(left, within, also=met)
    return suppressed(numerators, within, also=unmet), without


def in_words(number: object, is_hidden: object = False) -> str:
    """A count as a board reads it: ``1,234``, ``fewer than 5``, or ``not shown`` where it is kept back to protect another."""
    if number is None or pd.isna(number):
        return "–"
    if is_few(number):
        return FEW
    return HIDDEN if is_hidden else f"{int(number):,}"  # type: ignore[call-overload]
