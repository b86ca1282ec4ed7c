"""Expectations of whole feeds: what is asked, where the bounds lie, what stops a night, and what never may.

Great Expectations takes seconds to import, so one process answers all the tests here; one test holds it against this
process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from checks.expectations import COLUMNS, collect, run_expectations, stop_if_unmet, submit
from checks.expectations_declared import load_declarations
from config.canonical import TABLES
from config.errors import ConfigurationError, PublicationStoppedError
from config.profiles import load_profiles
from pipelines.second_process import SecondProcess, second_process

AS_OF = "2026-10-25"


@pytest.fixture(scope="module")
def second() -> Iterator[SecondProcess]:
    with second_process() as started:
        yield started
    started.close()


def rows(table: str, source: str, count: int, **columns: Any) -> pd.DataFrame:
    """A canonical table of so many rows: a column given as a list is repeated, any other is missing."""
    frame = pd.DataFrame(index=range(count))
    frame["source"] = source
    frame["source_id"] = [str(n) for n in range(count)]
    frame["row_id"] = frame["source_id"]
    for name, values in columns.items():
        frame[name] = [values[n % len(values)] for n in range(count)]
    return frame.reindex(columns=list(TABLES[table].all_columns)).astype(TABLES[table].dtypes)


def filled(count: int, of: int, value: Any) -> list[Any]:
    return [value] * count + [None] * (of - count)


def feeds(**changes: dict[str, Any]) -> pd.DataFrame:
    """Every feed of the packaged profiles, accepted, 100 rows as the night before; `system_feed={...}` changes one."""
    profiles = load_profiles(None)
    frame = pd.DataFrame(
        [
            {
                "system": system,
                "feed": feed,
                "is_expected": True,
                "is_accepted": True,
                "rows": 100,
                "set_aside": 0,
                "repeated": 0,
                "newest_on": pd.Timestamp(AS_OF),
                "previous_rows": 100,
            }
            for system, profile in profiles.items()
            for feed in profile.feeds
        ]
    )
    for name, change in changes.items():
        here = (frame["system"] + "_" + frame["feed"]) == name
        assert here.any(), name
        for column, value in change.items():
            frame.loc[here, column] = value
    return frame


def healthy() -> dict[str, pd.DataFrame]:
    return {
        "people": pd.concat(
            [
                rows(
                    "people",
                    "synergy",
                    100,
                    born_on=[pd.Timestamp("2014-05-01")],
                    upn=[f"A88312345{n:04d}" for n in range(100)],
                    surname=["Example"],
                    forename=["Child"],
                    sex_code=["F", "M"],
                    need_code=["ASD"],
                    postcode=["ZB1 1AA"],
                ),
            ],
            ignore_index=True,
        ),
        "plans": rows("plans", "synergy", 100, started_on=[pd.Timestamp("2020-01-06")], maintaining_la_code=["883"]),
        "settings": rows("settings", "reference", 50, urn=[f"1{n:05d}" for n in range(50)], la_code=["883"]),
    }


def judge(
    second: SecondProcess, tables: dict[str, Any], frame: pd.DataFrame | None = None, **more: Any
) -> pd.DataFrame:
    night = submit(second, tables, feeds() if frame is None else frame, more.pop("previous", None), AS_OF, **more)
    return collect(second, night)


def one(results: pd.DataFrame, system: str, table: str, column: str, expectation: str) -> pd.Series:
    found = results[
        (results.system == system)
        & (results.table == table)
        & (results.column == column)
        & (results.expectation == expectation)
    ]
    assert len(found) == 1, found
    return found.iloc[0]


def of_feed(results: pd.DataFrame, feed: str, expectation: str) -> pd.Series:
    found = results[(results.system + " " + results.feed == feed) & (results.expectation == expectation)]
    assert len(found) == 1, found
    return found.iloc[0]


# What is declared


def test_the_packaged_file_speaks_of_columns_that_the_packaged_profiles_fill() -> None:
    profiles = load_profiles(None)
    for declared in load_declarations().expectations:
        if declared.column:
            mapped = [t.tables[declared.table].columns for t in profiles[declared.system].feeds.values()
                      if declared.table in t.tables]  # fmt: skip
            assert any(declared.column in columns for columns in mapped), declared.key
        assert declared.title[0].isupper() and not declared.title.endswith("."), declared.title


def test_the_expectations_that_stop_a_night_are_these_and_no_others() -> None:
    stops = {d.key for d in load_declarations().expectations if d.severity == "stop"}
    assert stops == {
        ("reference", "settings", "", "rows"),
        ("synergy", "plans", "", "rows"),
        ("synergy", "people", "born_on", "complete"),
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{system: synergy, table: pupils, expect: rows, at_least: 1, severity: warn, title: T}", "no canonical table"),
        ("{system: synergy, table: people, column: dob, expect: complete, at_least: 1, severity: warn, title: T}", "dob"),
        ("{system: synergy, table: people, column: upn, expect: complete, severity: warn, title: T}", "at_least"),
        ("{system: synergy, table: people, column: upn, expect: dates, at_least: 9, severity: warn, title: T}", "date"),
        ("{system: any, table: any, expect: rows, at_least: 1, severity: warn, title: T}", "one table of one system"),
        ("{system: synergy, table: people, expect: rows, at_least: 1, severity: fatal, title: T}", "severity"),
        ("{system: any, table: any, expect: steady, severity: warn, title: T}", "at_most"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "expectations.yml").write_text(f"expectations:\n  - {line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_declarations(tmp_path)
    assert says in str(caught.value) and "expectations.yml" in caught.value.what
    assert "\n" not in caught.value.what


def test_the_same_expectation_twice_is_refused(tmp_path: Path) -> None:
    line = "  - {system: synergy, table: people, expect: rows, at_least: 1, severity: warn, title: T}\n"
    (tmp_path / "expectations.yml").write_text("expectations:\n" + line * 2, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="twice"):
        load_declarations(tmp_path)


# What is judged


def test_a_healthy_night_has_its_columns_and_stops_nothing(second: SecondProcess) -> None:
    results = judge(second, healthy())
    assert results.dtypes.astype(str).to_dict() == COLUMNS
    stop_if_unmet(results)
    assert one(results, "synergy", "people", "upn", "complete").observed == "100.0 % of 100"
    assert one(results, "synergy", "people", "upn", "complete").wanted == "at least 85 %"
    assert not results[["system", "feed", "expectation", "title", "observed", "wanted"]].isna().any(axis=None)


@pytest.mark.parametrize(("with_date", "stops"), [(50, False), (49, True)])
def test_half_of_the_dates_of_birth_is_enough_and_less_is_not(
    second: SecondProcess, with_date: int, stops: bool
) -> None:
    tables = healthy()
    tables["people"] = rows("people", "synergy", 100, born_on=filled(with_date, 100, pd.Timestamp("2014-05-01")))
    results = judge(second, tables)
    assert bool(one(results, "synergy", "people", "born_on", "complete").is_met) is not stops
    if stops:
        with pytest.raises(PublicationStoppedError) as caught:
            stop_if_unmet(results)
        assert caught.value.exit_code == 12
        assert "synergy pupils: At least half of the pupils have a date of birth" in caught.value.what
        assert "49.0 % of 100" in caught.value.what
    else:
        stop_if_unmet(results)


def test_an_empty_register_of_establishments_stops_and_so_does_a_council_without_plans(second: SecondProcess) -> None:
    tables = healthy()
    tables["settings"] = tables["settings"].head(0)
    tables["plans"] = tables["plans"].head(0)
    with pytest.raises(PublicationStoppedError) as caught:
        stop_if_unmet(judge(second, tables))
    assert "reference edubasealldata" in caught.value.what and "synergy ehc_plans" in caught.value.what
    assert str(caught.value).count("\n") == 1


def test_a_handful_of_rows_is_shown_and_not_judged(second: SecondProcess) -> None:
    tables = healthy()
    tables["people"] = rows("people", "synergy", 29, surname=["Example"])
    results = judge(second, tables)
    assert one(results, "synergy", "people", "surname", "complete").is_met, "nothing is at fault"
    found = one(results, "synergy", "people", "born_on", "complete")
    assert pd.isna(found.is_met) and found.observed == "0.0 % of 29, too few to judge"
    stop_if_unmet(results)


def test_a_feed_that_never_came_is_neither_fine_nor_a_stop(second: SecondProcess) -> None:
    tables = {name: frame for name, frame in healthy().items() if name != "settings"}
    absent = {"is_accepted": False, "rows": None, "newest_on": pd.NaT}
    results = judge(second, tables, feeds(reference_edubasealldata=absent))
    found = one(results, "reference", "settings", "", "rows")
    assert pd.isna(found.is_met) and found.observed == "no accepted copy yet"
    assert not of_feed(results, "reference edubasealldata", "arrived").is_met
    stop_if_unmet(results)


def test_an_old_copy_is_judged_and_says_so(second: SecondProcess) -> None:
    results = judge(second, healthy(), feeds(synergy_pupils={"is_accepted": False, "rows": None}))
    assert one(results, "synergy", "people", "upn", "complete").observed == "100.0 % of 100 (old copy)"
    assert not of_feed(results, "synergy pupils", "arrived").is_met
    assert results[(results.feed == "pupils") & (results.expectation == "set_aside")].empty


def test_what_a_councils_own_profile_does_not_map_is_not_asked(second: SecondProcess, tmp_path: Path) -> None:
    """Another council: no dates of birth in this system, no postcodes, no other system. Odd, and healthy."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "synergy.yml").write_text(
        "system: synergy\n"
        "feeds:\n"
        "  kinder: {file: kinder.csv, table: people, columns: {source_id: Nr, surname: Name}}\n"
        "  plan: {file: plan.csv, table: plans, columns: {row_id: Nr, source_id: Kind}}\n",
        encoding="utf-8",
    )
    for name in ("liquidlogic", "capita"):
        (sources / f"{name}.yml").write_text(f"system: {name}\nfeeds: {{}}\n", encoding="utf-8")
    came = feeds().head(2).assign(feed=["kinder", "plan"], system="synergy")
    tables = healthy()
    tables["people"] = rows("people", "synergy", 100, surname=["Example"])
    results = judge(second, tables, came, config_dir=tmp_path)
    assert set(results.system) == {"synergy"} and set(results.feed) == {"kinder", "plan"}
    assert set(results[results.table == "people"].column) == {"surname"}
    assert results.is_met.all()
    stop_if_unmet(results)


