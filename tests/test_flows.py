"""The flows: what they add to a night (a schedule, a page, one night at a time) and that they add nothing else."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigurationError, EhcpError, ExtractError, PublicationStoppedError
from config.settings import Settings, load_settings
from pipelines import flows, flows_server

NIGHT = date(2026, 10, 25)


@dataclass
class Result:
    """What `run_night` gives, as far as the flows look at it."""

    outputs: Path
    exit_code: int = 0
    messages: list[str] = field(default_factory=list)
    run_id: str = "2026-10-25-1"
    as_of: date = NIGHT
    counts: dict[str, int] = field(default_factory=lambda: {"rows": 1200, "set_aside": 3})
    summary: str = "2026-10-25: 1,200 rows\n  capita students: gated"


CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"EHCP_DATA": str(tmp_path / "data")})


@dataclass
class Seen:
    """What a flow did to the outside world."""

    nights: list[dict[str, Any]] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    slots: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    """The flow's body without a server: artifacts, slots and nights are written down here."""
    found = Seen()

    def slot(name: str, **how: Any) -> Any:
        found.slots.append((name, how))
        return nullcontext()

    def run_night(settings: Settings, as_of: date, **more: Any) -> Result:
        found.nights.append({"as_of": as_of} | more)
        return Result(tmp_path)

    monkeypatch.setenv("EHCP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(flows, "get_run_logger", lambda: logging.getLogger("test"))
    monkeypatch.setattr(flows, "concurrency", slot)
    monkeypatch.setattr(flows, "create_markdown_artifact", lambda text, key: found.pages.update({key: text}))
    monkeypatch.setattr(
        flows, "create_table_artifact", lambda table, key, description: found.pages.update({key: table})
    )
    monkeypatch.setattr("pipelines.run.run_night", run_night)
    return found


# The schedule and the day


def test_the_schedule_is_half_past_one_in_london_once_a_night_when_the_clocks_change_too() -> None:
    import asyncio

    from prefect.server.schemas.schedules import CronSchedule

    assert (flows.SCHEDULE.cron, flows.SCHEDULE.timezone) == ("30 1 * * *", "Europe/London")
    schedule = CronSchedule(cron=flows.SCHEDULE.cron, timezone=flows.SCHEDULE.timezone)
    for last_before, nights in (("2026-10-24", [25, 26, 27]), ("2027-03-27", [28, 29, 30])):
        start = datetime.fromisoformat(f"{last_before}T12:00:00").replace(tzinfo=UTC)
        dates = asyncio.run(schedule.get_dates(3, start=start))
        assert [flows.night_of(moment).day for moment in dates] == nights


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        ("2026-10-25T00:30:00+00:00", "2026-10-25"),
        ("2026-07-01T23:30:00+00:00", "2026-07-02"),
        ("2026-12-01T23:30:00+00:00", "2026-12-01"),
        ("2026-07-01T20:30:00-04:00", "2026-07-02"),
    ],
)
def test_a_night_is_the_day_in_london(moment: str, night: str) -> None:
    assert flows.night_of(datetime.fromisoformat(moment)).isoformat() == night


