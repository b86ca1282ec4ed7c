"""What links two records by itself, what waits for a person, and what stays apart: each pass drawn, and each tie."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.link_drawn import drawn, how, link, queue, together, uln, upn

#: Two records, and the pass that joins them (None: they stay apart), one line each:
#: what differs from the record S1 "Amber Stone, born 2014-05-06, NM1 1GD".
CASES = {
    "everything": ("C1 | #1 | #1 | Stone   | Amber   | 2014-05-06 | F | NM1 1GD", "UPN with name or date of birth"),
    "capitals and an accent": ("C1 | #1 | | STÓNE  | ÁMBER | 2014-05-06 | F | NM1 1GD", "UPN with name or date of birth"),
    "UPN, another surname": ("C1 | #1 | | Marsh  | Amber   | 2014-05-06 | F | NM1 2AB", "UPN with name or date of birth"),
    "UPN, month and day swapped": ("C1 | #1 | | Stone  | Amber   | 2014-06-05 | F | NM1 2AB", "UPN with name or date of birth"),
    "ULN, no UPN": ("C1 |    | #1 | Stone   | Amber   | 2014-05-06 | F | NM1 2AB", "ULN with name or date of birth"),
    "ULN, other UPN": ("C1 | #2 | #1 | Stone   | Amber   | 2014-05-06 | F | NM1 2AB", "ULN with name or date of birth"),
    "name, born, postcode": ("C1 |    |    | Stone   | Amber   | 2014-05-06 | F | NM1 1GD", "name, date of birth and postcode"),
    "the same, postcode typed otherwise": ("C1 | | | Stone | Amber | 2014-05-06 | F | nm11gd", "name, date of birth and postcode"),
    "the same, UPNs disagree": ("C1 | #2 | | Stone   | Amber   | 2014-05-06 | F | NM1 1GD", "name, date of birth and postcode"),
    "name and born, moved": ("C1 |    |    | Stone   | Amber   | 2014-05-06 | F | NM1 2AB", "name and date of birth"),
    "known as": ("C1 |    |    | Stone   | Bee     | 2014-05-06 | F | NM1 1GD", "name, date of birth and postcode"),
    "forename and surname swapped": ("C1 | | | Amber   | Stone   | 2014-05-06 | F | NM1 2AB", "name and date of birth"),
    "born one digit out": ("C1 |    |    | Stone   | Amber   | 2014-05-07 | F | NM1 1GD", "name, postcode and like date of birth"),
    "born on 1 January": ("C1 |    |    | Stone   | Amber   | 2014-01-01 | F | NM1 1GD", "name, postcode and like date of birth"),
    "another surname, same home": ("C1 | | | Marsh   | Amber   | 2014-05-06 | F | NM1 1GD", "forename, date of birth and postcode"),
    # Not linked
    "another forename": ("C1 |    |    | Stone   | Ruby    | 2014-05-06 | F | NM1 1GD", None),
    "another date of birth": ("C1 |    |    | Stone   | Amber   | 2012-11-23 | F | NM1 1GD", None),
    "born a day out, moved": ("C1 |    |    | Stone   | Amber   | 2014-05-07 | F | NM1 2AB", None),
    "other UPN, moved": ("C1 | #2 |    | Stone   | Amber   | 2014-05-06 | F | NM1 2AB", None),
    "other ULN, moved": ("C1 |    | #2 | Stone   | Amber   | 2014-05-06 | F | NM1 2AB", None),
    "other sex, moved": ("C1 |    |    | Stone   | Amber   | 2014-05-06 | M | NM1 2AB", None),
    "another surname, moved": ("C1 |    |    | Marsh   | Amber   | 2014-05-06 | F | NM1 2AB", None),
    "a UPN and nothing else": ("C1 | #1 |    | Marsh   | Ruby    | 2011-02-03 | F | NM1 2AB", None),
    "a UPN with a wrong check letter": ("C1 | A883200000001 | | Marsh | Amber | 2014-05-06 | F | NM1 2AB", None),
}  # fmt: skip


@pytest.mark.parametrize(("other", "expected"), CASES.values(), ids=CASES)
def test_what_links_two_records(other, expected):
    linkage = link(f"""
        record | upn | uln | surname | forename | born       | sex | postcode | known
        S1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | F   | NM1 1GD  | Bee
        {other} |
    """)
    assert how(linkage) == {"S1": expected or "unlinked", "C1": expected or "unlinked"}
    assert together(linkage) == ({"C1 S1"} if expected else {"C1", "S1"})


@pytest.mark.parametrize(
    ("forename", "alike"),
    [("Charlie", True), ("Chaz", True), ("Charles-James", True), ("Chloe", False), ("Christopher", False), ("", False)],
)
def test_short_forms_of_a_forename(forename, alike):
    """A known short form, two short forms of one name, or a beginning of three letters is the same forename at the same home."""
    linkage = link(f"""
        record | surname | forename   | born       | postcode
        S1     | Stone   | Charles    | 2014-05-06 | NM1 1GD
        L1     | Stone   | {forename} | 2014-05-06 | NM1 1GD
    """)
    assert together(linkage) == ({"L1 S1"} if alike else {"L1", "S1"})


def test_a_short_form_without_the_home_waits_for_a_person():
    linkage = link("""
        record | surname | forename | born       | postcode
        S1     | Stone   | Charles  | 2014-05-06 | NM1 1GD
        C1     | Stone   | Charlie  | 2014-05-06 | NM1 2AB
    """)
    assert together(linkage) == {"C1", "S1"}
    assert queue(linkage) == {"C1 S1"}


def test_a_past_address_counts_as_home():
    linkage = link(
        """
        record | surname | forename | born       | postcode
        S1     | Stone   | Amber    | 2014-05-06 | NM1 1GD
        L1     | Marsh   | Amber    | 2014-05-06 |
        """,
        addresses="""
        record | started    | ended      | postcode
        L1     | 2015-01-01 | 2019-12-31 | NM1 1GD
        L1     | 2020-01-01 |            | NM1 2AB
        """,
    )
    assert how(linkage)["L1"] == "forename, date of birth and postcode"


@pytest.mark.parametrize("filler", ["ZZ99 3VZ", "unknown", ""])
def test_a_filler_is_no_home(filler):
    linkage = link(f"""
        record | surname | forename | born       | postcode
        S1     | Stone   | Amber    | 2014-05-06 | {filler}
        L1     | Marsh   | Amber    | 2014-05-06 | {filler}
    """)
    assert together(linkage) == {"L1", "S1"}


def test_three_systems_meet_in_one_child():
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | Marsh   | Amber    | 2014-05-06 | NM1 1GD
        L1     |     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    """)
    assert together(linkage) == {"C1 L1 S1"}


