"""Who must never become one child, however much agrees: twins, strangers, unborn, merged and adopted children."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.link import link_people
from tests.link_drawn import AS_OF, MODEL, NICKNAMES, drawn, how, ids, link, queue, sealed, together

# Twins: same surname, date of birth and home; the forename is what tells them apart


def test_twins_who_are_in_every_system():
    linkage = link("""
        record | upn | surname | forename | born       | sex | postcode
        S1     | #1  | Hassan  | Grace    | 2013-05-08 | F   | NM1 1GD
        S2     | #2  | Hassan  | Gracie   | 2013-05-08 | F   | NM1 1GD
        C1     | #1  | Hassan  | Grace    | 2013-05-08 | F   | NM1 1GD
        C2     | #2  | Hassan  | Gracie   | 2013-05-08 | F   | NM1 1GD
        L2     |     | Hassan  | Gracie   | 2013-05-08 | F   | NM1 1GD
        L1     |     | Hassan  | Grace    | 2013-05-08 | F   | NM1 1GD
    """)
    assert together(linkage) == {"C1 L1 S1", "C2 L2 S2"}


@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize(
    ("one", "other"), [("Aiden", "Jayden"), ("Jack", "Jake"), ("Taiwo", "Kehinde"), ("Lily", "Lilly")]
)
def test_a_twin_is_not_taken_for_the_other(one, other, numbers):
    """One twin stands in one system only, the other in the other only."""
    first, second = ("#1", "#2") if numbers else ("", "")
    linkage = link(f"""
        record | upn      | surname | forename | born       | sex | postcode
        S1     | {first}  | Nwosu   | {one}    | 2015-09-07 | M   | NM1 1GD
        C2     | {second} | Nwosu   | {other}  | 2015-09-07 | M   | NM1 1GD
        L2     |          | Nwosu   | {other}  | 2015-09-07 | M   | NM1 1GD
    """)
    assert together(linkage) == {"C2 L2", "S1"}


def test_twins_with_like_forenames_and_numbers_are_kept_apart():
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Ellis   | Grace    | 2009-07-10 | NM1 1GD
        C2     | #2  | Ellis   | Gracie   | 2009-07-10 | NM1 1GD
    """)
    assert together(linkage) == {"C2", "S1"}


def test_a_social_care_twin_finds_the_right_one_of_two():
    """Josh may be Joshua or himself: his own name comes first, and Joseph is left alone."""
    linkage = link("""
        record | upn | surname | forename | known | born       | sex | postcode
        C1     | #1  | Gosling | Joseph   |       | 2020-03-24 | M   | NM1 1GD
        C2     | #2  | Gosling | Joshua   |       | 2020-03-24 | M   | NM1 1GD
        L2     |     | Gosling | Josh     |       | 2020-03-24 | M   | NM1 1GD
    """)
    assert together(linkage) == {"C1", "C2 L2"}


def test_a_twin_with_the_siblings_number_by_mistake():
    linkage = link("""
        record | upn | surname | forename | born       | sex | postcode
        S1     | #1  | Gosling | Joseph   | 2020-03-24 | M   | NM1 1GD
        S2     | #2  | Gosling | Micah    | 2020-03-24 | M   | NM1 1GD
        C2     | #1  | Gosling | Micah    | 2020-03-24 | M   | NM1 1GD
    """)
    assert "C2 S1" not in together(linkage)


# Strangers of the same name


@pytest.mark.parametrize("born", ["2017-04-02", "2017-04-01", "2017-02-04"])
def test_a_stranger_of_the_same_name(born):
    """Oliver has a number and another home than Oliver; his social care record has neither and is not given to either."""
    linkage = link(f"""
        record | upn | surname | forename | born       | sex | postcode
        S1     | #1  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1ZB
        C1     | #1  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1ZB
        C2     | #2  | Watson  | Oliver   | {born}     | M   | NM1 1TP
    """)
    assert together(linkage) == {"C1 S1", "C2"}


def test_a_name_that_two_children_share_decides_nothing():
    linkage = link("""
        record | upn | surname | forename | born       | sex | postcode
        C1     | #1  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1ZB
        C2     | #2  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1TP
        L1     |     | Watson  | Oliver   | 2017-04-02 | M   | NM1 2AB
    """)
    assert together(linkage) == {"C1", "C2", "L1"}
    assert queue(linkage) == {"C1 L1", "C2 L1"}


