"""What others come to: the Department's figures of England, the region and the neighbours, beside ours of the same definition."""

from __future__ import annotations

import logging

import pandas as pd

from config.errors import ConfigurationError
from config.settings import Settings, config_file, load_yaml
from connectors.open_data import COLUMNS, comparators, read_open_data

log = logging.getLogger("ehcp.figures")


def load_comparators(settings: Settings) -> pd.DataFrame:
    """The comparators of this council (`connectors.open_data.COLUMNS`). Raises ConfigurationError for a file that cannot be read."""
    declared = load_yaml(config_file(settings.config_dir, "comparators.yml"))
    council = settings.council
    return comparators(
        read_open_data(settings.open_data_dirs, declared), council.la_code, council.statistical_neighbours
    )


def comparators_or_none(settings: Settings) -> pd.DataFrame:
    """The same for a night: a file of open data that cannot be read is logged and leaves the comparators out, since no child waits for them."""
    try:
        return load_comparators(settings)
    except ConfigurationError as error:
        log.warning("comparators left out: %s %s", error.what, error.todo)
        return pd.DataFrame(columns=list(COLUMNS))
