"""How the command prints a list: UTF-8 for programs on every system, and a word where the day asked lies ahead."""

from __future__ import annotations

import io
import json
import sys
from datetime import date
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner
from store_drawn import settings_in

from pipelines.cli import main
from pipelines.commands.common import print_frame, say_clocks
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
    say_clocks(Store(settings_in(tmp_path)), as_of, None)
    told = capsys.readouterr()
    assert ("2026-10-28 is after the night of 2026-10-27: a look ahead" in told.err) == is_told
    assert not told.out


@pytest.mark.parametrize(
    ("known_on", "is_told"), [(None, False), (date(2026, 10, 27), False), (date(2026, 10, 29), True)]
)
def test_which_night_answers_is_told_where_none_was_run_on_the_day(
    known_on: date | None,
    is_told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Store, "night_of", lambda store, known_on: date(2026, 10, 27))
    say_clocks(Store(settings_in(tmp_path)), None, known_on)
    told = capsys.readouterr().err
    assert ("No night was run on 2026-10-29: by what the night of 2026-10-27" in told) == is_told


def _lists(command: click.Command, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command below that takes --known-on, as its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        below = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        return [each for name, found in below if found for each in _lists(found, (*words, name))]
    if words[:1] == ("signoff",):
        return []  # what was signed is asked by its month
    return [words] if "--known-on" in {name for option in command.params for name in option.opts} else []


@pytest.mark.parametrize("words", _lists(main), ids=" ".join)
def test_a_list_of_a_night_answers_as_at_a_day_or_says_why_it_cannot(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHCP_DATA", str(tmp_path))
    given = {
        "child": ["C1"],
        "inspectors sample": ["--size", "1", "--seed", "1"],
        "audit sample": [str(tmp_path / "a.xlsx"), "--size", "1", "--seed", "1"],
    }
    told = CliRunner().invoke(main, [*words, *given.get(" ".join(words), []), "--as-of", "2026-03-31"])
    assert told.exit_code == 14
    assert ("No night has been run" in told.output) or ("Ask for a night with --known-on" in told.output)
