"""The mail server and who gets the digest, from the environment. Nothing is sent while EHCP_SMTP_URL is not set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from config.errors import ConfigurationError

_SHAPE = "It looks like smtp://user:password@host:587?starttls or smtps://host:465; leave it empty to send no mail."
_HERE = ("localhost", "127.0.0.1", "::1")


class MailServer(BaseModel):
    """How to reach a mail server and as whom mail is sent. The password shows in no representation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    host: str
    port: int
    sender: str
    user: str = ""
    password: SecretStr = SecretStr("")
    is_tls: bool = False
    starts_tls: bool = False


def mail_server(environ: Mapping[str, str]) -> MailServer | None:
    """The server of EHCP_SMTP_URL, sending as EHCP_MAIL_FROM; None where no server is set.

    Raises ConfigurationError for an address that is none, a missing sender, and a password that would travel unencrypted to another machine.
    The message never holds the address, since it holds the password.
    """
    url = environ.get("EHCP_SMTP_URL", "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError("EHCP_SMTP_URL is not the address of a mail server.", _SHAPE) from error
    options = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or set(options) - {"starttls"}:
        raise ConfigurationError("EHCP_SMTP_URL is not the address of a mail server.", _SHAPE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise ConfigurationError(
            "The user or the password in EHCP_SMTP_URL has a character beyond ASCII, which SMTP cannot carry.",
            "Ask for a password of plain letters, digits and signs.",
        )
    is_tls = parts.scheme == "smtps"
    starts_tls = "starttls" in options and not is_tls
    if password and not (is_tls or starts_tls or parts.hostname in _HERE):
        raise ConfigurationError(
            "EHCP_SMTP_URL would send the password unencrypted.", "Add ?starttls, or use smtps:// if the server has it."
        )
    [sender] = addresses(environ, "EHCP_MAIL_FROM") or (None,)
    if sender is None:
        raise ConfigurationError(
            "EHCP_SMTP_URL is set, and EHCP_MAIL_FROM is not.", "Set it to the address that mail is sent from."
        )
    return MailServer(
        host=parts.hostname,
        port=port or (465 if is_tls else 587 if starts_tls else 25),
        sender=sender,
        user=user,
        password=SecretStr(password),
        is_tls=is_tls,
        starts_tls=starts_tls,
    )


def addresses(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The e-mail addresses of a variable, divided by commas. Raises ConfigurationError for one that is none."""
    given = tuple(part.strip() for part in environ.get(name, "").split(",") if part.strip())
    for place, address in enumerate(given, 1):
        if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", address):
            raise ConfigurationError(
                f"{name}: the address in place {place} is not one.",
                "Give plain addresses, such as team@council.example, with commas between them.",
            )
    return given
