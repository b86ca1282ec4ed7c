"""`ehcp report`: reports that are asked for, beside what every night writes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from pipelines.commands.common import Group, open_store, pass_now


@click.group(cls=Group)
def report() -> None:
    """Reports for the board and the Department, as PDF."""


@report.command("quarterly")
@click.option("--period", required=True, metavar="QUARTER", help="A calendar quarter, such as 2026-Q3.")
@click.option(
    "--to", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file. Default: reports/ of the outputs."
)
@pass_now
def quarterly(now: datetime, period: str, path: Path | None) -> None:
    """The quarter under the statement of action's headings: each KPI against target, and what moved it."""
    from pipelines.quarterly import report_quarter

    click.echo(f"Written {report_quarter(open_store(), period, path, now)}")
