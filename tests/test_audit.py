"""The audit: drawn, filled in by somebody, handed back, counted, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from config.errors import ConfigurationError, ReturnRefusedError
from pipelines import tables as t
from pipelines.audit import (
    ACCURATE,
    FIELDS,
    NOT_APPLICABLE,
    NOT_ON_FILE,
    WRONG,
    audited_children,
    by_field,
    over_time,
    standing,
)
from pipelines.auditing import apply_audit, audit_results, draw_audit, undo_audit
from pipelines.cli import main
from pipelines.demonstrate import END
from pipelines.store import Store
from pipelines.store_audit import read_samples

NOW = datetime(2026, 10, 28, 9, tzinfo=UTC)


def results(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Results in the order they were given: child, field, what was found, day."""
    return pd.DataFrame(
        [
            {"id": n, "sample_id": "s", "child_id": child, "field": field, "system": "synergy", "entry": "result", "value": value, "who": "A", "at": pd.Timestamp(on, tz="UTC"), "file": "f"}
            for n, (child, field, value, on) in enumerate(rows)
        ]
    )  # fmt: skip


SAMPLED = pd.DataFrame(
    [("s", child, field) for child in "xyz" for field in ("plan", "need")], columns=["sample_id", "child_id", "field"]
)


@pytest.mark.parametrize(
    ("given", "audited", "accurate"),
    [
        ([("x", "plan", ACCURATE, "2026-10-01"), ("x", "need", ACCURATE, "2026-10-02")], {"x"}, {"x"}),
        ([("x", "plan", ACCURATE, "2026-10-01")], set(), set()),  # one field is still to be looked at
        ([("x", "plan", ACCURATE, "2026-10-01"), ("x", "need", NOT_APPLICABLE, "2026-10-02")], {"x"}, {"x"}),
        ([("x", "plan", WRONG, "2026-10-01"), ("x", "need", ACCURATE, "2026-10-02")], {"x"}, set()),
        ([("x", "plan", NOT_ON_FILE, "2026-10-01"), ("x", "need", ACCURATE, "2026-10-02")], {"x"}, set()),
        # The newest result stands; one that was taken back (blank) leaves the field open.
        ([("x", "plan", WRONG, "2026-10-01"), ("x", "need", ACCURATE, "2026-10-02"), ("x", "plan", ACCURATE, "2026-10-03")], {"x"}, {"x"}),
        ([("x", "plan", WRONG, "2026-10-01"), ("x", "need", ACCURATE, "2026-10-02"), ("x", "plan", "", "2026-10-03")], set(), set()),
    ],
)  # fmt: skip
def test_a_child_is_audited_when_every_field_is(given: list, audited: set[str], accurate: set[str]) -> None:
    found = audited_children(SAMPLED, standing(results(*given)))
    assert set(found["child_id"]) == audited
    assert set(found.loc[found["is_accurate"], "child_id"]) == accurate
    said = {"Plan: date issued (wrong)", "Plan: date issued (not on file)"}
    assert all(
        (text == "") if right else text in said
        for right, text in zip(found["is_accurate"], found["found"], strict=True)
    )


def test_what_is_wrong_most_comes_first_and_months_add_up() -> None:
    given = [(child, "plan", ACCURATE, "2026-09-15") for child in "xyz"]
    given += [
        ("x", "need", ACCURATE, "2026-09-20"),
        ("y", "need", WRONG, "2026-10-02"),
        ("z", "need", NOT_APPLICABLE, "2026-10-02"),
    ]
    told = standing(results(*given))
    table = by_field(told)
    assert table["field"].tolist() == ["Primary need", "Plan: date issued"]
    assert table[["looked_at", "accurate", "wrong", "percent_accurate"]].to_numpy().tolist() == [
        [2, 1, 1, 50.0],
        [3, 3, 0, 100.0],
    ]
    months = over_time(SAMPLED, results(*given), lambda end: {"x", "y", "other", "more"})
    assert months[["month", "children", "accurate", "audited_in_a_year", "percent_audited"]].to_numpy().tolist() == [
        ["2026-09", 1, 1, 1, 25.0],
        ["2026-10", 1, 0, 2, 50.0],  # z is no active plan any more
    ]


