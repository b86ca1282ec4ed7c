"""`ehcp ask`: the questions that are put to councils, each a figure with the list behind it, for any day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import click

from pipelines.commands.common import (
    Group,
    as_of_option,
    day_option,
    format_option,
    known_on_option,
    open_store,
    print_frame,
    say_clocks,
)

if TYPE_CHECKING:
    from pipelines.asking import Asked


class AskGroup(Group):
    """`ehcp ask list`, and every question as a command of its own: `ehcp ask NAME`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The list, then the questions."""
        from pipelines.asking import REGISTRY

        return ["list", *REGISTRY]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The list, or the command that asks this question; None where there is none."""
        from pipelines.asking import REGISTRY

        if name == "list":
            return ask_list
        if name not in REGISTRY:
            return None
        question = REGISTRY[name]
        return click.Command(
            name, callback=ask_one, params=ask_one_params(), short_help=question.title, help=f"{question.title}.\n\n{question.definition}"
        )  # fmt: skip


@click.group(cls=AskGroup)
def ask() -> None:
    """The questions that are put to councils: a figure for any day, and the list behind it."""


@click.command("list")
@format_option
def ask_list(style: str) -> None:
    """Every question, by its number in the list of questions put to councils."""
    from pipelines.asking import question_list

    print_frame(question_list(), style, ("number", "name", "title"))


def _ages(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    first, _dash, last = value.partition("-")
    if not (first.isdigit() and (last or first).isdigit()):
        raise click.BadParameter("give ages as 5-16")
    if int(first) > int(last or first):
        raise click.BadParameter("give the younger age first, as 5-16")
    return int(first), int(last or first)


def ask_one_params() -> list[click.Parameter]:
    """The options of every question."""
    command = click.command()(_with_options(lambda: None))
    return list(command.params)


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options put on a function, in the order of the help."""
    for option in reversed(
        (
            as_of_option,
            known_on_option,
            day_option("--from", "since", text="The first day of the period. Default: twelve months to the day."),
            click.option("--by", multiple=True, help="Break down by this; give it twice for rows and columns."),
            click.option("--ages", callback=_ages, metavar="5-16", help="Only children of these completed years."),
            click.option("--list", "as_list", is_flag=True, help="The list behind the figure."),
            day_option("--against", text="Who is in the answer of one day and not in that of the other."),
            day_option("--against-known-on", text="The same, by what that night knew: why two answers for one day differ."),
            click.option("--suppress", is_flag=False, flag_value=5, type=click.IntRange(2), metavar="[N]",
                         help="For what leaves the service: hide numbers below N (5), and what they could be worked out from."),
            format_option,
        )
    ):  # fmt: skip
        function = option(function)
    return function


def ask_one(
    as_of: date | None,
    known_on: date | None,
    since: date | None,
    by: tuple[str, ...],
    ages: tuple[int, int] | None,
    as_list: bool,
    against: date | None,
    against_known_on: date | None,
    suppress: int | None,
    style: str,
) -> None:
    """Ask one question and print its answer, with its definition and what the records lack."""
    from config.errors import ConfigurationError
    from pipelines.asking import ask as ask_store
    from pipelines.asking import differences, find_question, listed, table_by

    name = str(click.get_current_context().info_name)
    compared = against or against_known_on
    if suppress and (as_list or compared):
        raise ConfigurationError(
            "A list of children is not made safe by hiding numbers.", "Leave out --list and --against, or --suppress."
        )
    if len(by) > 2:
        raise ConfigurationError("A table has rows and columns.", "Give --by once or twice.")
    if since and not find_question(name).of_period:
        raise ConfigurationError(f"{name} is about a day, not about a period.", "Leave out --from.")
    store = open_store()
    say_clocks(store, as_of, known_on)
    asked = ask_store(store, name, as_of, known_on, since, ages)
    lines = asked.lines
    if suppress:
        lines = [line for line in lines if not line.startswith("Not counted")] + _lacking(asked, suppress)
    if asked.answered.reason:
        frame = None
        lines += [] if suppress else _figures(asked)
    elif compared:
        say_clocks(store, None, against_known_on)
        other = ask_store(store, name, against or asked.as_of, against_known_on or known_on, since, ages)
        frame = differences(asked, other)
        lines += [
            f"{nth}: {each.as_of}, as the night of {each.known_on} knew it."
            for nth, each in (("First", asked), ("Second", other))
        ]
    elif as_list:
        frame = listed(asked)
    else:
        frame = table_by(asked, by, suppress)
        lines += [] if suppress else _figures(asked)
        lines += [f"meets: {asked.answered.question.meets}."] if asked.answered.question.meets and len(by) < 2 else []
        lines += (
            ["c: hidden, because it is below the limit or another number would follow from it."] if suppress else []
        )
    for line in lines:
        click.echo(line, err=style != "table")
    if frame is not None:
        print_frame(frame, style)


def _figures(asked: Asked) -> list[str]:
    return [f"{name}: {'not known' if value is None else value}." for name, value in asked.answered.figures.items()]


def _lacking(asked: Asked, limit: int) -> list[str]:
    lacking = int((~asked.answered.rows["counted"]).sum())
    return [
        f"Not counted: {lacking if lacking == 0 or lacking >= limit else 'fewer than ' + str(limit)} without a date."
    ]
