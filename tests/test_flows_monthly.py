"""The monthly flow on a real Prefect server: it waits for a person, outlives restarts, and the record is ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
from signoff_drawn import PERIOD
from store_drawn import settings_in
from test_flows import CTRL_C, listening, wait_for
from test_mail import Inbox, served
from test_signing import NAME, ROLE, code_in, prepare, records_of

from pipelines import flows_monthly
from pipelines.signoff_state import periods
from pipelines.signoff_verify import verify
from pipelines.store import Store
from pipelines.store_signoff import pack_folder
from pipelines.working_days import working_day

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ASKED = {"version": 1, "blocking": [], "caveats": {"late-in-month": "Capita was late."}}


@pytest.mark.parametrize(
    ("day", "period"),
    [
        ("2026-11-03", None),
        ("2026-11-04", "2026-10"),
        ("2026-11-05", None),
        ("2026-04-07", "2026-03"),
        ("2026-04-03", None),
    ],
)
def test_the_month_is_due_on_its_third_working_day_alone(day: str, period: str | None) -> None:
    assert flows_monthly.due_on(date.fromisoformat(day), 3) == period


@pytest.mark.parametrize("number", range(1, 16))
def test_the_schedule_holds_every_day_that_can_be_the_one(number: int) -> None:
    days = {working_day(year, month, number).day for year in range(2020, 2040) for month in range(1, 13)}
    assert days <= set(flows_monthly.days_of(number))


def test_nothing_in_the_form_is_filled_in_beforehand_and_everything_is_needed() -> None:
    schema = flows_monthly.decision_form(ASKED).with_initial_data(description="read this").model_json_schema()
    assert (
        set(schema["required"]) == {"decision", "name", "role", "comment", "late_in_month"} == set(schema["properties"])
    )
    assert not [name for name, field in schema["properties"].items() if "default" in field]
    assert schema["properties"]["late_in_month"]["description"] == "Capita was late."


def test_what_was_filled_in_is_told_with_the_caveats_that_were_ticked() -> None:
    form = flows_monthly.decision_form(ASKED)
    answer = form(decision="approve", name="A", role="B", comment="C", late_in_month=True)
    assert flows_monthly.told(answer, ASKED) == {
        "kind": "signed", "name": "A", "role": "B", "comment": "C", "ticked": ["late-in-month"], "version": 1,
    }  # fmt: skip
    left = form(decision="decline", name="A", role="B", comment="C", late_in_month=False)
    assert flows_monthly.told(left, ASKED)["ticked"] == []


@contextmanager
def serving(folder: Path, port: int, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`ehcp serve` as a person starts it, ended with Ctrl-C."""
    log = folder / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{CTRL_C}; from pipelines.cli import main; main()", "serve", "--port", str(port)],
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            if wait_for(process, log, "Press Ctrl-C to stop.", seconds=120) is None:
                pytest.skip(f"the Prefect server did not start: {log.read_text(encoding='utf-8')}")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_until(ask: Callable[[], Any], seconds: float = 180) -> Any:
    """What a question answers once it answers something; it may fail until then."""
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    until = time.monotonic() + seconds
    while True:
        try:
            answer = ask()
        except (ObjectNotFound, PrefectHTTPStatusError):
            answer = None
        if answer:
            return answer
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.5)


def suspended(client: Any, run_id: Any, key: str) -> Any:
    """The run once it waits at that form; a run that ended instead is an error."""

    def ask() -> Any:
        run = client.read_flow_run(run_id)
        assert run.state.type.value not in ("COMPLETED", "FAILED", "CRASHED"), run.state
        details = run.state.state_details
        if run.state.name != "Suspended" or details.pause_key != key:
            return None
        # Prefect suspends first and keeps the form a moment later.
        return client.read_flow_run_input(run_id, details.run_input_keyset["schema"]) and run

    return wait_until(ask)


