"""The review workbook there and back: answers become decisions, bad ones are refused by sheet and cell, and the rest is taken."""

from __future__ import annotations

import json
from copy import copy
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from openpyxl.workbook import Workbook
from returns_drawn import at, put, worked
from test_returned import through_libreoffice

from config.settings import Settings, load_settings
from outputs.review_workbook import SHEET
from pipelines import tables as t
from pipelines.cli import main
from pipelines.decisions import PAIR
from pipelines.demo import invent
from pipelines.inbox import inbox, take_inbox
from pipelines.review_files import newest_review, review_folder
from pipelines.run import run_night
from pipelines.store import Store
from pipelines.store_links import decisions_shown, draft, keep_decisions

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str]]:
    """A council of one night with six pairs to review, as two records of Synergy were asked about with two of Capita, and one of Liquidlogic with the
    first of each: their keys."""
    folder = tmp_path_factory.mktemp("review")
    settings = load_settings({"EHCP_DATA": str(folder / "var")})
    demo = invent(folder / "extracts", plans=200, nights=1, seed=7, end=date(2026, 11, 2))
    run_night(settings, *demo.nights[0], now=NOW)
    store = Store(settings)
    links = store.links()
    alone = ~links["child_id"].duplicated(keep=False) & (links["source"] == "capita")
    capita, first = links[alone]["source_id"].iloc[:2], links[links["source"] == "synergy"].iloc[:2]
    synergy, others = first["source_id"], ~links["child_id"].isin(first["child_id"])
    care = links[others & (links["source"] == "liquidlogic")]["source_id"].iloc[0]
    rows = [["capita", c, "synergy", s, "unsure", "ask"] for s in synergy for c in capita]
    rows += [
        ["capita", capita.iloc[0], "liquidlogic", care, "unsure", "ask"],
        ["liquidlogic", care, "synergy", synergy.iloc[0], "unsure", "ask"],
    ]
    asked = pd.DataFrame(rows, columns=[*PAIR, "answer", "reason"], dtype="str")
    keep_decisions(store, draft(store, asked, "ada", NOW)[0])
    run_night(settings, *demo.nights[0], now=NOW)
    names = [*(f"{s}{c}" for s in "12" for c in "AB"), "AL", "1L"]
    return settings, dict(zip(names, [f"{row[0]}:{row[1]}|{row[2]}:{row[3]}" for row in rows], strict=True))


