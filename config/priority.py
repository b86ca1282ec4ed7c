"""The weights of `priority.yml`, checked and typed: what makes one exception come before another, and how soon each should be dealt with."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml

Severity = Literal["critical", "high", "medium", "info"]
Situation = Literal[
    "missing",
    "vanished",
    "nothing_in_place",
    "not_known",
    "looked_after",
    "residential",
    "out_of_authority",
    "restricted",
]
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Said(BaseModel):
    """Points for a situation, and the words of the line that says why."""

    model_config = _STRICT
    points: int = Field(ge=0)
    says: str = Field(min_length=1)


class AgeBand(BaseModel):
    """Points for a child below an age in whole years."""

    model_config = _STRICT
    below: int
    points: int = Field(ge=0)


class Overdue(BaseModel):
    """Points for each whole week overdue, up to so many weeks."""

    model_config = _STRICT
    points_a_week: int = Field(ge=0)
    at_most_weeks: int = Field(ge=0)


class Systems(BaseModel):
    """Points for each further system that agrees, up to so many."""

    model_config = _STRICT
    points: int = Field(ge=0)
    at_most: int = Field(ge=0)


class Priority(BaseModel):
    """All of `priority.yml`."""

    model_config = _STRICT
    severity: dict[Severity, int]
    situation: dict[Situation, Said]
    age: tuple[AgeBand, ...]
    overdue: Overdue
    systems: Systems
    topics: dict[str, tuple[str, ...]]
    accepted: int = 0
    target_days: dict[Severity, int | None]
    explained_days: int = Field(28, ge=1)
    causes_from: int = Field(2, ge=2)


def load_priority(config_dir: Path | None = None) -> Priority:
    """Read `priority.yml` (the council's own where it has one). Raises ConfigurationError for a value that makes no sense."""
    path = config_file(config_dir, "priority.yml")
    try:
        priority = Priority.model_validate(load_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {place}: {first['msg']}", "Correct the value.") from error
    left_out = {"critical", "high", "medium", "info"} - set(priority.severity)
    if left_out:
        raise ConfigurationError(
            f"{path}: severity: no points for {', '.join(sorted(left_out))}.", "Give each severity a number."
        )
    return priority