def test_a_run_that_starts_late_judges_the_night_it_was_scheduled_for(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Run:
        scheduled_start_time = datetime(2026, 10, 20, 0, 30, tzinfo=UTC)

    monkeypatch.setattr(flows, "flow_run", Run)
    monkeypatch.setattr(flows, "look_for_extracts", lambda night, return_state: flows.Completed())
    flows.nightly.fn()
    assert seen.nights[0]["as_of"] == date(2026, 10, 20)


# Retries, and one night at a time


def test_only_looking_for_extracts_is_retried() -> None:
    assert not flows.nightly.retries
    assert flows.look_for_extracts.retries == len(flows.LOOK_AGAIN_SECONDS) == 3


def test_a_night_takes_the_only_slot_and_will_not_start_where_there_is_none(seen: Seen) -> None:
    flows.nightly.fn(as_of=NIGHT, extracts=Path("somewhere"))
    [(name, how)] = seen.slots
    assert (name, how["occupy"], how["strict"]) == (flows.LIMIT, 1, True)


def test_the_flow_hands_on_what_it_was_given_and_the_time(seen: Seen) -> None:
    state = flows.nightly.fn(as_of=NIGHT, extracts=Path("somewhere"), backfill=True)
    [night] = seen.nights
    assert (night["as_of"], night["extracts"], night["backfill"]) == (NIGHT, Path("somewhere"), True)
    assert night["now"].tzinfo is not None
    assert state.is_completed() and state.message == "2026-10-25: 1,200 rows"


def test_a_night_runs_without_the_extracts_that_did_not_come(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = flows.State(type="FAILED", message="6 of 22 extracts are not there")
    monkeypatch.setattr(flows, "look_for_extracts", lambda night, return_state: failed)
    assert flows.nightly.fn(as_of=NIGHT).is_completed()
    assert len(seen.nights) == 1


def test_extracts_are_looked_for_where_the_profiles_say(settings: Settings) -> None:
    inbox = settings.data_dir / "inbox" / "synergy"
    inbox.mkdir(parents=True)
    (inbox / "pupils.csv").write_text("Pupil ID\n1\n", encoding="utf-8")
    written = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    os.utime(inbox / "pupils.csv", (written.timestamp(), written.timestamp()))
    arrived, absent = flows.extracts_there(settings, NIGHT, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert arrived == 1
    assert "synergy pupils" not in absent and {"synergy ehc_plans", "capita students"} <= set(absent)
    _, absent = flows.extracts_there(settings, NIGHT, datetime(2026, 10, 25, 0, 1, tzinfo=UTC))
    assert "synergy pupils" in absent, "still being written"


def test_a_missing_extract_raises_so_that_prefect_tries_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHCP_DATA", str(settings.data_dir))
    with pytest.raises(ExtractError) as caught:
        flows.look_for_extracts.fn(NIGHT)
    assert "extracts are not there" in caught.value.what


# The page


@pytest.mark.parametrize(
    ("exit_code", "name"), [(0, "Completed"), (10, "Extract missing"), (11, "Feed refused"), (14, "Latest not renewed")]
)  # fmt: skip
def test_how_a_night_ended_is_the_name_of_its_state(
    seen: Seen, settings: Settings, tmp_path: Path, exit_code: int, name: str
) -> None:
    result = Result(tmp_path, exit_code)
    state = flows.run_one(settings, NIGHT, None, False, lambda *_, **__: result)
    assert (state.name, state.is_completed()) == (name, True)
    assert seen.pages["night-counts"] == [{"what": "rows", "how many": 1200}, {"what": "set aside", "how many": 3}]


def test_a_stopped_publication_fails_the_run_and_says_why_on_its_page(seen: Seen, settings: Settings) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise PublicationStoppedError("Nothing was published.", "Put the extract right.")

    with pytest.raises(PublicationStoppedError):
        flows.run_one(settings, NIGHT, None, False, stopped)
    assert seen.pages == {"night": "# Night of 2026-10-25\n\n**Nothing was published.**\n\nPut the extract right.\n"}


def test_the_page_of_a_night(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs" / "2026-10" / "2026-10-25-1"
    outputs.mkdir(parents=True)
    for name in ("register.csv", "report.html", "exceptions.xlsx"):
        (outputs / name).write_text("", encoding="utf-8")
    page = flows.night_page(Result(outputs, 10, ["capita students: gated"]))
    assert page.splitlines()[:5] == [
        "# Night of 2026-10-25",
        "",
        "**Extract missing** (exit code 10), run `2026-10-25-1`.",
        "",
        "- capita students: gated",
    ]
    assert page.index("exceptions.xlsx") < page.index("report.html") < page.index("register.csv")
    assert (outputs / "report.html").as_uri() in page
    assert "There are no outputs" in flows.night_page(Result(tmp_path / "gone"))


# What serve starts


@contextmanager
def listening() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind((flows_server.HOST, 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serving changes the environment of its own process; here it is put back."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(("PREFECT_", "EHCP_"))]:
        monkeypatch.delenv(name)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("environment")
def test_a_port_in_use_is_two_lines(settings: Settings) -> None:
    with listening() as port, pytest.raises(ConfigurationError) as caught:
        flows.serve(settings, lambda _: None, port=port)
    assert f"Port {port} is in use" in caught.value.what and f"--port {port + 1}" in caught.value.todo
    assert isinstance(caught.value, EhcpError) and str(caught.value).count("\n") == 1


def test_a_named_server_that_does_not_answer_is_two_lines(
    environment: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as port:
        free = port
    monkeypatch.setenv("PREFECT_API_URL", f"http://{flows_server.HOST}:{free}/api")
    with pytest.raises(ConfigurationError) as caught:
        flows.serve(settings, lambda _: None)
    assert "no Prefect server answers" in caught.value.what and str(caught.value).count("\n") == 1


def test_the_server_keeps_to_itself(environment: None, settings: Settings) -> None:
    told = flows_server.environment(settings, 4300)
    assert told["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false" and told["DO_NOT_TRACK"] == "1"
    assert told["PREFECT_SERVER_UI_API_URL"] == "http://127.0.0.1:4300/api"
    assert Path(told["PREFECT_HOME"]).is_relative_to(settings.data_dir.resolve())
    assert Path(told["EHCP_DATA"]).is_absolute()


@pytest.mark.prefect
def test_a_night_on_a_real_server(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ehcp serve` as a person starts it: schedule, limit, a night with its page, and Ctrl-C."""
    from prefect.client.orchestration import get_client
    from prefect.settings import temporary_settings

    with listening() as port:
        free = port
    serving = subprocess.Popen(
        # Whoever starts the tests in the background may have Ctrl-C ignored; a person at a terminal has not.
        [sys.executable, "-c", f"{CTRL_C}; from pipelines.cli import main; main()", "serve", "--port", str(free)],
        env={**os.environ, "EHCP_DATA": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"},
        stdout=(log := (tmp_path / "serve.log").open("wb")),
        stderr=subprocess.STDOUT,
    )
    try:
        said = wait_for(serving, tmp_path / "serve.log", "Press Ctrl-C to stop.", seconds=90)
        if said is None:
            pytest.skip(f"the Prefect server did not start: {(tmp_path / 'serve.log').read_text(encoding='utf-8')}")
        updates: Any = {"api.url": f"http://127.0.0.1:{free}/api", "home": tmp_path / "client"}
        # A log line still on its way when the server stops would be tried again for a minute.
        updates["logging.to_api.enabled"] = False
        with temporary_settings(updates=updates), get_client(sync_client=True) as client:
            slots: list[int] = []

            def run_night(settings: Settings, as_of: date, **more: Any) -> Result:
                slots.append(client.read_global_concurrency_limit_by_name(flows.LIMIT).active_slots)
                return Result(tmp_path, 10, ["capita students: gated"], as_of=as_of)

            monkeypatch.setattr("pipelines.run.run_night", run_night)
            limit = client.read_global_concurrency_limit_by_name(flows.LIMIT)
            state = flows.nightly(as_of=NIGHT, extracts=tmp_path, return_state=True)
            assert (state.name, slots, limit.limit) == ("Extract missing", [1], 1)
            assert client.read_global_concurrency_limit_by_name(flows.LIMIT).active_slots == 0
            assert {artifact.key for artifact in client.read_artifacts()} == {"night", "night-counts"}

            deployment = wait_until(lambda: client.read_deployment_by_name("nightly/nightly"))
            [schedule] = deployment.schedules
            assert schedule.active and schedule.schedule.timezone == "Europe/London"
            assert deployment.entrypoint == "pipelines.flows.nightly"
            client.delete_global_concurrency_limit_by_name(flows.LIMIT)
            assert flows.nightly(as_of=NIGHT, extracts=tmp_path, return_state=True).is_failed()
            assert slots == [1], "without the limit no night starts"
        serving.send_signal(signal.SIGINT)
        assert serving.wait(60) == 0
        ended = (tmp_path / "serve.log").read_text(encoding="utf-8")
        assert "The Prefect server has ended." in ended and "Traceback" not in ended
        assert not flows_server.port_in_use(free)
    finally:
        log.close()
        if serving.poll() is None:
            serving.terminate()
            serving.wait(60)


def wait_for(process: subprocess.Popen[bytes], log: Path, text: str, seconds: float) -> str | None:
    """What a process has said once it says `text`; None when it ended or took too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        if text in said:
            return said
        time.sleep(0.2)
    return None


def wait_until(ask: Callable[[], Any], seconds: float = 30) -> Any:
    """The answer to a question that fails until it can be answered."""
    from prefect.exceptions import ObjectNotFound

    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except ObjectNotFound:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
