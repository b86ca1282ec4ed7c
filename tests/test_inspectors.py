"""The inspectors' list and its sample: everybody is in it, anybody can draw it again."""

from __future__ import annotations

import gc
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.errors import ConfigurationError
from pipelines.cli import main
from pipelines.sampling import NOT_SAID, drawn
from pipelines.store import Store


def children(**strata: int) -> pd.DataFrame:
    rows = [(f"C{name}{n:03d}", name) for name, count in strata.items() for n in range(count)]
    return pd.DataFrame(rows, columns=["child_id", "need"])


def test_the_same_seed_draws_the_same_children_in_whatever_order_they_come() -> None:
    whole = children(ASD=60, SLD=40)
    first = drawn(whole, 10, seed=7)
    again = drawn(whole.sample(frac=1, random_state=1), 10, seed=7)
    assert first["child_id"].tolist() == again["child_id"].tolist()
    assert first["child_id"].tolist() != drawn(whole, 10, seed=8)["child_id"].tolist()
    assert first["draw"].tolist() == list(range(1, 11))


def test_a_larger_sample_holds_the_smaller_one() -> None:
    whole = children(ASD=60)
    assert drawn(whole, 20, 3)["child_id"].tolist()[:5] == drawn(whole, 5, 3)["child_id"].tolist()


@pytest.mark.parametrize(
    ("strata", "size", "shares"),
    [
        ({"a": 50, "b": 50}, 10, {"a": 5, "b": 5}),
        ({"a": 90, "b": 9, "c": 1}, 10, {"a": 8, "b": 1, "c": 1}),  # the smallest gets one, of the largest's share
        ({"a": 3, "b": 97}, 2, {"a": 1, "b": 1}),
        ({"a": 2, "b": 2}, 4, {"a": 2, "b": 2}),
        ({"a": 5, "b": 5, "c": 5}, 2, {"a": 1, "b": 1}),  # fewer than strata: no room for one of each
    ],
)
def test_strata_share_the_sample(strata: dict[str, int], size: int, shares: dict[str, int]) -> None:
    assert drawn(children(**strata), size, 1, "need")["stratum"].value_counts().to_dict() == shares


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1), st.data(), st.integers())
def test_any_sample_has_its_size_and_nobody_twice(strata: dict[str, int], data: st.DataObject, seed: int) -> None:
    size = data.draw(st.integers(1, sum(strata.values())))
    found = drawn(children(**strata), size, seed, "need")
    assert len(found) == size and found["child_id"].is_unique
    counts = found["stratum"].value_counts().to_dict()
    assert all(count <= strata[name] for name, count in counts.items())


def test_a_blank_stratum_is_one_of_its_own() -> None:
    whole = children(ASD=8).assign(need=[None] * 3 + ["ASD"] * 5)
    assert set(drawn(whole, 4, 1, "need")["stratum"]) == {"ASD", NOT_SAID}


@pytest.mark.parametrize("size", [0, 6])
def test_a_sample_of_more_than_there_are_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match=f"A sample of {size}"):
        drawn(children(a=5), size, 1)


def test_the_workbook_holds_every_child_with_a_plan_and_those_out_of_the_area(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.inspectors.open_store", lambda: council)
    path = tmp_path / "list.xlsx"
    result = CliRunner().invoke(main, ["inspectors", "list", "--file", str(path)])
    assert result.exit_code == 0, result.output
    book = load_workbook(path, read_only=True)
    register = council.register().query("active_plan == 'Y'")
    rows = list(book["All children"].iter_rows(values_only=True))
    place = rows[0].index("Child")
    assert {row[place] for row in rows[1:]} == set(register["child_id"])
    away = {row[place] for row in list(book["Out of area"].iter_rows(values_only=True))[1:]}
    open_ones = register[~register["is_restricted"].fillna(False).astype(bool)]
    assert away == set(open_ones.loc[open_ones["in_authority"] == "N", "child_id"]) and away
    secret = set(register["child_id"]) - set(open_ones["child_id"])
    setting = rows[0].index("Setting")
    assert secret and {row[setting] for row in rows[1:] if row[place] in secret} == {"restricted"}


def test_the_cover_says_each_thing_once_and_which_day_and_night(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.inspectors.open_store", lambda: council)
    said = []
    for number, words in enumerate(([], ["--as-of", "2026-03-31"])):
        path = tmp_path / f"{number}.xlsx"
        assert CliRunner().invoke(main, ["inspectors", "list", *words, "--file", str(path)]).exit_code == 0
        cover = load_workbook(path, read_only=True)["Read me first"]
        said.append([str(cell) for row in cover.iter_rows(values_only=True) for cell in row if cell])
        assert said[-1].count("What this rests on") == 1
    assert any("night of 27 October 2026" in text for text in said[0])
    assert any("as at 31 March 2026" in text for text in said[1])
    assert not any("night of 31 March" in text for text in said[1])


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_cannot_be_written_is_said_in_two_lines_and_nothing_more(
    council: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.commands.inspectors.open_store", lambda: council)
    result = CliRunner().invoke(main, ["inspectors", "list", "--file", str(tmp_path / "nowhere" / "list.xlsx")])
    gc.collect()
    assert result.exit_code == 14 and len(result.output.splitlines()) == 2


def test_the_sample_says_how_to_draw_it_again(council: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.commands.inspectors.open_store", lambda: council)
    words = ["inspectors", "sample", "--size", "12", "--seed", "42", "--by", "need", "--format", "csv"]
    first, second = (CliRunner().invoke(main, words) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout and len(first.stdout.splitlines()) == 13
    assert (
        "seed 42" in first.stderr
        and "stratified by need" in first.stderr
        and "200" in first.stderr
        or "children" in first.stderr
    )
    wrong = CliRunner().invoke(main, ["inspectors", "sample", "--size", "3", "--seed", "1", "--by", "shoe"])
    assert wrong.exit_code == 14 and "cannot be stratified by shoe" in wrong.output
