"""`ehcp report quarterly`: which nights open and close a quarter, and the report made from them."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml
from outputs.about import About, not_received
from outputs.quarterly_report import Quarter, write_quarterly
from pipelines.answers_past import kpi_bridges
from pipelines.store import Store

_PERIOD = re.compile(r"^\d{4}-Q[1-4]$")


def quarter_of(store: Store, period: str) -> Quarter:
    """The figures at both ends of a calendar quarter (``2026-Q3``), and what moved them.

    It opens with the last night before the quarter, or, where none was run, with the first one in it; it closes with the last night in it.
    Raises ConfigurationError for another form of period, and where no night was run in the quarter.
    """
    if not _PERIOD.match(period):
        raise ConfigurationError(f"{period} is no quarter.", "Write it as 2026-Q3.")
    bounds = pd.Period(period.replace("-", ""), freq="Q")
    first, last = bounds.start_time.date(), bounds.end_time.date()
    nights = sorted(date.fromisoformat(night) for night in _complete(store))
    inside = [night for night in nights if first <= night <= last]
    if not inside:
        raise ConfigurationError(f"No night was run in {period}.", "See the nights there are with: ehcp runs list")
    before = [night for night in nights if night < first]
    opening = before[-1] if before else inside[0]
    closing = inside[-1]
    targets = load_yaml(config_file(store.settings.config_dir, "kpis.yml"))
    return Quarter(
        period,
        opening,
        closing,
        store.kpis(opening),
        store.kpis(closing),
        kpi_bridges(store, opening, closing),
        {code: str(settings.get("direction", "up")) for code, settings in targets.items()},
        not before,
    )


def _complete(store: Store) -> list[str]:
    runs = store.runs()
    return list(runs.loc[runs["status"] == "complete", "as_of"])


def report_quarter(store: Store, period: str, path: Path | None, now: datetime) -> Path:
    """Write the quarterly report and give its path; without one, into ``reports`` of the outputs."""
    quarter = quarter_of(store, period)
    run = store.newest_run(quarter.closing_on)
    about = About(
        store.settings.council.name,
        quarter.closing_on,
        run["run_id"],
        now.astimezone(),
        period,
        not_received(store.feeds(quarter.closing_on)),
        run["versions"],
    )
    target = path or store.settings.outputs_dir / "reports" / f"quarterly-{period}.pdf"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_quarterly(target, quarter, about)
    return target
