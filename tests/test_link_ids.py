"""A child's id lasts: through corrections, a missing system, merges and splits, whatever the order of the rows."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.link import Linkage
from tests.link_drawn import drawn, ids, link, together

THREE = """
    record | upn | uln | surname | forename | born       | postcode
    S1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
    C1     | #1  | #1  | Stone   | Amber    | 2014-05-06 | NM1 1GD
    L1     | #1  |     | Stone   | Amber    | 2014-05-06 | NM1 1GD
    C2     | #2  |     | Hill    | Ruby     | 2011-02-03 | NM1 2AB
    L3     |     |     | Marsh   | Nia      | 2012-02-03 | NM1 2AB
"""


def without(text: str, *names: str) -> str:
    return "\n".join(line for line in text.strip().splitlines() if line.split("|")[0].strip() not in names)


def known(**child_ids: str) -> pd.DataFrame:
    """The links of an earlier night: S1="C0000007"."""
    people = drawn("people", "record\n" + "\n".join(child_ids))
    return people[["source", "source_id"]].assign(child_id=list(child_ids.values()))


def so_far(*nights: Linkage) -> pd.DataFrame:
    """The links of several nights as the store gives them, the newest night first."""
    return pd.concat([night.links for night in nights], ignore_index=True)


def test_first_ids_follow_the_systems_and_not_the_rows():
    expected = {"S1": "C0000001", "C1": "C0000001", "L1": "C0000001", "C2": "C0000002", "L3": "C0000003"}
    people = drawn("people", THREE)
    assert ids(link(people)) == expected
    for seed in range(4):
        assert ids(link(people.sample(frac=1, random_state=seed))) == expected


def test_an_unchanged_child_keeps_its_id_and_a_new_one_gets_the_next():
    before = link(THREE)
    more = THREE + "    S0 | #9 | | Adeyemi | Tobi | 2016-05-06 | NM1 2AB\n"
    after = link(more, previous=before)
    assert ids(after) == ids(before) | {"S0": "C0000004"}


@pytest.mark.parametrize("gone", [("S1",), ("C1", "C2"), ("L1", "L3"), ("S1", "C1")])
def test_a_system_that_is_missing_for_a_night(gone):
    """A child that one system still holds keeps its id that night, and when the system is back."""
    first = link(THREE)
    second = link(without(THREE, *gone), previous=first)
    assert ids(second) == {name: child for name, child in ids(first).items() if name not in gone}
    third = ids(link(THREE, previous=second))
    still_held = [name for name in third if name not in ("C2", "L3") or name not in gone]
    assert {name: third[name] for name in still_held} == {name: ids(first)[name] for name in still_held}


def test_a_corrected_surname_date_or_number_changes_nothing():
    before = link(THREE)
    for old, new in (
        ("Stone", "Marsh-Stone"),
        ("2014-05-06", "2014-06-05"),
        ("NM1 1GD", "NM1 2AB"),
        ("| #1 ", "| #7 "),
    ):
        lines = [
            line.replace(old, new) if line.strip().startswith("S1") else line for line in THREE.strip().splitlines()
        ]
        after = link("\n".join(lines), previous=before)
        assert ids(after) == ids(before), (old, new)


def test_two_children_that_turn_out_to_be_one_take_the_id_of_synergys_record():
    before = link("""
        record | upn | surname | forename | born
        S5     | #5  | Stone   | Amber    | 2014-05-06
        C1     | #6  | Marsh   | Amber    | 2014-05-06
        L1     | #6  | Marsh   | Amber    | 2014-05-06
    """)
    assert together(before) == {"S5", "C1 L1"}
    after = link(
        """
        record | upn | surname | forename | born
        S5     | #6  | Stone   | Amber    | 2014-05-06
        C1     | #6  | Marsh   | Amber    | 2014-05-06
        L1     | #6  | Marsh   | Amber    | 2014-05-06
        """,
        previous=before,
    )
    assert set(ids(after).values()) == {ids(before)["S5"]}


def test_one_child_that_turns_out_to_be_two():
    """Synergy's record keeps the id; the others share a new one, which nobody had."""
    before = link(THREE)
    changed = THREE.replace("C1     | #1  | #1 ", "C1     | #8  | #8 ").replace("L1     | #1 ", "L1     | #8 ")
    changed = "\n".join(
        line.replace("Stone ", "Nagy  ").replace("Amber", "Vera ") if line.strip()[:2] in ("C1", "L1") else line
        for line in changed.strip().splitlines()
    )
    after = link(changed, previous=before)
    assert together(after) == {"S1", "C1 L1", "C2", "L3"}
    assert ids(after)["S1"] == ids(before)["S1"]
    assert ids(after)["C1"] == ids(after)["L1"] == "C0000004"


def test_a_decision_and_its_withdrawal():
    before = link(THREE)
    apart = link(THREE, previous=before, decisions="L1 x S1\nL1 x C1")
    assert ids(apart) == ids(before) | {"L1": "C0000004"}
    assert ids(link(THREE, previous=apart)) == ids(before)


def test_an_id_goes_with_the_better_ranked_record_only_once():
    """Synergy's record was told from Capita's and joined to another's: no id stands for two children."""
    after = link(THREE, previous=known(S1="C0000007", C1="C0000007", L1="C0000009", C2="C0000009", L3="C0000009"))
    assert ids(after) == {
        "S1": "C0000007",
        "C1": "C0000007",
        "L1": "C0000007",
        "C2": "C0000009",
        "L3": "C0000010",
    }


def test_new_ids_follow_the_greatest_known_whoever_holds_it():
    after = ids(link(THREE, previous=known(L9="C0000412", S1="C0000007")))
    assert after["S1"] == "C0000007"
    assert (after["C2"], after["L3"]) == ("C0000413", "C0000414")


def test_more_than_seven_digits():
    after = ids(link(THREE, previous=known(S1="C9999999")))
    assert (after["C2"], after["L3"]) == ("C10000000", "C10000001")


def test_a_record_keeps_its_childs_id_when_the_rest_of_the_child_moves_away():
    """Capita's C1 belonged to L3 by mistake and goes to Synergy's S1; L3 is the child it was, so is the id."""
    after = link(THREE, previous=known(S1="C0000001", C1="C0000002", L3="C0000002", C2="C0000003"))
    assert ids(after)["L3"] == "C0000002"


def test_the_id_of_a_child_that_left_is_never_given_to_another():
    first = link(THREE)
    second = link(without(THREE, "L3"), previous=first)
    third = link(
        without(THREE, "L3") + "\n S9 | #9 | | Adeyemi | Tobi | 2016-05-06 | NM1 2AB", previous=so_far(second, first)
    )
    assert ids(third)["S9"] != ids(first)["L3"]


def test_a_record_that_was_away_for_a_night_comes_back_as_itself():
    first = link(THREE)
    second = link(without(THREE, "C2"), previous=first)
    assert ids(link(THREE, previous=so_far(second, first)))["C2"] == ids(first)["C2"]


def test_ids_do_not_depend_on_the_order_of_the_links_before():
    before = link(THREE).links
    for seed in range(3):
        shuffled = Linkage(before.sample(frac=1, random_state=seed), pd.DataFrame(), pd.DataFrame())
        assert ids(link(THREE, previous=shuffled)) == ids(link(THREE))