def test_two_children_of_one_name_in_two_systems_are_enough_to_doubt():
    """Synergy's and Capita's Oliver carry different numbers, so social care's could be either."""
    linkage = link("""
        record | upn | surname | forename | born       | sex | postcode
        S1     | #1  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1ZB
        C2     | #2  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1TP
        L1     |     | Watson  | Oliver   | 2017-04-02 | M   | NM1 2AB
    """)
    assert together(linkage) == {"C2", "L1", "S1"}


def test_the_same_forename_and_birthday_in_one_street_is_not_enough_against_a_number():
    linkage = link("""
        record | upn | surname | forename | born       | sex | postcode
        S1     | #1  | Watson  | Oliver   | 2017-04-02 | M   | NM1 1ZB
        C2     | #2  | Nagy    | Oliver   | 2017-04-02 | M   | NM1 1ZB
    """)
    assert together(linkage) == {"C2", "S1"}


# Unborn, merged and deceased records


@pytest.mark.parametrize("forename", ["Unborn Baby", "Amber"])
def test_an_expected_child_is_nobody_yet(forename):
    linkage = link(f"""
        record | surname | forename   | born       | estimated | postcode
        L1     | Stone   | {forename} | 2026-12-01 | Y         | NM1 1GD
        S1     | Stone   | {forename} | 2026-12-01 |           | NM1 1GD
        C1     | Stone   | {forename} | 2026-12-01 |           | NM1 1GD
    """)
    assert together(linkage) == {"C1 S1", "L1"}
    assert not [pair for pair in queue(linkage) if "L1" in pair]


@pytest.mark.parametrize("flag", ["estimated", "merged"])
def test_a_closed_record_links_by_a_valid_upn_only(flag):
    value = {"estimated": "Y", "merged": "2026-07-27"}[flag]
    linkage = link(f"""
        record | upn | surname   | forename | born       | {flag}  | postcode
        S1     | #1  | Wilkinson | Alice    | 2011-06-03 |         | NM1 1GD
        C1     | #1  | Wilkinson | Alice    | 2011-06-03 |         | NM1 1GD
        L1     | #1  | Barker    | Alice    | 2011-06-03 | {value} | NM1 1GD
        L2     |     | Wilkinson | Alice    | 2011-06-03 | {value} | NM1 1GD
    """)
    assert together(linkage) == {"C1 L1 S1", "L2"}
    assert how(linkage)["L1"] == "UPN of a closed record"


def test_a_merged_record_gives_way_to_the_one_it_was_merged_into():
    linkage = link("""
        record | upn | surname | forename | born       | merged     | postcode
        C1     | #1  | Lowe    | Freya    | 2020-03-06 |            | NM1 1GD
        L5     |     | Lowe    | Freya    | 2020-03-06 |            | NM1 1GD
        L9     | #1  | Lowe    | Freya    | 2020-03-06 | 2025-04-13 | NM1 1GD
    """)
    assert together(linkage) == {"C1 L5", "L9"}


def test_merged_duplicates_of_nobody_stay_apart():
    linkage = link("""
        record | upn | surname | forename | born       | merged
        L5     |     | Zajac   | Oskar    | 2022-12-15 |
        L9     |     | Zajac   | Oskar    | 2022-12-15 | 2026-09-10
    """)
    assert together(linkage) == {"L5", "L9"}
    assert queue(linkage) == set()


def test_a_deceased_childs_record_links_by_upn():
    linkage = link("""
        record | upn | surname | forename | born       | died       | postcode
        S1     | #1  | Hayes   | Otis     | 2018-11-18 |            | NM1 1GD
        L1     | #1  | Hayes   | Otis     | 2018-11-18 | 2026-09-15 |
    """)
    assert together(linkage) == {"L1 S1"}


def test_a_deceased_childs_record_links_by_nothing_else():
    linkage = link("""
        record | upn | surname | forename | born       | died       | postcode
        S1     | #1  | Hayes   | Otis     | 2018-11-18 |            | NM1 1GD
        L1     |     | Hayes   | Otis     | 2018-11-18 | 2026-09-15 | NM1 1GD
    """)
    assert together(linkage) == {"L1", "S1"}