def test_a_date_is_believable_up_to_the_night_itself(second: SecondProcess) -> None:
    tables = healthy()
    tables["visits"] = rows(
        "visits",
        "synergy",
        40,
        visited_on=[pd.Timestamp("2026-10-25")] * 38 + [pd.Timestamp("2026-10-26"), pd.Timestamp("9999-12-31")],
    )
    found = one(judge(second, tables), "synergy", "visits", "visited_on", "dates")
    assert (found.value, bool(found.is_met), found.observed) == (95.0, True, "95.0 % of 40")
    tables["visits"].loc[0, "visited_on"] = pd.Timestamp("2026-10-26")
    assert not one(judge(second, tables), "synergy", "visits", "visited_on", "dates").is_met


def test_the_bounds_of_a_feed(second: SecondProcess) -> None:
    day = pd.Timestamp(AS_OF)
    drawn: list[tuple[str, dict[str, Any], str, bool | None]] = [
        ("synergy pupils", {"set_aside": 1}, "set_aside", True),
        ("synergy ehc_plans", {"set_aside": 2}, "set_aside", False),
        ("synergy placements", {"repeated": 1}, "repeated", True),
        ("synergy home_education", {"repeated": 2}, "repeated", False),
        ("capita students", {"rows": 110}, "steady", True),
        ("capita school_history", {"rows": 111}, "steady", False),
        ("capita involvements", {"rows": 89}, "steady", False),
        ("capita missing_education", {"rows": 5, "previous_rows": 2}, "steady", None),
        ("synergy ehc_requests", {"newest_on": day - pd.Timedelta(days=30)}, "fresh", True),
        ("liquidlogic visits", {"newest_on": day - pd.Timedelta(days=15)}, "fresh", False),
        ("liquidlogic persons", {"is_accepted": False}, "arrived", False),
        ("liquidlogic addresses", {}, "arrived", True),
    ]
    frame = feeds(**{feed.replace(" ", "_", 1): change for feed, change, _, _ in drawn})
    results = judge(second, healthy(), frame)
    found = [of_feed(results, feed, expectation).is_met for feed, _, expectation, _ in drawn]
    assert [None if pd.isna(met) else bool(met) for met in found] == [wanted for *_, wanted in drawn]


