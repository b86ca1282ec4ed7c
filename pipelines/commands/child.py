"""`ehcp child`: one child, in the terminal or as a page."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.common import (
    as_of_option,
    format_option,
    known_on_option,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
)

if TYPE_CHECKING:
    from pipelines.one_child import ChildFile

#: What is said first, by column of the register.
FACTS = {
    "age": "Age", "active_plan": "Active plan", "in_assessment": "In assessment", "plan_started_on": "Plan started", "whereabouts_grade": "Whereabouts",
    "setting_name": "Setting", "provision_type": "Provision", "seen_on": "Last seen", "corroborated_on": "Last confirmed",
    "last_completed_review_on": "Last review", "next_review_due_on": "Next review due", "last_statutory_visit_on": "Last statutory visit",
    "last_monitoring_visit_on": "Last monitoring visit", "visit_due_on": "Visit due", "awaiting": "Awaiting", "waiting_days": "Days waiting",
    "vanished": "Vanished from", "need_code": "Primary need",
}  # fmt: skip


@click.command()
@click.argument("child_id", metavar="ID")
@as_of_option
@known_on_option
@click.option("--names", is_flag=True, help="On the screen only: the names in each system, from the private store.")
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with a picture to this file."
)
@format_option
@pass_now
def child(
    now: datetime, child_id: str, as_of: date | None, known_on: date | None, names: bool, page: Path | None, style: str
) -> None:
    """One child by its id (or a record, as synergy:310362): records, where they are and were, reviews due and missed, exceptions, decisions."""
    from pipelines.one_child import child_file, names_of

    store = open_store()
    say_clocks(store, as_of, known_on)
    file = child_file(store, child_id, as_of, known_on)
    if page:
        _write(page, file, now)
        click.echo(f"Written to {page}.")
        return
    if style != "table":
        print_frame(file.timeline, style)
        return
    click.echo(f"{file.child_id}, as at {file.as_of}, by what the night of {file.known_on} knew.")
    if file.is_restricted:
        click.echo("Restricted: nothing here says where the child is. Look in the source system.")
    for name, value in facts(file):
        click.echo(f"  {name}: {value}")
    if names:
        click.echo("\nNames (for this screen only)")
        print_frame(names_of(store, file.records), "table")
    for heading, frame in (
        ("Records", file.records.drop(columns="child_id")),
        ("Reviews: due, done and missed", file.reviews),
        (
            "Exceptions",
            file.exceptions[["rule", "severity", "status", "first_seen_on", "title", "detail", "exception_id"]],
        ),
        ("Time line", file.timeline),
    ):
        click.echo(f"\n{heading}")
        print_frame(frame, "table")


def facts(file: ChildFile) -> list[tuple[str, str]]:
    """What the register says of the child, in words; what it does not know is left out."""
    import pandas as pd

    from outputs.wording import AWAITING, GRADES, NEEDS, titled

    words = {"whereabouts_grade": GRADES, "need_code": NEEDS, "awaiting": AWAITING} | dict.fromkeys(("active_plan", "in_assessment"), {"Y": "yes", "N": "no"})  # fmt: skip
    told = [(name, title, file.register[name]) for name, title in FACTS.items() if name in file.register]
    return [
        (title, f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else titled(str(value), words.get(name, {})))
        for name, title, value in told
        if pd.notna(value) and value != ""
    ]


def _write(path: Path, file: ChildFile, now: datetime) -> None:
    from config.errors import ConfigurationError
    from outputs.about import About
    from outputs.child_page import write_child

    store = open_store()
    run = store.newest_run(file.known_on)
    about = About(store.settings.council.name, file.as_of, run["run_id"], now)
    try:
        write_child(
            path, about, file.child_id, file.is_restricted, facts(file), file.records, file.spells, file.reviews, file.events, file.exceptions
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", "Give another file with --page."
        ) from error
