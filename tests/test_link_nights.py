"""Decisions about links over whole nights: what they would do, what they do, and that taking one back restores what was."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from store_drawn import contents

from config.settings import Settings, load_settings
from pipelines import run
from pipelines.answers_links import decisions_of_child, need_pair
from pipelines.cli import main
from pipelines.demo import Demo, invent
from pipelines.preview import look_ahead
from pipelines.rawstore import read_snapshot
from pipelines.review_files import newest_review
from pipelines.store import Store, snapshot_folder
from pipelines.store_links import draft

NOW = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)
ANSWERS = ("links", "register", "exceptions", "kpi_members", "kpi_values", "never_links", "review_pairs", "link_events")

PARTS = ("numerator", "denominator", "value")


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Demo]:
    folder = tmp_path_factory.mktemp("links")
    settings = load_settings({"EHCP_DATA": str(folder / "var")})
    demo = invent(folder / "extracts", plans=200, nights=2, seed=7, end=date(2026, 11, 2))
    for night, where in demo.nights:
        run.run_night(settings, night, where, now=NOW)
    return settings, demo


@pytest.fixture
def store(council: tuple[Settings, Demo], monkeypatch: pytest.MonkeyPatch) -> Store:
    settings = council[0]
    monkeypatch.setenv("EHCP_DATA", str(settings.data_dir))
    monkeypatch.delenv("EHCP_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "250")
    return Store(settings)


def ehcp(*words: str, type_in: str | None = None) -> Result:
    return CliRunner().invoke(main, ["links", *words], obj=NOW, input=type_in)


def told(*words: str) -> list[dict[str, str]]:
    return json.loads(ehcp(*words, "--format", "json").stdout)


def again(council: tuple[Settings, Demo]) -> None:
    """The newest night once more, without workbooks and pages: those of the first time are looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "write_outputs", lambda *_: None)
        run.run_night(council[0], *council[1].nights[-1], now=NOW)


def what_is(store: Store) -> dict[str, list[tuple[object, ...]]]:
    everything = contents(store)
    return {name: everything[name] for name in ANSWERS}


def linked_pair(store: Store) -> tuple[str, str, str]:
    """A child of the register with a record in Capita and one in Synergy: its id and the two records."""
    links = store.links()
    links = links[links["child_id"].isin(store.register().query("active_plan == 'Y'")["child_id"])]
    both = links.groupby("child_id").filter(lambda rows: sorted(rows["source"]) == ["capita", "synergy"])
    child = both["child_id"].iloc[0]
    records = (both["source"] + ":" + both["source_id"])[both["child_id"] == child]
    return child, *records.sort_values()


def test_a_decision_is_shown_does_what_was_shown_and_is_taken_back_whole(council, store):
    child, one, other = linked_pair(store)
    before, everything = what_is(store), contents(store)
    register, figures = store.register(), store.kpis().set_index(["code", "line"])
    stood = set(store.exceptions()["exception_id"])

    words = ("decide", one, other, "different", "--reason", "two children", "--who", "ada")
    shown = ehcp(*words, type_in="n\n")
    assert shown.exit_code == 0, shown.output
    assert "Nothing was kept." in shown.output and contents(store) == everything
    asked = need_pair(store, one, other).assign(answer="different", reason="two children")
    preview = look_ahead(store, draft(store, asked, "ada", NOW)[0])
    kept = ehcp(*words, "--yes")
    assert kept.exit_code == 0 and "It takes effect with the next night." in kept.output
    assert what_is(store) == before

    again(council)
    links = store.links()
    after = dict(zip(links["source"] + ":" + links["source_id"], links["child_id"], strict=True))
    new = after[one]
    assert after[other] == child and new != child
    # What was shown is what came.
    assert preview.links.to_numpy().tolist() == [[one, child, new]]
    assert re.search(rf"{one} +{child} +{new}", shown.output)
    stands = set(store.exceptions()["exception_id"])
    told_of = preview.exceptions.groupby("change")["exception_id"].agg(set)
    assert told_of["raised"] == stands - stood and told_of.get("no longer stands", set()) == stood - stands
    moved = store.kpis().set_index(["code", "line"])[list(PARTS)].fillna(-1)
    differ = moved.index[(moved != figures[list(PARTS)].fillna(-1)).any(axis=1)]
    assert sorted(zip(preview.figures["code"], preview.figures["line"], strict=True)) == sorted(differ)
    for row in preview.figures.itertuples():
        assert row.after.startswith(f"{moved.loc[(row.code, row.line), 'numerator']} of ")
    values = store.register().set_index("child_id")
    for row in preview.register[preview.register["value"] == "whereabouts_grade"].itertuples():
        assert values.loc[row.child_id, "whereabouts_grade"] == row.after
    assert {"record_a": one, "record_b": other, "why": "decided different"} in told("never")
    events = told("history", child)
    assert [(row["event"], row["record"], row["who"]) for row in events if row["event"] == "split"] == [
        ("split", one, "ada")
    ]
    assert [row["answer"] for row in decisions_of_child(store, new).to_dict("records")] == ["different"]

    back = ehcp("undo", new, "--reason", "one child after all", "--who", "ada", "--yes")
    assert back.exit_code == 0, back.output
    again(council)
    assert what_is(store) == before
    pd.testing.assert_frame_equal(store.register(), register)
    states = decisions_of_child(store, child)
    assert states["answer"].tolist() == ["different", "undone"] and states["state"].tolist() == ["taken back", ""]
    assert ehcp("undo", child, "--reason", "again", "--yes").exit_code == 14


