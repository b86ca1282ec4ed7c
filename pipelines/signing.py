"""Who may sign a month, how they prove who they are, and what they decided: each a record of the journal.

A shared login is no identity. A signatory is enrolled by name, role and mailbox, and proves it with a one-time code sent there or with a passphrase; of
both only what scrypt makes of them is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from config.errors import ConfigurationError
from config.mail import MailServer
from config.signoff import SignoffRules, load_signoff
from outputs.mail import send
from outputs.wording import uk_time
from pipelines.chain import DECLINED, ENROLLED, ERASED, REMOVED, SIGNED, Record, digest, receipt_text
from pipelines.rawstore import private_key
from pipelines.signoff import LONDON
from pipelines.signoff_state import decisions, need_freeze, open_caveats, standing_of
from pipelines.signoff_verify import broken_journal, verify
from pipelines.store import Store
from pipelines.store_signoff import (
    as_utc,
    count_code,
    count_try,
    erase_rows,
    journal,
    newest_code,
    passphrases,
    save_code,
    save_passphrase,
    writing,
)

SHORTEST_PASSPHRASE = 12
_CODE_DIGITS = 8


@dataclass(frozen=True)
class Decision:
    """What a signatory says about a month: ``signed`` or ``declined``, as whom, why, which caveats they ticked off, and which version they read (None: the
    newest).
    """

    kind: str
    name: str
    role: str
    comment: str = ""
    ticked: tuple[str, ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class Proof:
    """How the signatory proves who they are; shown in no representation."""

    code: str | None = None
    passphrase: str | None = None

    def __repr__(self) -> str:
        return "Proof(...)"


def enrol(store: Store, name: str, role: str, mailbox: str, passphrase: str | None, who: str, now: datetime) -> Record:
    """Enrol a signatory, or enrol one anew (another role, mailbox or passphrase). Raises ConfigurationError for what is empty, no mailbox or too short."""
    name, role, mailbox, who = (" ".join(text.split()) for text in (name, role, mailbox, who))
    if not (name and role and who):
        raise ConfigurationError("A signatory needs a name and a role.", "Give --name and --role.")
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", mailbox):
        raise ConfigurationError("The mailbox is not an address.", "Give a plain one, such as name@council.example.")
    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        raise ConfigurationError("The passphrase is too short.", f"Take at least {SHORTEST_PASSPHRASE} characters.")
    secret = _scrypt(passphrase) if passphrase else None
    with writing(store, load_signoff(store.settings.config_dir)) as writer:
        save_passphrase(writer.connection, name.casefold(), secret)
        before = signatories(writer.records).get(name.casefold(), {})
        facts = {
            "name": name,
            "role": role,
            "mailbox": mailbox,
            "who": who,
            "mailbox_before": before.get("mailbox", ""),
        }
        return writer.add(ENROLLED, now, facts | {"passphrase": digest(secret) if secret else None})


def remove(store: Store, name: str, reason: str, who: str, now: datetime) -> Record:
    """A signatory signs no more; what they signed stands. Raises ConfigurationError where there is none of that name."""
    with writing(store, load_signoff(store.settings.config_dir)) as writer:
        known = need_signatory(writer.records, name)
        save_passphrase(writer.connection, known["name"].casefold(), None)
        facts = {"name": known["name"], "reason": _said(reason), "who": who, "passphrase": None}
        return writer.add(REMOVED, now, facts | {"mailbox_before": known["mailbox"]})


def signatories(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Who may sign, by name in small letters: the facts of their last enrolment."""
    known: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.facts.get("kind") == ENROLLED:
            known[record.facts["name"].casefold()] = record.facts
        elif record.facts.get("kind") == REMOVED:
            known.pop(record.facts["name"].casefold(), None)
    return known


def signatory_frame(store: Store) -> pd.DataFrame:
    """Who may sign: name, role, mailbox, whether they have a passphrase, since when and by whom."""
    with store.reading() as connection:
        known = signatories(journal(connection))
    rows = [
        {name: facts[name] for name in ("name", "role", "mailbox")}
        | {"has_passphrase": bool(facts["passphrase"]), "enrolled_at": facts["at"], "enrolled_by": facts["who"]}
        for facts in known.values()
    ]
    return pd.DataFrame(rows, columns=["name", "role", "mailbox", "has_passphrase", "enrolled_at", "enrolled_by"])


