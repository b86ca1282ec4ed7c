"""Expectations: is each whole feed of tonight plausible? Great Expectations measures what `expectations.yml` declares.

An expectation speaks of a feed, never of a child: volume, freshness, completeness, code sets, dates, drift since the
last run. One with severity *stop* that is not met keeps the night from being published; the others are read in the
source health of each system. Nothing in the results is personal: counts, shares and column names.

    night = submit(second, tables, feeds, previous, as_of, config_dir)  # comes back at once
    ...
    results = collect(second, night)
    stop_if_unmet(results)

`second` runs functions in another process (`pipelines.second_process`). `run_expectations` does the same in one call, in this process. Both give the same results.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from checks.expectations_gx import Answer, Job, be_ready, judge
from checks.expectations_night import COLUMNS, Night, drift, prepare, read_answers, read_drift
from config.errors import PublicationStoppedError

log = logging.getLogger(__name__)

__all__ = ["COLUMNS", "Submitted", "be_ready", "collect", "run_expectations", "stop_if_unmet", "submit"]


class Second(Protocol):
    """Where a function can be run while the run goes on."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function called with these arguments; gives what comes of it."""


@dataclass(frozen=True)
class Submitted:
    """A night that was handed over, and the answers to it once they are there."""

    night: Night
    answers: Future[list[list[Answer]]]


def submit(
    second: Second,
    tables: Mapping[str, pd.DataFrame],
    feeds: pd.DataFrame,
    previous: pd.DataFrame | None,
    as_of: date | pd.Timestamp,
    config_dir: Path | None = None,
) -> Submitted:
    """Hand a night over and come back at once. Arguments and errors as `run_expectations`; `collect` gives the results.

    The frames are read while they go over: do not change them in place before `collect`.
    """
    night = prepare(tables, feeds, previous, as_of, config_dir)
    return Submitted(night, second.submit(judge, night.jobs))


def collect(second: Second, submitted: Submitted) -> pd.DataFrame:
    """The results of a night handed over by `submit`, waiting where they are not there yet."""
    return _conclude(submitted.night, submitted.answers.result(), lambda jobs: second.submit(judge, jobs).result())


def run_expectations(
    tables: Mapping[str, pd.DataFrame],
    feeds: pd.DataFrame,
    previous: pd.DataFrame | None,
    as_of: date | pd.Timestamp,
    config_dir: Path | None = None,
) -> pd.DataFrame:
    """Judge a night in this process, where importing Great Expectations takes 6 to 9 s the first time.

    `tables`: the canonical tables that the night works with, old copies included. `feeds`: one row per feed of the
    night with system, feed, is_accepted, rows, set_aside, repeated, newest_on and previous_rows (and is_expected where
    known). `previous`: what the last accepted run got from here, or None. `as_of`: the day judged.

    Gives a frame with `COLUMNS`, one row per expectation and feed. Columns that the profile of a system does not map,
    and systems that have no profile, are not asked about. Raises ConfigurationError where `expectations.yml` makes no
    sense.
    """
    night = prepare(tables, feeds, previous, as_of, config_dir)
    return _conclude(night, judge(night.jobs), judge)


def _conclude(
    night: Night, answers: list[list[Answer]], ask: Callable[[list[Job]], list[list[Answer]]]
) -> pd.DataFrame:
    """The results, drift included: it compares what was just measured with the last run, so it is asked second."""
    found = read_answers(night, answers)
    job, compared = drift(night, found)
    found += read_drift(compared, ask([job])[0][0]) if compared else []
    results = pd.DataFrame(found, columns=list(COLUMNS)).astype(COLUMNS)
    results = results.sort_values(["system", "feed", "table"], kind="stable", ignore_index=True)
    unmet = results[results.is_met.eq(False).fillna(False)]
    log.info(
        "expectations: %d judged, %d not met, %d of them stop publication",
        int(results.is_met.notna().sum()), len(unmet), int(unmet.severity.eq("stop").sum()),
    )  # fmt: skip
    return results


def stop_if_unmet(results: pd.DataFrame) -> None:
    """Raise PublicationStoppedError, naming each feed and what was wanted, where a *stop* expectation is not met."""
    unmet = results[results.severity.eq("stop") & results.is_met.eq(False).fillna(False)]
    if unmet.empty:
        return
    parts = (
        unmet.system
        + " "
        + unmet.feed
        + ": "
        + unmet.title
        + " (wanted "
        + unmet.wanted
        + ", found "
        + unmet.observed
        + ")"
    )
    raise PublicationStoppedError(
        f"Nothing was published: an expectation that must hold does not. {'; '.join(parts)}.",
        "Put the extract right and run the night again. The limits are in expectations.yml.",
    )