def test_a_month_says_the_same_after_a_child_is_audited_again_and_lets_go_after_a_year() -> None:
    """By what was known at each month's end, and by the plans active then."""
    given = [("x", "plan", ACCURATE, "2026-09-15"), ("x", "need", WRONG, "2026-09-15")]
    first = over_time(SAMPLED, results(*given), lambda end: {"x", "y"})
    again = [
        ("x", "need", ACCURATE, "2026-11-02"),
        ("y", "plan", ACCURATE, "2027-10-05"),
        ("y", "need", ACCURATE, "2027-10-05"),
    ]
    months = over_time(
        SAMPLED, results(*given, *again), lambda end: {"x", "y"} if end.year == 2026 else {"x", "y", "z"}
    )
    assert months.head(1).to_numpy().tolist() == first.to_numpy().tolist()
    told = months[["month", "children", "accurate", "audited_in_a_year", "percent_audited"]].to_numpy().tolist()
    assert told == [["2026-09", 1, 0, 1, 50.0], ["2026-11", 1, 1, 1, 50.0], ["2027-10", 1, 1, 2, 66.7]]
    later = over_time(
        SAMPLED,
        results(*given, ("y", "plan", ACCURATE, "2027-10-05"), ("y", "need", ACCURATE, "2027-10-05")),
        lambda end: {"x", "y"},
    )
    assert later["audited_in_a_year"].tolist() == [1, 1]  # x was audited more than a year before


@pytest.fixture(autouse=True)
def no_audits(request: pytest.FixtureRequest) -> None:
    """The audit's tables emptied before each test that asks for the council."""
    if "council" in request.fixturenames:
        with request.getfixturevalue("council").writing() as connection:
            for table in (t.audit_results, t.audit_items, t.audit_samples):
                connection.execute(table.delete())


def fill_in(path: Path, who: str, answers: dict[tuple[int, str], str], result: str = ACCURATE) -> Path:
    """What a person does: a name, a result on every row, and `answers` by row and heading."""
    book = load_workbook(path)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if cell.value == "Your name":
                book.worksheets[0].cell(cell.row, cell.column + 1, who)
    sheet = book["Audit"]
    heads = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, heads["Result"], result)
    for (row, head), value in answers.items():
        sheet.cell(row, heads[head], value)
    filled = path.with_name(f"filled {who} {path.name}")
    book.save(filled)
    return filled


def test_a_sample_goes_out_comes_back_and_counts(council: Store, tmp_path: Path) -> None:
    sample_id, how = draw_audit(council, tmp_path / "audit.xlsx", 4, 11, "need", None, "A", NOW)
    assert "seed 11" in how and read_samples(council)["sample_id"].tolist() == [sample_id]
    again, _ = draw_audit(council, tmp_path / "again.xlsx", 4, 11, "need", None, "A", NOW)
    assert again == sample_id and len(read_samples(council)) == 1
    filled = fill_in(
        tmp_path / "audit.xlsx", "B. Auditor", {(2, "Result"): WRONG, (2, "Note"): "another date in the plan"}
    )
    applied = apply_audit(council, filled, None, NOW)
    assert (applied.who, applied.taken, len(applied.left)) == ("B. Auditor", 4 * len(FIELDS) + 1, 0)
    assert audit_results(council, NOW.date() - timedelta(days=1))["children"].empty
    found = audit_results(council, NOW.date())
    assert len(found["children"]) == 4 and int(found["children"]["is_accurate"].sum()) == 3
    assert found["by_field"].iloc[0]["wrong"] == 1
    assert found["results"]["note"].dropna().tolist() == ["another date in the plan"]
    same = apply_audit(council, filled, None, NOW)
    assert same.taken == 0 and same.same == 4 * len(FIELDS) + 1
    assert undo_audit(council, filled.name, "B. Auditor", NOW) == 4 * len(FIELDS) + 1
    assert audit_results(council)["children"].empty
    with pytest.raises(ConfigurationError, match="No result of"):
        undo_audit(council, filled.name, "B. Auditor", NOW)