def test_a_feed_without_dates_or_a_last_run_is_not_asked_about_them(second: SecondProcess) -> None:
    change = {"newest_on": pd.NaT, "previous_rows": None}
    results = judge(second, healthy(), feeds(synergy_ehc_requests=change))
    here = results[results.feed == "ehc_requests"]
    assert not here.expectation.isin(["fresh", "steady"]).any()


def test_the_councils_own_bound_for_one_feed_wins(second: SecondProcess, tmp_path: Path) -> None:
    lines = [
        "{system: any, table: any, expect: set_aside, at_most: 1, severity: warn, title: Any}",
        "{system: capita, table: people, expect: set_aside, at_most: 5, severity: warn, title: Ours}",
        "{system: capita, table: any, expect: set_aside, at_most: 3, severity: warn, title: Capita}",
    ]
    (tmp_path / "expectations.yml").write_text(
        "expectations:\n" + "".join(f"  - {line}\n" for line in lines), encoding="utf-8"
    )
    results = judge(second, healthy(), feeds(capita_students={"set_aside": 5}), config_dir=tmp_path)
    titles = results.set_index(results.system + " " + results.feed).title
    assert titles["capita students"] == "Ours" and titles["capita involvements"] == "Capita"
    assert titles["synergy pupils"] == "Any"
    assert results.is_met.all()


