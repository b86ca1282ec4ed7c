"""What the commands share: settings and store, date and format options, and how a list is printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from io import TextIOWrapper
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from config.settings import Settings
    from pipelines.store import Store


class Group(click.Group):
    """A group whose help says the first sentence of each command in full, in however narrow a window."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, each with what it does, wrapped."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(limit=_SENTENCE)) for name, command in found if command]
            )


#: No first sentence of ours is longer.
_SENTENCE = 300
DAY = click.DateTime(formats=["%Y-%m-%d"])
#: The moment the command was given, with its time zone: a command takes it as its first argument.
pass_now = click.make_pass_decorator(datetime)


def settings() -> Settings:
    """The settings of this process."""
    from config.settings import load_settings

    return load_settings(os.environ)


def open_store() -> Store:
    """The council's store."""
    from pipelines.store import Store

    return Store(settings())


def say_clocks(store: Store, as_of: date | None, known_on: date | None) -> None:
    """Say, beside the answer, that a day after the night asked is a look ahead, and which night answers where none was run on the day."""
    night = store.night_of(known_on)
    if known_on and known_on != night:
        click.echo(f"No night was run on {known_on}: by what the night of {night}, the last before it, knew.", err=True)
    if as_of and as_of > night:
        click.echo(
            f"{as_of} is after the night of {night}: a look ahead, by what that night knew and as if nothing happened since.",
            err=True,
        )


def say_old(store: Store, known_on: date | None) -> None:
    """Say, beside figures, which of them rest on an earlier copy, as an extract of the night did not arrive."""
    from pipelines.kpi_sources import told_old

    for line in told_old(store.feeds(known_on)):
        click.echo(line, err=True)


def _as_date(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


def day_option(*names: str, text: str, required: bool = False) -> Callable[[Any], Any]:
    """A date option in the form 2026-10-27; `names` as click takes them."""
    return click.option(*names, type=DAY, callback=_as_date, metavar="DATE", help=text, required=required)


format_option = click.option(
    "--format", "style", type=click.Choice(["table", "csv", "json"]), default="table", help="How to print the list."
)
as_of_option = day_option(
    "--as-of", text="What was true on that day, by what is known now. Without it: the newest complete run."
)
known_on_option = day_option("--known-on", text="As that night's run left it.")


def only_nights(why: str) -> Callable[[Any], Any]:
    """`--as-of` for a list that only a night can answer: refused, and why."""

    def refuse(_: click.Context, __: click.Parameter, value: str | None) -> None:
        from config.errors import ConfigurationError

        if value is not None:
            raise ConfigurationError(
                f"This list cannot be asked as at a day: {why}.", "Ask for a night with --known-on DATE."
            )

    return click.option("--as-of", hidden=True, expose_value=False, callback=refuse)


def print_frame(frame: Any, style: str, lead: Sequence[str] = ()) -> None:
    """Print a list. Dates as 2026-10-27, missing values blank, ids as text; CSV and JSON hold every column, in the order of `frame`.

    A table shows the columns that the terminal has room for, `lead` first, and says how many it left out.
    """
    shown = frame.copy()
    for name in shown.columns:
        if str(shown[name].dtype).startswith("datetime64"):
            shown[name] = shown[name].dt.strftime("%Y-%m-%d")
    if style != "table" and isinstance(sys.stdout, TextIOWrapper):
        # What is read by a program is UTF-8 on every system, also where the console has another code page.
        sys.stdout.reconfigure(encoding="utf-8", newline="" if style == "csv" else None)
    if style == "csv":
        shown.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif style == "json":
        click.echo(
            shown.astype(object).where(shown.notna(), None).to_json(orient="records", indent=2, force_ascii=False)
        )
    else:
        _print_table(shown[[*lead, *(name for name in shown.columns if name not in lead)]])


#: A column wider than this is folded rather than let push the others out.
_FOLDED, _GAP, _FEWEST = 20, 2, 2


def _print_table(frame: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    texts = frame.astype(object).where(frame.notna(), "").astype(str)
    needed = [max(len(name), int(texts[name].str.len().max() or 0) if len(texts) else 0) for name in texts.columns]
    ends = list(accumulate(min(width, _FOLDED) + _GAP for width in needed))
    fitting = max(_FEWEST, sum(end <= console.width + _GAP for end in ends))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for name, width in zip(texts.columns[:fitting], needed, strict=False):
        table.add_column(str(name), overflow="fold", no_wrap=width <= _FOLDED)
    for row in texts.iloc[:, :fitting].to_numpy().tolist():
        table.add_row(*row)
    console.print(table)
    left_out = len(texts.columns) - fitting
    more = f"; {left_out} more columns with --format csv or in a wider window" if left_out > 0 else ""
    console.print(f"{len(texts):,} rows{more}", style="dim")
