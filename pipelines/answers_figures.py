"""What `ehcp kpis` answers beyond the figures: how sure they are, where they come from and go to, and how they break down."""

from __future__ import annotations

from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from outputs.figures import nights_of, travelled
from pipelines.answers import kpis_as_of
from pipelines.frames import small_frames
from pipelines.kpi_breakdowns import with_value
from pipelines.positions import position
from pipelines.store import Store

RANGE_SHOWN = (
    "code", "line", "title", "numerator", "denominator", "value", "in_doubt", "best_numerator", "worst_numerator", "best", "worst", "not_judged",
    "target", "rag", "month_on", "month_value", "month_change", "quarter_on", "quarter_value", "quarter_change",
)  # fmt: skip


def figures_in_doubt(store: Store, as_of: date | None = None, known_on: date | None = None) -> pd.DataFrame:
    """The figures with their range, rating and direction of travel (`RANGE_SHOWN`): of a night, or as at a day by what that night knew.

    The nights that the direction of travel compares with are told as they were known then.
    """
    day = pd.Timestamp(as_of or store.night_of(known_on))
    figures = kpis_as_of(store, as_of, known_on)
    every = nights_of(store.kpi_trend(), figures, day)
    return travelled(figures, every, day)[list(RANGE_SHOWN)]


@small_frames()
def figures_by(store: Store, by: str, as_of: date | None = None, known_on: date | None = None) -> pd.DataFrame:
    """The figures by one of `outputs.wording.BREAKDOWNS`, of a night or as at a day: code, line, category, numerator, denominator, value.

    Raises ConfigurationError for a night of before breakdowns were kept.
    """
    if as_of is None or as_of == store.night_of(known_on):
        found = store.nightly("kpi_breakdowns", known_on)
        if found.empty:
            raise ConfigurationError(
                f"The night of {store.night_of(known_on)} holds no breakdowns.",
                f"It was run before they were kept: ask with --as-of {store.night_of(known_on)} of a later night, or run it again.",
            )
    else:
        found = position(store, as_of, known_on, with_names=True).breakdowns()
    return with_value(found[found["by"] == by]).drop(columns="by").reset_index(drop=True)