def fill_in(port: int, run_id: Any, texts: dict[str, str], choice: str = "", ticks: int = 0) -> None:
    """Fill the form of a suspended run in, in a real browser, as a person does."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{port}/runs/flow-run/{run_id}", wait_until="domcontentloaded")
        page.get_by_role("button", name="Resume").first.click()
        form = page.get_by_role("dialog")
        expect(form.get_by_role("button", name="Submit")).to_be_visible(timeout=60_000)
        for label, value in texts.items():
            field = form.locator(f"xpath=.//label[contains(., '{label}')]/following::textarea[1]")
            expect(field).to_have_value("")
            field.fill(value)
        if choice:
            # With the keyboard: a click that takes no time at all opens the list and closes it again.
            form.locator(".p-select button").press("ArrowDown")
            page.locator(".p-select-option").get_by_text(choice, exact=True).click()
        boxes = form.get_by_role("switch")
        expect(boxes).to_have_count(ticks)
        for place in range(ticks):
            expect(boxes.nth(place)).to_have_attribute("aria-checked", "false")
            boxes.nth(place).click()
        form.get_by_role("button", name="Submit").click()
        expect(form).to_be_hidden(timeout=60_000)
        browser.close()


@pytest.fixture
def council(tmp_path: Path) -> Iterator[tuple[Store, Inbox, dict[str, str]]]:
    """The drawn month with a signatory, a mailbox, and the environment of `ehcp serve`."""
    store = prepare(Store(settings_in(tmp_path / "data")))
    for inbox, mail_port in served(Inbox()):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "EHCP_"))}
        yield (
            store,
            inbox,
            kept
            | {
                "EHCP_DATA": str(tmp_path / "data"),
                "EHCP_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
                "EHCP_MAIL_FROM": "register@council.example",
                "PYTHONUNBUFFERED": "1",
                # What a person who waits at a form does not mind, a test does.
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            },
        )


@contextmanager
def client_of(folder: Path, port: int) -> Iterator[Any]:
    from prefect.client.orchestration import get_client
    from prefect.settings import temporary_settings

    updates: Any = {
        "api.url": f"http://127.0.0.1:{port}/api",
        "home": folder / "client",
        "logging.to_api.enabled": False,
    }
    with temporary_settings(updates=updates), get_client(sync_client=True) as client:
        yield client


def start(client: Any) -> Any:
    """A run of the monthly flow for the drawn month; gives its id."""
    deployment = wait_until(lambda: client.read_deployment_by_name("monthly/monthly"))
    assert deployment.schedules[0].schedule.cron == "30 7 3-9 * *"
    assert deployment.schedules[0].schedule.timezone == "Europe/London"
    return client.create_flow_run_from_deployment(deployment.id, parameters={"period": PERIOD}).id


def ended(client: Any, run_id: Any) -> str:
    """The name of the state that a run ended in."""

    def ask() -> Any:
        state = client.read_flow_run(run_id).state
        return state if state.is_final() else None

    return str(wait_until(ask).name)


def free_port() -> int:
    with listening() as port:
        return port


@pytest.mark.prefect
def test_a_month_waits_through_a_restart_and_what_is_not_right_is_asked_again(
    council: tuple[Store, Inbox, dict[str, str]], tmp_path: Path
) -> None:
    store, inbox, environ = council
    port = free_port()
    with client_of(tmp_path, port) as client:
        with serving(tmp_path, port, environ):
            run_id = start(client)
            suspended(client, run_id, "decision-1")
            pages = [artifact.data for artifact in client.read_artifacts() if artifact.key == "month"]
            assert all(str(pack_folder(store, records_of(store)[0])) in page for page in pages) and pages
        with serving(tmp_path, port, environ):
            suspended(client, run_id, "decision-1")
            said = {
                "decision": "decline",
                "name": NAME,
                "role": "Analyst",
                "comment": "Not yet.",
                "late_in_month": False,
            }
            assert client.resume_flow_run(run_id, run_input=said).status.value == "ACCEPT"
            suspended(client, run_id, "decision-2")
            assert not inbox.got, "no code for somebody in another role"
            client.resume_flow_run(run_id, run_input=said | {"role": ROLE})
            suspended(client, run_id, "code-2")
            code = code_in(inbox)
            client.resume_flow_run(run_id, run_input={"code": f"{(int(code) + 1) % 10**8:08d}"})
            suspended(client, run_id, "decision-3")
            client.resume_flow_run(run_id, run_input=said | {"role": ROLE})
            suspended(client, run_id, "code-3")
            client.resume_flow_run(run_id, run_input={"code": code_in(inbox)})
            assert ended(client, run_id) == flows_monthly.DECLINED
    assert [record.facts["kind"] for record in records_of(store)] == ["frozen", "enrolled", "declined"]
    assert periods(store).loc[0, "stands"] == "declined" and verify(store).empty
    assert len(inbox.got) == 3, "two codes and one receipt, however often the flow began anew"


def power_cut(serve: subprocess.Popen[bytes]) -> None:
    """Everything that `ehcp serve` started ends at once, and it itself."""
    found = psutil.Process(serve.pid)
    for process in [found, *found.children(recursive=True)]:
        process.kill()
    serve.wait(30)


def by_hand(client: Any) -> list[Any]:
    """The runs that no schedule made, oldest first: their ids."""
    runs = [run for run in client.read_flow_runs(limit=200) if not run.auto_scheduled]
    return [run.id for run in sorted(runs, key=lambda run: run.created)]


@pytest.mark.prefect
def test_what_is_killed_before_its_form_or_after_its_answer_begins_again_and_is_signed_once(
    council: tuple[Store, Inbox, dict[str, str]], tmp_path: Path
) -> None:
    store, inbox, environ = council
    port = free_port()
    said = {"decision": "approve", "name": NAME, "role": ROLE, "comment": "Read.", "late_in_month": True}
    with client_of(tmp_path, port) as client:
        with serving(tmp_path, port, environ) as serve:
            formless, answered = start(client), start(client)
            form = suspended(client, formless, "decision-1").state.state_details.run_input_keyset["schema"]
            client.delete_flow_run_input(formless, form)  # as if killed after Prefect kept the state, before the form
            suspended(client, answered, "decision-1")
            client.resume_flow_run(answered, run_input=said)
            suspended(client, answered, "code-1")
            with store.writing():  # the answer is there, and nothing can be recorded
                client.resume_flow_run(answered, run_input={"code": code_in(inbox)})
                wait_until(lambda: client.read_flow_run(answered).state.is_running())
                power_cut(serve)
        assert [record.facts["kind"] for record in records_of(store)] == ["frozen", "enrolled"]
        with serving(tmp_path, port, environ):
            assert "The sign-off of 2026-10 was broken off" in (tmp_path / "serve.log").read_text(encoding="utf-8")
            assert {client.read_flow_run(run).state.name for run in (formless, answered)} == {flows_monthly.BEGUN_AGAIN}
            [*_, again] = by_hand(client)
            assert len(by_hand(client)) == 3, "one month begins again once"
            suspended(client, again, "decision-1")
            client.resume_flow_run(again, run_input=said)
            suspended(client, again, "code-1")
            client.resume_flow_run(again, run_input={"code": code_in(inbox)})
            assert ended(client, again) == flows_monthly.SIGNED
    assert [record.facts["kind"] for record in records_of(store)] == ["frozen", "enrolled", "signed"]
    assert verify(store).empty and len(inbox.got) == 3, "two codes and one receipt"


@pytest.mark.prefect
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to fill the form in with")
def test_a_month_is_signed_by_a_person_at_the_form_in_a_browser(
    council: tuple[Store, Inbox, dict[str, str]], tmp_path: Path
) -> None:
    store, inbox, environ = council
    port = free_port()
    with client_of(tmp_path, port) as client, serving(tmp_path, port, environ):
        run_id = start(client)
        suspended(client, run_id, "decision-1")
        fill_in(port, run_id, {"Your name": NAME, "Your role": ROLE, "Comment": "Read."}, choice="approve", ticks=1)
        suspended(client, run_id, "code-1")
        fill_in(port, run_id, {"One-time code": code_in(inbox)})
        assert ended(client, run_id) == flows_monthly.SIGNED
    signed = records_of(store)[-1].facts
    assert (signed["kind"], signed["place"], signed["proof"], signed["name"], signed["comment"]) == (
        "signed", "Prefect", "code", NAME, "Read.",
    )  # fmt: skip
    assert list(signed["caveats"]) == ["late-in-month"]
    assert periods(store).loc[0, "stands"] == "signed" and verify(store).empty