# Adoption: the closed record is sealed, with its birth identity; the adoptive identity never is

ADOPTED = """
    record | upn | surname | forename | born       | sex | postcode
    L1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
    C1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
    C2     | #2  | Menon   | Mohammed | 2011-09-20 | M   | NM1 0GP
    S2     | #2  | Menon   | Mohammed | 2011-09-20 | M   | NM1 0GP
"""
ORDER = """
    record | started    | ended      | place | end
    L1     | 2021-11-04 | 2022-08-31 | A3    | E11
"""
PLAN = """
    record | started    | ceased
    S2     | 2021-04-07 |
    C2     | 2021-04-07 |
"""


def test_what_an_adoption_closed_is_sealed_with_its_birth_identity():
    linkage = link(ADOPTED, care=ORDER, plans=PLAN)
    assert sealed(linkage) == {"C1", "L1"}
    assert together(linkage) == {"C2 S2"}
    assert linkage.review.empty


@pytest.mark.parametrize("code", ["E11", "E12"])
@pytest.mark.parametrize(
    ("ended", "is_sealed"), [("2026-10-24", True), ("2026-10-25", True), ("2026-10-26", False), ("", True)]
)
def test_the_day_of_the_order(code, ended, is_sealed):
    care = f"record | started | ended | end\nL1 | 2021-11-04 | {ended} | {code}"
    assert sealed(link(ADOPTED, care=care, plans=PLAN)) == ({"C1", "L1"} if is_sealed else set())


@pytest.mark.parametrize("code", ["E4A", "E45", "X1", ""])
def test_other_ends_of_care_seal_nobody(code):
    care = f"record | started | ended | end\nL1 | 2021-11-04 | 2022-08-31 | {code}"
    assert sealed(link(ADOPTED, care=care, plans=PLAN)) == set()


def test_a_child_back_in_care_under_the_same_record_is_not_sealed():
    """The order fell through, or was recorded on the wrong child: hiding a child in care would be worse."""
    care = ORDER + "    L1     | 2023-02-01 |            | U1    |\n"
    assert sealed(link(ADOPTED, care=care, plans=PLAN)) == set()


def test_the_birth_identity_is_found_by_name_where_social_care_has_no_number():
    people = ADOPTED.replace("L1     | #1 ", "L1     |    ")
    assert sealed(link(people, care=ORDER, plans=PLAN)) == {"C1", "L1"}


def test_an_active_plan_is_never_sealed():
    """Adopted by carers whose name the child already had: the plan stays, under the same name and number."""
    people = """
        record | upn | surname | forename | born       | sex | postcode
        L1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
        S1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
    """
    for started, ceased, hidden in (
        ("2021-04-07", "", False),
        ("2021-04-07", "2026-10-26", False),
        ("2021-04-07", "2026-10-25", True),
        ("2026-10-26", "", True),
    ):
        linkage = link(people, care=ORDER, plans=f"record | started | ceased\nS1 | {started} | {ceased}")
        assert sealed(linkage) == ({"L1", "S1"} if hidden else {"L1"})


def test_another_surname_is_never_sealed_even_under_the_same_number():
    people = ADOPTED.replace("S2     | #2 ", "S2     | #1 ")
    assert "S2" not in sealed(link(people, care=ORDER))


def test_the_pair_of_an_adoption_is_in_nothing_that_is_handed_on():
    """Neither numbers, nor the same home, nor a person's decision brings a sealed record back."""
    people = ADOPTED.replace("C2     | #2 ", "C2     | #1 ").replace("NM1 0GP", "NM1 1ZR")
    linkage = link(people, care=ORDER, plans=PLAN, decisions="L1 = S2\nC1 = S2\nC1 = C2")
    assert sealed(linkage) == {"C1", "L1"}
    handed_on = pd.concat([linkage.links.astype("str"), linkage.review.astype("str")]).to_numpy().ravel()
    assert not {"L1", "C1"} & set(ids(linkage))
    assert "decision" not in handed_on


