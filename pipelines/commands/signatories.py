"""`ehcp signoff enrol`, `signatories`, `remove`, `code`, `sign`, `decline` and `erase`: what people do about a frozen month."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.common import format_option, open_store, pass_now, print_frame

if TYPE_CHECKING:
    from config.mail import MailServer
    from pipelines.chain import Record
    from pipelines.store import Store

name_option = click.option("--name", required=True, help="The signatory's name, as enrolled.")
role_option = click.option("--role", required=True, help="The signatory's role, as enrolled.")
who_option = click.option("--who", help="Your own name. Default: the name you are logged in with.")


def server() -> MailServer | None:
    """The mail server of this process, where one is set."""
    from config.mail import mail_server

    return mail_server(os.environ)


def tell(store: Store, record: Record, err: bool = False) -> None:
    """Say that a record was written, and send its receipt; a receipt that did not leave is told and undoes nothing."""
    from config.errors import EhcpError
    from pipelines.signing import mail_receipt

    click.echo(f"Recorded as number {record.number}; hash {record.hash}", err=err)
    try:
        to = mail_receipt(store, record, server())
    except EhcpError as error:
        click.echo(f"The receipt did not leave by e-mail: {error.what} {error.todo}", err=True)
        return
    if to:
        _tell_sent(to, err)


def _tell_sent(to: list[str], err: bool = False) -> None:
    click.echo(f"The receipt was sent by e-mail to {len(to)} mailbox{'es' if len(to) > 1 else ''}.", err=err)


@click.command()
@click.argument("number", type=click.IntRange(min=1))
def receipt(number: int) -> None:
    """Send a record's receipt by e-mail again, to whoever it goes to. NUMBER is in `ehcp signoff history`."""
    from pipelines.signing import send_again

    _tell_sent(send_again(open_store(), number, server()))


@click.command()
@name_option
@role_option
@click.option("--mailbox", required=True, help="Where one-time codes and receipts are sent.")
@click.option(
    "--passphrase", "with_passphrase", is_flag=True, help="Ask for a passphrase too, for signing without a code."
)
@who_option
@pass_now
def enrol(now: datetime, name: str, role: str, mailbox: str, with_passphrase: bool, who: str | None) -> None:
    """Enrol who may sign, or enrol them anew with another role, mailbox or passphrase."""
    from pipelines.signing import enrol

    store = open_store()
    typed = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True) if with_passphrase else None
    record = enrol(store, name, role, mailbox, typed, who or getpass.getuser(), now)
    click.echo(f"{record.facts['name']} ({record.facts['role']}) may sign.")
    tell(store, record)


@click.command()
@format_option
def signatories(style: str) -> None:
    """Who may sign."""
    from pipelines.signing import signatory_frame

    print_frame(signatory_frame(open_store()), style)


@click.command()
@name_option
@click.option("--reason", required=True, help="Why they sign no more. Kept for good.")
@who_option
@pass_now
def remove(now: datetime, name: str, reason: str, who: str | None) -> None:
    """A signatory signs no more; what they signed stands. Enrol them again to undo it."""
    from pipelines.signing import remove

    store = open_store()
    record = remove(store, name, reason, who or getpass.getuser(), now)
    click.echo(f"{record.facts['name']} signs no more.")
    tell(store, record)


@click.command()
@click.argument("period")
@name_option
@pass_now
def code(now: datetime, period: str, name: str) -> None:
    """Send a signatory a one-time code for a month, to the mailbox they are enrolled with."""
    from outputs.wording import uk_time
    from pipelines.signing import LONDON, send_code

    until = send_code(open_store(), period, name, server(), now)
    click.echo(f"A code was sent. It can be used once, until {uk_time(until.astimezone(LONDON))}.")


def _decision_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--code", "typed", help="The one-time code. Without it the passphrase is asked for."),
        role_option,
        name_option,
        click.argument("period"),
    ):
        command = option(command)
    return command


def _decide(now: datetime, period: str, typed: str | None, **said: Any) -> None:
    from pipelines.signing import Decision, Proof, check, decide

    store, decision = open_store(), Decision(**said)
    known = check(store, period, decision)
    if typed is None and not known["passphrase"]:
        raise click.UsageError(
            f"{known['name']} has no passphrase: ask for a code with `ehcp signoff code`, then give it with --code."
        )
    proof = Proof(typed) if typed else Proof(passphrase=click.prompt("Passphrase", hide_input=True))
    record = decide(store, period, decision, proof, now)
    click.echo(
        f"{period}, version {record.facts['version']}: {record.facts['kind']} by {record.facts['name']} ({record.facts['role']})."
    )
    tell(store, record)


@click.command()
@_decision_options
@click.option("--comment", default="", help="What the signatory says with it. Kept for good; no names of children.")
@click.option(
    "--tick", "ticked", multiple=True, metavar="CAVEAT", help="A caveat that is ticked off, by its id (once for each)."
)
@pass_now
def sign(
    now: datetime, period: str, typed: str | None, name: str, role: str, comment: str, ticked: tuple[str, ...]
) -> None:
    """Sign a frozen month: it cannot be changed silently afterwards. See first what it says: ehcp signoff status."""
    _decide(now, period, typed, kind="signed", name=name, role=role, comment=comment, ticked=ticked)


@click.command()
@_decision_options
@click.option("--comment", required=True, help="Why. Kept for good; no names of children.")
@pass_now
def decline(now: datetime, period: str, typed: str | None, name: str, role: str, comment: str) -> None:
    """Decline to sign a frozen month, and say why. The same person may sign it later."""
    _decide(now, period, typed, kind="declined", name=name, role=role, comment=comment)


@click.command()
@click.argument("child_id")
@click.option("--reason", required=True, help="Why. Kept for good, with your name.")
@who_option
@click.confirmation_option(prompt="The child's rows are taken out of every frozen month for good. Go on?")
@pass_now
def erase(now: datetime, child_id: str, reason: str, who: str | None) -> None:
    """Take a child's rows out of every frozen month. Their hashes stay, so the months can still be verified. It cannot be undone."""
    from pipelines.signing import erase

    store = open_store()
    record = erase(store, child_id, reason, who or getpass.getuser(), now)
    click.echo(f"{len(record.facts['rows'])} rows were erased. Packs on disk still hold the child_id, without a name.")
    tell(store, record)