def test_drift_begins_beyond_ten_points(second: SecondProcess) -> None:
    previous = judge(second, healthy())
    assert previous.expectation.ne("drift").all()
    tables = healthy()
    tables["people"]["upn"] = pd.Series(filled(90, 100, "A883123450000"), dtype="str")
    tables["people"]["surname"] = pd.Series(filled(89, 100, "Example"), dtype="str")
    results = judge(second, tables, previous=previous)
    found = [one(results, "synergy", "people", column, "drift") for column in ("upn", "surname", "forename")]
    assert [(bool(row.is_met), row.value, row.severity) for row in found] == [
        (True, -10.0, "warn"),
        (False, -11.0, "warn"),
        (True, 0.0, "warn"),
    ]
    assert found[1].observed == "100.0 % then, 89.0 % now" and found[1].wanted == "at most 10 points less"


def test_nothing_personal_is_in_the_results(second: SecondProcess) -> None:
    tables = healthy()
    tables["people"]["surname"] = pd.Series(["Personal-Name"] * 99 + [None], dtype="str")
    tables["people"]["upn"] = "not-a-upn"
    tables["people"]["sex_code"] = "secret"
    results = judge(second, tables)
    assert not one(results, "synergy", "people", "upn", "matches").is_met
    told = results.to_csv()
    assert not any(text in told for text in ("Personal-Name", "not-a-upn", "secret", "2014-05-01", "ZB1"))


# The second process


def test_both_ways_give_the_same_and_a_lost_process_is_made_up_for(second: SecondProcess) -> None:
    tables, frame = healthy(), feeds(synergy_pupils={"set_aside": 3})
    previous = judge(second, tables, frame)
    beside = judge(second, tables, frame, previous=previous)
    here = run_expectations(tables, frame, previous, AS_OF)
    pd.testing.assert_frame_equal(beside, here)
    with SecondProcess() as lost:
        night = submit(lost, tables, frame, previous, AS_OF)
        assert lost._process is not None
        lost._process.kill()
        pd.testing.assert_frame_equal(collect(lost, night), here)
        assert not lost.is_alive
