"""What a night adds to the exceptions it followed: who has them, what is backlog, what rules in shadow found, and how many came and went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection

from checks.engine import Evaluated
from pipelines.configuration import Configuration
from pipelines.explain import honour_explanations
from pipelines.history import read_nightly
from pipelines.link_night import Known
from pipelines.routing import routed
from pipelines.sealing import sealed_children, without_sealed
from pipelines.shadow import explained, marked, starting, would_raise
from pipelines.store_triage import rules_before
from pipelines.volume import volume


@dataclass(frozen=True)
class Followed:
    """Tonight's exceptions (all of them), the events of data, what rules in shadow would raise, and the counts of the night.

    `shown` are the exceptions without those of rules that are in shadow tonight: what lists and figures rest on.
    """

    exceptions: pd.DataFrame
    events: pd.DataFrame
    shadow: pd.DataFrame
    volume: pd.DataFrame
    shown: pd.DataFrame


def settle(
    connection: Connection,
    known: Known,
    evaluated: Evaluated,
    followed: tuple[pd.DataFrame, pd.DataFrame],
    register: pd.DataFrame,
    children: pd.DataFrame,
    sealed: pd.DataFrame,
    configuration: Configuration,
    night: date,
) -> Followed:
    """What `road.follow` gave (exceptions and events), with explanations, owners, backlog, shadow and counts. `children` as `routing.known_of` gives them."""
    day = pd.Timestamp(night)
    before = without_sealed(known.exceptions, sealed, sealed_children(known.links, sealed))
    starts = starting(evaluated.results, rules_before(connection, night))
    exceptions, fell = honour_explanations(
        followed[0], known.acts, register, day, configuration.priority.explained_days
    )
    exceptions = routed(marked(exceptions, before, starts, day), children, configuration.routing)
    in_shadow = set(evaluated.results.loc[evaluated.results["is_shadow"].astype(bool), "rule"])
    shown = exceptions[~exceptions["rule"].isin(in_shadow)]
    earlier = known.since.date() if known.since is not None else date.min
    was = read_nightly(connection, "rule_results", earlier)
    was_in_shadow = set(was.loc[was["is_shadow"].fillna(False).astype(bool), "rule"])
    return Followed(
        exceptions,
        pd.concat(
            [explained(followed[1], exceptions, starts, in_shadow), fell],
            ignore_index=True,
        ),
        would_raise(known.shadow, evaluated.shadow, day),
        volume(before, exceptions, configuration.priority, day, known.since, in_shadow, was_in_shadow, known.left),
        shown,
    )
