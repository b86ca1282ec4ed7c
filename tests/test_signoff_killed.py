"""A process that dies while a month is frozen or signed: nothing of it stands or all of it does, and running it again completes it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from signoff_drawn import NOW, PERIOD, write_month
from store_drawn import settings_in
from test_mail import Inbox, served
from test_signing import MAILBOX, NAME, PASSPHRASE, ROLE, TICKS, prepare

from pipelines.chain import Record
from pipelines.cli import main
from pipelines.signoff import freeze_month
from pipelines.signoff_state import periods
from pipelines.signoff_verify import verify
from pipelines.store import Store
from pipelines.store_signoff import journal, pack_folder, read_rows

TESTS = Path(__file__).resolve().parent
#: Freezes or signs in a process of its own, which ends itself at the n-th call of one of its functions, before or after it, with nothing tidied up.
DYING = """
import importlib, os, signal, sys
act, folder, url, place, call, when = sys.argv[1:]
from pipelines import signing, signoff
from pipelines.store import Store
from signoff_drawn import NOW, PERIOD
from store_drawn import settings_in
from test_signing import PASSPHRASE, SIGN

module, _, name = place.rpartition(".")
if module.endswith("JournalWriter"):
    from pipelines.store_signoff import JournalWriter as owner
else:
    owner = importlib.import_module(module)
own, calls = getattr(owner, name), []

def dying(*args, **named):
    calls.append(name)
    is_now = len(calls) == int(call)
    if is_now and when == "before":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    given = own(*args, **named)
    if is_now:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return given

setattr(owner, name, dying)
store = Store(settings_in(__import__("pathlib").Path(folder), url or None))
if act == "freeze":
    signoff.freeze_month(store, PERIOD, NOW)
else:
    signing.decide(store, PERIOD, SIGN, signing.Proof(passphrase=PASSPHRASE), NOW)
print("not reached", flush=True)
"""


def die(store: Store, act: str, place: str, call: int, when: str) -> None:
    """Let another process do it and die on the way."""
    url = str(store.settings.database_url)
    words = [act, str(store.settings.data_dir), url if url.startswith("postgresql") else "", place, str(call), when]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    store.engine.dispose()
    told = subprocess.run(
        [sys.executable, "-c", DYING, *words],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode != 0 and told.stdout == told.stderr == "", told.stderr


def command(store: Store, *words: str) -> Result:
    """The command, once the database has noticed that the other process is gone."""
    for _ in range(40):
        done = CliRunner().invoke(main, list(words), obj=NOW)
        if "Another night is being run" not in done.output:
            break
        time.sleep(0.25)
    return done


def records_of(store: Store) -> list[Record]:
    with store.reading() as connection:
        return journal(connection)


def left_over(store: Store) -> list[str]:
    ends = ("unfinished", "partial")
    return [path.name for path in store.settings.data_dir.rglob("*") if path.name.endswith(ends)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The drawn month frozen with nothing in the way."""
    store = Store(settings_in(tmp_path_factory.mktemp("undisturbed")))
    write_month(store)
    return freeze_month(store, PERIOD, NOW)[0]


@pytest.mark.parametrize(
    ("place", "call", "when", "is_whole"),
    [
        pytest.param("pipelines.signoff.save_rows", 1, "after", False, id="rows, no pack"),
        pytest.param("pipelines.packs.write_pack_workbook", 1, "before", False, id="half a pack"),
        pytest.param("pipelines.store_signoff.JournalWriter.add", 1, "before", False, id="pack, no receipt"),
        pytest.param("pipelines.store_signoff.receipt_text", 2, "before", False, id="one receipt of two"),
        pytest.param("pipelines.store_signoff.JournalWriter.add", 1, "after", False, id="everything, not committed"),
        pytest.param("pipelines.store_signoff._finish", 1, "before", True, id="committed, receipts without a name"),
        pytest.param("pipelines.store_signoff._finish", 1, "after", True, id="one receipt with its name"),
        pytest.param("pipelines.signoff.freeze_month", 1, "after", True, id="before anything is told"),
    ],
)
def test_a_freeze_that_is_killed_leaves_nothing_or_the_whole_month_and_is_completed(
    store: Store, undisturbed: Record, monkeypatch: pytest.MonkeyPatch, place: str, call: int, when: str, is_whole: bool
) -> None:
    write_month(store)
    die(store, "freeze", place, call, when)
    with store.reading() as connection:
        rows = read_rows(connection, PERIOD, 1)
    assert len(records_of(store)) == (1 if is_whole else 0)
    assert len(rows) == (sum(part["rows"] for part in undisturbed.facts["parts"].values()) if is_whole else 0)
    told, pack = verify(store)["place"].tolist(), store.settings.outputs_dir / PERIOD / "signoff-v1"
    assert told == ([pack.as_posix()] if pack.exists() and not is_whole else []), "before anybody has run it again"

    monkeypatch.setattr("pipelines.commands.signoff.open_store", lambda: store)
    monkeypatch.delenv("EHCP_SMTP_URL", raising=False)
    done = command(store, "run", "monthly", "--period", PERIOD)
    assert done.exit_code == 0, done.output
    assert ("frozen already, and nothing differs" in done.output) == is_whole
    [record] = records_of(store)
    assert record.facts["frozen"] == undisturbed.facts["frozen"]
    assert verify(store).empty and not left_over(store)
    folders = (store.settings.data_dir / "receipts", pack_folder(store, record) / "receipts")
    assert [[path.name for path in folder.iterdir()] for folder in folders] == [["000001-frozen-2026-10.json"]] * 2


def test_a_signature_whose_process_is_killed_is_whole_or_given_again(store: Store) -> None:
    prepare(store)
    die(store, "sign", "pipelines.store_signoff.JournalWriter.add", 1, "after")
    assert periods(store).loc[0, "stands"] == "to be signed" and verify(store).empty
    die(store, "sign", "pipelines.store_signoff._finish", 1, "before")
    assert periods(store).loc[0, "stands"] == "signed" and verify(store).empty
    assert [record.facts["kind"] for record in records_of(store)] == ["frozen", "enrolled", "signed"]


def test_a_receipt_that_did_not_leave_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = prepare(Store(settings_in(tmp_path / "data")))
    die(store, "sign", "pipelines.signing.decide", 1, "after")
    monkeypatch.setattr("pipelines.commands.signatories.open_store", lambda: store)
    monkeypatch.delenv("EHCP_SMTP_URL", raising=False)
    again = command(store, "signoff", "sign", PERIOD, "--name", NAME, "--role", ROLE, "--tick", *TICKS)
    assert again.exit_code != 0 and "is signed already" in again.output
    unset = command(store, "signoff", "receipt", "3")
    assert unset.exit_code != 0 and "EHCP_SMTP_URL" in unset.output
    inbox = Inbox()
    for _, port in served(inbox):
        monkeypatch.setenv("EHCP_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("EHCP_MAIL_FROM", "register@council.example")
        done = command(store, "signoff", "receipt", "3")
        assert done.exit_code == 0 and done.output == "The receipt was sent by e-mail to 1 mailbox.\n"
        assert "goes to nobody" in command(store, "signoff", "receipt", "1").output, "receipts_to is not set"
        assert "no record 4" in command(store, "signoff", "receipt", "4").output
    [(to, message)] = inbox.got
    assert to == [MAILBOX] and message["Subject"] == "Receipt: record 3 (signed, 2026-10)"
    kept = tmp_path / "message.txt"
    kept.write_text(message.get_content(), encoding="utf-8")
    assert verify(store, receipts=[kept]).empty and PASSPHRASE not in kept.read_text(encoding="utf-8")
