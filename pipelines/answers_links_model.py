"""A model of scored links, trained on the records of the newest night; and how well a night linked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from config.errors import ConfigurationError
from config.settings import config_file
from pipelines.history import read_known
from pipelines.link_compare import prepare_people
from pipelines.link_model import Model, save_model
from pipelines.link_night import unsealed
from pipelines.link_quality import COLUMNS, beside
from pipelines.link_score import features, rarity
from pipelines.link_train import train_model
from pipelines.rawstore import read_snapshot
from pipelines.store import Store, snapshot_folder


def train_links(store: Store, path: Path, version: str) -> Model:
    """Train on the person records of the newest night, write the model to `path` and give it. The same night gives the same model.

    What an adoption closed takes no part. Raises ConfigurationError where no tables are kept or only one system has records, and where
    `path` cannot be written.
    """
    run = store.newest_run()
    folder = snapshot_folder(store.settings, run["run_id"])
    people, addresses = read_snapshot(folder, "people"), read_snapshot(folder, "addresses")
    if people is None:
        raise ConfigurationError(
            f"The tables of run {run['run_id']} are no longer kept.", "Run the newest night again first."
        )
    with store.reading() as connection:
        people = unsealed(people, read_known(connection, "sealed_records", pd.Timestamp(run["as_of"]).date()))
    records = prepare_people(people, addresses).sort_values(["source", "source_id"]).reset_index(drop=True)
    if records["source"].nunique() < 2:
        raise ConfigurationError(
            "Only one system has records, so there is nothing to link.", "Train after a night with two systems."
        )
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    model = train_model(features(records, people, addresses, nicknames), rarity(records), version)
    try:
        save_model(model, path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --to."
        ) from error
    return model


def quality(store: Store, known_on: date | None = None) -> pd.DataFrame:
    """How well the newest night, or that of `known_on`, linked (`link_quality.COLUMNS`), beside the night before it.

    Raises ConfigurationError for a night that kept no measures: an earlier version of the program ran it.
    """
    night, trend = pd.Timestamp(store.night_of(known_on)), store.link_trend()
    tonight = trend[trend["as_of"] == night]
    if tonight.empty:
        raise ConfigurationError(
            f"The night of {night:%Y-%m-%d} kept no measures of its linking.", "They are kept from the next night on."
        )
    return beside(tonight[list(COLUMNS)], trend[trend["as_of"] < night])


def quality_over_time(store: Store) -> pd.DataFrame:
    """Every night's measures, each measure and group from the oldest night to the newest: measure, group, as_of, count, of, rate."""
    trend = store.link_trend().sort_values(["measure", "group", "as_of"], ignore_index=True)
    return trend[["measure", "group", "as_of", "count", "of", "rate"]]
