"""Whom to tell of what, by its boundary days, and the workbooks that teams are handed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest

from outputs.about import About
from outputs.notifications_workbook import LISTS, write_notifications
from pipelines.answers_notified import notifications_as_of
from pipelines.demonstrate import demo_store
from pipelines.notifications import ADVICE, CASEWORK, EVERYBODY, NEWCOMERS, PHASES, REVIEWS, notifications

DAY = pd.Timestamp("2026-10-27")
LIMITS = SimpleNamespace(review_soon_days=90, phase_risk_days=90, advice_days=42)


def told(register=None, requests=None, reviews=None, team: str | None = None) -> pd.DataFrame:
    """The lines for one invented child, `C1`, with the facts given."""
    facts = {
        "child_id": "C1", "has_active_plan": True, "next_review_due_on": None, "last_completed_review_on": None, "transferred_on": None,
        "setting_name": "Alder School", "synergy_id": "900001", "is_restricted": False,
    }  # fmt: skip
    frame = pd.DataFrame([facts | (register or {})])
    for column in ("next_review_due_on", "last_completed_review_on", "transferred_on"):
        frame[column] = pd.to_datetime(frame[column])
    children = pd.DataFrame({"team": [team], "caseworker": ["Team worker"]}, index=pd.Index(["C1"], name="child_id"))
    asked = pd.DataFrame([{"child_id": "C1", "is_in_assessment": True} | requests]) if requests else None
    held = pd.DataFrame([{"child_id": "C1", "has_active_plan": True} | reviews]) if reviews else None
    for table in (asked, held):
        if table is not None:
            for column in [name for name in table if name.endswith("_on")]:
                table[column] = pd.to_datetime(table[column])
    return notifications({"register": frame, "requests": asked, "reviews": held}, children, DAY, LIMITS)


@pytest.mark.parametrize(
    ("due", "is_told"),
    [("2026-10-26", False), ("2026-10-27", True), ("2027-01-25", True), ("2027-01-26", False), (None, False)],
)
def test_a_review_is_told_of_from_the_day_to_ninety_days_after(due: str | None, is_told: bool) -> None:
    assert (told({"next_review_due_on": due})["list"] == REVIEWS).any() == is_told


@pytest.mark.parametrize(
    ("decided", "due", "said"),
    [
        ("2026-09-14", "2026-10-26", "should be in: check what is missing"),
        ("2026-09-15", "2026-10-27", "falls due"),
        ("2026-10-27", "2026-12-08", "falls due"),
    ],
)
def test_advice_is_due_six_weeks_after_the_decision_to_assess(decided: str, due: str, said: str) -> None:
    [line] = told(requests={"decided_on": decided}).to_dict("records")
    assert (line["list"], line["due_on"], line["detail"]) == (ADVICE, pd.Timestamp(due), said)


@pytest.mark.parametrize(
    "request_",
    [
        {"decided_on": None},
        {"decided_on": "2026-10-28"},
        {"decided_on": "2026-09-15", "is_in_assessment": False},
    ],
)
def test_no_advice_before_a_decision_nor_after_the_assessment(request_: dict) -> None:
    assert told(requests=request_).empty


@pytest.mark.parametrize(
    ("due", "final", "said"),
    [
        ("2026-10-27", None, "deadline missed, no final plan"),
        ("2026-10-28", None, "no final plan names the next setting yet"),
        ("2027-01-25", None, "no final plan names the next setting yet"),
        ("2027-01-26", None, None),
        ("2026-10-28", "2026-10-01", None),
    ],
)
def test_a_phase_transfer_is_at_risk_until_a_final_plan(due: str, final: str | None, said: str | None) -> None:
    lines = told(reviews={"phase_due_on": due, "phase_final_on": final, "met_on": None})
    assert lines["detail"].tolist() == ([said] if said else [])


@pytest.mark.parametrize(
    ("came", "is_told"),
    [("2026-07-28", False), ("2026-07-29", True), ("2026-10-27", True), ("2026-10-28", False), (None, False)],
)
def test_a_child_is_new_to_the_area_for_ninety_days_and_every_department_is_told(
    came: str | None, is_told: bool
) -> None:
    lines = told({"transferred_on": came})
    assert set(lines["team"]) == ({CASEWORK, EVERYBODY} if is_told else set())


def test_a_social_care_team_is_told_of_its_own_children_beside_casework() -> None:
    lines = told({"next_review_due_on": DAY}, team="Team 4")
    assert lines["team"].tolist() == [CASEWORK, "Team 4"]
    assert lines["setting_name"].tolist() == ["Alder School"] * 2


def test_a_restricted_child_is_in_no_list_but_caseworks_and_without_the_setting() -> None:
    lines = told({"next_review_due_on": DAY, "transferred_on": DAY, "is_restricted": True}, team="Team 4")
    assert set(lines["team"]) == {CASEWORK} and set(lines["list"]) == {REVIEWS, NEWCOMERS}
    assert set(lines["setting_name"]) == {"restricted"}


def test_every_list_has_a_sheet() -> None:
    assert set(LISTS) == {REVIEWS, ADVICE, PHASES, NEWCOMERS}


def test_two_teams_whose_names_look_alike_have_two_files(tmp_path: Path) -> None:
    line = told({"next_review_due_on": DAY})
    lines = pd.concat([line.assign(team=name) for name in ("Team/1", "TEAM 1", "Équipe", "../../x")])
    about = About("Invented", DAY.date(), "r", datetime(2026, 10, 27, 2, tzinfo=UTC))
    paths = list(write_notifications(tmp_path / "lists", lines, about).values())
    assert len(set(paths)) == 4 and all(path.parent == tmp_path / "lists" and path.exists() for path in paths)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    return demo_store(tmp_path_factory.mktemp("notified"), plans=200, nights=1, seed=3)


def test_the_workbooks_of_the_night_hold_what_the_command_answers(store) -> None:
    lines = notifications_as_of(store)
    folder = store.settings.outputs_dir / "latest" / "notifications"
    assert len(lines) and len(list(folder.glob("*.xlsx"))) == lines["team"].nunique()
    book = openpyxl.load_workbook(folder / "sen-casework.xlsx")
    ahead = book["Reviews ahead"]
    head = [cell.value for cell in ahead[1]]
    written = [row[head.index("Child")] for row in ahead.iter_rows(min_row=2, values_only=True)]
    mine = lines[(lines["team"] == CASEWORK) & (lines["list"] == REVIEWS)]
    assert written == mine["child_id"].tolist()
    assert ahead.auto_filter.ref and ahead.freeze_panes == "B2"
    assert isinstance(ahead.cell(2, head.index("Due") + 1).value, datetime)


def test_the_reviews_ahead_are_those_that_rv09_finds(store) -> None:
    lines = notifications_as_of(store)
    ours = set(lines.loc[lines["list"] == REVIEWS, "child_id"])
    exceptions = store.exceptions()
    assert ours == set(exceptions.loc[exceptions["rule"] == "RV09", "child_id"])
