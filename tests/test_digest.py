"""The digest: what it counts, that nothing in it is about one child, and that a message that does not leave fails nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from store_drawn import FIRST, settings_in
from test_mail import Inbox, at, plain  # noqa: F401

from config.errors import ConfigurationError
from config.settings import Settings, load_settings
from outputs.about import About, NotReceived
from outputs.digest import digest_of, write_digest
from pipelines.cli import main
from pipelines.digest import digest_known, mail_tonight, send_digest
from pipelines.store import Store
from pipelines.volume import COUNTS

MISSING = (
    NotReceived("liquidlogic", "persons", "the folder /srv/C0000123/Ann Example does not exist", date(2026, 10, 27)),
    NotReceived("liquidlogic", "visits", "no file"),
    NotReceived("capita", "students", "gated"),
)


def volume(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"rule": "RV01", "severity": "high", "owner": "J Example", **dict.fromkeys(COUNTS, 0)} | row for row in rows]
    )


COUNTED = volume(
    {"severity": "critical", "open": 7, "new": 2, "overdue": 3, "newly_overdue": 1},
    {"severity": "critical", "open": 1, "new": 1, "rule": "WH01"},
    {"open": 1_200, "accepted": 30, "not_evaluated": 4, "resolved": 5, "reopened": 6, "backlog": 40},
)


def about(missing: tuple[NotReceived, ...] = MISSING) -> About:
    return About(
        "Northmere <Council>", FIRST, "2026-10-25-1", datetime(2026, 10, 25, 1, tzinfo=UTC), "2026-10", missing
    )


def test_it_adds_up_and_says_what_was_not_received() -> None:
    told = digest_of(COUNTED, about(), "https://share.example/outputs", ["synergy", "capita"])
    lines = told.text.splitlines()
    assert lines[3].split() == ["Critical", "3", "0", "1", "0", "3", "8"]
    assert lines[7].split() == ["All", "3", "6", "1", "5", "3", "1,242"]
    assert "Back: resolved earlier, and found again;" in " ".join(lines) and "Back: resolved earlier" in told.html
    assert "40 of rules that began or came out of shadow" in told.text and "went into shadow" not in told.text
    left = digest_of(volume({"to_shadow": 1_085}), about())
    for page in (left.text, left.html):
        assert "1,085 more are kept and no longer counted, as their rule went into shadow." in page
    assert "  Liquidlogic: persons, visits" in lines and "  Capita: students" in lines
    assert "Look at the page: https://share.example/outputs/2026-10/2026-10-25-1/report.html" in told.text
    assert told.subject == "Northmere <Council>, 25 October 2026: 3 new, 1 newly late, 5 resolved, sources missing"
    assert (
        "See what arrived from Capita: https://share.example/outputs/2026-10/2026-10-25-1/health-capita.html"
        in told.text
    )
    assert "Every source was received." in digest_of(COUNTED, about(())).text


def test_nothing_in_it_is_about_one_child_nor_a_person_nor_a_place_on_the_machine() -> None:
    told = digest_of(COUNTED, about(), "", ["synergy"])
    for page in (told.subject, told.text, told.html):
        for secret in ("C0000123", "Ann", "Example", "/srv", "RV01", "WH01"):
            assert secret not in page
    assert "Work from the workbook: exceptions.xlsx" in told.text and "href" not in told.html


def test_beside_the_files_it_leads_to_them_without_an_address() -> None:
    told = digest_of(COUNTED, about(), "", ["synergy"], is_beside=True)
    assert all(
        f'href="{name}"' in told.html for name in ("report.html", "exceptions.xlsx", "kpis.xlsx", "health-synergy.html")
    )


def test_the_page_is_whole_and_escaped(tmp_path: Path) -> None:
    told = digest_of(COUNTED, about(), 'https://share.example/"x')
    write_digest(tmp_path, told)
    html = (tmp_path / "digest.html").read_text(encoding="utf-8")
    assert "Northmere &lt;Council&gt;" in html and '"x' not in html and "1,242" in html
    opened: list[str] = []

    class Closed(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            opened.extend([] if tag in ("meta", "br") else [tag])

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Closed().feed(html)
    assert opened == [] and (tmp_path / "digest.txt").read_text(encoding="utf-8") == told.text


def kept(settings: Settings, counted: pd.DataFrame = COUNTED) -> Store:
    """A store with one night and its counts; given again, that night run again."""
    store = Store(settings)
    with store.night(FIRST) as night:
        night.open_run({"application": "test"}, datetime(2026, 10, 25, 1, tzinfo=UTC))
        night.save_nightly("exception_volume", counted)
        night.close_run(0, {}, {})
    return store


def mailed(folder: Path, port: int, *to: str) -> Settings:
    return settings_in(folder).model_copy(update={"mail": at(port), "digest_to": to})


def test_a_night_sends_it_and_everybody_gets_the_same(plain, tmp_path: Path) -> None:  # noqa: F811
    inbox, port = plain
    settings = mailed(tmp_path, port, "ada@council.example", "grace@council.example")
    assert mail_tonight(settings, kept(settings)) == []
    [(to, message)] = inbox.got
    assert to == ["ada@council.example", "grace@council.example"] and "3 new, 1 newly late" in message["Subject"]


def test_a_night_that_is_run_again_sends_it_again_only_where_it_says_something_else(plain, tmp_path: Path) -> None:  # noqa: F811
    inbox, port = plain
    settings = mailed(tmp_path, port, "bad@council.example")
    assert len(mail_tonight(settings, kept(settings))) == 1
    settings = mailed(tmp_path, port, "ada@council.example")
    for counted, sent in ((COUNTED, 1), (COUNTED, 1), (COUNTED.iloc[:1], 2), (COUNTED.iloc[:1], 2)):
        assert mail_tonight(settings, kept(settings, counted)) == [] and len(inbox.got) == sent
    store = kept(settings, COUNTED)
    assert send_digest(settings, digest_known(store)) == 1 and len(inbox.got) == 3, "by hand it always goes"
    assert mail_tonight(settings, store) == [] and len(inbox.got) == 3


def test_a_setting_of_mail_that_makes_no_sense_stops_no_night(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = {
        "EHCP_DATA": str(tmp_path),
        "EHCP_SMTP_URL": "smtp://u:secret@mail.example",
        "EHCP_MAIL_FROM": "a@b.example",
    }
    settings = load_settings(given | {"EHCP_DIGEST_TO": "ada@council.example"})
    store = kept(settings)
    [message] = mail_tonight(settings, store)
    assert "EHCP_SMTP_URL would send the password unencrypted. Add ?starttls" in message
    assert "secret" not in message + caplog.text and "digest not sent" in caplog.text
    with pytest.raises(ConfigurationError, match="EHCP_SMTP_URL"):
        send_digest(settings, digest_known(store))


def test_a_message_that_does_not_leave_is_told_without_addresses_and_fails_nothing(
    plain,  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = mailed(tmp_path, plain[1], "bad@council.example")
    [message] = mail_tonight(settings, kept(settings))
    assert "refused every address (code 550)" in message and "ehcp digest --send" in message
    assert "digest not sent" in caplog.text and "bad@" not in caplog.text + message


def test_without_a_server_nothing_is_sent_and_sending_says_what_is_not_set(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    store = kept(settings)
    assert mail_tonight(settings, store) == []
    with pytest.raises(ConfigurationError, match="EHCP_SMTP_URL is not set"):
        send_digest(settings, digest_known(store))
    with pytest.raises(ConfigurationError, match="EHCP_DIGEST_TO is not set"):
        send_digest(mailed(tmp_path, 25), digest_known(store))


def test_the_command_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHCP_DATA", str(tmp_path))
    store = kept(settings_in(tmp_path))
    result = CliRunner().invoke(main, ["digest"], obj=datetime(2026, 10, 25, tzinfo=UTC))
    assert result.exit_code == 0 and result.output.split("\n", 1)[1] == digest_known(store).text.split("\n", 1)[1]
