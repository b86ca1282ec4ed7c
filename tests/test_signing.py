"""Who may sign and how they prove it: codes through a real mail server, passphrases, and what each decision holds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from signoff_drawn import CUT_OFF, NOW, PERIOD, write_month, write_night
from sqlalchemy import text
from store_drawn import settings_in
from test_mail import Inbox, served

from config.errors import ConfigurationError, MailError
from config.mail import MailServer
from pipelines import signing
from pipelines.chain import DECLINED, SIGNED, Record, digest
from pipelines.cli import main
from pipelines.signing import (
    Decision,
    Proof,
    check,
    decide,
    enrol,
    erase,
    mail_receipt,
    remove,
    send_code,
    signatory_frame,
)
from pipelines.signoff import freeze_month, restate
from pipelines.signoff_state import open_caveats, periods
from pipelines.signoff_verify import verify
from pipelines.store import Store
from pipelines.store_people import note
from pipelines.store_signoff import journal, pack_folder, read_rows, save_code

NAME, ROLE, MAILBOX, PASSPHRASE = (
    "Ada Marsh",
    "Director of Children's Services",
    "ada@council.example",
    "correct horse battery",
)
TICKS = ("late-in-month",)
SIGN = Decision(SIGNED, NAME, ROLE, "Read and discussed.", TICKS)


def prepare(store: Store) -> Store:
    """The drawn month, frozen, its critical exception explained, and one signatory enrolled."""
    write_month(store)
    note(store, "E1", "the school has told us", "A. Worker", NOW)
    freeze_month(store, PERIOD, NOW)
    enrol(store, NAME, ROLE, MAILBOX, PASSPHRASE, "operator", NOW)
    return store


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    prepare(Store(settings_in(folder))).engine.dispose()
    return folder


@pytest.fixture
def month(prepared: Path, tmp_path: Path) -> Store:
    """A copy of the prepared month."""
    return Store(settings_in(Path(shutil.copytree(prepared, tmp_path / "data"))))


@pytest.fixture
def post() -> Iterator[tuple[Inbox, MailServer]]:
    for inbox, port in served(Inbox()):
        yield inbox, MailServer(host="127.0.0.1", port=port, sender="register@council.example")


def code_in(inbox: Inbox) -> str:
    """The code in the newest message."""
    to, message = inbox.got[-1]
    assert to == [MAILBOX]
    [code] = re.findall(r"Your code: (\d{8})\b", message.get_content())
    return str(code)


def records_of(store: Store) -> list[Record]:
    with store.reading() as connection:
        return journal(connection)


def refused(store: Store, decision: Decision, proof: Proof, **more: Any) -> str:
    before = len(records_of(store))
    with pytest.raises(ConfigurationError) as caught:
        decide(store, PERIOD, decision, proof, more.pop("now", NOW))
    assert len(records_of(store)) == before
    assert str(caught.value).count("\n") == 1 and PASSPHRASE not in str(caught.value)
    return caught.value.what


# On both databases, from end to end


def test_a_code_by_mail_signs_and_an_erasure_breaks_nothing(store: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    prepare(store)
    send_code(store, PERIOD, NAME.lower(), server, NOW)
    record = decide(store, PERIOD, SIGN, Proof(code=code_in(inbox)), NOW + timedelta(minutes=14))
    freeze = records_of(store)[0]
    said = record.facts
    assert (said["name"], said["role"], said["comment"], said["proof"]) == (NAME, ROLE, "Read and discussed.", "code")
    assert said["at"] == "2026-11-04T07:44:00+00:00" and said["freeze"] == freeze.hash
    assert all(said[name] == freeze.facts[name] for name in ("frozen", "files", "versions"))
    assert set(said["versions"]) == {"application", "rules", "links", "configuration"}
    assert list(said["caveats"]) == list(TICKS)
    assert periods(store).loc[0, "stands"] == "signed" and verify(store).empty

    gone = erase(store, "C2", "retention is over", "operator", NOW + timedelta(days=400))
    with store.reading() as connection:
        rows = read_rows(connection, PERIOD, 1)
    assert rows["content"].isna().sum() == len(gone.facts["rows"]) == 4
    assert not rows["content"].fillna("").str.contains('"C2"').any() and not rows["key"].fillna("").eq("C2").any()
    assert "C2" not in gone.content
    assert verify(store).empty
    assert not freeze_month(store, PERIOD, NOW + timedelta(days=401))[1], "erased rows are no difference"


def test_content_that_is_taken_away_without_a_record_is_found(month: Store) -> None:
    with month.writing() as connection:
        connection.execute(text("UPDATE signoff_rows SET content = NULL WHERE part = 'register' AND key = 'C2'"))
    assert verify(month)["place"].tolist() == ["2026-10 version 1: register C2"]


def test_a_restatement_does_not_bring_back_what_was_erased(month: Store) -> None:
    erase(month, "C1", "retention is over", "operator", NOW)
    write_night(month, CUT_OFF, new="Y", started="2026-10-10", met=4, plans=4, v=100.0)
    _, told = restate(month, PERIOD, "keyed late", "A. Analyst", NOW)
    assert told.loc[told["part"] != "kpi_values", ["part", "field", "after"]].to_numpy().tolist() == [
        ["kpi_members", "changed", "1"]
    ]
    with month.reading() as connection:
        rows = read_rows(connection, PERIOD, 2)
    assert not rows["content"].str.contains('"child_id":"C1"').any() and rows["content"].notna().all()
    assert verify(month).empty


# Codes


def test_the_message_with_a_code_says_where_the_pack_shows_the_same_hash(
    month: Store, post: tuple[Inbox, MailServer]
) -> None:
    inbox, server = post
    send_code(month, PERIOD, NAME, server, NOW)
    frozen = records_of(month)[0]
    pack = PdfReader(pack_folder(month, frozen) / "pack-2026-10.pdf")
    told = inbox.got[-1][1].get_content()
    [place] = re.findall(r'the pack says the same under "(.+)"', told)
    [page] = [text for text in (page.extract_text() for page in pack.pages) if place in text]
    assert frozen.facts["frozen"] in "".join(page.split()) and frozen.facts["frozen"][:12] in told


def test_a_code_is_used_once(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    send_code(month, PERIOD, NAME, server, NOW)
    decide(month, PERIOD, Decision(DECLINED, NAME, ROLE, "not yet"), Proof(code=code_in(inbox)), NOW)
    assert refused(month, SIGN, Proof(code=code_in(inbox))) == "The code has been used already."


def test_a_code_is_too_old_after_a_quarter_of_an_hour(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    until = send_code(month, PERIOD, NAME, server, NOW)
    assert until == NOW + timedelta(minutes=15)
    assert refused(month, SIGN, Proof(code=code_in(inbox)), now=until) == "The code is too old."
    decide(month, PERIOD, SIGN, Proof(code=code_in(inbox)), until - timedelta(seconds=1))


def test_a_code_counts_no_more_after_five_wrong_attempts(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    send_code(month, PERIOD, NAME, server, NOW)
    wrong = f"{(int(code_in(inbox)) + 1) % 10**8:08d}"
    for _ in range(5):
        assert refused(month, SIGN, Proof(code=wrong)) == "The code is not the one that was sent."
    assert "too often" in refused(month, SIGN, Proof(code=code_in(inbox)))
    send_code(month, PERIOD, NAME, server, NOW)
    decide(month, PERIOD, SIGN, Proof(code=code_in(inbox)), NOW)


def test_only_the_newest_code_counts_and_none_is_kept_as_it_is(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    send_code(month, PERIOD, NAME, server, NOW)
    first = code_in(inbox)
    send_code(month, PERIOD, NAME, server, NOW)
    assert first == code_in(inbox) or "not the one" in refused(month, SIGN, Proof(code=first))
    kept = (month.settings.data_dir / "ehcp.sqlite").read_bytes() + b"".join(
        path.read_bytes() for path in (month.settings.data_dir / "receipts").iterdir()
    )
    assert first.encode() not in kept and PASSPHRASE.encode() not in kept


def test_a_code_for_another_version_does_not_sign(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    send_code(month, PERIOD, NAME, server, NOW)
    write_night(month, CUT_OFF, new="Y", started="2026-10-10", met=4, plans=4, v=100.0)
    restate(month, PERIOD, "keyed late", "A. Analyst", NOW)
    assert "No code was sent" in refused(month, _all_ticked(month), Proof(code=code_in(inbox)))


def test_a_code_that_somebody_put_into_the_database_is_not_taken(month: Store) -> None:
    with month.writing() as connection:
        save_code(connection, NAME.casefold(), PERIOD, 1, signing._scrypt("12345678"), NOW + timedelta(minutes=15))
    assert refused(month, SIGN, Proof(code="12345678")) == "The code is not the one that was sent."


def test_no_code_is_sent_to_a_mailbox_that_was_changed_in_the_database(
    month: Store, post: tuple[Inbox, MailServer]
) -> None:
    inbox, server = post
    enrolled = records_of(month)[-1]
    changed = enrolled.content.replace(MAILBOX, "eve@elsewhere.example")
    with month.writing() as connection:
        connection.execute(
            text("UPDATE signoff_journal SET content=:c, hash=:h WHERE number=:n"),
            {"c": changed, "h": digest(changed), "n": enrolled.number},
        )
    with pytest.raises(ConfigurationError, match=rf"was changed: record {enrolled.number} \(enrolled\)"):
        send_code(month, PERIOD, NAME, server, NOW)
    assert not inbox.got
    no = Decision(DECLINED, NAME, ROLE, "not mine")
    assert "was changed" in refused(month, no, Proof(passphrase=PASSPHRASE)), "nor is anything decided"


def test_an_earlier_mailbox_is_told_of_an_enrolment_in_its_place(month: Store, post: tuple[Inbox, MailServer]) -> None:
    inbox, server = post
    again = enrol(month, NAME, ROLE, "eve@elsewhere.example", None, "operator", NOW)
    assert mail_receipt(month, again, server) == ["eve@elsewhere.example", MAILBOX]
    gone = remove(month, NAME, "has left", "operator", NOW)
    assert mail_receipt(month, gone, server) == ["eve@elsewhere.example"]
    assert [to for to, _ in inbox.got] == [["eve@elsewhere.example", MAILBOX], ["eve@elsewhere.example"]]


def _all_ticked(store: Store) -> Decision:
    return Decision(SIGNED, NAME, ROLE, "", tuple(open_caveats(store, PERIOD)["id"]))


def test_a_code_that_cannot_be_sent_is_two_lines(month: Store) -> None:
    with pytest.raises(ConfigurationError, match="No mail server is set"):
        send_code(month, PERIOD, NAME, None, NOW)
    nobody = MailServer(host="127.0.0.1", port=9, sender="register@council.example")
    with pytest.raises(MailError):
        send_code(month, PERIOD, NAME, nobody, NOW)


# Passphrases and signatories


def test_a_passphrase_signs_and_wrong_ones_make_it_wait(month: Store) -> None:
    for _ in range(5):
        assert refused(month, SIGN, Proof(passphrase="something else")) == "The passphrase is not right."
    assert "wait 15 minutes" in refused(month, SIGN, Proof(passphrase=PASSPHRASE))
    assert "wait 15 minutes" in refused(month, SIGN, Proof(passphrase=PASSPHRASE), now=NOW + timedelta(minutes=14))
    record = decide(month, PERIOD, SIGN, Proof(passphrase=PASSPHRASE), NOW + timedelta(minutes=15))
    assert record.facts["proof"] == "passphrase"


def test_nobody_signs_without_a_proof_without_enrolment_or_in_another_role(month: Store) -> None:
    right = Proof(passphrase=PASSPHRASE)
    assert "Neither" in refused(month, SIGN, Proof())
    assert "No signatory" in refused(month, Decision(SIGNED, "Somebody Else", ROLE, "", TICKS), right)
    assert "another role" in refused(month, Decision(SIGNED, NAME, "Analyst", "", TICKS), right)
    remove(month, NAME, "has left", "operator", NOW)
    assert "No signatory" in refused(month, SIGN, right)
    assert signatory_frame(month).empty and verify(month).empty


def test_a_passphrase_that_was_exchanged_in_the_database_is_found(month: Store) -> None:
    with month.writing() as connection:
        connection.execute(text("UPDATE signoff_passphrases SET secret = 'scrypt$00$00'"))
    assert verify(month)[["part", "place"]].to_numpy().tolist() == [["signatory", "ada marsh"]]
    with month.writing() as connection:
        connection.execute(text("DELETE FROM signoff_passphrases"))
    assert verify(month)["part"].tolist() == ["signatory"], "one that was taken away, too"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"mailbox": "nowhere"}, "no"), ({"mailbox": "a@b, c@d"}, "not an address"), ({"name": " "}, "name and a role"), ({"passphrase": "short"}, "too short"),
    ],
)  # fmt: skip
def test_an_enrolment_that_makes_no_sense_is_refused(month: Store, given: dict[str, str], what: str) -> None:
    told = {"name": "B. Brook", "role": "Head of SEND", "mailbox": "b@council.example", "passphrase": None} | given
    with pytest.raises(ConfigurationError, match=what):
        enrol(month, **told, who="operator", now=NOW)
    assert len(signatory_frame(month)) == 1


# What stands in the way


def test_every_caveat_is_ticked_off_and_none_that_is_not_there(month: Store) -> None:
    right = Proof(passphrase=PASSPHRASE)
    assert "late-in-month" in refused(month, Decision(SIGNED, NAME, ROLE), right)
    assert "no caveat all" in refused(month, Decision(SIGNED, NAME, ROLE, "", (*TICKS, "all")), right)


def test_a_condition_that_blocks_is_a_setting(month: Store, tmp_path: Path) -> None:
    with month.writing() as connection:
        connection.execute(text("DELETE FROM exception_events WHERE who IS NOT NULL"))
    assert "cannot be signed: 1 open critical exception" in refused(month, SIGN, Proof(passphrase=PASSPHRASE))
    config = tmp_path / "config"
    config.mkdir()
    (config / "signoff.yml").write_text("conditions: {critical_unexplained: tick}\n", encoding="utf-8")
    month.settings = month.settings.model_copy(update={"config_dir": config})
    assert "Not every caveat" in refused(month, SIGN, Proof(passphrase=PASSPHRASE))


def test_a_month_that_was_changed_is_not_signed(month: Store) -> None:
    [file, *_] = pack_folder(month, records_of(month)[0]).glob("*.pdf")
    file.write_bytes(b"something else")
    assert "was changed since it was frozen" in refused(month, SIGN, Proof(passphrase=PASSPHRASE))


def test_a_month_is_declined_with_a_reason_then_signed_once(month: Store) -> None:
    right = Proof(passphrase=PASSPHRASE)
    assert "needs a reason" in refused(month, Decision(DECLINED, NAME, ROLE, " "), right)
    decide(month, PERIOD, Decision(DECLINED, NAME, ROLE, "Capita was late too often"), right, NOW)
    assert periods(month).loc[0, "stands"] == "declined"
    assert "declined by Ada Marsh already" in refused(month, Decision(DECLINED, NAME, ROLE, "again"), right)
    decide(month, PERIOD, SIGN, right, NOW)
    assert periods(month).loc[0, "stands"] == "signed"
    assert "is signed already" in refused(month, SIGN, right)
    assert verify(month).empty


def test_each_signature_holds_the_one_before_it_and_a_changed_one_is_named(month: Store) -> None:
    right = Proof(passphrase=PASSPHRASE)
    first = decide(month, PERIOD, SIGN, right, NOW)
    write_night(month, CUT_OFF, new="Y", started="2026-10-10", met=4, plans=4, v=100.0)
    restate(month, PERIOD, "keyed late", "A. Analyst", NOW)
    second = decide(month, PERIOD, _all_ticked(month), right, NOW)
    assert second.facts["signature_before"] == first.hash and first.facts["signature_before"] == ""
    assert verify(month).empty
    changed = first.content.replace("Read and discussed.", "Read and discusses.")
    with month.writing() as connection:
        connection.execute(
            text("UPDATE signoff_journal SET content=:c, hash=:h WHERE number=:n"),
            {"c": changed, "h": digest(changed), "n": first.number},
        )
    places = verify(month)["place"].tolist()
    assert f"record {first.number} (signed, 2026-10)" in places, "the receipt says otherwise"
    assert f"record {first.number + 1} (frozen, 2026-10)" in places, "the record after it holds the old hash"


def test_two_signatures_where_two_are_needed(month: Store, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "signoff.yml").write_text("signatures_needed: 2\n", encoding="utf-8")
    month.settings = month.settings.model_copy(update={"config_dir": config})
    enrol(month, "B. Brook", "Head of SEND", "b@council.example", PASSPHRASE, "operator", NOW)
    right = Proof(passphrase=PASSPHRASE)
    decide(month, PERIOD, SIGN, right, NOW)
    assert periods(month).loc[0, "stands"] == "to be signed"
    assert "signed by Ada Marsh already" in refused(month, SIGN, right)
    decide(month, PERIOD, Decision(SIGNED, "B. Brook", "Head of SEND", "", TICKS), right, NOW)
    assert periods(month).loc[0, "stands"] == "signed"


@pytest.mark.parametrize("garbage", ["no JSON", "[]", '{"kind": "frozen"}', '{"kind": "signed", "number": 3}'])
def test_a_record_that_is_garbage_is_named_and_stops_nothing(month: Store, garbage: str) -> None:
    number = decide(month, PERIOD, SIGN, Proof(passphrase=PASSPHRASE), NOW).number
    with month.writing() as connection:
        connection.execute(text("UPDATE signoff_journal SET content=:c WHERE number=:n"), {"c": garbage, "n": number})
    assert verify(month)["place"].str.startswith(f"record {number}").any()


# Receipts and the command


def test_a_receipt_by_mail_is_held_against_the_database(
    month: Store, post: tuple[Inbox, MailServer], tmp_path: Path
) -> None:
    inbox, server = post
    record = decide(month, PERIOD, SIGN, Proof(passphrase=PASSPHRASE), NOW)
    assert mail_receipt(month, record, server) == [MAILBOX]
    kept = tmp_path / "message.txt"
    kept.write_text(inbox.got[-1][1].get_content(), encoding="utf-8")
    assert verify(month, receipts=[kept]).empty
    kept.write_text(kept.read_text(encoding="utf-8").replace("Ada", "Eve"), encoding="utf-8")
    assert verify(month, receipts=[kept])["part"].tolist() == ["receipt"]
    assert mail_receipt(month, record, None) == []


def test_the_command_signs_with_a_passphrase_that_is_not_shown(month: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHCP_DATA", str(month.settings.data_dir))
    monkeypatch.delenv("EHCP_SMTP_URL", raising=False)
    run = CliRunner()
    again = run.invoke(main, ["run", "monthly"], obj=NOW)
    assert again.exit_code == 0 and "2026-10 is frozen already, and nothing differs" in again.output
    words = ["signoff", "sign", PERIOD, "--name", NAME, "--role", ROLE, "--tick", "late-in-month"]
    done = run.invoke(main, words, input=f"{PASSPHRASE}\n", obj=NOW)
    assert done.exit_code == 0, done.output
    assert "signed by Ada Marsh" in done.output and PASSPHRASE not in done.output
    assert run.invoke(main, ["signoff", "verify"], obj=NOW).exit_code == 0
    for path in (month.settings.data_dir / "receipts").iterdir():
        path.write_text("{}", encoding="utf-8")
    wrong = run.invoke(main, ["signoff", "verify", "--format", "csv"], obj=NOW)
    assert wrong.exit_code == 13 and "receipt" in wrong.output
    shown = run.invoke(main, ["signoff", "history", "--format", "csv"], obj=NOW).output
    assert [line.split(",")[2] for line in shown.splitlines()[1:]] == ["frozen", "enrolled", "signed"]


def test_what_is_checked_before_the_proof_gives_the_signatory(month: Store) -> None:
    assert check(month, PERIOD, SIGN)["mailbox"] == MAILBOX
