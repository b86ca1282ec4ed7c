"""What `ehcp kpis` answers beyond the figures: how sure they are, where they come from and go to, and how they break down."""

from __future__ import annotations

from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from outputs.figures import nights_of, travelled
from pipelines.kpi_breakdowns import with_value
from pipelines.store import Store

RANGE_SHOWN = (
    "code", "line", "title", "numerator", "denominator", "value", "in_doubt", "best_numerator", "worst_numerator", "best", "worst", "not_judged",
    "target", "rag", "month_on", "month_value", "month_change", "quarter_on", "quarter_value", "quarter_change",
)  # fmt: skip


def figures_in_doubt(store: Store, known_on: date | None = None) -> pd.DataFrame:
    """The figures of a night with their range, rating and direction of travel (`RANGE_SHOWN`), by what was known that night."""
    night = pd.Timestamp(store.night_of(known_on))
    figures = store.kpis(known_on)
    every = nights_of(store.kpi_trend(), figures, night)
    return travelled(figures, every, night)[list(RANGE_SHOWN)]


def figures_by(store: Store, by: str, known_on: date | None = None) -> pd.DataFrame:
    """The figures of a night by one of `BREAKDOWNS`: code, line, category, numerator, denominator, value.

    Raises ConfigurationError for a night of before breakdowns were kept.
    """
    found = store.nightly("kpi_breakdowns", known_on)
    if found.empty:
        raise ConfigurationError(
            f"The night of {store.night_of(known_on)} holds no breakdowns.",
            "They are kept since they exist: run that night again.",
        )
    return with_value(found[found["by"] == by]).drop(columns="by").reset_index(drop=True)
