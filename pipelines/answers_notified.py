"""The notification lists as the command answers them: of the newest night, or as at a day by what a night knew."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipelines.kpi_breakdowns import child_facts
from pipelines.notifications import notifications
from pipelines.positions import position, protected
from pipelines.store import Store


def notifications_as_of(store: Store, as_of: date | None = None, known_on: date | None = None) -> pd.DataFrame:
    """Every line of every notification list (`notifications.COLUMNS`), protected by the newest knowledge of who is restricted.

    Teams and professionals are names, which are kept for the last nights only: raises ConfigurationError for a night before them.
    """
    then = position(store, as_of or store.night_of(known_on), known_on, with_names=True)
    facts = child_facts(then.frames["register"], then.assembled.tables["involvements"], then.day)
    lines = notifications(then.frames, facts, then.day, then.configuration.limits)
    return protected(store, lines, then.register)
