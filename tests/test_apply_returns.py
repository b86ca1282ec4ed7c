"""Workbooks that come back, applied to a store on both databases: once, by cell, by person, in words, and taken back whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from returned_nights import filled, found, ids, letter, night, told
from returns_drawn import at, worked
from store_drawn import FIRST, FOURTH, SECOND, THIRD

from config.errors import ConfigurationError
from pipelines import store_people as people
from pipelines.cli import main
from pipelines.inbox import hand_in_files, take_inbox
from pipelines.store import Store
from pipelines.store_returns import hand_in, take_back_file

TO, NOTE = letter("Assigned to"), letter("Note")
GIVEN = datetime(2026, 10, 28, 9, 0, tzinfo=UTC)


def outcomes(files) -> list[tuple[str, str, str]]:
    """Of each cell: the file, the field and what came of it."""
    return [(f.path.stem, row.field, row.outcome) for f in files for row in f.edits.itertuples()]


@pytest.fixture
def first(store: Store, tmp_path: Path) -> Path:
    """The workbook of a first night of three exceptions."""
    return night(store, FIRST, found(1, 2, 3), tmp_path)


def test_an_unedited_file_changes_nothing(store, first):
    [file] = hand_in(store, [first], GIVEN)
    assert file.refusal is None and file.edits.empty and file.summary == "exceptions.xlsx: nothing changed"
    assert told(store) == []


def test_every_edit_is_an_event_with_file_sheet_and_cell_and_the_next_night_knows(store, first, tmp_path):
    cells = {
        "c1_to": "Grace",
        "c2_note": "rang the school",
        "c3_fixed": "yes",
        "c2_until": "2026-12-01",
        "c2_reason": "known",
    }
    path = filled(store, first, "ada.xlsx", "Ada", **cells)
    [file] = hand_in(store, [path], GIVEN)
    assert file.counts == {"apply": 5, "conflict": 0, "refused": 0, "same": 0}
    assert sorted(told(store)) == [
        ("c1", "assigned", "Grace", "Ada"),
        ("c2", "accepted", "2026-12-01", "Ada"),
        ("c2", "noted", "rang the school", "Ada"),
        ("c3", "claimed fixed", "", "Ada"),
    ]
    trail = people.trail(store)
    assert trail.loc[trail["event"] == "assigned", "place"].tolist() == [f"ada.xlsx, All exceptions!{TO}2"]
    assert trail.loc[trail["event"] == "accepted", "reason"].tolist() == ["known"]
    second = openpyxl.load_workbook(night(store, SECOND, found(1, 2, 3), tmp_path))
    known, sheet = ids(store), "All exceptions"
    assert at(second, sheet, known["c1"], "Assigned to").value == "Grace"
    assert at(second, sheet, known["c2"], "Note").value == "rang the school"
    assert at(second, sheet, known["c2"], "Accept until").value == datetime(2026, 12, 1)
    assert at(second, sheet, known["c2"], "Status").value == "Accepted"
    assert at(second, sheet, known["c3"], "Fixed in source").value == "Yes"
    assert at(second, sheet, known["c3"], "So far").value == "Ada said on the night of 25/10/2026 that it is fixed"


def test_a_second_application_changes_nothing(store, first):
    path = filled(
        store, first, "ada.xlsx", "Ada", c1_until="2026-12-01", c1_reason="known", c2_note="x", c3_fixed="Yes"
    )
    hand_in(store, [path], GIVEN)
    before = told(store)
    [again] = hand_in(store, [path], GIVEN)
    assert told(store) == before and again.counts["same"] == 4
    [renamed] = hand_in(store, [path.rename(path.with_name("copy.xlsx"))], GIVEN)
    assert told(store) == before and renamed.counts["same"] == 4


def test_a_dry_run_says_all_and_changes_nothing(store, first):
    path = filled(store, first, "ada.xlsx", "Ada", c1_note="x", c2_until="soon")
    [file] = hand_in(store, [path], GIVEN, dry_run=True)
    assert (file.counts["apply"], file.counts["refused"]) == (1, 1) and told(store) == []
    assert hand_in(store, [path], GIVEN)[0].counts["apply"] == 1


def test_two_people_on_different_cells_both_hold_and_on_the_same_cell_neither(store, first):
    ada = filled(store, first, "ada.xlsx", "Ada", c1_to="Ada", c2_note="hers", c3_fixed="Yes")
    grace = filled(store, first, "grace.xlsx", "Grace", c1_to="Grace", c2_fixed="Yes", c3_fixed="Yes")
    files = hand_in(store, [ada, grace], GIVEN)
    assert sorted(told(store)) == [
        ("c2", "claimed fixed", "", "Grace"),
        ("c2", "noted", "hers", "Ada"),
        ("c3", "claimed fixed", "", "Ada"),
    ]
    for file in files:
        [why] = file.edits.loc[file.edits["outcome"] == "conflict", "why"]
        assert (
            f"‘Ada’ (ada.xlsx, All exceptions!{TO}2, Ada) and ‘Grace’ (grace.xlsx, All exceptions!{TO}2, Grace)" in why
        )


def test_late_after_newer_nights_the_earlier_stands_and_both_are_named(store, first, tmp_path):
    ada = filled(store, first, "ada.xlsx", "Ada", c1_to="Ada")
    grace = filled(store, first, "grace.xlsx", "Grace", c1_to="Grace", c2_to="Grace")
    hand_in(store, [ada], GIVEN)
    night(store, SECOND, found(1, 2, 3), tmp_path)
    night(store, THIRD, found(1, 2, 3), tmp_path)
    [late] = hand_in(store, [grace], GIVEN)
    assert outcomes([late]) == [("grace", "assigned_to", "conflict"), ("grace", "assigned_to", "apply")]
    assert f"Ada in ada.xlsx, All exceptions!{TO}2 put ‘Ada’; this file says ‘Grace’" in late.edits["why"].iloc[0]
    assert told(store) == [("c1", "assigned", "Ada", "Ada"), ("c2", "assigned", "Grace", "Grace")]


def test_an_acceptance_of_a_critical_one_takes_two_people_by_workbook_too(store, first, tmp_path):
    cells = {"c1_until": "2026-12-01", "c1_reason": "known"}
    ada = filled(store, first, "ada.xlsx", "Ada", **cells)
    [file] = hand_in(store, [ada], GIVEN)
    whys = file.edits.set_index("field")["why"]
    assert whys["accept_until"].startswith("proposed, not accepted yet") and whys["accept_reason"] == ""
    second = night(store, SECOND, found(1, 2, 3), tmp_path)
    shown = openpyxl.load_workbook(second)
    one = ids(store)["c1"]
    assert at(shown, "All exceptions", one, "Accept until").value is None
    assert "Ada proposes to accept it until 01/12/2026" in at(shown, "All exceptions", one, "So far").value
    assert hand_in(store, [filled(store, second, "again.xlsx", "ADA", **cells)], GIVEN)[0].counts["same"] >= 1
    [agreed] = hand_in(
        store, [filled(store, second, "grace.xlsx", "Grace", c1_until="01/12/2026", c1_reason="I agree")], GIVEN
    )
    assert "as Ada proposed" in agreed.edits.set_index("field")["why"]["accept_until"]
    assert told(store) == [
        ("c1", "acceptance proposed", "2026-12-01", "Ada"),
        ("c1", "accepted", "2026-12-01", "Grace"),
    ]
    night(store, THIRD, found(1, 2, 3), tmp_path)
    assert store.exceptions().set_index("child_id")["status"].to_dict() == {
        "c1": "accepted",
        "c2": "open",
        "c3": "open",
    }


def test_two_people_in_one_sitting_propose_and_confirm(store, first, tmp_path):
    ada = filled(store, first, "ada.xlsx", "Ada", c1_until="2026-12-01", c1_reason="known")
    grace = filled(store, first, "grace.xlsx", "Grace", c1_until="2026-12-01", c1_reason="I agree")
    hand_in(store, [ada, grace], GIVEN)
    assert [row[1] for row in told(store)] == ["acceptance proposed", "accepted"]
    before = told(store)
    files = hand_in(store, [ada, grace], GIVEN)
    assert told(store) == before and not [row for row in outcomes(files) if row[2] == "apply"]


def test_another_date_than_proposed_is_a_conflict_that_names_both(store, first):
    hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c1_until="2026-12-01", c1_reason="known")], GIVEN)
    [file] = hand_in(store, [filled(store, first, "g.xlsx", "Grace", c1_until="2026-12-24", c1_reason="x")], GIVEN)
    assert {row[2] for row in outcomes([file])} == {"conflict"}
    assert "‘2026-12-01’" in file.edits["why"].iloc[0] and "‘2026-12-24’" in file.edits["why"].iloc[0]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"c2_until": "2026-12-01"}, "a date needs a reason beside it"),
        ({"c2_reason": "known"}, "a reason is taken with a date"),
        ({"c2_until": "2026-10-25", "c2_reason": "known"}, "would have lapsed already"),
        ({"c2_until": "2026-10-24", "c2_reason": "known"}, "would have lapsed already"),
        ({"c2_note": "x" * 32_700}, "at most 32,000 are kept"),
        ({"c2_to": "x" * 201}, "at most 200 are kept"),
    ],
)
def test_what_no_act_can_come_of_is_refused_by_cell(store, first, cells, why):
    [file] = hand_in(store, [filled(store, first, "ada.xlsx", "Ada", **cells, c3_note="kept")], GIVEN)
    assert told(store) == [("c3", "noted", "kept", "Ada")]
    refused = file.edits[file.edits["outcome"] == "refused"]
    assert len(refused) == len(cells) and refused["why"].str.contains(why).any()


def test_the_day_after_the_night_is_the_first_an_acceptance_can_have(store, first):
    hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c2_until="2026-10-26", c2_reason="known")], GIVEN)
    assert told(store) == [("c2", "accepted", "2026-10-26", "Ada")]


def test_an_acceptance_of_what_says_something_else_by_now_is_refused(store, first, tmp_path):
    path = filled(store, first, "ada.xlsx", "Ada", c2_until="2026-12-01", c2_reason="known")
    night(store, SECOND, found(1, 2, 3, detail="due 2026-10-09"), tmp_path)
    [file] = hand_in(store, [path], GIVEN)
    assert "what it says has changed" in " ".join(file.edits["why"]) and told(store) == []


def test_on_a_resolved_one_a_note_is_taken_a_claim_is_so_already_and_no_acceptance(store, first, tmp_path):
    path = filled(store, first, "a.xlsx", "Ada", c2_note="x", c2_fixed="Yes", c2_until="2026-12-01", c2_reason="known")
    night(store, SECOND, found(1, 3), tmp_path)
    [file] = hand_in(store, [path], GIVEN)
    by_field = file.edits.set_index("field")["outcome"].to_dict()
    assert by_field == {"note": "apply", "fixed": "same", "accept_until": "refused", "accept_reason": "refused"}


def test_a_cleared_cell_takes_back_one_s_own_and_nobody_else_s(store, first, tmp_path):
    hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c1_to="Ada", c2_to="Ada", c3_to="Ada")], GIVEN)
    second = night(store, SECOND, found(1, 2, 3), tmp_path)
    [grace] = hand_in(store, [filled(store, second, "grace.xlsx", "Grace", c1_to=None, c2_to="Grace")], GIVEN)
    assert outcomes([grace]) == [("grace", "assigned_to", "refused"), ("grace", "assigned_to", "apply")]
    assert "only Ada can take it back" in grace.edits["why"].iloc[0]
    hand_in(store, [filled(store, second, "ada2.xlsx", "Ada", c3_to=None)], GIVEN)
    assert told(store)[-1][:2] == ("c3", "undone")
    shown = openpyxl.load_workbook(night(store, THIRD, found(1, 2, 3), tmp_path))
    owners = {child: at(shown, "All exceptions", one, "Assigned to").value for child, one in ids(store).items()}
    assert owners == {"c1": "Ada", "c2": "Grace", "c3": None}


def test_a_whole_file_is_taken_back_and_can_be_applied_again(store, first, tmp_path):
    path = filled(store, first, "ada.xlsx", "Ada", c1_to="Ada", c2_until="2026-12-01", c2_reason="known", c3_note="x")
    hand_in(store, [path], GIVEN)
    assert take_back_file(store, "ada.xlsx", "Grace", GIVEN) == 3
    night(store, SECOND, found(1, 2, 3), tmp_path)
    assert set(store.exceptions()["status"]) == {"open"}
    with pytest.raises(ConfigurationError, match=r"Nothing that came from a file ada.xlsx stands"):
        take_back_file(store, "ada.xlsx", "Grace", GIVEN)
    assert hand_in(store, [path], GIVEN)[0].counts["apply"] == 4
    night(store, THIRD, found(1, 2, 3), tmp_path)
    assert store.exceptions().set_index("child_id")["status"]["c2"] == "accepted"


def test_taking_back_a_file_that_cleared_a_cell_brings_back_what_stood_there(store, first, tmp_path):
    hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c1_to="Team")], GIVEN)
    second = night(store, SECOND, found(1, 2, 3), tmp_path)
    hand_in(store, [filled(store, second, "clear.xlsx", "Ada", c1_to=None)], GIVEN)
    take_back_file(store, "clear.xlsx", "Ada", GIVEN)
    shown = openpyxl.load_workbook(night(store, THIRD, found(1, 2, 3), tmp_path))
    assert at(shown, "All exceptions", ids(store)["c1"], "Assigned to").value == "Team"


def test_what_is_new_and_what_came_back_is_marked(store, first, tmp_path):
    night(store, SECOND, found(1, 3), tmp_path)
    books = {"first": first, "third": night(store, THIRD, found(1, 2, 3), tmp_path)}
    for when, marks in (("first", ["New"] * 3), ("third", [None, "Back", None])):
        book, known = openpyxl.load_workbook(books[when]), ids(store)
        assert [at(book, "All exceptions", known[child], "New").value for child in ("c1", "c2", "c3")] == marks


def test_nobody_s_work_is_refused_and_who_can_be_given(store, first):
    path = filled(store, first, "x.xlsx", None, c1_note="x")
    [file] = hand_in(store, [path], GIVEN)
    assert "does not say whose work it is" in file.refusal.what and told(store) == []
    hand_in(store, [path], GIVEN, who="Ada")
    assert told(store) == [("c1", "noted", "x", "Ada")]


def test_what_is_written_about_a_restricted_child_is_withheld_and_taken(store, tmp_path):
    first = night(store, FIRST, found(1, 2, 3), tmp_path, restricted=("c2",))
    [file] = hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c2_note="lives at 1 High Street")], GIVEN)
    assert file.edits[["new", "outcome"]].to_numpy().tolist() == [["restricted", "apply"]]
    second = night(store, SECOND, found(1, 2, 3), tmp_path, restricted=("c2",))
    for path in (second, second.parent / "by_owner" / "SEN casework.xlsx"):
        book = openpyxl.load_workbook(path)
        assert not [v for sheet in book for row in sheet.values for v in row if "High Street" in str(v)]
    assert hand_in(store, [second], GIVEN)[0].edits.empty
    [again] = hand_in(store, [filled(store, second, "b.xlsx", "Ada", c2_note="asked the team")], GIVEN)
    assert again.counts["apply"] == 1


def test_the_owner_s_workbook_comes_back_like_the_other_s(store, first):
    own = first.parent / "by_owner" / "Data team.xlsx"
    assert sorted(path.name for path in own.parent.glob("*")) == ["Data team.xlsx", "SEN casework.xlsx"]
    one = ids(store)["c3"]
    worked(own, lambda book: setattr(at(book, "Data team", one, "Note"), "value", "seen"), who="Ada")
    hand_in(store, [own], GIVEN)
    assert told(store) == [("c3", "noted", "seen", "Ada")]


def test_the_inbox_applies_refuses_leaves_and_answers(store, first):
    folder = store.settings.data_dir / "inbox"
    (folder / "synergy").mkdir(parents=True)
    good = filled(store, first, "ada.xlsx", "Ada", c1_note="x").rename(folder / "ada.xlsx")
    (folder / "odd.xlsx").write_bytes(b"no workbook")
    (folder / "open.xlsx").write_bytes(good.read_bytes())
    (folder / "~$open.xlsx").write_bytes(b"lock")
    (folder / "notes.txt").write_text("mine")
    coming = take_inbox(store, datetime.now(UTC))
    assert any("odd.xlsx may still be on its way" in line for line in coming)
    assert any("open.xlsx is open in a spreadsheet" in line for line in coming)
    assert any("ada.xlsx (Ada): 1 applied" in line for line in coming)
    assert "inbox: notes.txt is no workbook (.xlsx); it is left there" in coming and len(coming) == 4
    take_inbox(store, datetime.now(UTC) + timedelta(hours=1))
    left = sorted(path.name for path in folder.glob("*") if path.is_file())
    assert left == ["notes.txt", "open.xlsx", "~$open.xlsx"]
    applied, refused = (sorted(p.name[16:] for p in (folder / name).glob("*")) for name in ("applied", "refused"))
    assert applied == ["ada receipt.xlsx", "ada.xlsx"] and refused == ["odd receipt.xlsx", "odd.xlsx"]
    [receipt] = (folder / "applied").glob("*receipt.xlsx")
    rows = list(openpyxl.load_workbook(receipt)["Cells"].values)
    assert rows[1][:4] == ("Applied", "All exceptions", f"{NOTE}2", "Ada")
    [receipt] = (folder / "refused").glob("*receipt.xlsx")
    words = " ".join(str(v) for row in openpyxl.load_workbook(receipt)["Read me first"].values for v in row)
    assert "not a whole Excel workbook" in words and "Copy it again" in words


def test_a_file_from_elsewhere_stays_there_and_a_copy_is_put_away(store, first):
    path = filled(store, first, "ada.xlsx", "Ada", c1_note="x")
    hand_in_files(store, [path], GIVEN)
    hand_in_files(store, [path], GIVEN)
    names = sorted(p.name for p in (store.settings.data_dir / "inbox" / "applied").glob("*"))
    stem = "2026-10-28 0900 ada"
    assert path.exists() and names == [
        f"{stem} (2) receipt.xlsx",
        f"{stem} (2).xlsx",
        f"{stem} receipt.xlsx",
        f"{stem}.xlsx",
    ]


def test_the_command_says_what_came_of_each_cell_and_takes_a_file_back(tmp_path, monkeypatch):
    from config.settings import load_settings

    monkeypatch.setenv("EHCP_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("EHCP_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    store = Store(load_settings({"EHCP_DATA": str(tmp_path / "data")}))
    path = filled(store, night(store, FIRST, found(1, 2, 3), tmp_path), "ada.xlsx", "Ada", c1_note="x", c2_until="soon")

    def ehcp(*words: str):
        return CliRunner().invoke(main, ["exceptions", *words], obj=GIVEN)

    dry = ehcp("apply", "--dry-run", str(path))
    assert dry.exit_code == 0 and "Would come of it: ada.xlsx (Ada): 1 applied, 1 refused" in dry.output
    done = ehcp("apply", str(path))
    assert "1 applied, 1 refused; receipt:" in done.output and "it is no date" in done.output
    assert ehcp("undo", "--file", "ada.xlsx", "--who", "Ada").output == "Taken back of ada.xlsx: 1 acts.\n"
    assert ehcp("apply", str(tmp_path / "none.xlsx")).exit_code == 11
    assert ehcp("undo").exit_code == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_night_run_again_keeps_what_workbooks_did(store, first, tmp_path, again):
    hand_in(store, [filled(store, first, "ada.xlsx", "Ada", c2_until="2026-10-28", c2_reason="known")], GIVEN)
    for day in (SECOND, SECOND, THIRD, FOURTH) if again else (SECOND, THIRD, FOURTH):
        night(store, day, found(1, 2, 3), tmp_path)
        assert store.exceptions().set_index("child_id")["status"]["c2"] == ("open" if day == FOURTH else "accepted")
