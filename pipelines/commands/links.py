"""`ehcp links`: which record of which system is which child."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import format_option, known_on_option, open_store, print_frame


@click.group()
def links() -> None:
    """Which record of which system is which child."""


@links.command("list")
@known_on_option
@format_option
def links_list(known_on: date | None, style: str) -> None:
    """One row per person record, unlinked ones included, and how it was linked."""
    print_frame(open_store().links(known_on=known_on)[["child_id", "source", "source_id", "how"]], style)
