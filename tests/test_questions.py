"""Every question on a drawn council, for two dates, against answers worked out by hand; then on nights, and again after ten more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from store_drawn import NOW

from config.canonical import DTYPES, TABLES
from config.errors import ConfigurationError
from config.limits import load_limits
from config.settings import config_file, load_yaml
from pipelines import asking
from pipelines.asking import REGISTRY, Asked, ask, ask_at, differences, listed, table_by
from pipelines.assemble import build
from pipelines.cli import main
from pipelines.compare import rule_frames
from pipelines.demonstrate import END, demo_store
from pipelines.facts import keep_facts
from pipelines.pastday import as_at
from pipelines.positions import position
from pipelines.questions import NO_CATEGORY, TOTAL, Answered, Then, answer, breakdown, crossed
from pipelines.rawstore import read_snapshot
from pipelines.store import Store, snapshot_folder

pytestmark = pytest.mark.usefixtures("no_outputs")

FIRST, SECOND, KNOWN = date(2026, 3, 31), date(2026, 9, 30), pd.Timestamp(2026, 10, 27)
WORDS = load_yaml(config_file(None, "questions.yml"))


def _settings() -> list[dict[str, Any]]:
    rows = [
        ("100", "34", "883"),
        ("200", "44", "883"),
        ("300", "10", "881"),
        ("400", "18", "883"),
        ("500", "14", "883"),
    ]
    names = {"883": "Saltmere", "881": "Nearby County"}
    return [
        {"urn": urn, "type_code": kind, "type_name": f"type {kind}", "la_code": la, "la_name": names[la], "setting_name": f"Setting {urn}"}
        for urn, kind, la in rows
    ]  # fmt: skip


#: The council: a child a line of people, and what happened to each.
DRAWN: dict[str, list[dict[str, Any]]] = {
    "people": [
        {"source_id": child, "born_on": born, "need_code": need}
        for child, born, need in [
            ("1", "2015-06-01", "ASD"), ("2", "2010-01-15", "SEMH"), ("3", "2012-02-02", "ASD"), ("4", "2008-12-01", None), ("5", "2019-02-02", "SLCN"),
            ("6", "2013-07-07", "ASD"), ("7", "2014-04-04", "ASD"), ("8", "2018-08-08", None), ("9", "2020-01-01", None), ("10", "2021-01-01", None),
            ("11", "2011-03-03", "SEMH"),
        ]
    ],
    "plans": [
        {"source_id": "1", "started_on": "2023-05-01", "named_urn": "100"},
        {"source_id": "2", "started_on": "2020-01-01", "named_urn": "300"},
        {"source_id": "3"},
        {"source_id": "4", "started_on": "2024-02-01"},
        {"source_id": "5", "started_on": "2026-05-15", "named_setting_code": "OTH", "request_id": "r5"},
        {"source_id": "6", "started_on": "2022-03-03", "ceased_on": "2026-06-30", "named_urn": "100"},
        {"source_id": "7", "started_on": "2021-06-01", "named_setting_code": "EHE"},
        {"source_id": "11", "started_on": "2019-09-09", "named_urn": "100"},
    ],
    "requests": [
        {"source_id": "5", "row_id": "r5", "received_on": "2025-12-01", "decided_on": "2026-01-10", "decision_code": "Y", "outcome_on": "2026-05-15",
         "outcome_code": "Y", "request_source_code": "1"},
        {"source_id": "8", "row_id": "r8", "received_on": "2026-02-01", "decided_on": "2026-03-01", "decision_code": "N"},
        {"source_id": "9", "row_id": "r9", "received_on": "2026-08-01"},
        {"source_id": "10", "row_id": "r10"},
    ],
    "placements": [
        {"source_id": "1", "urn": "100", "started_on": "2023-05-01", "ended_on": "2026-08-31"},
        {"source_id": "1", "urn": "200", "started_on": "2026-09-01"},
        {"source_id": "2", "urn": "300", "started_on": "2021-09-01", "residential_code": "A"},
        {"source_id": "4", "setting_code": "NEET", "started_on": "2026-01-15", "ended_on": "2026-08-31"},
        {"source_id": "4", "urn": "400", "started_on": "2026-09-01"},
        {"source_id": "6", "urn": "500", "started_on": "2022-03-03"},
        {"source_id": "7", "urn": "100", "started_on": "2021-09-01", "ended_on": "2025-08-31"},
        {"source_id": "11", "urn": "100", "started_on": "2019-09-09", "ended_on": "2026-07-20"},
    ],
    "home_education": [{"source_id": "7", "started_on": "2025-09-01"}],
    "rolls": [{"source_id": "1", "urn": "100", "enrol_status_code": "C", "started_on": "2023-05-01"}],
    "care_placements": [
        {"source_id": "11", "started_on": "2025-01-01", "legal_status_code": "C2", "placement_code": "U1", "la_code": "881"}
    ],
    "reviews": [
        {"source_id": "1", "met_on": "2025-04-10", "decided_on": "2025-04-30", "outcome_code": "M", "phase_due_on": "2026-02-15", "phase_final_on": "2026-02-10"},
        {"source_id": "1", "met_on": "2026-05-10", "decided_on": "2026-06-20", "outcome_code": "A", "final_plan_on": "2026-08-20"},
        {"source_id": "4", "met_on": "2026-08-25"},
        {"source_id": "6", "met_on": "2025-02-20"},
        {"source_id": "11", "met_on": "2025-09-10", "decided_on": "2025-10-01", "outcome_code": "A", "final_plan_on": "2026-05-01"},
    ],
    "visits": [
        {"source_id": "2", "kind_code": "monitoring", "visited_on": "2026-01-10", "is_seen": True, "visited_by": "Officer A"},
        {"source_id": "2", "kind_code": "monitoring", "visited_on": "2026-07-01", "is_seen": True, "visited_by": "Officer B"},
        {"source_id": "7", "kind_code": "monitoring", "visited_on": "2026-05-05", "is_seen": True},
    ],
    "missing_education": [{"source_id": "11", "started_on": "2026-09-10"}],
    "awaiting": [{"source_id": "11", "started_on": "2026-07-21", "reason": "place being sought"}],
    "settings": _settings(),
}  # fmt: skip


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    kinds = TABLES[name].all_columns | {"carried_on": "date", "feed": "text", "la_code": "code"}
    told = [
        {"source": "synergy", "feed": name, "row_id": f"{name}{n}", "carried_on": KNOWN, **row}
        for n, row in enumerate(rows)
    ]
    frame = pd.DataFrame(told).reindex(columns=list(kinds))
    for column, kind in kinds.items():
        frame[column] = pd.to_datetime(frame[column]) if kind == "date" else frame[column]
    return frame.astype({column: DTYPES[kind] for column, kind in kinds.items()})


def drawn_then(day: date) -> Then:
    limits = load_limits(None)
    precedence = load_yaml(config_file(None, "precedence.yml"))
    tables = {name: _frame(name, DRAWN[name]) if name in DRAWN else None for name in TABLES}
    links = pd.DataFrame(
        [("synergy", row["source_id"], f"C{row['source_id']}") for row in DRAWN["people"]],
        columns=["source", "source_id", "child_id"],
    )
    provision = load_yaml(config_file(None, "provision.yml"))
    as_of = pd.Timestamp(day)
    none_gone = pd.DataFrame(columns=["source", "source_id"], dtype="str")
    put_together = build(as_at(tables, as_of, KNOWN), links, none_gone, as_of, limits, precedence, "883")
    pairs = pd.DataFrame(
        columns=["source_a", "source_id_a", "source_b", "source_id_b", "weight", "agrees", "differs"], dtype="str"
    )
    since = as_of - pd.DateOffset(years=1) + pd.Timedelta(days=1)
    return Then(
        as_of, since, put_together.register, put_together.tables, put_together.cohorts,
        lambda: rule_frames(put_together, pairs, as_of, limits, precedence, provision, "883"), limits, "883", tuple(precedence["reviews"]), WORDS,
    )  # fmt: skip


#: By question: the rows counted, those that meet it, those that lack a date, and children in the list; on each of the two dates. By hand.
KEY: dict[str, tuple[tuple[int, int, int, str], tuple[int, int, int, str]]] = {
    "where-educated": ((6, 6, 0, "1 2 4 6 7 11"), (6, 6, 0, "1 2 4 5 7 11")),
    "whereabouts-unconfirmed": ((4, 2, 0, "2 4 6 7"), (4, 3, 0, "2 5 7 11")),  # 4 was seen at the meeting of August
    "named-elsewhere": ((1, 1, 0, "6"), (1, 1, 0, "1")),
    "other-authority": ((6, 1, 0, "1 2 4 6 7 11"), (6, 1, 0, "1 2 4 5 7 11")),
    "independent-settings": ((1, 1, 0, "2"), (1, 1, 0, "2")),
    "residential-visits": ((1, 1, 0, "2"), (1, 1, 0, "2")),
    "awaiting": ((0, 0, 0, ""), (2, 2, 0, "5 11")),
    "section-i-blank": ((1, 1, 0, "4"), (2, 2, 0, "4 5")),
    "between-settings": ((0, 0, 0, ""), (1, 0, 0, "11")),
    "looked-after": ((1, 1, 0, "11"), (1, 1, 0, "11")),
    "home-educated": ((1, 0, 0, "7"), (1, 1, 0, "7")),
    "missing-education": ((0, 0, 0, ""), (1, 1, 0, "11")),
    "not-updated": ((1, 1, 0, "6"), (0, 0, 0, "")),
    "reviews-completed": ((2, 1, 0, "1 11"), (2, 2, 1, "1 4 11")),
    "reviews-due": ((0, 0, 0, ""), (1, 0, 0, "1")),
    "reviews-incomplete": ((2, 1, 0, "6 11"), (0, 0, 0, "")),
    "reviews-overdue": ((6, 4, 0, "1 2 4 6 7 11"), (6, 3, 0, "1 2 4 5 7 11")),
    "review-decisions": ((2, 2, 0, "1 11"), (2, 0, 0, "1 4")),
    "phase-transfers": ((1, 1, 0, "1"), (1, 1, 0, "1")),
    "september-transfers": ((1, 0, 1, "1 2"), (0, 0, 1, "11")),
    "reviews-late": ((6, 4, 0, "1 2 4 6 7 11"), (6, 3, 0, "1 2 4 5 7 11")),
    "requests": ((2, 1, 1, "5 8 10"), (3, 1, 1, "5 8 9 10")),
    "plans-issued": ((0, 0, 0, ""), (1, 0, 0, "5")),
    "open-cases": ((1, 0, 0, "5"), (1, 1, 0, "9")),
}  # fmt: skip


@pytest.fixture(scope="module")
def thens() -> list[Then]:
    return [drawn_then(day) for day in (FIRST, SECOND)]


def test_every_question_has_its_answer_worked_out() -> None:
    assert set(KEY) == set(REGISTRY)
    assert {question.number for question in REGISTRY.values()} | {15, 21, 22} == set(range(1, 24))


@pytest.mark.parametrize("which", [0, 1], ids=[str(FIRST), str(SECOND)])
@pytest.mark.parametrize("name", KEY)
def test_a_question_is_right(thens: list[Then], name: str, which: int) -> None:
    found = answer(REGISTRY[name], thens[which])
    rows = found.rows
    children = " ".join(sorted(rows["child_id"].str[1:].unique(), key=int))
    got = (len(found.counted), int(found.counted["meets"].sum()), int((~rows["counted"]).sum()), children)
    assert got == KEY[name][which]
    assert not found.reason and found.question.definition


def test_where_each_child_is_educated_adds_up(thens: list[Then]) -> None:
    found = [breakdown(answer(REGISTRY["where-educated"], then).counted, "education").set_index("category")["counted"].to_dict() for then in thens]  # fmt: skip
    assert found[0] == {
        "mainstream": 2,
        "special": 1,
        "NEET": 1,
        "pupil referral unit": 1,
        "home educated": 1,
        TOTAL: 6,
    }
    assert found[1] == {"special": 2, "further education": 1, "home educated": 1, "unknown": 2, TOTAL: 6}


def test_further_figures_and_details_are_right(thens: list[Then]) -> None:
    decisions = [answer(REGISTRY["review-decisions"], then).figures for then in thens]
    assert [list(each.values()) for each in decisions] == [[20.5, None], [41.0, 102.0]]
    late = [answer(REGISTRY["reviews-late"], then).figures for then in thens]
    assert [list(each.values()) for each in late] == [[0.0, 24.7], [20.0, 74.8]]
    visits = [answer(REGISTRY["residential-visits"], then).rows.iloc[0] for then in thens]
    assert [row["visited_by"] for row in visits] == ["Officer A", "Officer B"]
    assert [str(row["visit_due_on"].date()) for row in visits] == ["2026-07-09", "2026-12-28"]
    assert answer(REGISTRY["between-settings"], thens[1]).rows[["days_without", "why"]].iloc[0].tolist() == [
        72,
        "place being sought",
    ]
    assert answer(REGISTRY["looked-after"], thens[0]).rows[["placed", "area"]].iloc[0].tolist() == [
        "U1",
        "out of the area",
    ]
    assert answer(REGISTRY["reviews-incomplete"], thens[0]).rows["months_since"].tolist() == ["12 to 24", "6 to 12"]


def test_in_no_category_is_a_line_and_everything_adds_up_both_ways(thens: list[Then]) -> None:
    rows = answer(REGISTRY["where-educated"], thens[0]).counted
    by_need = breakdown(rows, "need").set_index("category")["counted"]
    assert by_need[NO_CATEGORY] == 1 and by_need[:-1].sum() == by_need[TOTAL] == len(rows)
    table = crossed(rows, "need", "education")
    assert (table.iloc[:-1].sum() == table.loc[TOTAL]).all()
    assert (table.iloc[:, :-1].sum(axis=1) == table[TOTAL]).all()
    assert table.loc[TOTAL, TOTAL] == len(rows)


def test_only_some_ages(thens: list[Then]) -> None:
    found = answer(REGISTRY["where-educated"], thens[0], ages=(5, 16)).rows
    assert sorted(found["child_id"]) == ["C1", "C11", "C2", "C6", "C7"]  # 4 is 17; 2 turned 16 in January
    assert sorted(answer(REGISTRY["where-educated"], thens[0], ages=(5, 15)).rows["child_id"]) == [
        "C1",
        "C11",
        "C6",
        "C7",
    ]


def test_what_no_extract_carries_is_said(thens: list[Then]) -> None:
    blank = {**thens[0].tables, "reviews": thens[0].tables["reviews"].assign(phase_due_on=pd.NaT)}
    for name in ("phase-transfers", "september-transfers"):
        found = answer(REGISTRY[name], replace(thens[0], tables=blank))
        assert "No extract carries" in found.reason and found.rows.empty


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return demo_store(tmp_path_factory.mktemp("asked"), plans=200, nights=2)


def _add_night(store: Store, tables: dict[str, Any], night: date) -> None:
    """A night as far as questions go: facts, feeds, links and register."""
    links, feeds, register = store.links(), store.feeds(), store.register()
    with store.night(night) as kept:
        kept.open_run({"application": "test"}, NOW)
        kept.save("links", links)
        kept.save("register", register)
        kept.save_nightly("run_feeds", feeds)
        keep_facts(store.settings.private_dir, tables, links, night)
        kept.close_run(0, {}, {"all": 0.1})


def test_the_same_answer_after_ten_more_nights(council: Store) -> None:
    """Ten nights with later reviews, and one plan's start put right: as known then nothing moves, and by what is known now only that plan."""
    days = (END, END - timedelta(days=200))
    then = {day: position(council, day, END) for day in days}
    asked = {(name, day): ask_at(then[day], name) for name in REGISTRY for day in days}
    run = council.newest_run()["run_id"]
    tables = {name: read_snapshot(snapshot_folder(council.settings, run), name) for name in TABLES}
    plans = tables["plans"]
    child = plans.loc[(plans["source"] == "synergy") & (plans["started_on"] < pd.Timestamp(days[1]) - pd.Timedelta(days=400))].iloc[0]  # fmt: skip
    for later in range(1, 11):
        night = END + timedelta(days=later)
        met = tables["reviews"].iloc[[later]].assign(row_id=f"later {later}", met_on=pd.Timestamp(night))
        tables["reviews"] = pd.concat([tables["reviews"], met.assign(decided_on=pd.NaT)], ignore_index=True)
        if later == 5:
            wrong = plans["row_id"] == child["row_id"]
            tables["plans"] = plans.assign(started_on=plans["started_on"].mask(wrong, pd.Timestamp(END)))
        _add_night(council, tables, night)
    assert council.night_of() == END + timedelta(days=10)
    then = {day: position(council, day, END) for day in days}
    for (name, day), before in asked.items():
        again = ask_at(then[day], name)
        pd.testing.assert_frame_equal(listed(again), listed(before))
        assert again.answered.figures == before.answered.figures
    now = ask(council, "where-educated", days[1])
    gone = set(asked["where-educated", days[1]].answered.rows["child_id"]) - set(now.answered.rows["child_id"])
    assert len(gone) == 1 and len(now.answered.rows) == len(asked["where-educated", days[1]].answered.rows) - 1


