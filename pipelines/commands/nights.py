"""`ehcp demo`, `run`, `runs` and `serve`: nights, and how they are scheduled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.common import Group, day_option, format_option, open_store, pass_now, print_frame, settings
from pipelines.commands.signoff import monthly

if TYPE_CHECKING:
    from config.settings import Settings


@click.command()
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
@click.option(
    "--history",
    type=click.IntRange(1, 120),
    metavar="MONTHS",
    help="Instead: each month end of so many months, then each night of the last 60 days. Takes some seconds a night.",
)
@day_option("--end", text="The last night. Default: yesterday.")
@pass_now
def demo(now: datetime, plans: int, nights: int, seed: int, history: int | None, end: date | None) -> None:
    """Invent a council, run its nights, and say where to look. Given again, it says where to look again."""
    from pipelines.demonstrate import demonstration

    chosen = settings()
    yesterday = now.date() - timedelta(days=1)
    if history:
        _history(chosen, plans, history, seed, end or yesterday, now)
        return
    click.echo(f"A council of {plans:,} plans over {nights} nights. Every child in it is invented.")
    council, done = demonstration(chosen, plans, nights, seed, end, yesterday)
    worst = 0
    for night, folder in council.nights:
        if night in done:
            click.echo(f"{night}  was run before; to begin anew, remove {chosen.data_dir} or set EHCP_DATA")
            continue
        result = _nightly(chosen, night, folder, backfill=False, now=now)
        worst = max(worst, result.exit_code)
        click.echo(result.summary)
    latest = chosen.outputs_dir / "latest"
    click.echo(
        f"\nLook at   {latest / 'report.html'}\nwork from {latest / 'exceptions.xlsx'}\nask       ehcp register, ehcp exceptions list, ehcp kpis"
    )
    click.echo(f"The planted faults and the right answers are in {council.truth}.")
    if worst:
        click.echo("Some nights had missing or gated feeds: they are part of the demonstration.")


def _history(settings: Settings, plans: int, months: int, seed: int, last: date, now: datetime) -> None:
    """Invent and run years of nights; the extracts of a night go once it is run, since the private store keeps them."""
    import shutil

    from pipelines.demo_history import history_nights, invent_history

    wanted = history_nights(last, months)
    click.echo(
        f"Inventing a council of {plans:,} plans over {len(wanted)} nights since {wanted[0]}. Every child in it is invented."
    )
    for night, folder in invent_history(settings.data_dir / "demo", plans, wanted, seed):
        click.echo(_nightly(settings, night, folder, backfill=False, now=now).summary)
        shutil.rmtree(folder)
    click.echo(
        "\nAsk about any day: ehcp register --known-on DATE, ehcp ask where-educated --as-of DATE, ehcp changes --from DATE --to DATE"
    )


def _nightly(settings: Settings, as_of: date, extracts: Path | None, backfill: bool, now: datetime) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from pipelines.run import STAGES, run_night

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(f"Night of {as_of}", total=len(STAGES))

        def progress(stage: str) -> None:
            bar.update(task, advance=1, description=f"{as_of}: {stage}")

        return run_night(settings, as_of, extracts=extracts, backfill=backfill, progress=progress, now=now)


@click.group(cls=Group)
def run() -> None:
    """Run a night, or freeze a month."""


run.add_command(monthly)


@run.command()
@click.option(
    "--extracts",
    type=click.Path(path_type=Path),
    help="Take the extracts from this folder (one folder per system in it), not from where the profiles say.",
)
@day_option("--as-of", text="The night to run. Default: today.")
@click.option(
    "--backfill",
    is_flag=True,
    help="Run a night older than the newest one; the later nights are then replayed from their raw files.",
)
@pass_now
def nightly(now: datetime, extracts: Path | None, as_of: date | None, backfill: bool) -> None:
    """The whole night: pull, link, reconcile, judge, publish. Safe to run again: the same files change nothing."""
    result = _nightly(settings(), as_of or now.date(), extracts, backfill, now)
    click.echo(result.summary)
    click.get_current_context().exit(result.exit_code)


@click.group(cls=Group)
def runs() -> None:
    """The nights that were run."""


@runs.command("list")
@format_option
def runs_list(style: str) -> None:
    """Every run: rows in, accepted, set aside, linked, findings, seconds."""
    print_frame(open_store().runs(), style)


@runs.command("show")
@click.argument("run_id", required=False)
@format_option
def runs_show(run_id: str | None, style: str) -> None:
    """One run, stage by stage. Without RUN_ID: the newest."""
    print_frame(open_store().run_details(run_id), style)


@click.command()
@click.option("--port", default=4200, show_default=True, help="Where the page of the schedules answers.")
def serve(port: int) -> None:
    """Start the schedules: the night at 01:30 Europe/London. Says what it started; Ctrl-C stops it."""
    from pipelines.flows import serve as serve_flows

    serve_flows(settings(), click.echo, port=port)