def test_what_was_once_one_child_is_sealed_and_the_id_goes_to_nobody_else():
    before = link(ADOPTED, plans=PLAN)
    after = link(ADOPTED, care=ORDER, plans=PLAN, previous=before)
    assert ids(after) == {name: ids(before)[name] for name in ("C2", "S2")}


def test_a_child_placed_for_adoption_is_not_linked_to_another_surname():
    """Care ended after a placement for adoption, with no reason recorded; the old record knows the adopters' address."""
    linkage = link(
        """
        record | upn | surname | forename | born       | postcode
        L1     |     | Clark   | Mohammed | 2011-09-20 |
        S2     | #2  | Menon   | Mohammed | 2011-09-20 | NM1 0GP
        """,
        addresses="""
        record | started    | ended      | postcode
        L1     | 2015-01-01 | 2021-11-03 | NM1 1ZR
        L1     | 2021-11-04 |            | NM1 0GP
        """,
        care="record | started | ended | place | end\nL1 | 2021-11-04 | 2022-08-31 | A3 |",
        plans="record | started | ceased\nS2 | 2021-04-07 |",
    )
    assert "L1 S2" not in together(linkage)


def test_a_child_in_assessment_is_not_sealed():
    """The same name and number as the closed record, and a draft plan: a child of the register who must not be hidden."""
    people = """
        record | upn | surname | forename | born       | sex | postcode
        L1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
        S1     | #1  | Clark   | Mohammed | 2011-09-20 | M   | NM1 1ZR
    """
    assert "S1" not in sealed(link(people, care=ORDER, plans="record | started | ceased\nS1 | |"))


def test_a_false_seal_does_not_take_the_roll_from_a_child_with_a_plan():
    linkage = link(
        """
        record | upn | surname | forename | born       | postcode
        L1     | #1  | Clark   | Mohammed | 2011-09-20 | NM1 1ZR
        S1     | #1  | Clark   | Mohammed | 2011-09-20 | NM1 1ZR
        C1     | #1  | Clark   | Mohammed | 2011-09-20 | NM1 1ZR
        """,
        care=ORDER,
        plans="record | started | ceased\nS1 | 2021-04-07 |",
    )
    assert together(linkage) == {"C1 S1"}


# Numbers that contradict each other


def test_told_apart_means_apart_in_company_too():
    linkage = link(
        """
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        L1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        """,
        decisions="S1 x L1",
    )
    assert "C1 L1 S1" not in together(linkage)


def test_a_third_record_does_not_join_two_whose_numbers_disagree():
    """Social care's Ali lives with Synergy's and is called as Capita's: two numbers, two children."""
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Khan    | Ali      | 2014-05-06 | NM1 1GD
        C2     | #2  | Shah    | Ali      | 2014-05-06 | NM1 2AB
        L1     |     | Shah    | Ali      | 2014-05-06 | NM1 1GD
    """)
    assert not [child for child in together(linkage) if {"S1", "C2"} <= set(child.split())]


# A crowd


def test_no_two_children_of_one_system_and_no_change_of_order_in_a_crowd():
    """Many records drawn from few names, dates, numbers and homes: the hardest case for ties, whatever the order of the rows."""
    draw = np.random.default_rng(1)
    size = 150
    pick = {
        "source": draw.choice(["synergy", "capita", "liquidlogic"], size),
        "surname": draw.choice(["STONE", "MARSH", "HILL", "O'BRIEN"], size),
        "forename": draw.choice(["CHARLES", "CHARLIE", "GRACE", "GRACIE", "ALI"], size),
        "postcode": draw.choice(["NM1 1GD", "NM1 2AB", "", "ZZ99 3VZ"], size),
        "born_on": pd.to_datetime(draw.choice(["2014-05-06", "2014-06-05", "2014-05-07", "2011-01-01"], size)),
        "upn": [drawn("people", f"record | upn\nS1 | #{number}")["upn"].iloc[0] for number in draw.integers(1, 25, size)],
        "merged_on": pd.to_datetime(np.where(draw.random(size) < 0.05, "2025-01-01", None)),
    }  # fmt: skip
    people = drawn("people", "\n".join(["record | sex", *(f"S{number} | F" for number in range(size))])).assign(**pick)
    people["upn"] = people["upn"].mask(draw.random(size) < 0.5)
    people = people.astype({"born_on": "datetime64[us]", "merged_on": "datetime64[us]", "upn": "str"})
    first = link_people(people, None, None, None, None, None, NICKNAMES, AS_OF, MODEL)
    assert first.links.groupby(["child_id", "source"]).size().max() == 1
    assert (first.links["how"] != "unlinked").any()
    for seed in range(2):
        shuffled = people.sample(frac=1, random_state=seed)
        again = link_people(shuffled, None, None, None, None, None, NICKNAMES, AS_OF, MODEL)
        pd.testing.assert_frame_equal(again.links, first.links)
        pd.testing.assert_frame_equal(again.review, first.review)
    one_night_on = link_people(shuffled, None, None, None, first.links, None, NICKNAMES, AS_OF, MODEL)
    pd.testing.assert_frame_equal(one_night_on.links, first.links)


#: A child in two systems by name and date of birth alone: the postcodes are others and the numbers blank.
BY_NAME = """
    record | surname | forename | born       | sex | house | street  | postcode
    S1     | {0}     | {1}      | 2014-05-06 | M   | 1     | Elm Way | NM1 1AA
    C1     | {0}     | {1}      | 2014-05-06 | M   | {2}   | Elm Way | NM9 9ZZ
