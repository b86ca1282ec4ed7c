"""What people say about pairs: what a decision rests on, when it lapses, what is refused, and that taking it back restores what was."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.decisions import (
    DECIDED,
    PAIR,
    Honoured,
    bases,
    honour,
    marks,
    never_link,
    objections,
    ordered,
    records_of,
    standing,
)
from pipelines.link import Linkage
from tests.link_drawn import drawn, ids, link, queue

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SYSTEM = {"S": "synergy", "C": "capita", "L": "liquidlogic"}
TWO = """
    record | upn | uln | surname | forename | born       | postcode
    S1     | #1  |     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    C1     |     | #4  | Marsh   | Amber    | 2014-05-08 | NM1 2AB
"""


def pairs(*texts: str) -> pd.DataFrame:
    """Answers from ``S1 = C1``, ``S1 x C1`` (different) and ``S1 ? C1`` (unsure)."""
    words = [text.split() for text in texts]
    rows = [
        [SYSTEM[a[0]], a[1:], SYSTEM[b[0]], b[1:], {"=": "same", "x": "different", "?": "unsure"}[sign]]
        for a, sign, b in words
    ]
    return ordered(pd.DataFrame(rows, columns=[*PAIR, "answer"], dtype="str"))


def given(people: str, *texts: str, key: bytes = KEY) -> pd.DataFrame:
    """Decisions as they are kept, given while the records said what `people` says."""
    frame = pairs(*texts)
    found = marks(drawn("people", people), records_of(frame), key)
    numbers = range(1, len(frame) + 1)
    return frame.assign(
        id=numbers, basis=bases(frame, found, key), undoes=pd.array([pd.NA] * len(frame), dtype="Int64")
    )


def tonight(people: str, decisions: pd.DataFrame, lapsed: set[int] | None = None, key: bytes = KEY) -> Honoured:
    return honour(decisions, lapsed or set(), drawn("people", people), key)


def changed(record: str, old: str, new: str, people: str = TWO) -> str:
    lines = people.strip().splitlines()
    return "\n".join(line.replace(old, new) if line.strip().startswith(record) else line for line in lines)


@pytest.mark.parametrize(
    ("record", "old", "new", "same_lapses", "different_lapses"),
    [
        ("S1", "Stone", "Marsh", False, False),  # a corrected name
        ("S1", "Amber", "Zoe  ", False, False),
        ("S1", "NM1 1GD", "NM1 2AB", False, False),
        ("C1", "2014-05-08", "2014-05-06", False, True),  # the dates agree now
        ("C1", "2014-05-08", "2014-05-09", True, False),  # another date, and still not the same
        ("C1", "2014-05-08", "          ", False, False),  # what is blank says nothing
        ("C1", "|     | #4 ", "| #1  | #4 ", False, True),  # the other's number
        ("C1", "|     | #4 ", "| #2  | #4 ", True, False),  # a number that is not the other's
        ("C1", "| #4 ", "|    ", False, False),
        ("S1", "| #1  |    ", "| #1  | #4 ", False, True),
        ("S1", "| #1  |    ", "| #1  | #5 ", True, False),
    ],
)  # fmt: skip
def test_a_decision_lapses_only_when_what_it_rests_on_says_the_opposite(
    record, old, new, same_lapses, different_lapses
):
    after = changed(record, old, new)
    assert after != TWO.strip()
    for sign, lapses in (("=", same_lapses), ("x", different_lapses)):
        result = tonight(after, given(TWO, f"S1 {sign} C1"))
        assert list(result.lapsed["decision_id"]) == ([1] if lapses else []), sign
        assert len(result.queue) == (1 if lapses else 0)


def test_a_lapsed_same_no_longer_links_and_a_lapsed_different_still_keeps_apart():
    same = tonight(changed("C1", "|     | #4 ", "| #2  | #4 "), given(TWO, "S1 = C1"))
    assert same.answers.empty
    assert same.lapsed["why"].item() == "the UPN of one record changed"
    apart = tonight(changed("C1", "2014-05-08", "2014-05-06"), given(TWO, "S1 x C1"))
    assert apart.answers["answer"].tolist() == ["different"]


def test_a_lapse_is_for_good_and_told_once():
    later = tonight(TWO, given(TWO, "S1 = C1"), lapsed={1})
    assert later.answers.empty and later.lapsed.empty and len(later.queue) == 1


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_record_that_is_away_or_a_lost_key_lapses_nothing(key):
    alone = "\n".join(TWO.strip().splitlines()[:2])
    decisions = given(TWO, "S1 = C1", key=key)
    assert tonight(alone, decisions).lapsed.empty
    if key is OTHER_KEY:
        assert tonight(changed("C1", "2014-05-08", "2014-05-09"), decisions).lapsed.empty


def test_what_is_kept_holds_no_value():
    text = given(TWO, "S1 = C1")["basis"].item()
    assert not any(value in text for value in ("2014", "Stone", "Amber", "STONE", drawn("people", TWO)["upn"].iloc[0]))
    assert len(text.split()) == 7
    assert text != given(TWO, "S1 = C1", key=OTHER_KEY)["basis"].item()


def test_undone_the_answer_before_stands_again():
    decisions = given(TWO, "S1 ? C1", "S1 = C1")
    assert standing(decisions)["answer"].tolist() == ["same"]
    undone = pd.concat([decisions, decisions.tail(1).assign(id=3, answer="undone", undoes=2)], ignore_index=True)
    assert standing(undone)["answer"].tolist() == ["unsure"]
    assert tonight(TWO, undone).queue["why"].tolist() == ["answered unsure"]


RECORDS = pd.MultiIndex.from_tuples(
    [(SYSTEM[name[0]], name[1:]) for name in ["S1", "S2", "C1", "C2", "L1", "L2", "L3"]]
)


@pytest.mark.parametrize(
    ("said", "never", "asked", "refused"),
    [
        ([], [], ["S1 = C1"], [""]),
        ([], [], ["S9 = C1"], ["there is no record synergy 9"]),  # a child that no longer exists
        ([], [], ["S1 = S2"], ["both are records of synergy: a child has at most one record in each system"]),
        ([], [], ["S1 = S1"], ["a record cannot be compared with itself"]),
        ([], [], ["S1 = C1", "C1 x S1"], ["the same pair is answered same and different both"] * 2),
        (["S1 = C1"], [], ["S1 x C1"], ["this pair was decided same: take that back first"]),
        (["S1 x C1"], [], ["S1 = C1"], ["this pair was decided different: take that back first"]),
        (["S1 ? C1"], [], ["S1 = C1"], [""]),
        (["S1 = C1", "C1 = L1"], [], ["S1 x L1"], ["a loop: by other decisions the two are one child, by way of a third record"]),
        (["S1 = C1", "S1 x L1"], [], ["C1 = L1"], ["a loop: liquidlogic 1 and synergy 1 were decided different"]),
        ([], [], ["S1 = C1", "C1 = L1", "S1 x L1"], ["", "", "a loop: by other decisions the two are one child, by way of a third record"]),
        (["S1 = C1"], [], ["C1 = L1", "C2 = L1"], ["", "with the decisions that stand the child would have two records in capita"]),
        ([], ["S1 C1"], ["S1 = C1"], ["capita 1 and synergy 1 are on the never-link list (twins)"]),
        (["S1 = L1"], ["S1 C1"], ["C1 = L1"], ["capita 1 and synergy 1 are on the never-link list (twins)"]),
        ([], ["S1 C1"], ["S1 x C1"], [""]),
        ([], ["S1 C1"], ["S1 = C1", "S2 = C2"], ["capita 1 and synergy 1 are on the never-link list (twins)", ""]),  # the rest is taken
    ],
)  # fmt: skip
def test_bad_decisions_are_refused_and_the_rest_is_taken(said, never, asked, refused):
    stands = pairs(*said) if said else pairs("S1 = C1").iloc[:0]
    listed = pairs(*(text.replace(" ", " x ") for text in never)) if never else stands.iloc[:0]
    listed = listed[PAIR].assign(why="twins", basis="")
    assert objections(pairs(*asked), stands, listed, RECORDS).tolist() == refused


TWINS = """
    record | upn | surname | forename | born       | postcode
    S1     | #1  | Nagy    | Vera     | 2014-05-06 | NM1 1GD
    C2     | #1  | Nagy    | Zoe      | 2014-05-06 | NM1 1GD
    S2     | #2  | Nagy    | Zoe      | 2014-05-06 | NM1 1GD
