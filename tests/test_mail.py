"""Mail: the settings read, and messages sent to a real server on this machine; nothing goes further."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from config.errors import ConfigurationError, MailError
from config.mail import MailServer, addresses, mail_server
from outputs.mail import send

SENDER = {"EHCP_MAIL_FROM": "register@council.example"}
PASSWORD = "p:a@ss/word"


class Inbox:
    """What a real server received, as the envelope says it; addresses that begin with `bad` are refused."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("bad"):
            return "550 no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


def served(inbox: Inbox, **options: Any) -> Iterator[tuple[Inbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    yield inbox, port
    controller.stop()


@pytest.fixture
def plain() -> Iterator[tuple[Inbox, int]]:
    yield from served(Inbox())


def _checked(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password.decode() == PASSWORD
    return AuthResult(success=right, handled=right)


@pytest.fixture
def guarded() -> Iterator[tuple[Inbox, int]]:
    yield from served(Inbox(), authenticator=_checked, auth_required=True, auth_require_tls=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[tuple[Inbox, int]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    yield from served(Inbox(), tls_context=context, require_starttls=True)


def at(port: int, user: str = "", query: str = "") -> MailServer:
    server = mail_server(SENDER | {"EHCP_SMTP_URL": f"smtp://{user}127.0.0.1:{port}{query}"})
    assert server is not None
    return server


def test_a_message_arrives_as_text_and_html_and_shows_no_recipient_to_another(plain) -> None:
    inbox, port = plain
    send(at(port), ["ada@council.example", "grace@council.example"], "The night\r\nBcc: x", "Töday", "<p>Töday</p>")
    [(to, message)] = inbox.got
    assert to == ["ada@council.example", "grace@council.example"]
    assert message["Subject"] == "The night Bcc: x" and message["Bcc"] is None
    assert message["To"] == "undisclosed-recipients:;" and "grace" not in message.as_string()
    assert message.get_body(("plain",)).get_content().strip() == "Töday"  # type: ignore[union-attr]
    assert message.get_body(("html",)).get_content().strip() == "<p>Töday</p>"  # type: ignore[union-attr]


def test_user_and_password_are_given_where_the_server_asks_for_them(guarded) -> None:
    inbox, port = guarded
    send(at(port, "register:p%3Aa%40ss%2Fword@"), ["ada@council.example"], "s", "t")
    assert len(inbox.got) == 1


def test_a_wrong_password_is_told_without_it(guarded) -> None:
    with pytest.raises(MailError) as error:
        send(at(guarded[1], "register:hunter2@"), ["ada@council.example"], "s", "t")
    assert "user and the password" in str(error.value) and "hunter2" not in str(error.value)


def test_starttls_is_used_where_asked_for_and_needs_a_certificate_that_is_trusted(
    encrypted, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, port = encrypted
    with pytest.raises(MailError, match="code 530"):
        send(at(port), ["ada@council.example"], "s", "t")
    with pytest.raises(MailError, match="cannot be trusted"):
        send(at(port, query="?starttls"), ["ada@council.example"], "s", "t")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    send(at(port, query="?starttls"), ["ada@council.example"], "s", "t")
    assert len(inbox.got) == 1


def test_refused_addresses_are_counted_and_not_named(plain) -> None:
    inbox, port = plain
    with pytest.raises(MailError) as some:
        send(at(port), ["bad@council.example", "ada@council.example"], "s", "t")
    with pytest.raises(MailError) as all_of_them:
        send(at(port), ["bad@council.example"], "s", "t")
    assert "refused 1 of 2 addresses (code 550)" in str(some.value) and len(inbox.got) == 1
    assert "refused every address (code 550)" in str(all_of_them.value)
    assert "bad@" not in str(some.value) + str(all_of_them.value)


def test_a_server_that_is_not_there_or_says_nothing_is_told_in_two_lines() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(MailError, match="cannot be reached"):
            send(at(port), ["ada@council.example"], "s", "t")
        silent.listen()
        with pytest.raises(MailError, match="said nothing for 0.2 seconds"):
            send(at(port), ["ada@council.example"], "s", "t", patience=0.2)
    with pytest.raises(MailError, match="nobody"):
        send(at(port), [], "s", "t")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://mail.example", ("mail.example", 25, "", False, False)),
        ("smtp://mail.example?starttls", ("mail.example", 587, "", False, True)),
        ("smtp://u:p@mail.example:2525?starttls", ("mail.example", 2525, "u", False, True)),
        ("smtps://u:p@mail.example", ("mail.example", 465, "u", True, False)),
        ("smtps://mail.example?starttls", ("mail.example", 465, "", True, False)),
    ],
)
def test_the_address_of_a_server_is_read(url: str, said: tuple[object, ...]) -> None:
    server = mail_server(SENDER | {"EHCP_SMTP_URL": url})
    assert server and (server.host, server.port, server.user, server.is_tls, server.starts_tls) == said
    assert ":p@" not in url or "SecretStr('**" in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h:port",
        "smtp://h?tls",
        "smtp://u:secret@mail.example",
        "smtps://u:secret%C3%B6@mail.example",
    ],
)
def test_what_is_no_address_of_a_server_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        mail_server(SENDER | {"EHCP_SMTP_URL": url})
    assert "secret" not in str(error.value)


def test_no_server_means_no_mail_and_a_server_needs_a_sender() -> None:
    assert mail_server({}) is None
    with pytest.raises(ConfigurationError, match="EHCP_MAIL_FROM is not"):
        mail_server({"EHCP_SMTP_URL": "smtp://mail.example"})


@pytest.mark.parametrize("given", ["ada", "ada@", "@council.example", "a@b@c", "Ada <ada@council.example>", "a b@c"])
def test_an_address_that_is_none_is_refused_by_its_place(given: str) -> None:
    with pytest.raises(ConfigurationError, match="the address in place 2 is not one"):
        addresses({"EHCP_DIGEST_TO": f"ok@council.example, {given}"}, "EHCP_DIGEST_TO")
