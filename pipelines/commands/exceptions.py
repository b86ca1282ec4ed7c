"""`ehcp exceptions`: what is wrong, overdue or cannot be believed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import click

from config.errors import ConfigurationError
from pipelines.commands.common import (
    Group,
    as_of_option,
    day_option,
    format_option,
    known_on_option,
    only_nights,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
)
from pipelines.commands.returned import apply

#: What a terminal shows first.
LEAD = ("priority", "rule", "child_id", "exception_id", "why_first", "detail", "owner", "age_days", "status")
CLAIMS_LEAD = ("exception_id", "claim", "claimed_by", "owner")
CAUSES_LEAD = ("exceptions", "children", "cause", "severity", "owner", "todo")


@click.group(cls=Group)
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
    type=click.Choice(["open", "accepted", "explained", "not_evaluated", "resolved"]),
    help="Only this status; resolved ones are left out unless asked for.",
)
@click.option("--assigned", metavar="WHO", help="Only what is assigned to this person or team.")
@click.option("--leads", is_flag=True, help="Only each child's lead exception, not the others under it.")
@click.option("--overdue", is_flag=True, help="Only what is past its target time.")
@as_of_option
@known_on_option
@format_option
def exceptions_list(
    rule: tuple[str, ...],
    owner: str | None,
    severity: tuple[str, ...],
    child: str | None,
    status: tuple[str, ...],
    assigned: str | None,
    leads: bool,
    overdue: bool,
    as_of: date | None,
    known_on: date | None,
    style: str,
) -> None:
    """The exceptions as the newest night left them, as a past one did (--known-on), or as at a day by what is known now (--as-of).

    What to look at first stands on top, with the reason: child by child, each child's lead exception and the others under it.
    """
    from pipelines.answers import exceptions_known
    from pipelines.catalogues import rules_frame

    rules = rules_frame()
    store = open_store()
    say_clocks(store, as_of, known_on)
    frame = exceptions_known(store, known_on, include_resolved="resolved" in status, as_of=as_of)
    _need_known("rule", rule, [*rules["rule"], *frame["rule"]])
    _need_known("owner", [owner] if owner else [], [*rules["owner"], *frame["owner"]])
    for column, wanted in (("rule", [code.upper() for code in rule]), ("severity", severity), ("status", status)):
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    if owner:
        frame = frame[frame["owner"].str.casefold() == owner.casefold()]
    if child:
        frame = frame[frame["child_id"] == child]
    if assigned:
        frame = frame[frame["assigned_to"].str.casefold() == assigned.casefold()]
    if leads:
        frame = frame[frame["is_lead"]]
    if overdue:
        frame = frame[frame["is_overdue"]]
    print_frame(frame, style, LEAD)


def _need_known(what: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """A name that is misspelt must not read as "nothing is wrong". Raises ConfigurationError."""
    names = sorted(set(known))
    for name in asked:
        if name.casefold() not in {one.casefold() for one in names}:
            raise ConfigurationError(f"There is no {what} {name}.", f"There are: {', '.join(names)}.")


@exceptions.command("causes")
@as_of_option
@known_on_option
@format_option
def exceptions_causes(as_of: date | None, known_on: date | None, style: str) -> None:
    """What several exceptions have in common: one closed setting, code or missing extract is one thing to fix, not forty.

    A child with a restricted address is counted in none of them.
    """
    from pipelines.answers import causes_known

    store = open_store()
    say_clocks(store, as_of, known_on)
    print_frame(causes_known(store, known_on, as_of), style, CAUSES_LEAD)


exceptions.add_command(apply)


@exceptions.command("volume")
@click.option(
    "--by",
    type=click.Choice(["severity", "owner", "rule", "night"]),
    default="severity",
    show_default=True,
    help="What a line stands for; night: a line for each night so far.",
)
@only_nights("it counts what came and went on a night")
@known_on_option
@format_option
def exceptions_volume(by: str, known_on: date | None, style: str) -> None:
    """How many exceptions came, went and are past their target time: new, backlog, back, resolved, late, newly late.

    Backlog is of a rule that began, left its shadow or has a new version on this night: it was there before. To shadow is what is no longer counted, as
    its rule went into shadow. Relinked is how many more stand, or fewer, as records were linked otherwise. What stands is what stood + new + backlog +
    reopened + relinked - resolved - to shadow.
    """
    from pipelines.answers import volume_known

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(volume_known(store, by, known_on), style)


@exceptions.command("claims")
@click.option(
    "--by",
    type=click.Choice(["exception", "owner", "person"]),
    default="exception",
    show_default=True,
    help="Each claim, or how many by owner or by the person who claims.",
)
@click.option("--owner", help="Only what this owner has to put right.")
@only_nights("a claim is held against the nights since")
@known_on_option
@format_option
def exceptions_claims(by: str, owner: str | None, known_on: date | None, style: str) -> None:
    """What is said to be fixed in the source, and in how many extracts since it was still found; the longest failing first."""
    from pipelines.answers import claims_known

    store = open_store()
    say_clocks(store, None, known_on)
    frame = claims_known(store, "claimed_by" if by == "person" else by, known_on)
    if owner and "owner" in frame:
        frame = frame[frame["owner"].str.casefold() == owner.casefold()]
    print_frame(frame, style, CLAIMS_LEAD if by == "exception" else ())


who_option = click.option("--who", help="Your name. Default: the name you are logged in with.")


def _who(who: str | None) -> str:
    import getpass

    return who or getpass.getuser()


@exceptions.command("show")
@click.argument("exception_id", metavar="ID")
def exceptions_show(exception_id: str) -> None:
    """One exception: what it says, who has it, what is claimed, and everything that happened to it."""
    from pipelines.answers import exceptions_known
    from pipelines.store_people import one_exception, standing_of, trail

    store = open_store()
    one_exception(store, exception_id)
    known = exceptions_known(store, include_resolved=True)
    known = known[known["exception_id"] == exception_id]
    row = known.drop(columns="claim").T.reset_index().set_axis(["part", "value"], axis=1)
    row = row[row["value"].notna() & (row["value"] != "")]
    row["value"] = row["value"].map(lambda value: f"{value:%Y-%m-%d}" if isinstance(value, date) else value)
    print_frame(row, "table")
    for line in [*(f"{claim}." for claim in known["claim"] if claim), *standing_of(store, exception_id)]:
        click.echo(line)
    print_frame(_told(trail(store, exception_id)).drop(columns=["exception_id", "rule", "child_id"]), "table")


@exceptions.command("assign")
@click.argument("exception_id", metavar="ID")
@click.argument("to", metavar="WHO")
@who_option
@pass_now
def exceptions_assign(now: datetime, exception_id: str, to: str, who: str | None) -> None:
    """Give an exception to a person or a team."""
    from pipelines.store_people import assign

    assign(open_store(), exception_id, to, _who(who), now)
    click.echo(f"Assigned {exception_id} to {to.strip()}.")


@exceptions.command("note")
@click.argument("exception_id", metavar="ID")
@click.argument("text")
@who_option
@pass_now
def exceptions_note(now: datetime, exception_id: str, text: str, who: str | None) -> None:
    """Put a note on an exception. Write no names, dates of birth or addresses: the note is kept for good."""
    from pipelines.store_people import note

    note(open_store(), exception_id, text, _who(who), now)
    click.echo(f"Noted on {exception_id}.")


@exceptions.command("accept")
@click.argument("exception_id", metavar="ID")
@day_option("--until", text="The day on which the acceptance lapses.", required=True)
@click.option("--reason", required=True, help="Why it can stand until then. Kept with your name; no names of children.")
@who_option
@pass_now
def exceptions_accept(now: datetime, exception_id: str, until: date, reason: str, who: str | None) -> None:
    """Accept an exception until a date. A critical or high one needs a second, different person to give the same command.

    It lapses on its date, or before when what the exception says changes. Nothing is closed: the exception stays in the lists as accepted.
    """
    from pipelines.acts import ACCEPTANCE
    from pipelines.store_people import accept

    if accept(open_store(), exception_id, until, reason, _who(who), now) == ACCEPTANCE:
        click.echo(f"Accepted {exception_id} until {until}. The next night shows it as accepted.")
    else:
        click.echo(
            f"Proposed to accept {exception_id} until {until}. It is critical or high: a second, different person confirms with\n"
            f"ehcp exceptions accept {exception_id} --until {until} --reason TEXT"
        )


@exceptions.command("explain")
@click.argument("exception_id", metavar="ID")
@click.option(
    "--reason", required=True, help="Why the child is no longer ours. Kept with your name; no names of children."
)
@who_option
@pass_now
def exceptions_explain(now: datetime, exception_id: str, reason: str, who: str | None) -> None:
    """Explain a vanished child (SR08): the child is no longer ours, and why. It holds until the data prove it wrong.

    It opens again when the child is seen, when another record of the child appears, or when the child still has an active plan after 28 days
    (explained_days in priority.yml). Where only the record has gone, accept the exception until a date instead.
    """
    from pipelines.store_people import explain

    explain(open_store(), exception_id, reason, _who(who), now)
    click.echo(f"Explained {exception_id}. The next night shows it as explained.")


@exceptions.command("claim")
@click.argument("exception_id", metavar="ID")
@click.option("--reason", help="What was done in the source.")
@who_option
@pass_now
def exceptions_claim(now: datetime, exception_id: str, reason: str | None, who: str | None) -> None:
    """Say that it was fixed in the source. The data decide: it resolves when its rule no longer finds it."""
    from pipelines.answers import claims_known
    from pipelines.store_people import claim

    store = open_store()
    claim(store, exception_id, reason, _who(who), now)
    claims = claims_known(store, "exception").set_index("exception_id")["claim"]
    click.echo(f"{claims[exception_id]}.")


@exceptions.command("undo")
@click.argument("exception_id", metavar="ID", required=False)
@click.option("--file", "file", metavar="NAME", help="Take back everything that this returned workbook did.")
@who_option
@pass_now
def exceptions_undo(now: datetime, exception_id: str | None, file: str | None, who: str | None) -> None:
    """Take back your last act on an exception, or all of a returned workbook. The trail keeps both; give it again to go back further."""
    from pipelines.store_people import undo
    from pipelines.store_returns import take_back_file

    if (exception_id is None) == (file is None):
        raise click.UsageError("Give the ID of an exception, or --file with the name of a workbook.")
    if file is not None:
        click.echo(f"Taken back of {file}: {take_back_file(open_store(), file, _who(who), now)} acts.")
        return
    undone = undo(open_store(), str(exception_id), _who(who), now)
    click.echo(f"Taken back on {exception_id}: {undone}.")


@exceptions.command("history")
@click.option("--exception", "exception_id", metavar="ID", help="Only this exception.")
@click.option("--child", help="Only this child_id.")
@click.option("--month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM", help="Only the nights of this month.")
@format_option
def exceptions_history(exception_id: str | None, child: str | None, month: datetime | None, style: str) -> None:
    """Everything that data and people did to exceptions, oldest first: who, when and from where."""
    from pipelines.store_people import trail

    store = open_store()
    store.night_of()
    print_frame(_told(trail(store, exception_id, child, f"{month:%Y-%m}" if month else None)), style)


def _told(events: Any) -> Any:
    """The trail as it is printed: times to the minute, in UTC."""
    from pipelines.acts import readable

    told = readable(events)
    return told.assign(at=told["at"].dt.strftime("%Y-%m-%d %H:%M UTC"))
