"""How sure a figure is: the same figure at best and at worst, once what is in doubt about it falls either way.

A child counted by a figure is in doubt where an open exception says that the record it was judged by may be wrong; which rules put which
figure in doubt is declared in `kpis.yml` (`doubt`), and which settle it all the same (`firm`: a child with an open missing episode is missing,
whatever else is doubted). What could not be judged at all falls either way too.
"""

from __future__ import annotations

import pandas as pd

#: The columns of a range, with their types: children (or rows) in doubt, then the numerator and the percentage at best and at worst.
RANGE_COLUMNS = {
    "in_doubt": "Int64",
    "best_numerator": "Int64",
    "worst_numerator": "Int64",
    "best": "Float64",
    "worst": "Float64",
}


def either_way(
    counted: pd.Series, meets: pd.Series, doubted: pd.Series, not_judged: int, is_down: bool
) -> tuple[int, int, int, float | None, float | None]:
    """One figure's range, as `RANGE_COLUMNS`. `counted`, `meets` and `doubted` are flags over the same rows; where `is_down` less is better.

    As recorded the figure is numerator / denominator. At its highest everybody in doubt meets it, and so does what could not be judged, which
    then counts in the denominator; at its lowest nobody in doubt does. So best and worst always hold the figure between them.
    """
    numerator, denominator = int(meets.sum()), int(counted.sum()) + not_judged
    in_doubt = counted & doubted
    highest = numerator + int((in_doubt & ~meets).sum()) + not_judged
    lowest = numerator - int((in_doubt & meets).sum())
    best, worst = (lowest, highest) if is_down else (highest, lowest)
    shares = [100 * part / denominator if denominator else None for part in (best, worst)]
    return int(in_doubt.sum()) + not_judged, best, worst, shares[0], shares[1]
