"""What a night reads from YAML, and the versions that its figures rest on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.engine import catalogue
from config.errors import ConfigurationError
from config.limits import Limits, load_limits
from config.linking import Watch, load_watch
from config.priority import Priority, load_priority
from config.routing import Routing, load_routing
from config.settings import PACKAGED, Settings, config_file, load_yaml
from pipelines.link_model import FILE, Model, load_model


@dataclass(frozen=True)
class Configuration:
    """Everything a night reads from settings files, read once."""

    limits: Limits
    precedence: dict[str, list[str]]
    provision: dict[str, list[str]]
    targets: dict[str, dict[str, Any]]
    la_code: str
    link_model: Model
    priority: Priority
    routing: Routing
    watch: Watch


def load_configuration(settings: Settings) -> Configuration:
    """Limits, precedence, provision types, KPI targets, the model of links and what is watched in it, the council's own where it has them."""
    named = {
        name: load_yaml(config_file(settings.config_dir, f"{name}.yml")) for name in ("precedence", "provision", "kpis")
    }
    _need_rules(named["kpis"])
    limits, codes = load_limits(settings.config_dir), tuple(catalogue())
    unknown = set(limits.shadow) - set(codes)
    if unknown:
        raise ConfigurationError(
            f"{config_file(settings.config_dir, 'rules.yml')}: shadow: there is no rule {', '.join(sorted(unknown))}.",
            "See the codes with: ehcp rules list",
        )
    return Configuration(
        limits,
        named["precedence"],
        named["provision"],
        named["kpis"],
        settings.council.la_code,
        load_model(config_file(settings.config_dir, FILE)),
        load_priority(settings.config_dir),
        load_routing(settings.config_dir, codes),
        load_watch(settings.config_dir),
    )


def _need_rules(targets: dict[str, Any]) -> None:
    """Raise ConfigurationError for a rule that puts a figure in doubt and does not exist."""
    for code, settings in targets.items():
        unknown = {*settings.get("doubt", ()), *settings.get("firm", ())} - set(catalogue())
        if unknown:
            raise ConfigurationError(
                f"kpis.yml, {code}: there is no rule {', '.join(sorted(unknown))}.",
                "See the codes with: ehcp rules list",
            )


def versions() -> dict[str, str]:
    """The versions that a night's figures rest on: of the application, and of the rules as one hash."""
    from importlib.metadata import version

    rules = "".join(f"{code}{rule.version}" for code, rule in catalogue().items())
    return {"application": version("ehcp-register"), "rules": hashlib.sha256(rules.encode()).hexdigest()[:12]}


def configuration_hash(config_dir: Path | None) -> str:
    """One hash over every settings file, the council's own in the place of a packaged one; line ends do not count."""
    files: dict[str, Path] = {}
    for folder in (PACKAGED, *([config_dir] if config_dir else [])):
        for pattern in ("*.yml", "*.csv", "sources/*.yml"):
            files |= {path.relative_to(folder).as_posix(): path for path in folder.glob(pattern)}
    hashed = hashlib.sha256()
    for name, path in sorted(files.items()):
        hashed.update(name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return hashed.hexdigest()[:12]
