"""One child: what was due and done, who sees what, and the page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from pandas.testing import assert_frame_equal

from config.errors import ConfigurationError
from outputs.child_page import lifeline
from outputs.wording import NEEDS
from pipelines.cli import main
from pipelines.demonstrate import END
from pipelines.lifeline import reviews_of
from pipelines.one_child import child_file, names_of
from pipelines.positions import position
from pipelines.store import Store

DAY = pd.Timestamp(2026, 3, 31)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text) if text else pd.NaT


def plan(started: str, ceased: str = "", transferred: str = "") -> dict[str, pd.Timestamp]:
    return {"started_on": day(started), "ceased_on": day(ceased), "transferred_on": day(transferred)}


def reviews(*held: tuple[str, str]) -> pd.DataFrame:
    rows = [
        {"met_on": day(met), "decided_on": day(decided), "outcome_code": "M", "final_plan_on": pd.NaT}
        for met, decided in held
    ]
    frame = pd.DataFrame(rows, columns=["met_on", "decided_on", "outcome_code", "final_plan_on"])
    return frame.astype(dict.fromkeys(["met_on", "decided_on", "final_plan_on"], "datetime64[us]"))


@pytest.mark.parametrize(
    ("of_plan", "held", "found"),
    [
        # Completed on the last day of the twelve months: in time; a day later: late, by one.
        (plan("2024-04-10"), [("2025-03-01", "2025-04-09")], [("2025-04-09", "in time", 0), ("2026-04-08", "due", 0)]),
        (plan("2024-04-10"), [("2025-03-01", "2025-04-10")], [("2025-04-09", "late", 1), ("2026-04-09", "due", 0)]),
        # Never reviewed: one due date, missed since; on the day itself it is due, not missed.
        (plan("2024-01-01"), [], [("2024-12-31", "missed", 455)]),
        (plan("2025-04-01"), [], [("2026-03-31", "due", 0)]),
        (plan("2025-03-31"), [], [("2026-03-30", "missed", 1)]),
        # A meeting without a decision completes nothing.
        (plan("2024-01-01"), [("2024-11-20", "")], [("2024-12-31", "missed", 455), ("", "undecided", None)]),
        # A plan that ceased before its date came was not missed; one that ceased after it was.
        (plan("2025-01-01", ceased="2025-06-30"), [], []),
        (plan("2024-01-01", ceased="2025-01-10"), [], [("2024-12-31", "missed", 10)]),
        # Transferred in: the later of twelve months and three months from the transfer.
        (plan("2024-05-01", transferred="2025-03-15"), [], [("2025-06-15", "missed", 289)]),
        # A decision after the day has not been made yet.
        (plan("2025-01-01"), [("2026-03-20", "2026-04-02")], [("2025-12-31", "missed", 90)]),
    ],
)  # fmt: skip
def test_what_was_due_and_done(of_plan: dict, held: list, found: list) -> None:
    table = reviews_of(reviews(*held), of_plan, DAY)
    got = [
        (f"{row['due_on']:%Y-%m-%d}" if pd.notna(row["due_on"]) else "", row["state"], None if pd.isna(row["days_late"]) else int(row["days_late"]))
        for row in table.to_dict("records")
    ]  # fmt: skip
    assert got == found


def test_the_picture_says_in_words_what_it_shows_and_escapes_it() -> None:
    spells = pd.DataFrame(
        {
            "lane": ["placement"],
            "started_on": [day("2025-01-01")],
            "ended_on": [pd.NaT],
            "text": ["<b>Elm & Oak</b>"],
            "source": ["x"],
        }
    )
    events = pd.DataFrame({"on": [day("2025-06-01")], "kind": ["visit"], "text": ["child seen"], "source": ["y"]})
    drawn = str(lifeline(spells, events, day("2024-12-01"), DAY))
    assert 'role="img" aria-label="1 spells and 1 events' in drawn
    assert "<b>" not in drawn and "&lt;b&gt;Elm &amp; Oak" in drawn
    assert "2025" in drawn and "2026" in drawn


def test_a_child_by_id_and_by_record_is_one_and_the_register_agrees(council: Store) -> None:
    row = council.register().query("active_plan == 'Y' and last_completed_review_on.notna()").iloc[0]
    file = child_file(council, row["child_id"])
    assert child_file(council, f"synergy:{row['synergy_id']}").child_id == row["child_id"]
    assert set(file.records["source"]) >= {"synergy", "capita"}
    done = file.reviews[file.reviews["decided_on"].notna()]
    assert done["decided_on"].max() == row["last_completed_review_on"]
    assert file.reviews.loc[file.reviews["state"].isin(["due", "missed"]), "due_on"].item() == row["next_review_due_on"]
    assert {"plan", "placement", "roll"} <= set(file.spells["lane"])
    assert file.timeline["on"].is_monotonic_increasing


def test_codes_are_told_in_words(council: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.commands.child.open_store", lambda: council)
    held = position(council, END).assembled.tables
    ours = set(council.register().query("active_plan == 'Y' and last_completed_review_on.notna()")["child_id"])
    visits = held["visits"]
    child = visits.loc[(visits["kind_code"] == "STVL") & visits["child_id"].isin(ours), "child_id"].iloc[0]
    file = child_file(council, child)
    assert (
        set(file.reviews["outcome"].dropna()) <= {"maintain", "amend", "cease"}
        and file.reviews["outcome"].notna().any()
    )
    told = CliRunner().invoke(main, ["child", child], env={"COLUMNS": "200"}).output
    assert "statutory visit, child seen" in told and "Active plan: yes" in told and "STVL" not in told
    decided = file.events.loc[file.events["kind"] == "decision to assess", "text"]
    assert set(decided) <= {"to assess", "not to assess"}
    spells = file.spells.groupby("lane")["text"].agg(set)
    assert spells["care placement"] == {"foster care, full care order"} and spells["plan"] <= {*NEEDS.values(), ""}


def test_one_child_alone_is_put_together_as_among_all(council: Store) -> None:
    then = END - timedelta(days=100)
    whole = position(council, then)
    held = whole.assembled.tables
    in_care = held["care_placements"]["child_id"].iloc[0]
    unseen = held["requests"].loc[~held["requests"]["child_id"].isin(held["reviews"]["child_id"]), "child_id"].iloc[-1]
    for child_id in [*whole.register["child_id"].iloc[::120], in_care, unseen]:
        alone = position(council, then, child_id=child_id)
        of_child = whole.register["child_id"] == child_id
        assert_frame_equal(alone.register, whole.register[of_child].reset_index(drop=True))
        for name, frame in alone.assembled.tables.items():
            if frame is not None and "child_id" in frame:
                rows = held[name][held[name]["child_id"] == child_id]
                assert_frame_equal(frame, rows.reset_index(drop=True), check_index_type=False)


def test_an_earlier_day_shows_nothing_that_came_later(council: Store) -> None:
    child = council.register().query("active_plan == 'Y' and last_completed_review_on.notna()")["child_id"].iloc[0]
    before = pd.Timestamp(END - timedelta(days=400))
    file = child_file(council, child, as_of=before.date())
    assert (file.spells["started_on"].dropna() <= before).all()
    assert (file.events.loc[file.events["kind"] != "review due", "on"] <= before).all()


def test_no_name_is_in_what_is_shown_unless_asked_for(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.child.open_store", lambda: council)
    child = council.register()["child_id"].iloc[0]
    names = names_of(council, child_file(council, child).records)
    surname = names["surname"].iloc[0]
    plain = CliRunner().invoke(main, ["child", child])
    asked = CliRunner().invoke(main, ["child", child, "--names"], env={"COLUMNS": "200"})
    written = CliRunner().invoke(main, ["child", child, "--page", str(tmp_path / "child.html"), "--names"])
    page = (tmp_path / "child.html").read_text("utf-8")
    assert plain.exit_code == asked.exit_code == written.exit_code == 0, plain.output
    assert surname in asked.output and surname not in plain.output and surname not in page
    assert "Reviews: due, done and missed" in page and "<svg" in page and "http" not in page.replace("http-equiv", "")


def test_a_restricted_child_s_whereabouts_are_nowhere(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.child.open_store", lambda: council)
    row = council.register().query("active_plan == 'Y' and setting_name.notna()").iloc[0]
    open_page = CliRunner().invoke(main, ["child", row["child_id"], "--page", str(tmp_path / "open.html")])
    assert open_page.exit_code == 0 and row["setting_name"] in (tmp_path / "open.html").read_text("utf-8")
    monkeypatch.setattr(Store, "restricted", lambda store: {row["child_id"]})
    shown = CliRunner().invoke(main, ["child", row["child_id"], "--format", "csv"]).output
    shown += CliRunner().invoke(main, ["child", row["child_id"]], env={"COLUMNS": "300"}).output
    CliRunner().invoke(main, ["child", row["child_id"], "--page", str(tmp_path / "page.html")])
    shown += (tmp_path / "page.html").read_text("utf-8")
    assert "Restricted" in shown
    for told in (row["setting_name"], row["setting_name"].upper(), row["setting_urn"], row["provision_type"]):
        assert told not in shown


def test_a_child_that_an_adoption_closed_is_not_found(council: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    child = council.register()["child_id"].iloc[0]
    records = child_file(council, child).records[["source", "source_id"]]
    closed = (records.astype("str"), {child})
    monkeypatch.setattr("pipelines.history.closed_by_adoption", lambda connection: closed)
    for wanted in (child, "C9999999", "synergy:1"):
        with pytest.raises(ConfigurationError, match="There is no child"):
            child_file(council, wanted)