def test_a_record_without_a_birth_date_or_name_links_by_number_only():
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    |            | NM1 1GD
        C1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        S2     |     |         |          |            | NM1 1GD
        C2     |     |         |          |            | NM1 1GD
    """)
    assert together(linkage) == {"C1 S1", "C2", "S2"}


@pytest.mark.parametrize(
    "code",
    [
        "UN1",
        "UN3",
        "A883200000001",
        "unknown",
        "A000000000000",
    ],
)
def test_what_is_not_a_upn_links_nobody(code):
    linkage = link(f"""
        record | upn    | surname | forename | born
        S1     | {code} | Stone   | Amber    | 2014-05-06
        C1     | {code} | Marsh   | Amber    | 2014-05-06
        L1     | {code} | Hill    | Amber    | 2014-05-06
    """)
    assert together(linkage) == {"C1", "L1", "S1"}


# Ties are never guessed


def test_two_equal_candidates_wait_for_a_person():
    linkage = link("""
        record | surname | forename | born       | postcode
        S1     | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C2     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    """)
    assert together(linkage) == {"C1", "C2", "S1"}
    assert queue(linkage) == {"C1 S1", "C2 S1"}


def test_a_number_settles_what_a_name_cannot():
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #2  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C2     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
    """)
    assert together(linkage) == {"C1", "C2 S1"}
    assert queue(linkage) == set()


