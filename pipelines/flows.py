"""The Prefect flows: a schedule, a page, and no two nights at once, around the same functions as the command.

A flow adds nothing to the figures. It reads the clock, waits for extracts that are late, calls
`pipelines.run.run_night` once, and leaves its counts on the run's page. Only looking for extracts is retried, because
only the outside world gets better by waiting; the night itself is safe to run again, on the same business date, as
often as anyone likes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.flows import EntrypointType
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.states import Completed, State

from config.errors import EXIT_CONFIGURATION, EXIT_EXTRACT_MISSING, EXIT_FEED_REFUSED, EhcpError, ExtractError
from config.profiles import load_profiles
from config.settings import Settings, load_settings
from pipelines.flows_monthly import begin_again, monthly_deployment
from pipelines.flows_server import LIMIT, WAIT_FOR_NIGHT_SECONDS, prefect_server, schedules_on, stop_on_terminate

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State as AnyState

    from pipelines.run import RunResult

LONDON = ZoneInfo("Europe/London")
#: 01:30 on the clock in London, once a night in the weeks when the clocks change too.
SCHEDULE = Cron("30 1 * * *", timezone="Europe/London")
#: An extract that is not there yet is looked for again after 2, 10 and 20 minutes; then the night runs without it.
LOOK_AGAIN_SECONDS = [120.0, 600.0, 1200.0]
#: What of our own log is shown on the run's page.
LOGGERS = ("ehcp", "checks", "connectors", "outputs", "pipelines")
STATE_NAMES = {
    EXIT_EXTRACT_MISSING: "Extract missing",
    EXIT_FEED_REFUSED: "Feed refused",
    EXIT_CONFIGURATION: "Latest not renewed",
}


@task(name="look for the extracts", retries=len(LOOK_AGAIN_SECONDS), retry_delay_seconds=LOOK_AGAIN_SECONDS)
def look_for_extracts(as_of: date) -> int:
    """How many expected extracts are there. Raises ExtractError, and is retried, while one is missing."""
    arrived, absent = extracts_there(load_settings(os.environ), as_of, datetime.now(UTC))
    if absent:
        raise ExtractError(
            f"{len(absent)} of {arrived + len(absent)} extracts are not there: {', '.join(absent)}.",
            "Ask the systems' owners; the night runs without them and takes the last accepted copies.",
        )
    return arrived


def extracts_there(settings: Settings, as_of: date, now: datetime) -> tuple[int, list[str]]:
    """How many expected extracts of the night are there, and which are not (`system feed`)."""
    from connectors.pull import find_extracts

    arrived, absent = 0, []
    for profile in load_profiles(settings.config_dir).values():
        for found in find_extracts(profile, None, as_of, now, base=settings.data_dir):
            if found.status == "arrived":
                arrived += 1
            elif profile.feeds[found.feed].expected:
                absent.append(f"{found.system} {found.feed}")
    return arrived, absent


@flow(name="nightly", validate_parameters=True)
def nightly(as_of: date | None = None, extracts: Path | None = None, backfill: bool = False) -> State[Any]:
    """The whole night: pull, link, reconcile, judge, publish. Safe to run again; the same files change nothing.

    `as_of`: the night judged; without it the day, in London, for which the run was scheduled, so that a run which
    starts late or is retried still judges its own night. `extracts`: a folder with one folder per system, instead of
    where the profiles say. `backfill`: run a night older than the newest one.
    """
    from pipelines.run import run_night

    log = get_run_logger()
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    settings = load_settings(os.environ)
    night = as_of or night_of(flow_run.scheduled_start_time)
    if extracts is None:
        found: AnyState[Any] = look_for_extracts(night, return_state=True)
        if found.is_failed():
            log.warning("%s", found.message)
    return run_one(settings, night, extracts, backfill, run_night)


def run_one(
    settings: Settings, night: date, extracts: Path | None, backfill: bool, run_night: Callable[..., RunResult]
) -> State[Any]:
    """One night, alone, with its page. Errors that a person can put right are on the page as well as in the state."""
    log = get_run_logger()
    with concurrency(
        LIMIT,
        occupy=1,
        timeout_seconds=WAIT_FOR_NIGHT_SECONDS,
        strict=True,
        # A page that is out of reach for a while must not kill a night half way.
        raise_on_lease_renewal_failure=False,
    ):
        try:
            result = run_night(settings, night, extracts=extracts, backfill=backfill, now=datetime.now(UTC))
        except EhcpError as error:
            create_markdown_artifact(f"# Night of {night}\n\n**{error.what}**\n\n{error.todo}\n", key="night")
            raise
    create_markdown_artifact(night_page(result), key="night")
    create_table_artifact(counts_table(result), key="night-counts", description=f"Counts of the night of {night}")
    log.info("%s", result.summary)
    return Completed(name=STATE_NAMES.get(result.exit_code, "Completed"), message=result.summary.splitlines()[0])


def night_of(moment: datetime | None) -> date:
    """The night that a scheduled moment belongs to: its day in London. Without one, today."""
    return (moment or datetime.now(UTC)).astimezone(LONDON).date()


def counts_table(result: RunResult) -> list[dict[str, Any]]:
    """The counts of a night as rows of a table: what, how many."""
    return [{"what": name.replace("_", " "), "how many": number} for name, number in result.counts.items()]


def night_page(result: RunResult) -> str:
    """The page of a night in Markdown: how it ended, what was not as it should be, where its outputs are."""
    ended = STATE_NAMES.get(result.exit_code, "Fine" if not result.exit_code else f"Exit code {result.exit_code}")
    place = result.outputs.resolve()
    files = [path for path in place.iterdir() if path.is_file()] if place.is_dir() else []
    # What people open comes first, then what other programs read.
    files.sort(key=lambda path: (path.suffix not in (".html", ".xlsx"), path.name))
    parts = [f"# Night of {result.as_of}", f"**{ended}** (exit code {result.exit_code}), run `{result.run_id}`."]
    parts += ["\n".join(f"- {message}" for message in result.messages)] if result.messages else []
    parts += [f"Outputs are in `{place}`:" if files else f"There are no outputs in `{place}`."]
    parts += ["\n".join(f"- [{path.name}]({path.as_uri()})" for path in files)] if files else []
    return "\n\n".join(parts) + "\n"


def serve(settings: Settings, say: Callable[[str], Any], port: int = 4200) -> None:
    """Start what the schedules need and keep them until Ctrl-C; `say` gets a line for each thing started.

    Raises ConfigurationError when the port is in use or the server does not start or answer.
    """
    with (
        stop_on_terminate(),
        prefect_server(settings, say, port) as api_url,
        schedules_on(api_url, {LIMIT: 1}) as run,
    ):
        deployments = nightly_deployment(), monthly_deployment(settings)
        say(
            "Schedule: nightly at 01:30 Europe/London; the month's sign-off at 07:30 on the working day of its cut-off."
        )
        with get_client(sync_client=True) as client:
            for month in begin_again(client, settings):
                say(f"The sign-off of {month} was broken off: it begins again, and waits for whoever signs.")
        say("Nights never overlap. Press Ctrl-C to stop.")
        run(*deployments)


def nightly_deployment() -> Any:
    """The deployment of the nightly flow, with its schedule."""
    return nightly.to_deployment(
        name="nightly",
        schedule=SCHEDULE,
        paused=False,
        tags=["ehcp"],
        description="Pull the night's extracts, link the children, judge, follow and publish. Safe to run again.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
