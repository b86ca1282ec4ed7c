"""A message out by SMTP. What it says is the caller's; that it left, or why it did not, is told without address or password."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from config.errors import MailError
from config.mail import MailServer

#: How long the server may keep us waiting, in seconds, at each step.
PATIENCE = 20.0
_TODO = "See that EHCP_SMTP_URL is right and that this machine may reach the server; then send again."


def send(
    server: MailServer, to: Sequence[str], subject: str, text: str, html: str | None = None, patience: float = PATIENCE
) -> None:
    """Send one message to some addresses, as text and, where given, as HTML. The recipients do not see each other.

    Raises MailError where it did not leave for all of them: server not found, refused, not trusted, too slow, or an address refused.
    """
    if not to:
        raise MailError("There is nobody to send the message to.", "Name at least one address.")
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = to[0] if len(to) == 1 else "undisclosed-recipients:;"
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=server.sender.partition("@")[2])
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    try:
        with _connection(server, patience) as connection:
            if server.user:
                connection.login(server.user, server.password.get_secret_value())
            refused = connection.send_message(message, server.sender, list(to))
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            "The mail server does not take the user and the password.", "Correct them in EHCP_SMTP_URL."
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise MailError(f"The mail server refused every address ({_codes(error.recipients)}).", _ADDRESSES) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(f"The mail server refused the message (code {error.smtp_code}).", _TODO) from error
    except smtplib.SMTPServerDisconnected as error:
        raise MailError(f"The mail server closed the line, or said nothing for {patience:g} seconds.", _TODO) from error
    except smtplib.SMTPException as error:
        raise MailError(f"The mail server broke off ({type(error).__name__}).", _TODO) from error
    except ssl.SSLError as error:
        raise MailError(
            f"The mail server's encryption cannot be trusted ({getattr(error, 'verify_message', '') or error.reason}).",
            "Ask who runs it for a valid certificate, or name the council's own authority in SSL_CERT_FILE.",
        ) from error
    except TimeoutError as error:
        raise MailError(f"The mail server did not answer within {patience:g} seconds.", _TODO) from error
    except OSError as error:
        raise MailError(
            f"The mail server cannot be reached: {error.strerror or type(error).__name__}.", _TODO
        ) from error
    if refused:
        raise MailError(
            f"The mail server refused {len(refused)} of {len(to)} addresses ({_codes(refused)}); the others have it.",
            _ADDRESSES,
        )


_ADDRESSES = "Correct the addresses that the message goes to."


def _connection(server: MailServer, patience: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.is_tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=patience, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=patience)
    if server.starts_tls:
        try:
            connection.starttls(context=context)
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
    return connection


def _codes(refused: dict[str, tuple[int, bytes]]) -> str:
    return "code " + ", ".join(sorted({str(code) for code, _ in refused.values()}))
