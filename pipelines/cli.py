"""The command `ehcp`. It and the flows alone read the clock; everything below takes the day as an argument.

Nothing heavy is imported before a command runs, so that help and errors come at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.errors import EhcpError

if TYPE_CHECKING:
    from config.settings import Settings
    from pipelines.store import Store

DAY = click.DateTime(formats=["%Y-%m-%d"])
EXITS = """
Exit codes: 0 fine; 10 an extract is missing, gated or stale; 11 a feed was refused; 12 an expectation stopped
publication; 14 configuration; 1 a bug. The highest that applies wins.
"""


class Command(click.Group):
    """A group whose errors for users are two lines and a fixed exit code; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn an expected error into its message."""
        try:
            return super().invoke(ctx)
        except EhcpError as error:
            click.echo(f"{error.what}\n{error.todo}", err=True)
            ctx.exit(error.exit_code)


def _settings() -> Settings:
    from config.settings import load_settings

    return load_settings(os.environ)


def _store() -> Store:
    from pipelines.store import Store

    return Store(_settings())


def _as_date(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


def day_option(name: str, text: str) -> Callable[[Any], Any]:
    """A date option in the form 2026-10-27."""
    return click.option(name, type=DAY, callback=_as_date, metavar="DATE", help=text)


format_option = click.option(
    "--format", "style", type=click.Choice(["table", "csv", "json"]), default="table", help="How to print the list."
)
as_of_option = day_option(
    "--as-of", "What was true on that day, by what is known now. Without it: the newest complete run."
)
known_on_option = day_option("--known-on", "As that night's run left it.")


@click.group(
    cls=Command, epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="ehcp-register", prog_name="ehcp")
def main() -> None:
    """Every night, say where every child with an EHC plan is, what is overdue for them, and what in the records cannot be believed."""


@main.command()
@click.option(
    "--plans",
    default=600,
    show_default=True,
    type=click.IntRange(200, 720_000),
    help="How many EHC plans the invented council holds.",
)
@click.option(
    "--nights", default=3, show_default=True, type=click.IntRange(1, 60), help="How many nights to invent and run."
)
@click.option("--seed", default=1, show_default=True, help="The same seed invents the same council.")
@day_option("--end", "The last night. Default: yesterday.")
def demo(plans: int, nights: int, seed: int, end: date | None) -> None:
    """Invent a council, run its nights, and say where to look."""
    from datetime import timedelta

    from pipelines.demo import invent

    settings = _settings()
    last = end or datetime.now(UTC).date() - timedelta(days=1)
    click.echo(f"Inventing a council of {plans:,} plans over {nights} nights. Every child in it is invented.")
    council = invent(settings.data_dir / "demo", plans=plans, nights=nights, seed=seed, end=last)
    worst = 0
    for night, folder in council.nights:
        result = _nightly(settings, night, folder, backfill=False)
        worst = max(worst, result.exit_code)
        click.echo(result.summary)
    latest = settings.outputs_dir / "latest"
    click.echo(
        f"\nLook at   {latest / 'report.html'}\nwork from {latest / 'exceptions.xlsx'}\nask       ehcp register, ehcp exceptions list, ehcp kpis"
    )
    click.echo(f"The planted faults and the right answers are in {council.truth}.")
    if worst:
        click.echo("Some nights had missing or gated feeds: they are part of the demonstration.")


def _nightly(settings: Settings, as_of: date, extracts: Path | None, backfill: bool) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from pipelines.run import STAGES, run_night

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(f"Night of {as_of}", total=len(STAGES))

        def progress(stage: str) -> None:
            bar.update(task, advance=1, description=f"{as_of}: {stage}")

        return run_night(
            settings, as_of, extracts=extracts, backfill=backfill, progress=progress, now=datetime.now(UTC)
        )


@main.group()
def run() -> None:
    """Run a night."""


@run.command()
@click.option(
    "--extracts",
    type=click.Path(path_type=Path),
    help="Take the extracts from this folder (one folder per system in it), not from where the profiles say.",
)
@day_option("--as-of", "The night to run. Default: today.")
@click.option(
    "--backfill",
    is_flag=True,
    help="Run a night older than the newest one; the later nights are then replayed from their raw files.",
)
@click.pass_context
def nightly(ctx: click.Context, extracts: Path | None, as_of: date | None, backfill: bool) -> None:
    """The whole night: pull, link, reconcile, judge, publish. Safe to run again: the same files change nothing."""
    result = _nightly(_settings(), as_of or datetime.now().astimezone().date(), extracts, backfill)
    click.echo(result.summary)
    ctx.exit(result.exit_code)


@main.command()
@as_of_option
@known_on_option
@click.option("--sources", is_flag=True, help="Add where each value came from: system, table and row.")
@format_option
def register(as_of: date | None, known_on: date | None, sources: bool, style: str) -> None:
    """One row per child: where they are, plan, reviews, visits, awaiting, and how sure the whereabouts are."""
    from pipelines.run import register_as_of

    _print(register_as_of(_store(), as_of, known_on, with_sources=sources), style)


@main.group()
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
    from pipelines.run import exceptions_known

    frame = exceptions_known(_store(), known_on, include_resolved="resolved" in status)
    for column, wanted in (("rule", rule), ("severity", severity), ("status", status)):
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    if owner:
        frame = frame[frame["owner"].str.casefold() == owner.casefold()]
    if child:
        frame = frame[frame["child_id"] == child]
    _print(frame, style)


@main.group()
def links() -> None:
    """Which record of which system is which child."""


@links.command("list")
@known_on_option
@format_option
def links_list(known_on: date | None, style: str) -> None:
    """One row per person record, unlinked ones included, and how it was linked."""
    _print(_store().links(known_on=known_on)[["child_id", "source", "source_id", "how"]], style)


@main.group()
def feeds() -> None:
    """What arrived, what was accepted, and letting a gated feed through."""


@feeds.command("list")
@known_on_option
@format_option
def feeds_list(known_on: date | None, style: str) -> None:
    """Each feed of the newest night: file, rows, accepted, set aside, and why it was not accepted."""
    _print(_store().feeds(known_on=known_on), style)


@feeds.command("accept")
@click.argument("system")
@click.argument("feed")
@click.option("--reason", required=True, help="Why the volume is right. Kept with your name.")
@click.option("--who", help="Your name. Default: the name you are logged in with.")
def feeds_accept(system: str, feed: str, reason: str, who: str | None) -> None:
    """Let the feed that its volume gate stopped through. Run the night again afterwards."""
    import getpass

    accepted = _store().accept_feed(system, feed, reason, who or getpass.getuser(), datetime.now(UTC))
    click.echo(
        f"Accepted {system} {feed} as it arrived on {accepted}. Run the night again: ehcp run nightly --as-of {accepted}"
    )


@feeds.command("try")
@click.argument("system")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@format_option
def feeds_try(system: str, folder: Path, style: str) -> None:
    """Read a folder with a source's profile and say what it holds, without keeping anything."""
    from pipelines.run import try_feeds

    _print(try_feeds(_settings(), system, folder), style)


