"""The road from linked records to figures, as a night takes it and as a look ahead takes it: the same functions, on frames alone.

The night adds reading before and keeping after (`pipelines.run`); what a decision would do (`pipelines.preview`) adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from checks.engine import Context, Evaluated, Rule, catalogue, evaluate
from pipelines.acts import honour
from pipelines.assemble import Assembled, build
from pipelines.compare import rule_frames
from pipelines.configuration import Configuration
from pipelines.feed_frames import feed_frames, table_states
from pipelines.ingest import Ingested
from pipelines.kpis import Night
from pipelines.lifecycle import EXPLAINED, RESOLVED, advance, rule_states
from pipelines.link import Linkage
from pipelines.link_night import Known, unsealed
from pipelines.sealing import sealed_children, without_sealed


def leave_out_sealed(ingested: Ingested, sealed: pd.DataFrame) -> None:
    """Take what an adoption closed out of the night's lists of rows; its tables are left as they are."""
    ingested.vanished = unsealed(ingested.vanished, sealed)
    for name in ("set_aside", "unknown_codes", "repeated"):
        frame = getattr(ingested, name)
        if "source_id" in frame:
            setattr(ingested, name, unsealed(frame, sealed))


def assemble_frames(
    ingested: Ingested, linkage: Linkage, day: pd.Timestamp, configuration: Configuration
) -> tuple[Assembled, dict[str, Any]]:
    """The records of each child put together, and from them the register and the other frames that rules and figures read, by name."""
    limits, precedence, la_code = configuration.limits, configuration.precedence, configuration.la_code
    assembled = build(ingested.tables, linkage.links, ingested.vanished, day, limits, precedence, la_code)
    provision = configuration.provision
    return assembled, rule_frames(assembled, linkage.review, day, limits, precedence, provision, la_code)


def judge(
    ingested: Ingested,
    frames: dict[str, Any],
    linkage: Linkage,
    day: pd.Timestamp,
    configuration: Configuration,
    rules: Mapping[str, Rule] | None = None,
) -> Evaluated:
    """Run the rules (all unless said); adds the feeds' own frames to `frames`."""
    register = frames["register"]
    restricted = frozenset(register.loc[register["is_restricted"], "child_id"])
    frames |= feed_frames(ingested, register, linkage.links)
    return evaluate(Context(frames, table_states(ingested), day, configuration.limits, restricted), rules)


def follow(
    known: Known,
    evaluated: Evaluated,
    ingested: Ingested,
    frames: dict[str, Any],
    sealed: pd.DataFrame,
    day: pd.Timestamp,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tonight's exceptions from last night's and tonight's findings, and the events of what became of them."""
    vanished = frames["vanished"]
    uncertain = set(vanished.loc[vanished["is_on_register"], "child_id"])
    states = rule_states(
        evaluated.results,
        {code: rule.uses for code, rule in catalogue().items() if rule.is_of_one_record},
        ingested.feeds,
    )
    # What an adoption closed tonight leaves the open list without a word.
    before = without_sealed(known.exceptions, sealed, sealed_children(known.links, sealed))
    exceptions, events = advance(before, evaluated.findings, states, uncertain, day)
    exceptions, lapsed = honour(exceptions, known.acts, day)
    return exceptions, pd.concat([events, lapsed], ignore_index=True)


def read_by_figures(
    frames: dict[str, Any],
    exceptions: pd.DataFrame,
    feeds: pd.DataFrame,
    expectations: pd.DataFrame,
    day: pd.Timestamp,
    configuration: Configuration,
) -> Night:
    """What the KPI figures read, with the exceptions that are neither resolved nor explained."""
    standing = exceptions[~exceptions["status"].isin([RESOLVED, EXPLAINED])]
    return Night(frames, standing, feeds, expectations, day, configuration.limits)