"""


def listed(before: pd.DataFrame | None, people: str, *texts: str) -> pd.DataFrame:
    empty = pd.DataFrame(columns=[*PAIR, "why", "basis"], dtype="str")
    answers = pairs(*texts) if texts else pairs("S1 = C1").iloc[:0]
    return never_link(empty if before is None else before, link(people).guarded, answers, drawn("people", people), KEY)


def test_twins_stay_on_the_never_link_list_when_the_evidence_has_gone():
    first = listed(None, TWINS)
    assert first[PAIR].to_numpy().tolist() == [["capita", "2", "synergy", "1"]]
    without = "\n".join(TWINS.strip().splitlines()[:-1])
    assert link(without).guarded.empty
    pd.testing.assert_frame_equal(listed(first, without), first)


@pytest.mark.parametrize(("home_of_the_other", "is_listed"), [("NM1 1GD", True), ("       ", True), ("NM9 9ZZ", False)])
def test_namesakes_who_live_apart_are_told_apart_every_night_and_not_remembered(home_of_the_other, is_listed):
    apart = TWINS.replace(
        "Nagy    | Zoe      | 2014-05-06 | NM1 1GD", f"Nagy    | Zoe      | 2014-05-06 | {home_of_the_other}"
    )
    found = link(apart)
    assert (len(found.guarded) > 0) is is_listed
    child = found.links.set_index(found.links["source"] + found.links["source_id"])["child_id"]
    assert child["synergy1"] not in (child["capita2"], child["synergy2"])


def test_a_corrected_name_takes_twins_off_the_list_and_a_withdrawal_takes_off_what_people_put_on_it():
    first = listed(None, TWINS)
    assert (
        listed(
            first,
            TWINS.replace("Vera", "Zoe ").replace("S2     | #2  | Nagy    | Zoe ", "S2     | #2  | Nagy    | Vera"),
        )
        .query("source_id_b == '1'")
        .empty
    )
    told = listed(None, TWO, "S1 x C1")
    assert told["why"].tolist() == [DECIDED]
    assert listed(told, TWO).empty


THREE = """
    record | upn | uln | surname | forename | born       | postcode
    S1     | #1  |     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    C1     | #1  |     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    L1     |     |     | Marsh   | Nia      | 2014-05-08 | NM1 2AB