def need_signatory(records: Iterable[Record], name: str) -> dict[str, Any]:
    """The last enrolment of a signatory. Raises ConfigurationError where there is none of that name."""
    known = signatories(records).get(" ".join(name.split()).casefold())
    if known is None:
        raise ConfigurationError(
            f"No signatory is enrolled as {name!r}.",
            "See who is: ehcp signoff signatories; enrol with: ehcp signoff enrol",
        )
    return known


def send_code(store: Store, period: str, name: str, server: MailServer | None, now: datetime) -> datetime:
    """Send a signatory a one-time code for a month's newest version; gives until when it can be used.

    Raises MailError where it did not leave, and ConfigurationError where the journal was changed: the mailbox in it may not be the one that was enrolled.
    """
    server = _need_server(server)
    _need_journal(store)
    rules = load_signoff(store.settings.config_dir)
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
    until = now + timedelta(minutes=rules.code_minutes)
    with store.writing() as connection:
        records = journal(connection)
        known = need_signatory(records, name)
        frozen = need_freeze(records, period)
        save_code(
            connection, known["name"].casefold(), period, frozen.facts["version"], _scrypt(_sealed(store, code)), until
        )
    council = store.settings.council.name
    send(
        server,
        [known["mailbox"]],
        f"Code for signing {period}",
        f"{council}: the month {period}, version {frozen.facts['version']}.\n\nYour code: {code}\n\n"
        f"It can be used once, until {uk_time(until.astimezone(LONDON))}, by {known['name']} alone.\n"
        f'The frozen data begin with {frozen.facts["frozen"][:12]}; the pack says the same under "What proves it".\n'
        "If you did not ask for it, somebody else gave your name: tell the register's operator.\n",
    )
    return until


def decide(
    store: Store, period: str, decision: Decision, proof: Proof, now: datetime, place: str = "command"
) -> Record:
    """Record a signatory's decision about the newest version of a month; gives its record.

    Raises ConfigurationError where the month is not frozen or already decided, the signatory is not enrolled in that role, a condition blocks, a
    caveat is not ticked off, something was changed since the freeze, or the proof is wrong, used, or too old.
    """
    rules = load_signoff(store.settings.config_dir)
    check(store, period, decision, rules)
    how = _prove(store, period, decision.name, proof, rules, now)
    with writing(store, rules) as writer:
        frozen, known = need_freeze(writer.records, period), need_signatory(writer.records, decision.name)
        _need_undecided(writer.records, frozen, decision, rules)
        told = open_caveats(store, period)
        before = [record.hash for record in writer.records if record.facts.get("kind") == SIGNED]
        facts = {name: frozen.facts[name] for name in ("period", "version", "frozen", "files", "versions")}
        return writer.add(
            decision.kind,
            now,
            facts
            | {
                "freeze": frozen.hash,
                "signature_before": before[-1] if before else "",
                "name": known["name"],
                "role": known["role"],
                "mailbox": known["mailbox"],
                "comment": decision.comment.strip(),
                "caveats": dict(zip(told["id"], told["text"], strict=True)) if decision.kind == SIGNED else {},
                "proof": how,
                "place": place,
            },
        )


