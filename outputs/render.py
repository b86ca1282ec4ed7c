"""Templates to a file: one self-contained page, everything escaped, nothing fetched from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outputs import wording
from outputs.about import system_title

_TEMPLATES = Path(__file__).resolve().parent / "templates"


@cache
def environment() -> Environment:
    """Jinja with our filters; every value is escaped, and a name that does not exist is an error."""
    jinja = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(
        uk_date=wording.uk_date,
        short_date=wording.short_date,
        uk_time=wording.uk_time,
        whole=wording.whole,
        percent=wording.percent,
        counted=wording.counted,
        system_title=system_title,
    )
    return jinja


def write_page(path: Path, template: str, **content: Any) -> None:
    """Render a template of this package into a file, UTF-8 with ``\\n`` line ends. Raises OSError where it cannot be
    written.
    """
    text = environment().get_template(template).render(**content)
    # Lone surrogates cannot be written; they come only from damaged text.
    path.write_bytes(text.encode("utf-8", "replace"))
