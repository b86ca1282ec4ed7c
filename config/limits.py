"""The limits and intervals of `rules.yml`, checked and typed: how many days each duty allows, and where that comes from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml


class Limit(BaseModel):
    """A number of days, with its source and what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: int
    source: str
    about: str
    advisory: bool = False


class VisitInterval(BaseModel):
    """How often a visit cohort is visited, in days, and which kinds of visit count."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    first: int
    then: int
    long_term: int | None = None
    kinds: tuple[str, ...]
    is_statutory: bool
    source: str
    advisory: bool = False


def _with_dates(shadow: object) -> object:
    """A plain list of codes is the codes without a date."""
    return dict.fromkeys(shadow) if isinstance(shadow, list) else shadow


class Limits(BaseModel):
    """All of `rules.yml`. A limit is read as an attribute and gives its days: ``limits.whereabouts_days``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    limits: dict[str, Limit]
    visits: dict[str, VisitInterval]
    shadow: Annotated[dict[str, date | None], BeforeValidator(_with_dates)] = {}

    def is_in_shadow(self, rule: str, day: date) -> bool:
        """Whether a rule is in shadow on a day: until the day before its date, or without end."""
        if rule not in self.shadow:
            return False
        until = self.shadow[rule]
        return until is None or day < until

    def __getattr__(self, name: str) -> int:
        try:
            return self.__dict__["limits"][name].days
        except KeyError:
            raise AttributeError(name) from None


def load_limits(config_dir: Path | None = None) -> Limits:
    """Read `rules.yml` (the council's own where it has one). Raises ConfigurationError for a value that makes no sense."""
    path = config_file(config_dir, "rules.yml")
    content: dict[str, Any] = load_yaml(path)
    try:
        return Limits.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {place}: {first['msg']}", "Correct the value, or delete the line to stop setting it."
        ) from error