def _asked(rows: pd.DataFrame, name: str) -> Asked:
    return Asked(Answered(REGISTRY[name], rows, {}), FIRST, FIRST, FIRST, WORDS)


def test_small_numbers_are_hidden_and_totals_kept() -> None:
    need = ["ASD"] * 30 + ["SLD"] * 3 + ["HI"] * 7
    rows = pd.DataFrame(
        {"child_id": [f"C{n}" for n in range(40)], "need": need, "counted": True, "meets": True, "lacks": pd.NA}
    )
    table = table_by(_asked(rows, "where-educated"), ("need",), limit=5).set_index("need")["counted"].to_dict()
    assert table == {"ASD": 30, "HI": "c", "SLD": "c", TOTAL: 40}
    halves = rows.assign(meets=[n % 2 == 0 for n in range(40)])
    with_parts = table_by(_asked(halves, "reviews-overdue"), ("need",), limit=5).set_index("need")
    assert with_parts.loc["SLD", ["counted", "meets", "percent"]].tolist() == ["c"] * 3
    assert with_parts.loc[TOTAL, "counted"] == 40


@pytest.mark.parametrize("name", ["reviews-completed", "reviews-due", "awaiting", "plans-issued"])
def test_what_one_suppressed_table_hides_no_other_table_of_the_question_shows(council: Store, name: str) -> None:
    """By one column, by two, and in its parts: a total is hidden everywhere or nowhere, so tables cannot be held against each other."""
    asked = ask(council, name, END, END)
    columns = ("age", "need", "education", "whereabouts", "residential")
    alone = {by: table_by(asked, (by,), limit=5).set_index(by)["counted"] for by in columns}
    compared = 0
    for down, across in combinations(columns, 2):
        if len(alone[down]) == 1 or len(alone[across]) == 1:
            with pytest.raises(ConfigurationError, match="too few"):
                table_by(asked, (down, across), limit=5)
            continue
        crossed_table = table_by(asked, (down, across), limit=5).set_index(f"{down} / {across}")
        for by, margin in ((down, crossed_table[TOTAL]), (across, crossed_table.loc[TOTAL])):
            assert margin.to_dict() == alone[by].reindex(margin.index).to_dict()
            compared += int((margin == "c").sum())
    assert compared


