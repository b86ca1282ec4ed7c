"""UPN, ULN, NHS number and postcode: the forms that count, the check characters, and the fillers that are not numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from config.identifiers import (
    nhs_is_valid,
    postcode_key,
    uln_is_valid,
    upn_is_permanent,
    upn_is_unknown_code,
    upn_is_valid,
)
from tests.link_drawn import uln, upn


def column(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


# Vectors from the definition of the UPN and from python-stdnum's documentation. A worked example that vendors copy from each
# other (check letter Q for 207000016049) adds up wrongly: the letter is P.
@pytest.mark.parametrize(
    ("value", "valid", "permanent"),
    [
        ("B801200005001", True, True),
        ("G883200016001", True, True),
        ("P207000016049", True, True),
        ("Q207000016049", False, False),
        ("A801200005001", False, False),
        ("A88340011612A", True, False),  # temporary: ends in a letter
        ("A88340011612B", False, False),
        ("b801200005001", False, False),  # capitals are the reader's business
        ("B80120000500", False, False),
        ("B8012000050011", False, False),
        ("I801200005001", False, False),  # I, O and S are not in the alphabet
        ("O801200005001", False, False),
        ("S801200005001", False, False),
        ("B80120000500S", False, False),
        ("B8012000O5001", False, False),
        ("UN1", False, False),
        ("", False, False),
        (None, False, False),
    ],
)
def test_upn(value, valid, permanent):
    assert upn_is_valid(column(value)).tolist() == [valid]
    assert upn_is_permanent(column(value)).tolist() == [permanent]


def test_one_wrong_digit_or_two_swapped_neighbours_are_noticed():
    """The check letter catches every single wrong digit, and swapped neighbours that differ."""
    good = "B801200005001"
    wrong = [good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :] for place in range(1, 13)]
    swapped = [
        good[:place] + good[place + 1] + good[place] + good[place + 2 :]
        for place in range(1, 12)
        if good[place] != good[place + 1]
    ]
    assert not upn_is_valid(column(*wrong)).any()
    assert not upn_is_valid(column(*swapped)).any()


@pytest.mark.parametrize(
    ("value", "is_code"),
    [("UN1", True), ("UN10", True), ("UN", False), ("UN100", False), ("B801200005001", False), (None, False)],
)
def test_a_reason_code_is_not_a_upn(value, is_code):
    assert upn_is_unknown_code(column(value)).tolist() == [is_code]
    assert not (upn_is_unknown_code(column(value)) & upn_is_valid(column(value))).any()


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("1000000027", True),
        ("1000000035", True),
        ("1000000108", True),
        ("1234567890", False),
        ("0000000000", False),
        ("0100000027", False),
        ("9999999999", False),  # filler for unknown
        ("100000002", False),
        ("10000000277", False),
        ("1000000027.0", False),
        ("1E+09", False),
        (None, False),
    ],
)
def test_uln(value, valid):
    assert uln_is_valid(column(value)).tolist() == [valid]


def test_a_uln_whose_sum_leaves_no_remainder_is_never_valid():
    """Where the weighted sum of the first nine digits is a multiple of 11 there is no check digit at all."""
    stem = next(
        f"{number:09d}"
        for number in range(100_000_000, 100_000_100)
        if sum(int(digit) * weight for digit, weight in zip(f"{number:09d}", range(10, 1, -1), strict=True)) % 11 == 0
    )
    assert not uln_is_valid(column(*(stem + str(digit) for digit in range(10)))).any()


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("9434765919", True),
        ("9434765870", True),
        ("943 476 5919", True),  # written in groups
        ("9434765918", False),
        ("9999999999", False),  # passes the sum, is a filler
        ("943476591", False),
        ("94347659190", False),
        (None, False),
    ],
)
def test_nhs_number(value, valid):
    assert nhs_is_valid(column(value)).tolist() == [valid]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("NM1 1GD", "NM1 1GD"),
        ("nm11gd", "NM1 1GD"),
        (" su1  0qa ", "SU1 0QA"),
        ("RM17 6SL", "RM17 6SL"),
        ("EC1A 1BB", "EC1A 1BB"),
        ("GIR 0AA", "GIR 0AA"),
        ("ZZ99 3VZ", None),  # no fixed abode
        ("ZZ993WZ", None),
        ("NM1", None),
        ("XX", None),
        ("NM1 1CI", None),  # C and I do not end a postcode
        ("", None),
        (None, None),
    ],
)
def test_postcode_key(value, key):
    found = postcode_key(column(value))
    assert (found.isna().all() and key is None) or found.tolist() == [key]


def test_drawn_numbers_are_valid():
    numbers = range(1, 400)
    assert upn_is_permanent(column(*map(upn, numbers))).all()
    assert uln_is_valid(column(*map(uln, numbers))).all()
    assert len({upn(number) for number in numbers}) == len({uln(number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize("check", [upn_is_valid, upn_is_permanent, upn_is_unknown_code, uln_is_valid, nhs_is_valid])
def test_answers_are_plain_flags_on_the_same_index(check):
    """Missing values are False, never missing, and an empty or oddly indexed column comes back as it was."""
    frame = pd.Series([None, "B801200005001"], index=[7, 3], dtype="str")
    assert check(frame).dtype == bool
    assert check(frame).index.tolist() == [7, 3]
    assert check(pd.Series(dtype="str")).empty
    assert check(pd.Series([None, None], dtype="str")).tolist() == [False, False]
