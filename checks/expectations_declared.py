"""What `config/expectations.yml` declares: read, checked once, turned into frames and checks for Great Expectations.

Nothing here imports Great Expectations; the frames hold the columns that are asked about and nothing else.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.canonical import TABLES
from config.errors import ConfigurationError
from config.profiles import Profile
from config.settings import config_file, load_yaml

#: Asked of the rows of a table; each share is of the filled-in values, except `complete`, which is of all rows.
OF_A_TABLE = ("complete", "one_of", "matches", "dates", "unique", "rows")
#: Asked of a feed as it came.
OF_A_FEED = ("arrived", "set_aside", "repeated", "steady", "fresh")
ANY = "any"
EPOCH = pd.Timestamp("1970-01-01")

Check = dict[str, Any]


class Declared(BaseModel):
    """One line of the file: what is expected of which table, column or feed, and what follows when it is not met."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: str
    table: str
    column: str = ""
    expect: Literal[
        "complete",
        "one_of",
        "matches",
        "dates",
        "unique",
        "rows",
        "arrived",
        "set_aside",
        "repeated",
        "steady",
        "fresh",
    ]
    severity: Literal["stop", "warn"]
    title: str
    at_least: float | None = None
    at_most: float | None = None
    values: tuple[str, ...] = ()
    pattern: str = ""
    after: date | None = None
    days_ahead: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells one expectation from another, and finds it again in the last run."""
        return self.system, self.table, self.column, self.expect

    @property
    def is_share(self) -> bool:
        """Whether a percentage of rows is judged: a handful of rows makes no percentage."""
        return self.expect in ("complete", "one_of", "matches", "dates", "unique", "set_aside", "repeated", "steady")

    @property
    def wanted(self) -> str:
        """The bound in plain words."""
        if self.expect == "arrived":
            return "accepted tonight"
        unit = {"rows": "", "fresh": " days"}.get(self.expect, " %")
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        return " and ".join(f"{words} {bound:,g}{unit}" for words, bound in bounds if bound is not None)

    @model_validator(mode="after")
    def _makes_sense(self) -> Declared:
        of_a_column = self.expect in OF_A_TABLE and self.expect != "rows"
        if self.table != ANY and self.table not in TABLES:
            raise ValueError(f"there is no canonical table '{self.table}'")
        if self.expect in OF_A_TABLE and ANY in (self.system, self.table):
            raise ValueError(f"'{self.expect}' is asked of one table of one system")
        if of_a_column and self.column not in TABLES[self.table].all_columns:
            raise ValueError(f"table '{self.table}' has no column '{self.column}'")
        if not of_a_column and self.column:
            raise ValueError(f"'{self.expect}' is not asked of a column")
        if of_a_column and self.at_least is None:
            raise ValueError("says no share: add at_least")
        if self.expect in ("set_aside", "repeated", "steady", "fresh") and self.at_most is None:
            raise ValueError("says no bound: add at_most")
        if self.expect == "rows" and self.at_least is None and self.at_most is None:
            raise ValueError("says no number of rows: add at_least or at_most")
        if self.expect == "one_of" and not self.values:
            raise ValueError("says no values")
        if self.expect == "matches" and not self.pattern:
            raise ValueError("says no pattern")
        if self.expect == "dates" and TABLES[self.table].all_columns[self.column] != "date":
            raise ValueError(f"'{self.column}' is not a date")
        return self


class Declarations(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    judge_from: int = Field(default=30, ge=1)
    drop_points: float = Field(default=10, gt=0)
    expectations: tuple[Declared, ...]


def load_declarations(config_dir: Path | None = None) -> Declarations:
    """Read `expectations.yml` (the council's own where it has one). Raises ConfigurationError naming the place."""
    path = config_file(config_dir, "expectations.yml")
    try:
        declarations = Declarations.model_validate(load_yaml(path))
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"{path}, {place}: {what}.", "Correct it; the head of the file explains every word."
        ) from problem
    keys = pd.Series([d.key for d in declarations.expectations], dtype=object)
    if keys.duplicated().any():
        twice = " ".join(part for part in keys[keys.duplicated()].iloc[0] if part)
        raise ConfigurationError(
            f"{path}: '{twice}' is expected twice.", "Keep one of the two; a column has each expectation once."
        )
    return declarations


def mapped_columns(profile: Profile, table: str) -> tuple[list[str], set[str]]:
    """The feeds of a system that fill a table, and the columns that any of them fills."""
    feeds = [name for name, feed in profile.feeds.items() if table in feed.tables]
    columns = {column for name in feeds for column in profile.feeds[name].tables[table].columns}
    return feeds, columns


def table_check(declared: Declared, as_of: pd.Timestamp) -> Check:
    """One expectation of a table in words that `checks.expectations_gx` knows: column, expect and its arguments."""
    check: Check = {"expect": declared.expect, "column": declared.column}
    if declared.expect == "rows":
        return check | {"at_least": declared.at_least, "at_most": declared.at_most}
    check |= {"at_least": declared.at_least}
    if declared.expect == "one_of":
        return check | {"values": list(declared.values)}
    if declared.expect == "matches":
        return check | {"pattern": f"^(?:{declared.pattern})$"}
    if declared.expect == "dates":
        after = pd.Timestamp(declared.after) if declared.after else None
        until = (as_of - EPOCH).days + declared.days_ahead
        return check | {
            "column": f"{declared.column} day",
            "low": (after - EPOCH).days if after else None,
            "high": until,
        }
    return check


def asked_columns(rows: pd.DataFrame, checks: list[Check]) -> pd.DataFrame:
    """The columns that are asked about, and no other; a date that is compared becomes a number of days.

    Great Expectations compares numbers as whole columns and other dates one by one: 2 s for 300,000 of them.
    """
    asked: dict[str, pd.Series] = {}
    for column in dict.fromkeys(str(check["column"]) for check in checks if check["column"]):
        name = column.removesuffix(" day")
        asked[column] = (rows[name] - EPOCH).dt.days.astype("float64") if column.endswith(" day") else rows[name]
    return pd.DataFrame(asked, index=rows.index).reset_index(drop=True)
