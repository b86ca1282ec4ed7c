"""`ehcp inspectors`: the person-level list of all children with plans, and a reproducible sample of it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from pipelines.commands.common import (
    Group,
    as_of_option,
    format_option,
    known_on_option,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
)

LEAD = ("child_id", "synergy_id", "age", "need_code", "education", "setting_name")
file_option = click.option(
    "--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write a workbook to this file."
)


@click.group(cls=Group)
def inspectors() -> None:
    """The list that inspectors ask for, and a sample of it."""


@inspectors.command("list")
@as_of_option
@known_on_option
@file_option
@format_option
@pass_now
def inspectors_list(now: datetime, as_of: date | None, known_on: date | None, path: Path | None, style: str) -> None:
    """Every child with a plan, those educated out of the area included, one row each."""
    from pipelines.inspection import inspectors_list as list_of
    from pipelines.inspection import write_list

    store = open_store()
    say_clocks(store, as_of, known_on)
    frame = list_of(store, as_of, known_on)
    if path is None:
        print_frame(frame, style, LEAD)
        return
    night = store.night_of(known_on)
    day = as_of or night
    write_list(store, path, frame, day, night, f"As at {day}, by what the night of {night} knew.", now)
    click.echo(f"{len(frame):,} children written to {path}.")


@inspectors.command("sample")
@click.option("--size", required=True, type=click.IntRange(1), help="How many children to draw.")
@click.option("--seed", required=True, type=int, help="Any number; the same draws the same children. Write it down.")
@click.option(
    "--by", "stratum", help="Stratify by age, need, education, in_authority, residential, whereabouts or looked_after."
)
@as_of_option
@known_on_option
@file_option
@format_option
@pass_now
def inspectors_sample(
    now: datetime,
    size: int,
    seed: int,
    stratum: str | None,
    as_of: date | None,
    known_on: date | None,
    path: Path | None,
    style: str,
) -> None:
    """A sample for tracking and audit, at random or stratified; anybody who has the seed can draw it again."""
    from pipelines.inspection import describe, sample, write_list
    from pipelines.inspection import inspectors_list as list_of

    store = open_store()
    say_clocks(store, as_of, known_on)
    night = store.night_of(known_on)
    day = as_of or night
    population = list_of(store, day, night)
    frame = sample(population, size, seed, stratum)
    how = describe(frame, len(population), seed, stratum, day, night)
    if path is not None:
        write_list(store, path, frame, day, night, how, now)
    click.echo(how, err=style != "table")
    if path is None:
        print_frame(frame, style, ("draw", "stratum", *LEAD))
    else:
        click.echo(f"Written to {path}.")