def test_two_people_who_disagree_are_both_named_and_the_first_stands(council: Store, tmp_path: Path) -> None:
    draw_audit(council, tmp_path / "audit.xlsx", 2, 5, None, None, "A", NOW)
    apply_audit(council, fill_in(tmp_path / "audit.xlsx", "First", {}), None, NOW)
    second = apply_audit(council, fill_in(tmp_path / "audit.xlsx", "Second", {(3, "Result"): WRONG}), None, NOW)
    assert second.taken == 0 and len(second.left) == 1
    assert "First" in second.left["why"].item() and WRONG in second.left["why"].item()


def test_what_is_no_result_is_refused_cell_by_cell(council: Store, tmp_path: Path) -> None:
    draw_audit(council, tmp_path / "audit.xlsx", 2, 5, None, None, "A", NOW)
    applied = apply_audit(council, fill_in(tmp_path / "audit.xlsx", "A", {(2, "Result"): "perhaps"}), None, NOW)
    assert applied.left["why"].str.contains("it can only say Accurate").item() and applied.taken == 2 * len(FIELDS) - 1


def test_another_workbook_is_refused(council: Store) -> None:
    other = council.settings.outputs_dir / "latest" / "exceptions.xlsx"
    with pytest.raises(ReturnRefusedError):
        apply_audit(council, other, "A", NOW)


def test_a_restricted_child_s_places_are_not_in_the_workbook(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_audit(council, tmp_path / "audit.xlsx", 3, 5, None, None, "A", NOW)
    rows = [list(row) for row in load_workbook(tmp_path / "audit.xlsx")["Audit"].iter_rows(values_only=True)]
    place = {head: n for n, head in enumerate(rows[0])}
    child = rows[1][place["Child"]]
    setting = next(
        row[place["As recorded"]]
        for row in rows
        if row[place["Child"]] == child and row[place["What is looked at"]] == "Setting attended"
    )
    monkeypatch.setattr(Store, "restricted", lambda store: {child})
    draw_audit(council, tmp_path / "secret.xlsx", 3, 5, None, None, "A", NOW)
    told = [
        cell
        for row in load_workbook(tmp_path / "secret.xlsx")["Audit"].iter_rows(values_only=True)
        if row[place["Child"]] == child
        for cell in row
    ]
    assert setting not in told and "restricted" in told


def test_the_figure_counts_audited_plans_and_accurate_ones(council: Store, tmp_path: Path) -> None:
    draw_audit(council, tmp_path / "audit.xlsx", 4, 11, None, None, "A", NOW - timedelta(days=2))
    filled = fill_in(tmp_path / "audit.xlsx", "A", {(2, "Result"): WRONG})
    apply_audit(council, filled, None, NOW - timedelta(days=2))
    from pipelines.run import run_night

    extracts = council.settings.data_dir / "demo" / f"night-{END}"
    result = run_night(council.settings, END, extracts=extracts, now=NOW)
    found = council.kpis().set_index(["code", "line"])
    active = int((council.register()["active_plan"] == "Y").sum())
    assert tuple(found.loc[("K10", "audited"), ["numerator", "denominator"]]) == (4, active)
    assert tuple(found.loc[("K10", "accurate"), ["numerator", "denominator"]]) == (3, 4)
    page = (result.outputs / "report.html").read_text(encoding="utf-8")
    listed = page[page.index('<div id="audited">') : page.index('id="sources"')]
    assert "Plans audited: 4 children" in listed
    assert listed.count("Audited: found accurate") == 3 and "Plan: date issued (wrong)" in listed


def test_the_commands(council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.commands.audit.open_store", lambda: council)
    path = tmp_path / "audit.xlsx"
    drawn = CliRunner().invoke(main, ["audit", "sample", str(path), "--size", "2", "--seed", "1"])
    assert drawn.exit_code == 0 and "written to" in drawn.output, drawn.output
    applied = CliRunner().invoke(main, ["audit", "apply", str(fill_in(path, "A", {}))])
    assert applied.exit_code == 0 and "not taken" in applied.output, applied.output
    for words in (["--over-time"], ["--list"], ["--samples"], []):
        told = CliRunner().invoke(main, ["audit", "results", *words, "--format", "csv"])
        assert told.exit_code == 0 and len(told.output.splitlines()) > 1, told.output
