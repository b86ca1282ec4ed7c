"""`ehcp run monthly` and `ehcp signoff`: the month frozen, decided about by a person, and held against what was signed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from pipelines.commands import signatories as people
from pipelines.commands.common import Group, day_option, format_option, open_store, pass_now, print_frame

#: What a terminal shows first of the months.
LEAD = ("period", "version", "stands", "night", "cut_off", "decided")


@click.command()
@click.option(
    "--period", metavar="YYYY-MM", help="The month to freeze. Default: the newest one whose cut-off has come."
)
@pass_now
def monthly(now: datetime, period: str | None) -> None:
    """Freeze a month as known on its cut-off and make its pack. Safe to run again: what is frozen stays."""
    from config.signoff import load_signoff
    from pipelines.signoff import LONDON, freeze_month
    from pipelines.store_signoff import pack_folder
    from pipelines.working_days import newest_closed

    store = open_store()
    number = load_signoff(store.settings.config_dir).cut_off_working_day
    period = period or newest_closed(now.astimezone(LONDON).date(), number)
    record, is_new = freeze_month(store, period, now)
    if is_new:
        people.tell(store, record)
    click.echo(
        f"{period} is frozen{'' if is_new else ' already, and nothing differs'}: version {record.facts['version']}, as the night of"
        f" {record.facts['night']} knew it.\nThe pack is in {pack_folder(store, record)}. How it stands: ehcp signoff status {period}"
    )


@click.group(cls=Group)
def signoff() -> None:
    """The month's sign-off: what is frozen, who signed it, and whether anything was changed since."""


for command in (
    people.sign,
    people.decline,
    people.code,
    people.enrol,
    people.signatories,
    people.remove,
    people.receipt,
    people.erase,
):
    signoff.add_command(command)


@signoff.command("status")
@click.argument("period", required=False)
@format_option
def signoff_status(period: str | None, style: str) -> None:
    """How each frozen month stands: to be signed, declined, signed or restated; with PERIOD, its caveats too."""
    from pipelines.signoff_state import open_caveats, periods

    store = open_store()
    frame = periods(store)
    if period is None:
        print_frame(frame, style, LEAD)
        return
    print_frame(frame[frame["period"] == period], style, LEAD)
    print_frame(open_caveats(store, period), style)


@signoff.command("verify")
@click.argument("period", required=False)
@click.option(
    "--receipts",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Further receipts, a file or a folder: those that came by e-mail, say (may be given again).",
)
@format_option
def signoff_verify(period: str | None, receipts: tuple[Path, ...], style: str) -> None:
    """Say what was changed since it was frozen or signed: row, figure, file, record or receipt. Exit code 13 where something was."""
    from config.errors import EXIT_NOT_VERIFIED
    from pipelines.signoff_verify import verify

    found = verify(open_store(), period, receipts)
    if len(found) or style != "table":
        print_frame(found, style)
    if len(found):
        click.get_current_context().exit(EXIT_NOT_VERIFIED)
    if style == "table":
        click.echo("Nothing was changed since it was frozen and signed.")


@signoff.command("restate")
@click.argument("period")
@click.option("--reason", required=True, help="Why the month is corrected. Kept for good; no names of children.")
@click.option("--who", help="Your name. Default: the name you are logged in with.")
@day_option("--known-on", text="As a later night knew it. Without it: the night of the cut-off, as it stands today.")
@format_option
@pass_now
def signoff_restate(
    now: datetime, period: str, reason: str, who: str | None, known_on: date | None, style: str
) -> None:
    """Freeze a month anew where it was wrong, and show the difference. The earlier version stays; the new one has to be signed."""
    import getpass

    from pipelines.signoff import restate

    store = open_store()
    record, told = restate(store, period, reason, who or getpass.getuser(), now, known_on)
    print_frame(told, style)
    click.echo(f"{period} is restated as version {record.facts['version']}, to be signed again.", err=True)
    people.tell(store, record, err=True)


@signoff.command("history")
@format_option
def signoff_history(style: str) -> None:
    """The journal: everything that was frozen, signed, declined, restated, enrolled and erased, oldest first."""
    from pipelines.signoff_state import journal_frame

    print_frame(journal_frame(open_store()), style)
