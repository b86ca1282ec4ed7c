"""Where things are and what this council is: read from the environment and from YAML, checked once, then handed around.

Nothing here reads the clock or imports pandas, so that help and errors come at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import ConfigurationError
from config.mail import MailServer, addresses, mail_server
from config.yaml_text import TypedLoader

PACKAGED = Path(__file__).resolve().parent


class Council(BaseModel):
    """The facts of one council that rules and pages need."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    la_code: str = Field(pattern=r"^\d{3}$", description="the authority's code of three digits")
    raw_retention_days: int = Field(90, ge=1)
    snapshots_kept: int = Field(7, ge=1)
    #: Without it what the register rests on is kept for every night there ever was.
    facts_retention_days: int | None = Field(None, ge=1)
    statistical_neighbours: tuple[str, ...] = ()


class Settings(BaseModel):
    """Where the data directory, the database and the council's own configuration are."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    data_dir: Path
    database_url: str
    config_dir: Path | None
    council: Council
    mail: MailServer | None = None
    digest_to: tuple[str, ...] = ()
    #: What is wrong with the settings of mail, and what to do: told where mail is to be sent, since no night fails for it.
    mail_fault: tuple[str, str] | None = None
    outputs_url: str = ""

    @property
    def private_dir(self) -> Path:
        """Raw extracts and snapshots of the tables: personal data, for the owner of the process only."""
        return self.data_dir / "private"

    @property
    def outputs_dir(self) -> Path:
        """Workbooks, pages and BI files, by period and run."""
        return self.data_dir / "outputs"

    @property
    def open_data_dirs(self) -> tuple[Path, Path]:
        """Where the Department's data files are looked for: what the council downloaded, then the packaged extract."""
        return self.data_dir / "open_data", PACKAGED / "open_data"


def config_file(config_dir: Path | None, name: str) -> Path:
    """The council's own file of that name, where it has one; else the packaged one."""
    own = config_dir / name if config_dir else None
    return own if own and own.exists() else PACKAGED / name


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping. Raises ConfigurationError with the line where it cannot be read."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), TypedLoader)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.", "Restore the file, or point EHCP_CONFIG elsewhere."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 text (byte {error.start + 1}).", "Save the file as UTF-8 and run again."
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "somewhere"
        raise ConfigurationError(
            f"{path}, {where}: this is not valid YAML.", "Look at the indentation, colons and quotes on that line."
        ) from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} holds no settings.", "It should hold lines of the form `name: value`.")
    return content


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from EHCP_DATA, EHCP_DATABASE_URL, EHCP_CONFIG and those of mail. Raises ConfigurationError where a value makes no sense, but for mail:
    see `Settings.mail_fault`.
    """
    data_dir = Path(environ.get("EHCP_DATA") or "var").expanduser()
    config_dir = Path(environ["EHCP_CONFIG"]).expanduser() if environ.get("EHCP_CONFIG") else None
    if config_dir and not config_dir.is_dir():
        raise ConfigurationError(
            f"EHCP_CONFIG names {config_dir}, which is not a folder.",
            "Point it at the folder with your council.yml and sources/.",
        )
    path = config_file(config_dir, "council.yml")
    try:
        council = Council.model_validate(load_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {place}: {first['msg']}", "Correct the value.") from error
    url = environ.get("EHCP_DATABASE_URL") or f"sqlite:///{data_dir.resolve().as_posix()}/ehcp.sqlite"
    settings = Settings(
        data_dir=data_dir,
        database_url=url,
        config_dir=config_dir,
        council=council,
        outputs_url=environ.get("EHCP_OUTPUTS_URL", "").rstrip("/"),
    )
    try:
        mail = {"mail": mail_server(environ), "digest_to": addresses(environ, "EHCP_DIGEST_TO")}
    except ConfigurationError as error:
        mail = {"mail_fault": (error.what, error.todo)}
    return settings.model_copy(update=mail)
