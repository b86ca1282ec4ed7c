"""The monthly flow: on the third working day it freezes the month, makes its pack, and then waits for a person to approve or decline it.

The run suspends: no process waits, and a restart of server or machine loses nothing. When a form is filled in, Prefect starts the flow anew from its first
line; every step that must not be done twice is therefore a task whose result is kept. Prefect only prompts: who the person is, is proved by a
one-time code, and the record is that of `pipelines.signing`. A passphrase is not asked for: what is typed into a form stays in Prefect's database,
which everybody with its one login can read; a code is worthless once it is used.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any, Literal

from prefect import flow, get_run_logger, suspend_flow_run, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.concurrency.sync import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.flows import EntrypointType
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.states import Completed, Crashed, State
from pydantic import Field, create_model

from config.errors import EhcpError
from config.mail import mail_server
from config.settings import Settings, load_settings
from config.signoff import load_signoff
from pipelines.chain import canonical, digest
from pipelines.flows_server import LIMIT, WAIT_FOR_NIGHT_SECONDS
from pipelines.working_days import newest_closed, working_day


def _once(context: TaskRunContext, given: dict[str, Any]) -> str:
    """The key of a step: its name, its run and what it was given."""
    return f"{context.task.name}-{context.task_run.flow_run_id}-{digest(canonical(given))}"


#: Done once in a run, however often the run is resumed, and in an upgraded program too.
ONCE: dict[str, Any] = {"persist_result": True, "cache_key_fn": _once}
KINDS = {"approve": "signed", "decline": "declined"}
SIGNED, DECLINED, NOT_THE_DAY, BEGUN_AGAIN = "Signed", "Declined", "Not the day", "Begun again"
#: The states of a run that waits at its form, or whose process may have died.
DEAD_OR_WAITING = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CRASHED]


class Code(RunInput):
    """The second form: the code that was sent."""

    code: str = Field(title="One-time code", description="The eight digits that were sent to your mailbox.")


@task(name="which month", **ONCE)
def which_month(period: str | None) -> str | None:
    """The month to freeze: the one asked for, or the one that is closed on the scheduled day; None where none is."""
    number = load_signoff(load_settings(os.environ).config_dir).cut_off_working_day
    return period or due_on(_london(flow_run.scheduled_start_time).date(), number)


@task(name="freeze the month", **ONCE)
def freeze(period: str) -> str:
    """Freeze it, alone, and make its pack; gives where the pack is. Errors that a person can put right are on the page as well."""
    from pipelines.signing import mail_receipt
    from pipelines.signoff import freeze_month
    from pipelines.store import Store
    from pipelines.store_signoff import pack_folder

    store = Store(load_settings(os.environ))
    with concurrency(
        LIMIT, occupy=1, timeout_seconds=WAIT_FOR_NIGHT_SECONDS, strict=True, raise_on_lease_renewal_failure=False
    ):
        try:
            record, is_new = freeze_month(store, period, datetime.now(UTC))
        except EhcpError as error:
            create_markdown_artifact(f"# {period}\n\n**{error.what}**\n\n{error.todo}\n", key="month")
            raise
    if is_new:
        try:
            mail_receipt(store, record, mail_server(os.environ))
        except EhcpError as error:
            get_run_logger().warning("The receipt did not leave by e-mail: %s", error.what)
    return str(pack_folder(store, record).resolve())


@task(name="what to ask", **ONCE)
def what_to_ask(period: str, turn: int) -> dict[str, Any]:
    """What the form of this turn shows: the version, and the caveats by id."""
    from pipelines.signoff_state import open_caveats, periods
    from pipelines.store import Store

    store = Store(load_settings(os.environ))
    newest = periods(store).set_index("period").loc[[period]].iloc[0]
    told = open_caveats(store, period)
    blocking = told.loc[told["weight"] == "block", "text"].tolist()
    ticks = told[told["weight"] == "tick"]
    return {
        "version": int(newest["version"]),
        "blocking": blocking,
        "caveats": dict(zip(ticks["id"].tolist(), ticks["text"].tolist(), strict=True)),
    }


@task(name="send a code", **ONCE)
def ask_for_code(period: str, turn: int, said: dict[str, Any]) -> str:
    """Look at what was said, and send its signatory a code; gives why it is not taken, empty where it is."""
    from pipelines.signing import check, send_code
    from pipelines.store import Store

    store = Store(load_settings(os.environ))
    try:
        check(store, period, _decision(said))
        send_code(store, period, said["name"], mail_server(os.environ), datetime.now(UTC))
    except EhcpError as error:
        return str(error)
    return ""


@task(name="record the decision", **ONCE)
def record(period: str, turn: int, said: dict[str, Any], code: str) -> str:
    """Record the decision with its code; gives why it is not taken, empty where it is."""
    from pipelines.signing import Proof, decide, mail_receipt
    from pipelines.store import Store

    store = Store(load_settings(os.environ))
    try:
        made = decide(store, period, _decision(said), Proof(code=code), datetime.now(UTC), place="Prefect")
    except EhcpError as error:
        return str(error)
    try:
        mail_receipt(store, made, mail_server(os.environ))
    except EhcpError as error:
        get_run_logger().warning("The receipt did not leave by e-mail: %s", error.what)
    return ""


@flow(name="monthly", validate_parameters=True, persist_result=True)
def monthly(period: str | None = None) -> State[Any]:
    """Freeze a month, make its pack, and wait until it is signed or declined by somebody who may.

    `period`: the month as 2026-10; without it the one that is closed on the day for which the run was scheduled; on any other day nothing is done.
    """
    month = which_month(period)
    if month is None:
        return Completed(
            name=NOT_THE_DAY, message="The month is frozen on another day: see cut_off_working_day in signoff.yml."
        )
    pack, refused, turn = freeze(month), "", 0
    while True:
        stands = how_it_stands(load_settings(os.environ), month)
        if stands == "signed":
            return Completed(name=SIGNED, message=f"{month} is signed.")
        turn += 1
        asked = what_to_ask(month, turn)
        create_markdown_artifact(month_page(month, pack, asked, refused), key="month")
        form = decision_form(asked).with_initial_data(description=form_text(month, pack, asked, refused))
        answer: Any = suspend_flow_run(wait_for_input=form, key=f"decision-{turn}")
        said = told(answer, asked)
        refused = ask_for_code(month, turn, said)
        if refused:
            continue
        text = f"A code was sent to the mailbox that {said['name']} is enrolled with."
        typed: Any = suspend_flow_run(wait_for_input=Code.with_initial_data(description=text), key=f"code-{turn}")
        refused = record(month, turn, said, typed.code)
        if not refused and said["kind"] == "declined":
            return Completed(name=DECLINED, message=f"{month} is declined by {said['name']}: {said['comment']}")


def due_on(day: date, number: int) -> str | None:
    """The month that is closed on a day; None where the day is not the n-th working day of its month."""
    return newest_closed(day, number) if day == working_day(day.year, day.month, number) else None


def days_of(number: int) -> range:
    """The days of a month on which its n-th working day can fall."""
    return range(number, min(31, 2 * number + 3) + 1)


def how_it_stands(settings: Settings, period: str) -> str:
    """How the newest version of a month stands."""
    from pipelines.signoff_state import periods
    from pipelines.store import Store

    return str(periods(Store(settings)).set_index("period").loc[[period], "stands"].iloc[0])


def decision_form(asked: dict[str, Any]) -> type[RunInput]:
    """The form: approve or decline, name, role, comment, and a box for each caveat; nothing is pre-filled."""
    text: dict[str, Any] = {
        "decision": (Literal["approve", "decline"], Field(title="Decision")),
        "name": (str, Field(title="Your name", description="As you are enrolled.", min_length=1)),
        "role": (str, Field(title="Your role", description="As you are enrolled.", min_length=1)),
        "comment": (str, Field(title="Comment", description="Kept for good. No names of children.", min_length=1)),
    }
    boxes: dict[str, Any] = {
        _field(caveat): (bool, Field(title=f"I know: {caveat}", description=words))
        for caveat, words in asked["caveats"].items()
    }
    return create_model("Decision", __base__=RunInput, **text, **boxes)


def told(answer: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """A filled-in form in plain values, for a task to be told."""
    return {
        "kind": KINDS[answer.decision],
        "name": answer.name,
        "role": answer.role,
        "comment": answer.comment,
        "ticked": [caveat for caveat in asked["caveats"] if getattr(answer, _field(caveat))],
        "version": asked["version"],
    }


def form_text(period: str, pack: str, asked: dict[str, Any], refused: str) -> str:
    """What stands above the form."""
    parts = [f"{period}, version {asked['version']}. Read the pack first: {pack}"]
    parts += [f"It cannot be signed yet: {' '.join(asked['blocking'])}"] if asked["blocking"] else []
    parts += [f"What was said before was not taken. {refused}"] if refused else []
    return "\n\n".join(parts)


def month_page(period: str, pack: str, asked: dict[str, Any], refused: str) -> str:
    """The page of a month in Markdown."""
    caveats = "\n".join(f"- {words}" for words in [*asked["blocking"], *asked["caveats"].values()])
    return f"# {period} waits for a signature\n\n{form_text(period, pack, asked, refused)}\n\n{caveats}\n"


def monthly_deployment(settings: Settings) -> Any:
    """The deployment of the monthly flow: it starts on every day that can be the one, at 07:30 in London, and goes on only on that day."""
    days = days_of(load_signoff(settings.config_dir).cut_off_working_day)
    return monthly.to_deployment(
        name="monthly",
        schedule=Cron(f"30 7 {days[0]}-{days[-1]} * *", timezone="Europe/London"),
        paused=False,
        tags=["ehcp"],
        description="Freeze the month on the working day of its cut-off, make its pack, and wait for a person to approve or decline.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def begin_again(client: Any, settings: Settings) -> list[str]:
    """Runs whose process died (with the machine, killed) begin anew, each as a run of its own for the same month, once; gives the months.

    Called while nothing runs: when the schedules start. A run that died is still running by its state, has crashed, or waits at a form that was not kept.
    It cannot be taken up itself: Prefect would ask at a form that has its answer. What it froze or recorded stands and is not done twice.
    """
    try:
        deployment = client.read_deployment_by_name("monthly/monthly")
    except ObjectNotFound:
        return []
    number = load_signoff(settings.config_dir).cut_off_working_day
    ours = DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id]))
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=DEAD_OR_WAITING))
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=states), deployment_filter=ours)
    waiting, died = set(), []
    for run in runs:
        month = run.parameters.get("period") or due_on(_london(run.expected_start_time).date(), number)
        if run.state.is_paused() and _has_form(client, run):
            waiting.add(month)
        elif run.state.name != BEGUN_AGAIN:
            died.append((run.id, month))
    months = sorted({month for _, month in died if month} - waiting)
    for month in months:
        client.create_flow_run_from_deployment(deployment.id, parameters={"period": month})
    for run_id, _ in died:
        said = "Its process ended before it did; what it was about begins anew as a run of its own."
        client.set_flow_run_state(run_id, Crashed(name=BEGUN_AGAIN, message=said), force=True)
    return months


def _has_form(client: Any, run: Any) -> bool:
    """Whether the form that a suspended run waits at was kept."""
    try:
        return bool(client.read_flow_run_input(run.id, (run.state.state_details.run_input_keyset or {})["schema"]))
    except (KeyError, ObjectNotFound):
        return False
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return False


def _decision(said: dict[str, Any]) -> Any:
    from pipelines.signing import Decision

    return Decision(**{**said, "ticked": tuple(said["ticked"])})


def _field(caveat: str) -> str:
    return caveat.replace("-", "_")


def _london(moment: datetime | None) -> datetime:
    from pipelines.packs import LONDON

    return (moment or datetime.now(UTC)).astimezone(LONDON)