"""


def _among(name: tuple[str, str], bearers: int, on_the_day: int, former: bool = False, house: str = "7"):
    """The child among 4,096 pupils of Capita, so many of whom bear its name, on other days, and so many others of whom were born on its day."""
    child = drawn("people", BY_NAME.format(*name, house))
    rest = pd.DataFrame({"at": range(4_096)})
    days = pd.Series(pd.Timestamp("2005-01-01") + pd.to_timedelta(rest["at"] % 3_000, unit="D"))
    others = drawn("people", "record | sex\nC2 | M").iloc[[0] * len(rest)].reset_index(drop=True)
    others = others.assign(
        source_id="x" + rest["at"].astype("str"),
        surname="A" + _letters(rest["at"]),
        forename="B" + _letters(rest["at"] // 7),
    )
    others["surname"] = others["surname"].mask(rest["at"] < bearers, name[0])
    others["forename"] = others["forename"].mask(rest["at"] < bearers, name[1])
    days = days.mask(rest["at"] >= 4_096 - on_the_day, pd.Timestamp("2014-05-06"))
    others["born_on"] = days.astype("datetime64[us]")
    people = pd.concat([child, others], ignore_index=True).astype(child.dtypes)
    previous = pd.DataFrame({"child_id": "C0000001", "source": ["synergy", "capita"], "source_id": "1"}, dtype="str")
    return link(people, previous=previous if former else None)


def _letters(numbers: pd.Series) -> pd.Series:
    return numbers.astype("str").map(lambda digits: "".join(chr(65 + int(digit)) for digit in digits))


@pytest.mark.parametrize(
    ("name", "bearers", "on_the_day", "is_linked"),
    [
        (("ORTON", "ZEBEDEE"), 0, 3, True),
        # Twenty others of the name, and two in 4,099 born on the day: 1 in 102. With 21 it is 1 in 98.
        (("KHAN", "ADAM"), 20, 1, True),
        (("KHAN", "ADAM"), 21, 1, False),
        # A day that is nobody's birthday, but everybody's whose birthday is not known.
        (("ORTON", "ZEBEDEE"), 1, 200, False),
    ],
)
def test_a_name_that_many_bear_and_a_birthday_do_not_link_alone(name, bearers, on_the_day, is_linked):
    linkage = _among(name, bearers, on_the_day)
    assert ("C1 S1" in together(linkage)) == is_linked
    assert ("C1 S1" in queue(linkage)) == (not is_linked)


def test_two_who_were_one_child_are_not_parted_by_one_namesake_more():
    """Three times as many namesakes as a new link may have, on the night after they were linked; six times as many; and the same in one house."""
    assert "C1 S1" in together(_among(("KHAN", "ADAM"), 60, 1, former=True))
    assert "C1 S1" not in together(_among(("KHAN", "ADAM"), 60, 1))
    assert "C1 S1" not in together(_among(("KHAN", "ADAM"), 120, 1, former=True))
    assert "C1 S1" in together(_among(("KHAN", "ADAM"), 120, 1, house="1"))
