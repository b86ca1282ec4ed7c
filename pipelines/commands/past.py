"""`ehcp changes`: what is different from one night to another."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import day_option, format_option, open_store, print_frame


@click.command()
@day_option("--from", "first", text="As known on this day.", required=True)
@day_option("--to", "last", text="As known on this day.", required=True)
@click.option("--bridges", is_flag=True, help="Instead: each KPI line's opening, children in and out, and closing.")
@format_option
def changes(first: date, last: date, bridges: bool, style: str) -> None:
    """Joiners, leavers, moves, reviews completed, corrections and relinks between two nights, and the KPIs' bridges."""
    from pipelines.answers_past import changes_between, kpi_bridges

    print_frame((kpi_bridges if bridges else changes_between)(open_store(), first, last), style)
