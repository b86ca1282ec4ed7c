"""The Department's open data on EHC plans, read from the files as it publishes them: what England, a region and other authorities come to.

Which figure is in which columns is declared in `comparators.yml`. The files mark `x` not available, `z` not applicable and `c` suppressed;
all three are no number here. A figure is taken from the latest year in its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from config.errors import ConfigurationError

COLUMNS = ("code", "line", "area", "kind", "year", "numerator", "denominator", "value", "note")
_PLACES = ("time_period", "time_identifier", "geographic_level", "region_code", "region_name", "old_la_code", "la_name")


def read_open_data(folders: Sequence[Path], declared: Mapping[str, Any], latest_only: bool = True) -> pd.DataFrame:
    """Every declared figure for every area: the place columns of the files, and ``key``, ``numerator``, ``denominator``, ``value``, ``note``.

    A file is taken from the first of `folders` that has it. `value` is the percentage as published, `numerator` and `denominator` what it is
    made of; missing where the Department gives none. Raises ConfigurationError for a file or a column that is not there.
    """
    files: dict[str, pd.DataFrame] = {}
    parts = []
    for key, figure in declared.items():
        name = figure["file"]
        table = files.setdefault(name, _read(folders, name)) if name not in files else files[name]
        found = table[list(_PLACES)].assign(key=str(key), note=figure.get("note", ""))
        found["numerator"] = _total(table, figure["numerator"], name)
        found["denominator"] = _total(table, figure["denominator"], name)
        published = _number(table, figure["value"].removeprefix("-"), name)
        found["value"] = (100 - published).round(1) if figure["value"].startswith("-") else published
        newest = found.loc[found["value"].notna(), "time_period"].max()
        parts.append(found[found["time_period"] == newest] if latest_only else found)
    return pd.concat(parts, ignore_index=True)


def comparators(open_data: pd.DataFrame, la_code: str, neighbours: Sequence[str]) -> pd.DataFrame:
    """England, the authority's region, its statistical neighbours together, and the authority itself as published (`COLUMNS`).

    The figure of the neighbours is of all their children together, from the counts; the others are as published. What is not published for an
    area is left out.
    """
    own = open_data[open_data["old_la_code"] == la_code]
    region = own["region_code"].dropna().iloc[0] if own["region_code"].notna().any() else None
    level = open_data["geographic_level"]
    together = open_data[open_data["old_la_code"].isin(list(neighbours)) & open_data["denominator"].notna()]
    sums = together.groupby(["key", "time_period", "time_identifier", "note"], as_index=False)[
        ["numerator", "denominator"]
    ].sum()
    sums["value"] = (100 * sums["numerator"] / sums["denominator"].mask(sums["denominator"] == 0)).round(1)
    areas = (
        ("England", "england", open_data[level == "National"]),
        (None, "region", open_data[(level == "Regional") & (open_data["region_code"] == region)]),
        ("Statistical neighbours", "neighbours", sums),
        ("As published for this council", "published", own),
    )
    parts = []
    for title, kind, frame in areas:
        keys = frame["key"].str.split(": ")
        parts.append(
            pd.DataFrame(
                {
                    "code": keys.str[0],
                    "line": keys.str[1].astype("str").fillna(""),
                    "area": title if title else frame["region_name"],
                    "kind": kind,
                    "year": _year(frame["time_period"], frame["time_identifier"]),
                    "numerator": frame["numerator"],
                    "denominator": frame["denominator"],
                    "value": frame["value"],
                    "note": frame["note"],
                }
            )
        )
    every = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return every[every["value"].notna()].reset_index(drop=True)[list(COLUMNS)]


def _read(folders: Sequence[Path], name: str) -> pd.DataFrame:
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        raise ConfigurationError(
            f"The open data file {name} is in none of {', '.join(str(folder) for folder in folders)}.",
            'Download it from the release of "Education, health and care plans", or take its figures out of comparators.yml.',
        )
    try:
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ConfigurationError(
            f"{path} is not a CSV file in UTF-8.", "Download it again, or take it away to use the packaged extract."
        ) from error
    missing = [column for column in _PLACES if column not in table]
    if missing:
        raise ConfigurationError(f"{path} has no column {missing[0]}.", "Is it one of the Department's data files?")
    return table.assign(**{column: table[column].replace("", None) for column in _PLACES})


def _number(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    if column not in table:
        raise ConfigurationError(
            f"{name} has no column {column}.",
            "The Department may have renamed it: set its new name in comparators.yml.",
        )
    return pd.to_numeric(table[column], errors="coerce")


def _total(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.Series:
    parts = [
        (-1 if column.startswith("-") else 1) * _number(table, column.removeprefix("-"), name) for column in columns
    ]
    return pd.concat(parts, axis=1).sum(axis=1, skipna=False)


def _year(period: pd.Series, identifier: pd.Series) -> pd.Series:
    """``2024`` for a calendar year, ``2024/25`` for an academic one."""
    return period.where(identifier != "Academic year", period.str[:4] + "/" + period.str[4:])