def test_a_upn_on_two_children_of_one_system_goes_by_name():
    """The children who share a number by mistake each find their own record in the other systems."""
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C2     | #1  | Horvat  | Joao     | 2011-05-19 | NM1 2AB
        L2     |     | Horvat  | Joao     | 2011-05-19 | NM1 2AB
    """)
    assert together(linkage) == {"C1 S1", "C2 L2"}


def test_two_records_of_one_system_are_never_one_child():
    linkage = link("""
        record | upn | uln | surname | forename | born       | postcode
        S1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        S2     | #1  | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        L1     |     |     | Stone   | Amber    | 2014-05-06 |
    """)
    assert linkage.links.groupby(["child_id", "source"]).size().max() == 1


def test_two_systems_do_not_smuggle_a_third_pair_in():
    """C1 and L1 are one child, and so are C1 and S1; S2 then cannot come in through L1."""
    linkage = link("""
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        L1     |     | Stone   | Amber    | 2014-05-06 |
        S2     | #2  | Stone   | Amber    | 2014-05-06 | NM1 2AB
    """)
    assert linkage.links.groupby(["child_id", "source"]).size().max() == 1
    assert {child for child in together(linkage) if "S2" in child} == {"S2"}


# What a person decided


def test_a_decision_outranks_the_passes():
    people = """
        record | upn | surname | forename | born       | postcode
        S1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C1     | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
        C2     | #2  | Marsh   | Ruby     | 2012-02-03 | NM1 2AB
    """
    assert together(link(people)) == {"C1 S1", "C2"}
    assert together(link(people, decisions="S1 x C1")) == {"C1", "C2", "S1"}
    assert queue(link(people, decisions="S1 x C1")) == set()
    joined = link(people, decisions="S1 = C2")
    assert together(joined) == {"C1", "C2 S1"}
    assert how(joined)["S1"] == how(joined)["C2"] == "decision"
    assert together(link(people, decisions="S1 x C1\nC2 = S1")) == {"C1", "C2 S1"}


def test_a_decision_about_a_record_that_is_not_there_does_nothing():
    people = "record | surname | forename | born\nS1 | Stone | Amber | 2014-05-06\nC1 | Stone | Amber | 2014-05-06"
    assert together(link(people, decisions="S1 = C9\nS8 x C1\nL1 = C1")) == {"C1 S1"}


def test_a_decision_cannot_put_two_records_of_one_system_into_one_child():
    people = """
        record | upn | surname | forename | born
        S1     | #1  | Stone   | Amber    | 2014-05-06
        S2     | #2  | Hill    | Ruby     | 2012-05-06
        C1     | #3  | Marsh   | Nia      | 2010-05-06
    """
    linkage = link(people, decisions="S1 = C1\nS2 = C1")
    assert linkage.links.groupby(["child_id", "source"]).size().max() == 1
    assert together(linkage) == {"C1 S1", "S2"}


def test_the_queue_says_in_words_what_agrees():
    linkage = link("""
        record | surname | forename | born       | sex | postcode
        S1     | Stone   | Amber    | 2014-05-06 | F   | NM1 1GD
        C1     | Stone   | Amber    | 2014-05-06 | M   | NM1 2AB
    """)
    row = linkage.review.iloc[0]
    assert row["agrees"] == "agrees: surname, forename, date of birth"
    assert row["differs"] == "differs: postcode, sex"


def test_no_name_date_or_number_stands_in_what_is_handed_on():
    linkage = link("""
        record | upn | uln | surname | forename | born       | sex | postcode
        S1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | F   | NM1 1GD
        C1     |     |     | Stone   | Amber    | 2014-05-06 | M   | NM1 2AB
        C2     |     |     | Stone   | Amber    | 2014-05-06 | M   | NM1 2AB
    """)
    text = "".join(frame.to_csv() for frame in (linkage.links, linkage.review, linkage.sealed)).upper()
    assert not linkage.review.empty
    assert not [word for word in ("STONE", "AMBER", "2014", "NM1", upn(1), uln(1)) if word in text]


# Nothing there


def test_nobody_at_all_and_one_system_alone():
    nobody = link(drawn("people", "record | surname"))
    assert nobody.links.empty and nobody.review.empty and nobody.sealed.empty
    alone = link(
        "record | upn | surname | forename | born\nC1 | #1 | Stone | Amber | 2014-05-06\nC2 | #2 | Hill | Nia |"
    )
    assert together(alone) == {"C1", "C2"}


def test_every_record_has_one_row():
    people = drawn(
        "people",
        """
        record | upn | surname | forename | born       | merged     | estimated
        S1     | #1  | Stone   | Amber    | 2014-05-06 |            |
        C1     | #1  | Stone   | Amber    | 2014-05-06 |            |
        L1     |     | Stone   | Amber    | 2014-05-06 | 2025-01-01 |
        L2     |     | Baby    | Stone    | 2026-12-01 |            | Y
        """,
    )
    links = link(people).links
    assert list(links.columns) == ["child_id", "source", "source_id", "how"]
    assert not links.isna().any(axis=None)
    keys = ["source", "source_id"]
    pd.testing.assert_frame_equal(
        links[keys].sort_values(keys, ignore_index=True), people[keys].sort_values(keys, ignore_index=True)
    )
