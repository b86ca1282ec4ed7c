"""`ehcp digest`: one page a night, printed or sent."""

from __future__ import annotations

from datetime import date

import click

from pipelines.commands.common import known_on_option, only_nights, open_store, say_clocks


@click.command()
@click.option("--send", is_flag=True, help="Send it by e-mail to EHCP_DIGEST_TO through EHCP_SMTP_URL.")
@only_nights("it is the page of a night")
@known_on_option
def digest(send: bool, known_on: date | None) -> None:
    """New, back, newly late and resolved exceptions of the newest night, and what was not received. Counts and links only.

    The same page is in the night's outputs as digest.html and digest.txt; a night sends it by itself where a mail server and recipients are set.
    """
    from pipelines.digest import digest_known, send_digest

    store = open_store()
    say_clocks(store, None, known_on)
    told = digest_known(store, known_on)
    if send:
        click.echo(f"Sent to {send_digest(store.settings, told)}: {told.subject}")
    else:
        click.echo(told.text, nl=False)