def check(store: Store, period: str, decision: Decision, rules: SignoffRules | None = None) -> dict[str, Any]:
    """Everything that can be said of a decision before its proof; gives the signatory. Raises as `decide` does."""
    rules = rules or load_signoff(store.settings.config_dir)
    _need_journal(store)
    with store.reading() as connection:
        records = journal(connection)
    frozen, known = need_freeze(records, period), need_signatory(records, decision.name)
    if " ".join(decision.role.split()).casefold() != known["role"].casefold():
        raise ConfigurationError(
            f"{known['name']} is enrolled in another role.",
            "See the roles: ehcp signoff signatories; or enrol anew: ehcp signoff enrol",
        )
    _need_undecided(records, frozen, decision, rules)
    if decision.kind == DECLINED:
        _said(decision.comment)
        return known
    told = open_caveats(store, period)
    blocking = told[told["weight"] == "block"]
    if len(blocking):
        raise ConfigurationError(
            f"{period} cannot be signed: {' '.join(blocking['text'])}",
            "Put it right; where the month has to be frozen anew: ehcp signoff restate. What blocks is set in signoff.yml.",
        )
    if unknown := set(decision.ticked) - set(told["id"]):
        raise ConfigurationError(
            f"There is no caveat {', '.join(sorted(unknown))}.", f"See them with: ehcp signoff status {period}"
        )
    if left := [caveat for caveat in told["id"] if caveat not in decision.ticked]:
        raise ConfigurationError(
            f"Not every caveat is ticked off: {', '.join(left)}.",
            f"Read them with: ehcp signoff status {period}; then add --tick for each.",
        )
    changed = verify(store, period)
    if len(changed):
        raise ConfigurationError(
            f"{period} was changed since it was frozen: {changed['place'].iloc[0]}.",
            f"See all of it: ehcp signoff verify {period}",
        )
    return known


def erase(store: Store, child_id: str, reason: str, who: str, now: datetime) -> Record:
    """Take a child's frozen rows out of every month; their hashes stay, and so every month can still be verified.

    What packs and history hold of the child is not touched. Raises ConfigurationError where no month holds the child.
    """
    if not re.fullmatch(r"\w+", child_id):
        raise ConfigurationError(f"{child_id!r} is no child_id.", "The ids are in: ehcp register")
    with writing(store, load_signoff(store.settings.config_dir)) as writer:
        rows = erase_rows(writer.connection, child_id)
        if rows.empty:
            raise ConfigurationError(f"No frozen month holds {child_id}.", "Look at the id again: ehcp register")
        return writer.add(ERASED, now, {"rows": sorted(rows["hash"]), "reason": _said(reason), "who": who})


def mail_receipt(store: Store, record: Record, server: MailServer | None) -> list[str]:
    """Send the receipt of a record to whoever decided, was enrolled or removed (an earlier mailbox of theirs as well) and to the mailbox of the settings.

    Gives to whom. Without a mail server nobody is sent one.
    """
    rules = load_signoff(store.settings.config_dir)
    to = [rules.receipts_to, *(record.facts.get(name, "") for name in ("mailbox", "mailbox_before"))]
    to = list(dict.fromkeys(address for address in to if address))
    if server is None or not to:
        return []
    send(
        server,
        to,
        f"Receipt: {record.title}",
        f"{store.settings.council.name}. Keep this message: it proves what was recorded. Saved as a file, it is held against the database with\n"
        f"ehcp signoff verify --receipts FILE\n\n{receipt_text(record)}",
    )
    return to


def send_again(store: Store, number: int, server: MailServer | None) -> list[str]:
    """Send the receipt of an earlier record to whoever gets it (`mail_receipt`); gives to whom.

    Raises ConfigurationError where there is no such record, it goes to nobody, no mail server is set, or the journal was changed.
    """
    _need_server(server)
    _need_journal(store)
    with store.reading() as connection:
        found = [record for record in journal(connection) if record.number == number]
    if not found:
        raise ConfigurationError(f"There is no record {number}.", "The numbers are in: ehcp signoff history")
    to = mail_receipt(store, found[0], server)
    if not to:
        raise ConfigurationError(
            f"The receipt of {found[0].title} goes to nobody.", "Name a mailbox in signoff.yml: receipts_to"
        )
    return to


def _need_server(server: MailServer | None) -> MailServer:
    if server is None:
        raise ConfigurationError(
            "No mail server is set, so nothing can be sent.",
            "Set EHCP_SMTP_URL and EHCP_MAIL_FROM; a month can be signed with a passphrase too.",
        )
    return server