def apart_pair(store: Store) -> tuple[str, str]:
    """A record that only Capita has, and Synergy's of another child."""
    links = store.links()
    named = links["source"] + ":" + links["source_id"]
    alone = ~links["child_id"].duplicated(keep=False) & (links["source"] == "capita")
    return named[alone].iloc[0], named[links["source"] == "synergy"].iloc[0]


def test_two_children_made_one_and_apart_again_have_the_ids_they_had(council, store):
    one, other = apart_pair(store)
    before = what_is(store)
    assert ehcp("decide", one, other, "same", "--reason", "seen both files", "--who", "ada", "--yes").exit_code == 0
    again(council)
    links = store.links().assign(record=lambda frame: frame["source"] + ":" + frame["source_id"]).set_index("record")
    assert links.loc[one, "child_id"] == links.loc[other, "child_id"]
    assert links.loc[one, "how"] == "decision"
    child = links.loc[other, "child_id"]
    merged = [row for row in told("history", child) if row["event"] == "merged"]
    assert [(row["record"], row["who"]) for row in merged] == [(one, "ada")]
    assert ehcp("undo", child, "--reason", "no", "--who", "ada", "--yes").exit_code == 0
    again(council)
    assert what_is(store) == before


def test_an_unsure_pair_waits_in_the_queue_and_names_show_only_where_asked_for(council, store):
    one, other = apart_pair(store)
    assert ehcp("decide", one, other, "unsure", "--reason", "ask the school", "--who", "ada", "--yes").exit_code == 0
    again(council)
    [row] = [row for row in told("review") if {row["record_a"], row["record_b"]} == {one, other}]
    assert row["asked"] == "answered unsure" and row["answered"] == "unsure by ada" and row["differs"]
    people = read_snapshot(snapshot_folder(council[0], store.newest_run()["run_id"]), "people")
    surname = people[people["source"] + ":" + people["source_id"] == one]["surname"].iloc[0]
    assert surname not in ehcp("review").output and surname not in str(told("review"))
    [named] = [row for row in told("review", "--names") if row["record_a"] == one]
    assert named["surname_a"] == surname
    path = newest_review(store)
    assert path.is_relative_to(council[0].private_dir)
    if os.name == "posix":
        assert path.parent.stat().st_mode & 0o777 == 0o700
    for written in council[0].outputs_dir.rglob("*"):
        assert written.name != "review.xlsx"
    # Once more the same answer changes nothing; another one is taken.
    assert "already" in ehcp("decide", other, one, "unsure", "--reason", "again", "--yes").output
    assert ehcp("undo", row["child_a"], "--reason", "clean", "--yes").exit_code == 0
    again(council)
    assert not [row for row in told("review") if {row["record_a"], row["record_b"]} == {one, other}]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("decide", "synergy:0", "capita:0", "same"), "There is no record synergy:0 in the newest night."),
        (("decide", "synergy", "capita:0", "same"), "synergy does not name a record."),
        (("show", "C9"), "There is no child C9."),
        (("history", "C9"), "There is no child C9."),
        (("undo", "C9", "--reason", "x"), "There is no child C9."),
    ],
)
def test_what_does_not_exist_is_said_in_two_lines(store, words, why):
    result = ehcp(*words, *(("--reason", "x") if words[0] == "decide" else ()))
    assert result.exit_code == 14 and why in result.output and len(result.stderr.strip().splitlines()) == 2


def test_two_records_of_one_system_are_refused(store):
    links = store.links()
    one, other = ("capita:" + links.loc[links["source"] == "capita", "source_id"]).iloc[:2]
    result = ehcp("decide", one, other, "same", "--reason", "x", "--yes")
    assert result.exit_code == 14 and "both are records of capita" in result.output


def test_explain_says_what_holds_and_draws_the_weight_without_values(council, store):
    child, one, other = linked_pair(store)
    picture = council[0].private_dir / "review" / "explained" / f"{one}-{other}.svg".replace(":", "_")
    assert f"As a picture: {picture}" in ehcp("show", child).output and picture.exists()
    shown = ehcp("explain", other, one)
    assert shown.exit_code == 0, shown.output
    assert "pass: UPN with name or date of birth" in shown.output and "weight by the model" in shown.output
    drawn = picture.read_text(encoding="utf-8")
    people = read_snapshot(snapshot_folder(council[0], store.newest_run()["run_id"]), "people")
    of_them = people[(people["source"] + ":" + people["source_id"]).isin([one, other])]
    for value in [*of_them["surname"], *of_them["forename"], *of_them["upn"].dropna()]:
        assert value not in drawn and value not in shown.output
    parts = [float(line.split()[-1]) for line in shown.output.split("comparison")[1].splitlines()[1:-2] if line.strip()]
    total = float(re.search(r"weight by the model +(-?[\d.]+):", shown.output)[1])
    assert abs(sum(parts) - total) < 0.1
