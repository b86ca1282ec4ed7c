"""`ehcp audit`: plans and case files held against the records, by a sample that comes back as a workbook."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from pathlib import Path

import click

from pipelines.commands.common import (
    Group,
    as_of_option,
    day_option,
    format_option,
    known_on_option,
    only_nights,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
)

#: What a terminal shows first of what is wrong most.
LEAD = ("field", "system", "percent_accurate", "looked_at", "wrong", "not_on_file")
who_option = click.option("--who", help="Your name. Default: the name you are logged in with.")


@click.group(cls=Group)
def audit() -> None:
    """Audit plans and case files: draw a sample, fill in what was found, and see what is wrong most (K10)."""


@audit.command("sample")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--size", required=True, type=click.IntRange(1), help="How many children to draw.")
@click.option("--seed", required=True, type=int, help="Any number; the same draws the same children.")
@click.option(
    "--by", "stratum", help="Stratify by age, need, education, in_authority, residential, whereabouts or looked_after."
)
@as_of_option
@known_on_option
@who_option
@pass_now
def audit_sample(
    now: datetime,
    path: Path,
    size: int,
    seed: int,
    stratum: str | None,
    as_of: date | None,
    known_on: date | None,
    who: str | None,
) -> None:
    """Draw a sample and write its workbook: a row a child and field, with the result to fill in."""
    from pipelines.auditing import draw_audit

    store = open_store()
    say_clocks(store, as_of, known_on)
    sample_id, how = draw_audit(store, path, size, seed, stratum, as_of, who or getpass.getuser(), now, known_on)
    click.echo(how)
    click.echo(f"{sample_id} written to {path}. When it is filled in: ehcp audit apply {path}")


@audit.command("apply")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--who", help="Who filled it in, where the file does not say.")
@pass_now
def audit_apply(now: datetime, path: Path, who: str | None) -> None:
    """Take the results of a workbook that came back. The same file again changes nothing."""
    from pipelines.auditing import apply_audit

    applied = apply_audit(open_store(), path, who, now)
    click.echo(
        f"{applied.sample_id}, filled in by {applied.who}: {applied.taken} taken, {applied.same} known already, {len(applied.left)} not taken."
    )
    for sheet, cell, why in applied.problems:
        click.echo(f"  {sheet} {cell}: {why}")
    if len(applied.left):
        print_frame(applied.left[["sheet", "cell", "title", "new", "outcome", "why"]], "table")


@audit.command("undo")
@click.argument("file", metavar="FILE")
@who_option
@pass_now
def audit_undo(now: datetime, file: str, who: str | None) -> None:
    """Take back what a file's results changed, by the file's name. What has been changed since stays."""
    from pipelines.auditing import undo_audit

    count = undo_audit(open_store(), Path(file).name, who or getpass.getuser(), now)
    click.echo(f"Taken back: {count} cells of {Path(file).name}.")


@audit.command("results")
@click.option("--over-time", is_flag=True, help="By month: how many were audited and found accurate.")
@click.option("--list", "as_list", is_flag=True, help="Every result, with who gave it and in which file.")
@click.option("--samples", is_flag=True, help="The samples that were drawn, with their seeds.")
@only_nights("a result is known from the day it was handed back")
@day_option("--known-on", text="By the results handed back until the end of that day.")
@format_option
def audit_results(over_time: bool, as_list: bool, samples: bool, known_on: date | None, style: str) -> None:
    """Which fields and systems are wrong most, the worst first."""
    from pipelines.auditing import audit_results as results_of
    from pipelines.store_audit import read_samples

    store = open_store()
    if samples:
        print_frame(read_samples(store), style)
        return
    found = results_of(store, known_on)
    print_frame(
        found["over_time" if over_time else "results" if as_list else "by_field"],
        style,
        () if over_time or as_list else LEAD,
    )
