"""`ehcp changes`: what is different from one night to another."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import day_option, format_option, open_store, print_frame, say_clocks


@click.command()
@day_option("--from", "first", text="As known on this day.", required=True)
@day_option("--to", "last", text="As known on this day.", required=True)
@click.option("--bridges", is_flag=True, help="Instead: each KPI line's opening, children in and out, and closing.")
@click.option("--causes", is_flag=True, help="With --bridges: a row each cause; they add up from opening to closing.")
@format_option
def changes(first: date, last: date, bridges: bool, causes: bool, style: str) -> None:
    """Joiners, leavers, moves, reviews completed, corrections, relinks and changed rules between two nights, and the KPIs' bridges."""
    from pipelines.answers_past import changes_between, kpi_bridges

    store = open_store()
    for day in (first, last):
        say_clocks(store, None, day)
    print_frame(
        kpi_bridges(store, first, last, causes) if bridges or causes else changes_between(store, first, last), style
    )
