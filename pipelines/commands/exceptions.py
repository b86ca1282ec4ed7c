"""`ehcp exceptions`: what is wrong, overdue or cannot be believed."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import format_option, known_on_option, open_store, print_frame


@click.group()
def exceptions() -> None:
    """What is wrong, overdue or cannot be believed, child by child."""


@exceptions.command("list")
@click.option("--rule", multiple=True, help="Only this rule (may be given again).")
@click.option("--owner", help="Only what this owner has to put right.")
@click.option(
    "--severity",
    multiple=True,
    type=click.Choice(["critical", "high", "medium", "info"]),
    help="Only this severity (may be given again).",
)
@click.option("--child", help="Only this child_id.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice(["open", "accepted", "not_evaluated", "resolved"]),
    help="Only this status; resolved ones are left out unless asked for.",
)
@known_on_option
@format_option
def exceptions_list(
    rule: tuple[str, ...],
    owner: str | None,
    severity: tuple[str, ...],
    child: str | None,
    status: tuple[str, ...],
    known_on: date | None,
    style: str,
) -> None:
    """The exceptions as the newest night left them, or a past one (--known-on)."""
    from pipelines.answers import exceptions_known

    frame = exceptions_known(open_store(), known_on, include_resolved="resolved" in status)
    for column, wanted in (("rule", rule), ("severity", severity), ("status", status)):
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    if owner:
        frame = frame[frame["owner"].str.casefold() == owner.casefold()]
    if child:
        frame = frame[frame["child_id"] == child]
    print_frame(frame, style)