def _need_undecided(records: list[Record], frozen: Record, decision: Decision, rules: SignoffRules) -> None:
    said = decisions(records, frozen)
    mine = said[said["name"].str.casefold() == " ".join(decision.name.split()).casefold()]
    if decision.version not in (None, frozen.facts["version"]):
        what = f"has taken the place of version {decision.version}, which was read"
    elif standing_of(records, frozen, rules.signatures_needed) == "signed":
        what = "is signed already"
    elif (mine["decision"] == decision.kind).any():
        what = f"is {decision.kind} by {decision.name} already"
    else:
        return
    period = frozen.facts["period"]
    raise ConfigurationError(
        f"{period}, version {frozen.facts['version']}, {what}.",
        f"To correct a signed month: ehcp signoff restate {period} --reason TEXT",
    )


def _prove(store: Store, period: str, name: str, proof: Proof, rules: SignoffRules, now: datetime) -> str:
    """``code`` or ``passphrase``: how the signatory proved who they are. A wrong attempt is counted before the error is raised."""
    signatory = " ".join(name.split()).casefold()
    with store.writing() as connection:
        version = need_freeze(journal(connection), period).facts["version"]
        if proof.code is not None:
            typed = _sealed(store, "".join(proof.code.split()))
            wrong = _wrong_code(connection, signatory, (period, version), typed, rules, now)
        elif proof.passphrase is not None:
            wrong = _wrong_passphrase(connection, signatory, proof.passphrase, rules, now)
        else:
            wrong = "Neither a code nor a passphrase was given."
    if wrong:
        raise ConfigurationError(wrong, f"Ask for a code: ehcp signoff code {period} --name NAME")
    return "code" if proof.code is not None else "passphrase"


def _wrong_code(
    connection: Any, signatory: str, what: tuple[str, int], code: str, rules: SignoffRules, now: datetime
) -> str:
    """Why a code is not taken; empty where it is, and it is used then."""
    sent = newest_code(connection, signatory)
    if sent is None or (sent.period, sent.version) != what:
        return "No code was sent to this signatory for this version of the month."
    if sent.used_at is not None:
        return "The code has been used already."
    if now >= as_utc(sent.expires_at):
        return "The code is too old."
    if sent.attempts >= rules.attempts:
        return "The code was typed wrongly too often and counts no more."
    is_right = _matches(code, sent.secret)
    count_code(connection, sent.id, now, is_right)
    return "" if is_right else "The code is not the one that was sent."


def _wrong_passphrase(connection: Any, signatory: str, passphrase: str, rules: SignoffRules, now: datetime) -> str:
    """Why a passphrase is not taken; empty where it is."""
    kept = passphrases(connection).get(signatory)
    if kept is None:
        return "This signatory has no passphrase."
    if kept.attempts >= rules.attempts and now < as_utc(kept.tried_at) + timedelta(minutes=rules.code_minutes):
        return f"The passphrase was typed wrongly too often: wait {rules.code_minutes} minutes."
    is_right = _matches(passphrase, kept.secret)
    count_try(connection, signatory, now, is_right)
    return "" if is_right else "The passphrase is not right."


def _need_journal(store: Store) -> None:
    """Raises ConfigurationError where the journal, or a passphrase, was changed: who may sign, and where codes go, cannot be told from it then."""
    changed = [breach for breach in broken_journal(store) if breach.part in ("record", "signatory")]
    if changed:
        raise ConfigurationError(
            f"The journal of the sign-off was changed: {changed[0].place}. {changed[0].what}",
            "See all of it: ehcp signoff verify",
        )


def _sealed(store: Store, code: str) -> str:
    """A code under the council's own key: who can write to the database alone cannot put a code there that would be taken."""
    return hmac.new(private_key(store.settings.private_dir), code.encode(), "sha256").hexdigest()


def _scrypt(text: str, salt: bytes | None = None) -> str:
    salt = salt or secrets.token_bytes(16)
    made = hashlib.scrypt(text.encode(), salt=salt, n=2**14, r=8, p=1)
    return f"scrypt${salt.hex()}${made.hex()}"


def _matches(text: str, secret: str) -> bool:
    salt = bytes.fromhex(secret.split("$")[1])
    return hmac.compare_digest(_scrypt(text, salt), secret)


def _said(text: str) -> str:
    if not text.strip():
        raise ConfigurationError("It needs a reason.", "Say it in a few words, without names of children.")
    return text.strip()
