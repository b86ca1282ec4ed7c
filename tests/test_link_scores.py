"""Scored links: what the model joins, what it never joins, its memory, and that every weight can be told in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from config.errors import ConfigurationError
from pipelines.link import link_people
from pipelines.link_compare import prepare_people
from pipelines.link_model import load_model, save_model
from pipelines.link_score import features, rarity, waterfall, weigh
from pipelines.link_train import train_model
from tests.link_drawn import AS_OF, MODEL, NICKNAMES, drawn, how, link, together

#: What the passes leave to the score: against S1 "Amberley Stonebridge, born 2014-05-06, NM1 1GD"; whether the score joins it.
SCORED = {
    "a letter missing in the forename": ("C1 | Stonebridge | Amberly  | 2014-05-06 | F | NM1 1GD | 7 | Elm Road", True),
    "a letter wrong in the surname": ("C1 | Stonebrigde | Amberley | 2014-05-06 | F | NM1 1GD | 7 | Elm Road", True),
    "quite another forename": ("C1 | Stonebridge | Ruby     | 2014-05-06 | F | NM1 1GD | 7 | Elm Road", False),
    "no forename": ("C1 | Stonebridge |          | 2014-05-06 | F | NM1 1GD | 7 | Elm Road", False),
    "another date of birth and home": ("C1 | Stonebridge | Amberly  | 2011-01-23 | F | NM1 2AB | 9 | Dene Road", False),
    "another sex and a like forename": ("C1 | Stonebridge | Amberly  | 2014-05-06 | M | NM1 1GD | 7 | Elm Road", False),
}


def _two(other: str) -> str:
    return f"""
        record | surname     | forename | born       | sex | postcode | house | street
        S1     | Stonebridge | Amberley | 2014-05-06 | F   | NM1 1GD  | 7     | Elm Road
        {other}
    """


@pytest.mark.parametrize(("other", "joined"), SCORED.values(), ids=SCORED)
def test_what_the_score_joins(other, joined):
    assert together(link(_two(other))) == ({"C1 S1"} if joined else {"C1", "S1"})


def test_two_known_names_are_two_children_and_not_a_slip():
    """Lily and Lilly are borne by others too, so one is no slip of the pen for the other."""
    others = "\n".join(
        f"C{n} | Other{n} | {name} | 2012-0{n % 9 + 1}-11 | F | NM{n} 3AB"
        for n, name in enumerate(["Lily", "Lilly"] * 3, 10)
    )
    linkage = link(f"""
        record | surname     | forename | born       | sex | postcode
        S1     | Stonebridge | Lily     | 2014-05-06 | F   | NM1 1GD
        C1     | Stonebridge | Lilly    | 2014-05-06 | F   | NM1 1GD
        {others}
    """)
    assert "C1 S1" not in together(linkage)


def test_a_tie_is_never_guessed():
    linkage = link("""
        record | surname     | forename | born       | sex | postcode
        S1     | Stonebridge | Amberley | 2014-05-06 | F   | NM1 1GD
        C1     | Stonebridge | Amberly  | 2014-05-06 | F   | NM1 1GD
        C2     | Stonebridge | Amberey  | 2014-05-06 | F   | NM1 1GD
    """)
    assert together(linkage) == {"C1", "C2", "S1"}


def _linked(text: str, previous: pd.DataFrame | None, **thresholds: float):
    model = replace(MODEL, **thresholds)
    return link_people(drawn("people", text), None, None, None, previous, None, NICKNAMES, AS_OF, model)


def test_a_link_is_let_go_only_below_the_lower_threshold():
    text = _two(SCORED["a letter missing in the forename"][0])
    weight = float(_linked(text, None, join=99.0, fracture=99.0).review["weight"].iloc[0])
    before = _linked(text, None, join=weight - 1, fracture=weight - 1)
    assert how(before)["S1"] == "score"
    kept = _linked(text, before.links, join=weight + 1, fracture=weight - 1)
    assert together(kept) == {"C1 S1"}
    assert how(kept)["S1"] == "score, as on an earlier night"
    assert together(_linked(text, None, join=weight + 1, fracture=weight - 1)) == {"C1", "S1"}
    assert together(_linked(text, before.links, join=weight + 2, fracture=weight + 1)) == {"C1", "S1"}


#: A pair that the score joins, with each number in turn; joined, or kept apart whatever it weighs.
NUMBERS = {
    "no number": ("", "", True),
    "one NHS number": ("nhs 9434765919", "nhs 9434765919", True),
    "known on one side": ("nhs 9434765919", "", True),
    "two NHS numbers": ("nhs 9434765919", "nhs 9434765870", False),
    "an NHS number that is none": ("nhs 9434765919", "nhs 9434765871", True),
    "two UPNs": ("upn #1", "upn #2", False),
    "a temporary UPN": ("upn #1", "upn A88320000001A", True),
    "two ULNs": ("uln #1", "uln #2", False),
    "one UPN and two NHS numbers": ("upn #1 nhs 9434765919", "upn #1 nhs 9434765870", True),
}


@pytest.mark.parametrize(("one", "other", "joined"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_that_disagree_are_never_joined_by_a_score(one, other, joined):
    """The threshold lies below every weight: it is the guard that keeps two children apart."""
    said = [dict(zip(words[::2], words[1::2], strict=True)) for words in (one.split(), other.split())]
    numbers = [" | ".join(side.get(name, "") for name in ("upn", "uln", "nhs")) for side in said]
    text = f"""
        record | upn | uln | nhs_number | surname     | forename | born       | sex | postcode
        S1     | {numbers[0]} | Stonebridge | Amberley | 2014-05-06 | F   | NM1 1GD
        C1     | {numbers[1]} | Stonebridge | Amberly  | 2014-05-06 | F   | NM1 1GD
    """
    linkage = _linked(text, None, join=-99.0, fracture=-99.0, review=-99.0)
    assert together(linkage) == ({"C1 S1"} if joined else {"C1", "S1"})


@pytest.mark.parametrize(
    ("care", "expected"),
    [
        ("L1 | 2021-11-04 | 2026-10-24 | A3 | E11", {"S1"}),
        ("L1 | 2021-11-04 | 2026-10-25 | A3 | E12", {"S1"}),  # the night of the order
        (
            "L1 | 2021-11-04 | 2026-10-26 | A3 | E11",
            {"L1", "S1"},
        ),  # the order comes tomorrow: placed, so no other surname
        ("L1 | 2021-11-04 |            | A3 |    ", {"L1", "S1"}),
        ("L1 | 2021-11-04 | 2026-10-24 | U1 | E45", {"L1 S1"}),  # care ended otherwise
    ],
)
def test_no_score_bridges_an_adoption(care, expected):
    """Another surname, all else alike but for a letter: no link, and of what is sealed no pair, no weight and no question either."""
    linkage = link_people(
        drawn("people", """
        record | surname     | forename | born       | sex | postcode | house | street
        S1     | Stonebridge | Amberley | 2014-05-06 | F   | NM1 1GD  | 7     | Elm Road
        L1     | Marshwood   | Amberly  | 2014-05-06 | F   | NM1 1GD  | 7     | Elm Road
        """),
        None, drawn("care_placements", f"record | started | ended | place | end\n{care}"), None, None, None, NICKNAMES, AS_OF,
        replace(MODEL, join=-99.0, fracture=-99.0, review=-99.0),
    )  # fmt: skip
    assert together(linkage) == expected
    assert linkage.review.empty


def test_a_system_that_is_missing_for_a_night_costs_no_scored_link():
    """Links by a score and child ids stay for who is there, and are back with the system, in whatever order its rows come."""
    text = (
        _two(SCORED["a letter missing in the forename"][0])
        + "    L1 | Stonebridge | Amberey  | 2014-05-06 | F | NM1 1GD | 7 | Elm Road\n"
    )
    first = _linked(text, None)
    assert together(first) == {"C1 L1 S1"} and {how(first)[name] for name in ("C1", "L1")} == {"score"}
    lines = text.strip().splitlines()
    for gone in ("L1", "S1", "C1"):
        second = _linked("\n".join(line for line in lines if not line.strip().startswith(gone)), first.links)
        assert set(second.links["child_id"]) == set(first.links["child_id"]) and len(second.links) == 2
        so_far = pd.concat([second.links, first.links], ignore_index=True)
        third = _linked("\n".join([lines[0], *reversed(lines[1:])]), so_far)
        pd.testing.assert_frame_equal(
            third.links[["source", "source_id", "child_id"]], first.links[["source", "source_id", "child_id"]]
        )


def test_the_parts_of_a_weight_add_up_to_it():
    people = drawn("people", _two(SCORED["a letter wrong in the surname"][0]))
    pairs = pd.DataFrame({"source_a": ["synergy"], "source_id_a": ["1"], "source_b": ["capita"], "source_id_b": ["1"]})
    scored = weigh(pairs, people, None, NICKNAMES, MODEL)
    parts = waterfall(scored, MODEL)
    assert parts["weight"].sum() == pytest.approx(scored["weight"].iloc[0])
    words = parts.set_index("comparison")["level"]
    assert words["surname"] == "surname one letter out"
    assert words["born"] == "same date of birth"
    assert words["upn"] == "not known in both"
    assert (parts.set_index("comparison")["weight"][["upn", "uln", "nhs"]] == 0).all()


def test_training_learns_from_records_and_gives_the_same_model_again(tmp_path):
    draw = np.random.default_rng(1)
    size = 400
    letters = np.array(list("ABCDEFGHIJKLMNOPRSTUW"))
    word = ["".join(draw.choice(letters, 6)) for _ in range(120)]
    base = pd.DataFrame(
        {
            "source_id": np.arange(size).astype(str),
            "surname": draw.choice(word, size),
            "forename": draw.choice(word, size),
            "born_on": pd.Timestamp("2012-01-01") + pd.to_timedelta(draw.integers(0, 3000, size), unit="D"),
            "sex_code": draw.choice(["M", "F"], size),
            "postcode": [f"NM{n % 9 + 1} {n % 7 + 1}AB" for n in range(size)],
        }
    )
    slipped = base.assign(surname=base["surname"].where(draw.random(size) < 0.6, "X" + base["surname"].str[1:]))
    shape = drawn("people", "record | sex\nS1 | F").iloc[:0]
    people = pd.concat([shape, base.assign(source="synergy"), slipped.assign(source="capita")], ignore_index=True)
    people = people.astype(shape.dtypes.to_dict())
    records = prepare_people(people, None)
    trained = [train_model(features(records, people, None, NICKNAMES), rarity(records), "1") for _ in range(2)]
    assert trained[0] == trained[1]
    level = {row["label_for_charts"]: row for row in trained[0].splink["comparisons"][1]["comparison_levels"]}
    assert level["surname one letter out"]["m_probability"] > 0.15
    assert level["same surname"]["u_probability"] < 0.05
    save_model(trained[0], tmp_path / "link_model.json")
    assert load_model(tmp_path / "link_model.json") == trained[0]


def test_a_file_that_is_no_model_is_refused_in_two_lines(tmp_path):
    path = tmp_path / "link_model.json"
    for text in ("{", "{}", '{"format": 0}', "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError):
            load_model(path)
    save_model(replace(MODEL, review=50.0), path)
    with pytest.raises(ConfigurationError, match="thresholds"):
        load_model(path)
