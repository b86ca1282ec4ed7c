"""`ehcp notifications`: whom to tell of what."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import (
    Group,
    as_of_option,
    format_option,
    known_on_option,
    open_store,
    print_frame,
    say_clocks,
)

LEAD = ("list", "child_id", "due_on", "days_left", "setting_name", "professional", "detail")


@click.group(cls=Group)
def notifications() -> None:
    """Reviews ahead, advice due, phase transfers at risk and children new to the area, for each team."""


@notifications.command("list")
@click.option("--team", help="Only this team's lines; without it SEN casework's, which hold every child.")
@as_of_option
@known_on_option
@format_option
def list_lines(team: str | None, as_of: date | None, known_on: date | None, style: str) -> None:
    """The lines of a team's lists, soonest first. Each night writes them as workbooks into outputs/latest/notifications."""
    from config.errors import ConfigurationError
    from pipelines.answers_notified import notifications_as_of
    from pipelines.notifications import CASEWORK

    store = open_store()
    say_clocks(store, as_of, known_on)
    lines = notifications_as_of(store, as_of, known_on)
    teams = sorted({CASEWORK, *lines["team"]})
    wanted = team or CASEWORK
    if wanted.casefold() not in {name.casefold() for name in teams}:
        raise ConfigurationError(f"No team {wanted} has anything to be told.", f"Teams: {', '.join(teams)}.")
    print_frame(lines[lines["team"].str.casefold() == wanted.casefold()], style, LEAD)