@main.command()
@as_of_option
@known_on_option
@format_option
def kpis(as_of: date | None, known_on: date | None, style: str) -> None:
    """The KPI figures, with numerator, denominator and how many could not be judged."""
    from pipelines.run import kpis_as_of

    _print(kpis_as_of(_store(), as_of, known_on), style)


@main.group()
def runs() -> None:
    """The nights that were run."""


@runs.command("list")
@format_option
def runs_list(style: str) -> None:
    """Every run: rows in, accepted, set aside, linked, findings, seconds."""
    _print(_store().runs(), style)


@runs.command("show")
@click.argument("run_id", required=False)
@format_option
def runs_show(run_id: str | None, style: str) -> None:
    """One run, stage by stage. Without RUN_ID: the newest."""
    _print(_store().run_details(run_id), style)


@main.group()
def rules() -> None:
    """The catalogue of rules."""


@rules.command("list")
@format_option
def rules_list(style: str) -> None:
    """Every rule: code, title, severity, kind, owner, where to fix it."""
    from pipelines.run import rules_frame

    _print(rules_frame()[["rule", "title", "severity", "kind", "owner", "fix_in"]], style)


@rules.command("show")
@click.argument("code")
@format_option
def rules_show(code: str, style: str) -> None:
    """One rule: condition, legal basis, what to do, and what the newest night found."""
    from config.errors import ConfigurationError
    from pipelines.run import rules_frame

    frame = rules_frame()
    frame = frame[frame["rule"] == code.upper()]
    if frame.empty:
        raise ConfigurationError(f"There is no rule {code}.", "See the codes with: ehcp rules list")
    _print(frame.T.reset_index().set_axis(["part", "text"], axis=1), style)


@main.command()
@click.option("--port", default=4200, show_default=True, help="Where the page of the schedules answers.")
def serve(port: int) -> None:
    """Start the schedules: the night at 01:30 Europe/London. Says what it started; Ctrl-C stops it."""
    from pipelines.flows import serve as serve_flows

    serve_flows(_settings(), click.echo, port=port)


def _print(frame: Any, style: str) -> None:
    """Print a list. Dates as 2026-10-27, missing values blank, ids as text."""
    shown = frame.copy()
    for name in shown.columns:
        if str(shown[name].dtype).startswith("datetime64"):
            shown[name] = shown[name].dt.strftime("%Y-%m-%d")
    if style == "csv":
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        shown.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif style == "json":
        click.echo(
            shown.astype(object).where(shown.notna(), None).to_json(orient="records", indent=2, force_ascii=False)
        )
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in shown.columns:
            table.add_column(str(name), overflow="fold")
        blank = shown.astype(object).where(shown.notna(), "")
        for row in blank.to_numpy().tolist():
            table.add_row(*(str(value) for value in row))
        console = Console()
        console.print(table)
        console.print(f"{len(shown):,} rows", style="dim")
