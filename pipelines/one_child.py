"""One child: who they are in each system, where they are and were, what was due and done, and what people decided; protected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from outputs.protect import RESTRICTED, mask_restricted
from pipelines.catalogues import titled
from pipelines.frames import small_frames
from pipelines.lifeline import TELLING_LANES, events_of, reviews_of, spells_of
from pipelines.positions import Position, position, protected
from pipelines.rawstore import read_snapshot
from pipelines.store import Store, snapshot_folder
from pipelines.store_people import records_ever, trail

NAMES = ("surname", "forename", "born_on", "upn")


@dataclass(frozen=True)
class ChildFile:
    """What is known of a child as at a day by what a night knew. `register` is their row (empty where they are not on the register)."""

    child_id: str
    as_of: date
    known_on: date
    is_restricted: bool
    records: pd.DataFrame
    register: pd.Series
    spells: pd.DataFrame
    reviews: pd.DataFrame
    events: pd.DataFrame
    exceptions: pd.DataFrame

    @property
    def timeline(self) -> pd.DataFrame:
        """Spells and events in one list, oldest first: on, until, what, text, source."""
        spells = self.spells.rename(columns={"started_on": "on", "ended_on": "until", "lane": "what"})
        events = self.events.rename(columns={"kind": "what"}).assign(until=pd.NaT)
        both = pd.concat(
            [part.astype({"until": "datetime64[us]"}) for part in (spells, events) if len(part)] or [events]
        )
        columns = ["on", "until", "what", "text", "source"]
        return both[columns].sort_values(["on", "what", "source"], kind="stable", ignore_index=True)


@small_frames()
def child_file(store: Store, child_id: str, as_of: date | None = None, known_on: date | None = None) -> ChildFile:
    """Everything about one child, named by child_id or by a record as ``synergy:310362``. Restricted children show no whereabouts.

    Raises ConfigurationError where there is no such child; one whose every record an adoption closed is not there either.
    """
    night = store.night_of(known_on)
    child_id = _resolved(store, child_id, night)
    records = records_ever(store, child_id)
    if records.empty:
        raise _unknown(child_id)
    at = position(store, as_of or night, night, child_id=child_id)
    row = at.register[at.register["child_id"] == child_id]
    is_restricted = child_id in store.restricted() or bool(row["is_restricted"].fillna(False).any())
    exceptions = titled(store.history("exceptions", night, child_id))
    if is_restricted:
        mask = pd.DataFrame({"child_id": [child_id], "is_restricted": [True]})
        exceptions = mask_restricted(exceptions, mask)
    reviews = _reviews(at, child_id)
    events = events_of(at.assembled.tables, child_id, reviews, exceptions, trail(store, child_id=child_id), at.day)
    spells = spells_of(at.assembled.tables, child_id, at.day)
    if is_restricted:
        spells = spells[~spells["lane"].isin(TELLING_LANES)]
        spells = spells.assign(text=spells["text"].mask(spells["lane"] == "waiting", RESTRICTED)).reset_index(drop=True)
    shown = protected(store, row, row)
    register = shown.iloc[0] if len(shown) else pd.Series(dtype="object")
    return ChildFile(child_id, at.as_of, night, is_restricted, records, register, spells, reviews, events, exceptions)


def names_of(store: Store, records: pd.DataFrame) -> pd.DataFrame:
    """The names of a child's records, from the newest night's private tables: source, source_id, surname, forename, born_on, upn.

    For the screen of whoever may see them; never for an output. Raises ConfigurationError where the tables are no longer kept.
    """
    people = read_snapshot(snapshot_folder(store.settings, store.newest_run()["run_id"]), "people")
    if people is None:
        raise ConfigurationError(
            "The tables with the names are no longer kept.", "Run the newest night again, or leave out --names."
        )
    keys = records[["source", "source_id"]].drop_duplicates()
    return keys.merge(people[["source", "source_id", *NAMES]], on=["source", "source_id"])


def _resolved(store: Store, wanted: str, night: date) -> str:
    system, colon, number = wanted.partition(":")
    if not colon:
        return wanted
    links = store.links(night)
    found = links.loc[(links["source"] == system) & (links["source_id"] == number), "child_id"]
    if found.empty:
        raise _unknown(wanted)
    return str(found.iloc[0])


def _unknown(wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"There is no child {wanted}.",
        "The ids are in: ehcp register --format csv; a record is given as synergy:310362.",
    )


def _reviews(at: Position, child_id: str) -> pd.DataFrame:
    """What was due and done on each plan of the child, one after another."""
    plans = at.assembled.tables["plans"]
    theirs = plans[(plans["child_id"] == child_id) & plans["leads"] & (plans["started_on"] <= at.day)]
    reviews = at.assembled.tables["reviews"]
    if reviews is not None:
        casework = at.configuration.precedence["reviews"]
        reviews = reviews[(reviews["child_id"] == child_id) & reviews["source"].isin(casework)]
    parts = [
        reviews_of(reviews, plan, at.day) for plan in theirs.sort_values("started_on").to_dict("records")
    ]  # a child has one plan, seldom two
    return pd.concat(parts, ignore_index=True) if parts else reviews_of(None, _NO_PLAN, at.day)


_NO_PLAN = {"started_on": pd.NaT, "transferred_on": pd.NaT, "ceased_on": pd.NaT}
