"""The digest of a night, from the store; and sending it. A message that does not leave is told, and fails no night."""

from __future__ import annotations

import logging
from datetime import date

from config.errors import ConfigurationError, MailError
from config.settings import Settings
from outputs.about import About, not_received
from outputs.digest import Digest, digest_of
from outputs.mail import send
from pipelines.store import Store

log = logging.getLogger("ehcp.digest")


def digest_known(store: Store, known_on: date | None = None) -> Digest:
    """The digest of the newest night, or of a past one. Raises ConfigurationError where there is no night."""
    night = store.night_of(known_on)
    run = store.newest_run(night)
    feeds = not_received(store.feeds(night))
    about = About(
        store.settings.council.name, night, run["run_id"], run["finished_at"], f"{night:%Y-%m}", feeds, run["versions"]
    )
    return digest_of(store.nightly("exception_volume", night), about, store.settings.outputs_url)


def send_digest(settings: Settings, digest: Digest) -> int:
    """Send the digest to everybody in EHCP_DIGEST_TO; gives how many. Raises ConfigurationError where nothing is set, MailError where it did not
    leave.
    """
    if settings.mail is None or not settings.digest_to:
        name = "EHCP_SMTP_URL" if settings.mail is None else "EHCP_DIGEST_TO"
        raise ConfigurationError(
            f"The digest cannot be sent: {name} is not set.", "The operator's guide says how: see Mail."
        )
    send(settings.mail, settings.digest_to, digest.subject, digest.text, digest.html)
    return len(settings.digest_to)


def mail_tonight(settings: Settings, store: Store) -> list[str]:
    """Send the newest night's digest where a server and recipients are set; gives what to tell where it did not leave."""
    if settings.mail is None or not settings.digest_to:
        return []
    try:
        count = send_digest(settings, digest_known(store))
    except MailError as error:
        log.warning("digest not sent: %s", error.what)
        return [f"the digest was not sent: {error.what} Send it again: ehcp digest --send"]
    log.info("digest sent to %d", count)
    return []
