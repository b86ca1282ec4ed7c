"""How the command prints a list: UTF-8 for programs on every system, and a word where the day asked lies ahead."""

from __future__ import annotations

import io
import json
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from store_drawn import settings_in

from pipelines.commands.common import print_frame, say_ahead
from pipelines.store import Store


@pytest.mark.parametrize("style", ["csv", "json"])
def test_csv_and_json_are_utf_8_also_on_a_console_with_another_code_page(
    style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", newline="\r\n"))
    print_frame(pd.DataFrame({"setting_name": ["Ysgol Tŷ'r Łąka"]}), style)
    sys.stdout.flush()
    text = written.getvalue().decode("utf-8")
    found = json.loads(text)[0]["setting_name"] if style == "json" else text.split("\n")[1]
    assert found == "Ysgol Tŷ'r Łąka"


@pytest.mark.parametrize(("as_of", "is_told"), [(None, False), (date(2026, 10, 27), False), (date(2026, 10, 28), True)])
def test_a_day_after_the_night_is_told_to_be_a_look_ahead(
    as_of: date | None,
    is_told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Store, "night_of", lambda store, known_on: date(2026, 10, 27))
    say_ahead(Store(settings_in(tmp_path)), as_of, None)
    told = capsys.readouterr()
    assert ("2026-10-28 is after the night of 2026-10-27: a look ahead" in told.err) == is_told
    assert not told.out