@pytest.fixture
def store(council: tuple[Settings, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("EHCP_DATA", str(council[0].data_dir))
    monkeypatch.delenv("EHCP_DATABASE_URL", raising=False)
    return Store(council[0])


def answered(keys: dict[str, str], **answers: str):
    """Work on the workbook: an answer by the name of the pair, as 1A="Same"."""

    def work(book: Workbook) -> None:
        for name, answer in answers.items():
            put(SHEET, keys[name.strip("_")], "Answer", answer)(book)

    return work


def applied(path: Path, *words: str) -> dict[str, tuple[str, str]]:
    """What came of each cell: outcome and why."""
    result = CliRunner().invoke(main, ["links", "apply", str(path), "--format", "json", *words], obj=NOW)
    assert result.exit_code in (0, 11), result.output
    return {f"{row['sheet']}!{row['cell']}": (row["outcome"], row["why"]) for row in json.loads(result.stdout)}


def cell(path: Path, key: str, title: str = "Answer") -> str:
    return f"{SHEET}!{at(openpyxl.load_workbook(path), SHEET, key, title).coordinate}"


def test_the_workbook_shows_both_records_and_offers_the_answers(council, store):
    settings, keys = council
    path = newest_review(store)
    assert path is not None and path.is_relative_to(settings.private_dir)
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    heads = [head.value for head in sheet[1]]
    for title in (
        "Answer",
        "Surname, first",
        "Surname, second",
        "Date of birth, first",
        "What agrees",
        "Weight",
        "How sure",
    ):
        assert title in heads
    assert sorted(at(book, SHEET, key, "Key").value for key in keys.values()) == sorted(keys.values())
    rules = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert len(rules) == 1 and "_lists" in rules[0].formula1
    assert [row[0].value for row in book["_lists"].iter_rows()] == ["Same", "Different", "Unsure"]


def test_bad_answers_are_refused_by_cell_and_the_rest_is_kept_once(council, store, tmp_path):
    settings, keys = council

    def work(book: Workbook) -> None:
        answered(keys, _1A="Same", _1B="Same", _2A="Different", _2B="perhaps")(book)
        sheet, row = book[SHEET], at(book, SHEET, keys["2A"], "Answer").row
        last = sheet.max_row + 1
        for place in range(1, sheet.max_column + 1):
            sheet.cell(last, place).value = copy(sheet.cell(row, place).value)
        sheet.cell(last, at(book, SHEET, keys["2A"], "Answer").column).value = "Same"

    path = worked(newest_review(store), work, to=tmp_path / "mine.xlsx")
    both = "the same cell says"
    before = len(decisions_shown(store))
    tried = applied(path, "--dry-run")
    assert len(decisions_shown(store)) == before
    outcome = applied(path)
    assert outcome == tried
    assert outcome[cell(path, keys["1A"])] == ("apply", "")
    assert (
        outcome[cell(path, keys["1B"])][0] == "refused"
        and "two records in capita" in outcome[cell(path, keys["1B"])][1]
    )
    assert (
        outcome[cell(path, keys["2B"])][0] == "refused"
        and "Same or Different or Unsure" in outcome[cell(path, keys["2B"])][1]
    )
    twice = [value for value in outcome.values() if value[0] == "conflict"]
    assert len(twice) == 2 and all(both in why for _, why in twice)
    kept = decisions_shown(store).tail(1).iloc[0]
    assert len(decisions_shown(store)) == before + 1
    assert (kept["answer"], kept["who"]) == ("same", "Ada") and kept["place"] == f"mine.xlsx, {cell(path, keys['1A'])}"
    # The same file again changes nothing.
    assert applied(path)[cell(path, keys["1A"])] == ("same", "it is so already")
    assert len(decisions_shown(store)) == before + 1
    put_away = list((review_folder(settings) / "applied").glob("*mine*"))
    assert len([file for file in put_away if "receipt" in file.name]) == 2
    assert not inbox(settings).exists() or not list(inbox(settings).rglob("*mine*"))


def test_saved_by_libreoffice_and_put_into_the_inbox(council, store, tmp_path):
    settings, keys = council
    path = worked(newest_review(store), answered(keys, _2B="Different"), who="Grace", to=tmp_path / "grace.xlsx")
    office = through_libreoffice(path, tmp_path / "office")
    inbox(settings).mkdir(exist_ok=True)
    office.replace(inbox(settings) / "grace.xlsx")
    lines = take_inbox(store, NOW)
    assert len(lines) == 1 and "1 applied" in lines[0] and "Grace" in lines[0], lines
    last = decisions_shown(store).iloc[-1]
    assert (last["answer"], last["who"]) == ("different", "Grace")
    assert not list(inbox(settings).rglob("*.xlsx")), "it holds names: it is put away in the private store"


def test_a_reason_alone_and_a_file_without_a_name_are_refused(council, store, tmp_path):
    _, keys = council
    path = worked(newest_review(store), put(SHEET, keys["2A"], "Reason", "because"), to=tmp_path / "alone.xlsx")
    assert applied(path)[cell(path, keys["2A"], "Reason")] == ("refused", "a reason is taken with the answer beside it")
    nameless = worked(newest_review(store), answered(keys, _2A="Different"), who=None, to=tmp_path / "nameless.xlsx")
    result = CliRunner().invoke(main, ["links", "apply", str(nameless)], obj=NOW)
    assert result.exit_code == 11 and "does not say whose work it is" in result.output


def test_a_child_that_no_longer_exists_is_refused(council, store, tmp_path, monkeypatch):
    _, keys = council
    path = worked(newest_review(store), answered(keys, _2A="Different"), to=tmp_path / "late.xlsx")
    gone = keys["2A"].split("|")[0].split(":")[1]
    links = store.links()
    monkeypatch.setattr(Store, "links", lambda self, known_on=None: links[links["source_id"] != gone])
    assert applied(path)[cell(path, keys["2A"])] == ("refused", f"there is no record capita {gone}")


def test_a_loop_and_a_pair_of_the_never_link_list_are_refused_by_cell_and_the_rest_is_kept(council, store, tmp_path):
    """Two pairs make one child of three records, the third pair is told apart: whichever comes last in the file is the one that is refused."""
    _, keys = council
    before = decisions_shown(store)
    assert (before["answer"] == "same").sum() == 1, "1A, by the test above"
    capita, synergy = (part.split(":")[1] for part in keys["1B"].split("|"))
    twins = [date(2026, 11, 2), 1, "capita", capita, "synergy", synergy, "twins by name and date of birth", ""]
    names = ["known_from", "row_hash", *PAIR, "why", "basis"]
    with store.writing() as connection:
        connection.execute(sa.insert(t.history_tables["never_links"]), dict(zip(names, twins, strict=True)))
    work = answered(keys, _1B="Same", _AL="Same", _1L="Different", _2A="Different")
    path = worked(newest_review(store), work, to=tmp_path / "loop.xlsx")
    outcome = applied(path)
    what, why = outcome[cell(path, keys["1B"])]
    assert what == "refused" and "on the never-link list (twins by name and date of birth)" in why
    loop = [outcome[cell(path, keys[name])] for name in ("AL", "1L")]
    assert sorted(what for what, _ in loop) == ["apply", "refused"]
    assert "a loop" in next(why for what, why in loop if what == "refused")
    assert outcome[cell(path, keys["2A"])] == ("apply", "")
    assert len(decisions_shown(store)) == len(before) + 2