def test_a_list_that_tells_where_a_restricted_child_is_says_nothing_of_the_child(
    council: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the age, the need or a date either: the list of where all are educated has them beside the id."""
    plain = ask(council, "other-authority", END, END)
    away = plain.answered.counted.query("meets and child_id != 'restricted'")
    child = away["child_id"].iloc[0]
    monkeypatch.setattr(Store, "restricted", lambda store: {child})
    asked = ask(council, "other-authority", END, END)
    found = listed(asked)
    assert child not in set(found["child_id"])
    row = found[found["child_id"] == "restricted"]
    assert len(row) and (row == "restricted").all(axis=None)
    assert int(asked.answered.counted["meets"].sum()) == int(plain.answered.counted["meets"].sum())


def test_a_restricted_child_s_places_and_telling_lists_are_withheld(
    council: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ask(council, "where-educated", END, END)
    child = plain.answered.rows.loc[plain.answered.rows["education"] == "mainstream", "child_id"].iloc[0]
    monkeypatch.setattr(Store, "restricted", lambda store: {child})
    row = listed(ask(council, "where-educated", END, END)).set_index("child_id").loc[child]
    assert row[["education", "setting", "provision"]].tolist() == ["restricted"] * 3
    by = table_by(ask(council, "where-educated", END, END), ("education",)).set_index("education")["counted"]
    before = table_by(plain, ("education",)).set_index("education")["counted"]
    assert by["mainstream"] == before["mainstream"] - 1 and by[TOTAL] == before[TOTAL]
    assert child not in set(listed(ask(council, "other-authority", END, END))["child_id"])


def test_who_is_in_one_answer_and_not_in_the_other(council: Store) -> None:
    first, second = (ask(council, "reviews-overdue", day, END) for day in (END - timedelta(days=300), END))
    found = differences(first, second)
    sets = [set(a.answered.counted.loc[a.answered.counted["meets"], "child_id"]) for a in (first, second)]
    assert set(found.loc[found["first"] == 0, "child_id"]) == sets[1] - sets[0]
    assert set(found.loc[found["second"] == 0, "child_id"]) == sets[0] - sets[1]
    assert len(found)


def test_why_two_answers_for_one_day_differ_is_told_by_what_each_night_knew(
    council: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One child came into the answer between two nights, one left it: the same question for the same day, as each night knew it."""
    monkeypatch.setattr("pipelines.commands.asks.open_store", lambda: council)
    before = END - timedelta(days=1)
    whose = {before: ["C1", "C2"], END: ["C2", "C3"]}

    def drawn(store: Store, name: str, as_of: date, known_on: date, *_: object) -> Asked:
        rows = pd.DataFrame({"child_id": whose[known_on], "counted": True, "meets": True, "lacks": pd.NA})
        return replace(_asked(rows, name), as_of=as_of, known_on=known_on)

    monkeypatch.setattr("pipelines.asking.ask", drawn)
    words = ["ask", "reviews-overdue", "--as-of", str(END), "--known-on", str(before), "--against-known-on", str(END)]
    told = CliRunner().invoke(main, [*words, "--format", "csv"])
    for said in (f"First: {END}, as the night of {before} knew it.", f"Second: {END}, as the night of {END} knew it."):
        assert said in told.stderr
    assert told.stdout.splitlines() == [
        "child_id,first,second,why",
        "C1,1,0,only in the first",
        "C3,0,1,only in the second",
    ]


@pytest.mark.parametrize("more", [["--list"], ["--against", str(FIRST)], ["--by", "year"], ["--suppress"]])
def test_what_no_extract_carries_is_said_however_it_is_asked(
    council: Store, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setattr("pipelines.commands.asks.open_store", lambda: council)
    told = CliRunner().invoke(main, ["ask", "phase-transfers", *more])
    assert told.exit_code == 0, told.output
    assert "The data cannot answer: No extract carries" in told.output and "0 rows" not in told.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["open-cases", "--by", "stage", "--by", "weeks_open"], "0 to 6"),
        (["where-educated", "--as-of", "2026-03-31", "--by", "age", "--by", "education", "--suppress"], "total"),
        (["reviews-overdue", "--list", "--format", "csv"], "child_id"),
        (["requests", "--from", "2026-01-01", "--by", "source_of_request", "--format", "json"], "counted"),
        (["where-educated", "--ages", "5-16"], "Children with an active plan on the day"),
        (["list", "--format", "csv"], "where-educated"),
    ],
)
def test_the_command_answers(council: Store, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    monkeypatch.setattr("pipelines.commands.asks.open_store", lambda: council)
    result = CliRunner().invoke(main, ["ask", *words])
    assert result.exit_code == 0, result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["where-educated", "--list", "--suppress"], "not made safe"),
        (["where-educated", "--by", "shoe-size"], "cannot be broken down by shoe-size"),
        (["requests", "--from", "2027-01-01"], "is after"),
        (["reviews-overdue", "--from", "2026-01-01"], "about a day, not about a period"),
    ],
)
def test_the_command_says_what_is_wrong(
    council: Store, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.setattr("pipelines.commands.asks.open_store", lambda: council)
    result = CliRunner().invoke(main, ["ask", *words])
    assert result.exit_code == 14 and said in result.output


def test_ages_the_wrong_way_round_are_refused_and_small_figures_stay_inside(
    council: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.asks.open_store", lambda: council)
    assert CliRunner().invoke(main, ["ask", "where-educated", "--ages", "16-5"]).exit_code != 0
    of_age = "children of the age"
    assert of_age in CliRunner().invoke(main, ["ask", "september-transfers"]).output
    assert of_age not in CliRunner().invoke(main, ["ask", "september-transfers", "--suppress"]).output


def test_an_unknown_question_is_said(council: Store) -> None:
    with pytest.raises(ConfigurationError, match="There is no question weather"):
        asking.ask(council, "weather")
