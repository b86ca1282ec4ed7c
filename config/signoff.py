"""The settings of the sign-off (`signoff.yml`), checked and typed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml

Weight = Literal["block", "tick", "ignore"]


class Conditions(BaseModel):
    """How much each condition weighs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_missing: Weight = "block"
    critical_unexplained: Weight = "block"


class SignoffRules(BaseModel):
    """All of `signoff.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    cut_off_working_day: int = Field(3, ge=1, le=15)
    signatures_needed: int = Field(1, ge=1)
    conditions: Conditions = Conditions()
    code_minutes: int = Field(15, ge=1, le=24 * 60)
    attempts: int = Field(5, ge=1)
    receipts_folder: str = ""
    receipts_to: str = ""


def load_signoff(config_dir: Path | None = None) -> SignoffRules:
    """Read `signoff.yml` (the council's own where it has one). Raises ConfigurationError for a value that makes no sense."""
    path = config_file(config_dir, "signoff.yml")
    try:
        return SignoffRules.model_validate(load_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {place}: {first['msg']}", "Correct the value, or delete the line to stop setting it."
        ) from error