"""


def so_far(*nights: Linkage) -> pd.DataFrame:
    return pd.concat([night.links for night in nights], ignore_index=True)


def test_a_link_taken_back_gives_both_children_the_ids_that_they_had():
    first = link(THREE)
    joined = link(THREE, previous=first, decisions="L1 = S1")
    assert set(ids(joined).values()) == {"C0000001"}
    later = link(THREE, previous=so_far(joined, first), decisions="L1 = S1")
    apart = link(THREE, previous=so_far(later, joined, first))
    assert ids(apart) == ids(first)


def test_an_id_is_not_given_back_while_another_record_was_the_last_to_hold_it():
    """L1 was with C9, went to S1 and is told apart again: C9's id stays C9's, though C9 is away tonight."""
    first = pd.DataFrame({"child_id": ["C0000001", "C0000001", "C0000002", "C0000002"], "source": ["synergy", "capita", "liquidlogic", "capita"],
                          "source_id": ["1", "1", "1", "9"]})  # fmt: skip
    second = first.iloc[[2]].assign(child_id="C0000001")
    assert ids(link(THREE, previous=pd.concat([second, first])))["L1"] == "C0000003"


@pytest.mark.parametrize("seed", range(3))
def test_a_decision_does_not_depend_on_the_order_of_the_rows(seed):
    people = drawn("people", THREE)
    before = link(people)
    shuffled = link(people.sample(frac=1, random_state=seed), previous=before, decisions="L1 = S1")
    assert ids(shuffled) == ids(link(people, previous=before, decisions="S1 = L1"))
    assert queue(shuffled) == set()
