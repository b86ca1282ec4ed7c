"""The routes of `routing.yml`, checked and typed: to whom an exception goes, by rule, setting and caseworker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from config.errors import ConfigurationError
from config.settings import config_file
from config.yaml_text import read_yaml

#: Conditions that may say where a child is.
TELLING = ("setting", "team", "caseworker")
CONDITIONS = ("rule", "kind", "severity", "source", *TELLING)
#: What `to` may take from the records.
NAMED = ("team", "caseworker")


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_several)]


class Route(BaseModel):
    """Conditions, each met by any of its values, and the owner."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Texts = ()
    kind: Annotated[tuple[Literal["safety", "duty", "record", "feed"], ...], BeforeValidator(_several)] = ()
    severity: Annotated[tuple[Literal["critical", "high", "medium", "info"], ...], BeforeValidator(_several)] = ()
    source: Texts = ()
    setting: Texts = ()
    team: Texts = ()
    caseworker: Texts = ()
    to: str = Field(pattern=r"^(\{(team|caseworker)\}|[^{}]*[^{}\s][^{}]*)$")

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """The conditions that are set."""
        return {name: getattr(self, name) for name in CONDITIONS if getattr(self, name)}

    @property
    def named(self) -> str | None:
        """The column that `to` is taken from; None where it is an owner's own name."""
        return self.to[1:-1] if self.to.startswith("{") else None

    @property
    def is_telling(self) -> bool:
        """Whether the owner could say where the child is."""
        return self.named is not None or any(name in self.conditions for name in TELLING)


class Routing(BaseModel):
    """All of `routing.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    routes: tuple[Route, ...] = ()


def load_routing(config_dir: Path | None = None, rules: tuple[str, ...] = ()) -> Routing:
    """Read `routing.yml` (the council's own where it has one). Raises ConfigurationError for a value that makes no sense, by its route.

    `rules` are the codes of the catalogue: a route for a rule that is none of them, nor begins one, is refused.
    """
    path = config_file(config_dir, "routing.yml")
    content = read_yaml(path) or {}
    try:
        routing = Routing.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {place}: {first['msg']}", f"A route has conditions ({', '.join(CONDITIONS)}) and `to`."
        ) from error
    for number, route in enumerate(routing.routes, 1):
        for wanted in route.rule:
            if not any(code.startswith(wanted) for code in rules):
                raise ConfigurationError(
                    f"{path}: route {number}: there is no rule {wanted}.", "See the codes with: ehcp rules list"
                )
    return routing
