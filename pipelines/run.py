"""One night, in one screen: pull, keep, link, reconcile, judge, follow, measure, publish.

Plain functions: the command calls them, the Prefect flow calls them, and neither adds anything. `as_of` and `now` are handed in. A night is
one transaction and its outputs appear by a rename, so a run that dies anywhere leaves the last night standing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from checks.engine import Context, evaluate
from config.errors import EXIT_EXTRACT_MISSING, EXIT_FEED_REFUSED, EXIT_OK, ConfigurationError, PublicationStoppedError
from config.limits import Limits, load_limits
from config.profiles import load_profiles
from config.settings import Settings, config_file, load_yaml
from connectors.pull import find_extracts
from pipelines.assemble import Assembled, build
from pipelines.compare import rule_frames
from pipelines.feed_frames import feed_frames, table_states
from pipelines.ingest import Ingested, ingest
from pipelines.kpis import Night, compute
from pipelines.lifecycle import advance
from pipelines.link import Linkage, link_people
from pipelines.publish import publish
from pipelines.store import Store

log = logging.getLogger("ehcp.run")
STAGES = ("pull and read", "link", "register", "rules", "exceptions", "figures", "expectations", "publish")


@dataclass
class RunResult:
    """What a night came to. `exit_code` is what the command ends with; `summary` is what it prints."""

    run_id: str
    as_of: date
    exit_code: int
    counts: dict[str, int]
    outputs: Path
    messages: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line of counts, and a line for each thing that was not as it should be."""
        c = self.counts
        head = (
            f"{self.as_of}  run {self.run_id}: {c['rows']:,} rows in = {c['accepted']:,} accepted + {c['set_aside']:,} set aside"
            f" + {c['repeated']:,} repeated; {c['children']:,} children on the register, {c['open']:,} open exceptions"
            f" ({c['new']:,} new); {sum(self.seconds.values()):.1f} s"
        )
        return "\n".join([head, *(f"  {message}" for message in self.messages)])


@dataclass(frozen=True)
class Configuration:
    """Everything a night reads from YAML, read once."""

    limits: Limits
    precedence: dict[str, list[str]]
    provision: dict[str, list[str]]
    targets: dict[str, dict[str, Any]]


def load_configuration(settings: Settings) -> Configuration:
    """Limits, precedence, provision types and KPI targets, the council's own where it has them."""
    named = {name: load_yaml(config_file(settings.config_dir, f"{name}.yml")) for name in ("precedence", "provision", "kpis")}
    return Configuration(load_limits(settings.config_dir), named["precedence"], named["provision"], named["kpis"])


class Stopwatch:
    """Logs one line a stage, with its seconds, and tells the progress bar."""

    def __init__(self, progress: Callable[[str], None] | None) -> None:
        self.progress, self.seconds, self._since, self._stage = progress, {}, perf_counter(), ""

    def start(self, stage: str) -> None:
        """The stage before is over, this one begins."""
        self.stop()
        self._stage = stage
        if self.progress:
            self.progress(stage)

    def stop(self) -> None:
        """The last stage is over."""
        now = perf_counter()
        if self._stage:
            self.seconds[self._stage] = round(now - self._since, 3)
            log.info("%s: %.1f s", self._stage, now - self._since)
        self._since, self._stage = now, ""
