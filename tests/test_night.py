"""A whole invented council over its nights, run as a user runs it and held against the answer key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from checks.engine import catalogue
from config.errors import ConfigurationError
from config.settings import Settings, load_settings
from pipelines.answers import exceptions_known, kpis_as_of, register_as_of, rules_checked
from pipelines.demo import Demo, invent
from pipelines.digest import digest_known
from pipelines.run import RunResult, run_night
from pipelines.store import Store

NOW = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)
END = date(2026, 11, 2)


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Demo, list[RunResult]]:
    folder = tmp_path_factory.mktemp("council")
    settings = load_settings({"EHCP_DATA": str(folder / "var")})
    demo = invent(folder / "extracts", plans=400, nights=4, seed=7, end=END)
    return settings, demo, [run_night(settings, night, where, now=NOW) for night, where in demo.nights]


def key_of(demo: Demo, night: date) -> pd.DataFrame:
    return pd.read_csv(demo.truth / f"exceptions-{night}.csv", dtype="str")


def by_true_child(store: Store, demo: Demo, known_on: date) -> pd.Series:
    people = pd.read_csv(demo.truth / "people.csv", dtype="str").rename(columns={"system": "source"})
    links = store.links(known_on).merge(people, on=["source", "source_id"])
    return links.drop_duplicates("child_id").set_index("child_id")["true_id"]


def test_every_row_is_accounted_for(council):
    for result in council[2]:
        counts = result.counts
        assert counts["rows"] == counts["accepted"] + counts["set_aside"] + counts["repeated"] + counts["left_out"]


def test_exit_codes_say_what_was_missing(council):
    assert [result.exit_code for result in council[2]] == [0, 10, 10, 0]
    [gated] = council[2][1].messages
    assert gated.startswith("capita students: gated. 4,840 rows in the last accepted run, 3,872 now: not accepted\n")
    assert "ehcp feeds accept capita students --reason" in gated
    [missing] = [message for message in council[2][2].messages if ": missing." in message]
    names = {"persons", "addresses", "cla_placements", "visits", "missing_episodes", "involvements"}
    assert set(missing.removeprefix("liquidlogic ").split(": missing.")[0].split(", ")) == names
    assert missing.splitlines()[1].startswith("    Ask the owner of the system")


def test_what_did_not_arrive_the_night_before_is_told_where_nights_are_compared(council):
    """The second night had no new students, the third nothing from social care; the fourth had everything."""

    def told(result: RunResult) -> list[str]:
        outputs = council[0].outputs_dir / f"{result.as_of:%Y-%m}" / result.run_id
        book = openpyxl.load_workbook(outputs / "kpis.xlsx", read_only=True)
        cover = " ".join(str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell)
        pages = [(outputs / name).read_text(encoding="utf-8") for name in ("report.html", "board.html", "digest.txt")]
        return [
            found[0] if (found := re.findall(r"on the night of [^(]*\(([^)]*)\)", text)) else ""
            for text in [*pages, cover]
        ]

    runs = council[2]
    assert told(runs[0]) == told(runs[1]) == [""] * 4
    assert told(runs[2]) == ["Capita 3 of 4 extracts"] * 4
    assert told(runs[3]) == ["Liquidlogic 0 of 6 extracts"] * 4


def test_the_digest_that_is_sent_says_what_the_night_s_page_says(council):
    settings, demo, results = council
    for result in results:
        page = (settings.outputs_dir / f"{result.as_of:%Y-%m}" / result.run_id / "digest.txt").read_text(
            encoding="utf-8"
        )
        assert digest_known(Store(settings), result.as_of).text == page


def test_what_resolved_lately_is_in_the_workbook_with_its_day(council):
    settings, _, results = council
    last = results[-1]
    known = Store(settings).exceptions(last.as_of, include_resolved=True).set_index("exception_id")
    gone = known[known["status"] == "resolved"]
    path = settings.outputs_dir / f"{last.as_of:%Y-%m}" / last.run_id / "exceptions.xlsx"
    sheet = pd.read_excel(path, sheet_name="Resolved", engine="calamine", dtype={"Key": "str"}).set_index("Key")
    assert len(gone) and sorted(sheet.index) == sorted(gone.index)
    assert (sheet["Resolved"] == gone["resolved_on"].reindex(sheet.index)).all()
    assert sheet["Resolved"].is_monotonic_decreasing


def test_no_two_children_become_one(council):
    settings, demo, _ = council
    people = pd.read_csv(demo.truth / "people.csv", dtype="str").rename(columns={"system": "source"})
    links = Store(settings).links().merge(people, on=["source", "source_id"])
    assert links.groupby("child_id")["true_id"].nunique().max() == 1
    together = links[links["source"].isin(["synergy", "capita"])].groupby("true_id")["child_id"].nunique()
    assert (together == 1).mean() >= 0.99


def test_twins_and_both_identities_of_an_adopted_child_stay_apart(council):
    settings, demo, results = council
    store, night = Store(settings), demo.nights[-1][0]
    apart = pd.read_csv(demo.truth / "never_link.csv")
    assert set(apart["reason"].str.split(":").str[0]) == {"twins", "adopted"}
    people = pd.read_csv(demo.truth / "people.csv", dtype="str").rename(columns={"system": "source"})
    linked = store.links(night).merge(people, on=["source", "source_id"])
    held = linked.groupby("true_id")["child_id"].agg(set)
    twins = apart[apart["reason"] == "twins"]
    assert all(
        held[one].isdisjoint(held[other]) for one, other in zip(twins["true_id_a"], twins["true_id_b"], strict=True)
    )
    births = people[people["true_id"].isin(set(apart["true_id_a"]) - set(twins["true_id_a"]))]
    assert set(births["source"]) == {"capita", "liquidlogic"} and not set(births["true_id"]) & set(held.index)
    for path in [*results[-1].outputs.glob("*.csv"), *results[-1].outputs.glob("*.html")]:
        text = path.read_text(encoding="utf-8-sig")
        assert not [row for row in births.itertuples() if f"{row.source} {row.source_id}" in text or f"{row.source},{row.source_id}" in text], path.name  # fmt: skip


def test_every_rule_says_what_it_looked_at_and_why_it_was_not_evaluated(council):
    settings, _, results = council
    told = rules_checked(Store(settings)).set_index("rule")
    assert set(told.index) == set(catalogue())
    assert told.loc["RV07", ["state", "reason"]].tolist() == [
        "not_evaluated",
        "no extract carries a recorded date of the next review",
    ]
    evaluated = told[told["state"] != "not_evaluated"]
    assert (
        (evaluated["looked_at"] >= evaluated["found"]).all()
        and told.loc[["SR05", "WH06", "ID10"], "looked_at"].min() > 0
        and (evaluated["reason"] == "").all()
    )
    sheet = openpyxl.load_workbook(results[-1].outputs / "exceptions.xlsx", read_only=True)["Rules"]
    rows = {row[0]: row for row in sheet.iter_rows(values_only=True)}
    assert rows["RV07"][3:] == ("Not evaluated", 0, 0, 0, "no extract carries a recorded date of the next review")
    assert rows["WH01"][3:5] == ("Checked", told.loc["WH01", "looked_at"]) and len(rows) == len(told) + 1
    page = (results[-1].outputs / "report.html").read_text(encoding="utf-8")
    assert "no extract carries a recorded date of the next review" in page


@pytest.mark.parametrize("place", range(4))
def test_every_planted_fault_is_found(council, place):
    settings, demo, _ = council
    store, night = Store(settings), demo.nights[place][0]
    true = by_true_child(store, demo, night)
    found = store.exceptions(night)
    got = set(zip(found["rule"], found["child_id"].map(true), strict=True))
    wanted = {(row.rule, row.true_id) for row in key_of(demo, night).itertuples()}
    assert wanted, "the key of the demonstration is empty"
    assert wanted - got == set()


def test_nothing_resolves_while_liquidlogic_is_missing(council):
    settings, demo, _ = council
    missing = demo.nights[2][0]
    resolved = Store(settings).exceptions(missing, include_resolved=True)
    resolved = resolved[resolved["resolved_on"] == pd.Timestamp(missing)]
    assert not (resolved["source"] == "liquidlogic").any()


def test_child_ids_last(council):
    settings, demo, _ = council
    store = Store(settings)
    nights = [store.links(night).set_index(["source", "source_id"])["child_id"] for night, _ in demo.nights]
    for before, after in zip(nights, nights[1:], strict=False):
        both = before.index.intersection(after.index)
        assert (before.loc[both] == after.loc[both]).all()


def test_the_same_night_twice_changes_nothing(council):
    settings, demo, _ = council
    store, (night, where) = Store(settings), demo.nights[-1]
    before = [store.history(name) for name in ("links", "register", "exceptions", "kpi_members")] + [store.kpis()]
    run_night(settings, night, where, now=NOW)
    after = [store.history(name) for name in ("links", "register", "exceptions", "kpi_members")] + [store.kpis()]
    for old, new in zip(before, after, strict=True):
        keys = list(old.columns)
        pd.testing.assert_frame_equal(
            old.sort_values(keys, ignore_index=True), new.sort_values(keys, ignore_index=True)
        )


def test_an_older_night_is_refused_without_backfill(council):
    settings, demo, _ = council
    with pytest.raises(ConfigurationError, match="older than the newest"):
        run_night(settings, *demo.nights[0], now=NOW)


def test_backfill_replays_the_later_nights(council):
    settings, demo, _ = council
    store = Store(settings)
    before = store.history("exceptions").sort_values("exception_id", ignore_index=True)
    result = run_night(settings, *demo.nights[1], backfill=True, now=NOW)
    assert len([message for message in result.messages if message.startswith("replayed")]) == 2
    pd.testing.assert_frame_equal(before, store.history("exceptions").sort_values("exception_id", ignore_index=True))


@pytest.mark.parametrize(
    "stage", ["judge", "link_night", "measure", "write_outputs", "write_snapshot", "hand_out_review"]
)
def test_a_night_that_dies_changes_nothing(council, monkeypatch, stage):
    settings, demo, _ = council
    store = Store(settings)
    before, runs, stood = store.history("exceptions"), len(store.runs()), set(settings.outputs_dir.glob("*/*"))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"pipelines.run.{stage}", die)
    with pytest.raises(KeyboardInterrupt):
        run_night(settings, *demo.nights[-1], now=NOW)
    assert len(store.runs()) == runs
    pd.testing.assert_frame_equal(before, store.history("exceptions"))
    # The last stage dies when the outputs stand already.
    assert set(settings.outputs_dir.glob("*/*")) == stood


def test_restricted_children_show_no_place(council):
    settings, _, results = council
    store = Store(settings)
    register = register_as_of(store, None, None)
    restricted = register[register["is_restricted"].fillna(False).astype(bool)]
    assert len(restricted), "the demonstration has restricted children"
    assert set(restricted.loc[restricted["active_plan"] == "Y", "setting_urn"]) == {"restricted"}
    hidden = set(store.register().set_index("child_id").loc[restricted["child_id"], "setting_name"].dropna())
    ids = set(restricted["child_id"])
    for path in Path(results[-1].outputs).glob("*.csv"):
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            if any(child in line for child in ids):
                assert not any(name in line for name in hidden), path.name


def test_no_name_is_in_any_output(council):
    _, _, results = council
    page = (results[-1].outputs / "report.html").read_text(encoding="utf-8")
    assert "Diaz-Ward" not in page and "Zielinski" not in page
    for path in results[-1].outputs.glob("*.csv"):
        assert "Zielinski" not in path.read_text(encoding="utf-8-sig")


def test_a_past_day_is_recomputed_from_what_is_known_now(council):
    settings, _, _ = council
    store = Store(settings)
    past = register_as_of(store, date(2026, 3, 31), None)
    assert 0 < (past["active_plan"] == "Y").sum() < (register_as_of(store, None, None)["active_plan"] == "Y").sum()
    figures = kpis_as_of(store, date(2026, 3, 31), None)
    assert set(figures["code"]) >= {"K01", "K05", "K13"}


def test_lists_carry_the_columns_people_rely_on(council):
    settings, _, _ = council
    frame = exceptions_known(Store(settings))
    wanted = "rule child_id source source_id row_id field detail severity kind status on_old_data first_seen_on age_days owner fix_in"
    assert set(wanted.split()) <= set(frame.columns)
    assert frame["owner"].notna().all()
