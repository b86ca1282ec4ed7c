"""The digest of a night, from the store; and sending it. A message that does not leave is told, and fails no night."""

from __future__ import annotations

import logging
from datetime import date

import pandas as pd

from config.errors import ConfigurationError, MailError
from config.settings import Settings
from outputs.about import About, not_received
from outputs.digest import Digest, digest_of
from outputs.figures import night_before
from outputs.mail import send
from pipelines.rawstore import private_folder
from pipelines.store import Store

log = logging.getLogger("ehcp.digest")


def digest_known(store: Store, known_on: date | None = None) -> Digest:
    """The digest of the newest night, or of a past one: the same as that night's digest.txt. Raises ConfigurationError where there is no night."""
    night = store.night_of(known_on)
    run = store.newest_run(night)
    feeds, settings = store.feeds(night), store.settings
    about = About(
        settings.council.name,
        night,
        run["run_id"],
        run["finished_at"],
        f"{night:%Y-%m}",
        not_received(feeds),
        run["versions"],
        night_before(store.kpi_trend(), pd.Timestamp(night)),
    )
    return digest_of(store.nightly("exception_volume", night), about, settings.outputs_url, feeds["system"].unique())


def send_digest(settings: Settings, digest: Digest) -> int:
    """Send the digest to everybody in EHCP_DIGEST_TO; gives how many. Raises ConfigurationError where nothing is set or a setting makes no sense,
    MailError where it did not leave.
    """
    if settings.mail_fault is not None:
        raise ConfigurationError(*settings.mail_fault)
    if settings.mail is None or not settings.digest_to:
        name = "EHCP_SMTP_URL" if settings.mail is None else "EHCP_DIGEST_TO"
        raise ConfigurationError(
            f"The digest cannot be sent: {name} is not set.", "The operator's guide says how: see Mail."
        )
    send(settings.mail, settings.digest_to, digest.subject, digest.text, digest.html)
    if digest.mark[:10] >= _sent(settings)[:10]:
        (private_folder(settings.private_dir) / _SENT).write_text(digest.mark, encoding="utf-8")
    return len(settings.digest_to)


def mail_tonight(settings: Settings, store: Store) -> list[str]:
    """Send the newest night's digest where a server and recipients are set; gives what to tell where it did not leave.

    A night that is run again sends it again only where it says something else.
    """
    if settings.mail_fault is None and (settings.mail is None or not settings.digest_to):
        return []
    digest = digest_known(store)
    if digest.mark == _sent(settings):
        log.info("digest not sent again: it says what was sent")
        return []
    try:
        count = send_digest(settings, digest)
    except (ConfigurationError, MailError) as error:
        log.warning("digest not sent: %s", error.what)
        return [f"the digest was not sent: {error.what} {error.todo} To send it: ehcp digest --send"]
    log.info("digest sent to %d", count)
    return []


#: The file in the private store with the mark of the digest that was sent last.
_SENT = "digest_sent"


def _sent(settings: Settings) -> str:
    path = settings.private_dir / _SENT
    return path.read_text(encoding="utf-8") if path.exists() else ""
