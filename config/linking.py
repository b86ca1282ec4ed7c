"""What is watched in the linking (`linking.yml`), checked and typed: how far a share of links may fall, and the queue grow, before a night says so."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml


class Watch(BaseModel):
    """All of `linking.yml`: `nights` looked back on, `fall_points` in percentage points, `queue_percent` in per cent, the others in records or pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    nights: int = Field(7, ge=1)
    fall_points: float = Field(2, ge=0)
    fall_fewest: int = Field(5, ge=1)
    queue_more: int = Field(10, ge=1)
    queue_percent: float = Field(25, ge=0)


def load_watch(config_dir: Path | None = None) -> Watch:
    """Read `linking.yml` (the council's own where it has one). Raises ConfigurationError for a value that makes no sense."""
    path = config_file(config_dir, "linking.yml")
    try:
        return Watch.model_validate(load_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {place}: {first['msg']}", "Correct the value.") from error
