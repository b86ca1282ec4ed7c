"""What the commands about the past answer, with the whereabouts of restricted children withheld."""

from __future__ import annotations

from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from outputs.protect import OPEN_COHORTS, RESTRICTED, restricted_children
from pipelines.changes import RULES_CHANGED, TIME_PASSED, bridges, causes, changes
from pipelines.frames import is_among, small_frames
from pipelines.kpis import COHORTS
from pipelines.store import Store


@small_frames()
def changes_between(store: Store, first: date, last: date) -> pd.DataFrame:
    """What changed from one day's knowledge to another's, a row per child and change (`changes.CHANGE_COLUMNS`).

    Raises ConfigurationError where the days are the wrong way round or no night was run by the first.
    """
    _need_order(first, last)
    before, after = store.history("register", first), store.history("register", last)
    since = pd.Timestamp(store.night_of(first))
    found = changes(before, after, store.history("links", first), store.history("links", last), since)
    found = pd.concat([found, _versions_changed(store, first, last)], ignore_index=True)
    hidden = is_among(found["child_id"], _restricted(store, before, after)) & (found["change"] == "moved")
    for name in ("before", "after"):
        found[name] = found[name].mask(hidden, RESTRICTED)
    return found


@small_frames()
def kpi_bridges(store: Store, first: date, last: date, by_cause: bool = False) -> pd.DataFrame:
    """Each KPI line from opening to closing with the children behind it (`changes.BRIDGE_COLUMNS`), or a row each cause of it.

    In a line that tells where a child is, the id of a restricted child is withheld; the child is counted all the same.
    Raises ConfigurationError as `changes_between` does.
    """
    _need_order(first, last)
    secret = _restricted(store, store.history("register", first), store.history("register", last))
    opening, closing = (_withheld(store.history("kpi_members", day), secret) for day in (first, last))
    if not by_cause:
        found = bridges(opening, closing)
    else:
        why = causes(changes_between(store, first, last))
        why = why[~(why.index.isin(secret) & (why == "moved"))]
        why = pd.concat([why, why.rename(lambda child: f"{RESTRICTED}:{child}")])
        changed = len(_versions_changed(store, first, last)) > 0
        found = bridges(opening, closing, why, RULES_CHANGED if changed else TIME_PASSED)
    for name in ("ids_in", "ids_out"):
        found[name] = found[name].str.replace(rf"\b{RESTRICTED}:\S+", RESTRICTED, regex=True)
    return found


def _versions_changed(store: Store, first: date, last: date) -> pd.DataFrame:
    """What the figures rest on that is not the same on both nights (application, rules, configuration), a row each, in the form of a change."""
    before, after = (store.newest_run(store.night_of(day))["versions"] for day in (first, last))
    parts = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    rows = [("rules or settings changed", "", name, before.get(name, ""), after.get(name, ""), "") for name in parts]
    return pd.DataFrame(rows, columns=["change", "child_id", "field", "before", "after", "why"], dtype="str")


def _withheld(members: pd.DataFrame, secret: set[str]) -> pd.DataFrame:
    """Members whose id is marked where the line tells where a restricted child is; the mark still tells children apart."""
    # A part of a cohort's line (``residential: overdue``) tells as much as the line.
    telling = members["line"].str.split(":").str[0].isin(set(COHORTS) - OPEN_COHORTS) & is_among(
        members["child_id"], secret
    )
    return members.assign(child_id=members["child_id"].mask(telling, f"{RESTRICTED}:" + members["child_id"]))


def _restricted(store: Store, *registers: pd.DataFrame) -> set[str]:
    """The children who are restricted in any of the registers, or by the newest knowledge of them."""
    return store.restricted() | {
        child for register in registers for child in register.loc[restricted_children(register), "child_id"]
    }


def _need_order(first: date, last: date) -> None:
    if last < first:
        raise ConfigurationError(f"{first} is after {last}.", "Give the earlier day with --from, the later with --to.")
