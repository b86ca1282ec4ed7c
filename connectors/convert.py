"""From text to the canonical kinds, a whole column at a time. Nothing is guessed: what does not fit is marked.

Every function takes trimmed text, in which null means not recorded, and gives the values with a mask of what does
not fit. Work is done on the distinct texts of a column, of which dates, codes and flags have few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.profiles import EXCEL

#: Day 0 of a spreadsheet, from 1 March 1900 on, since it takes 1900 for a leap year.
_EXCEL_FIRST = pd.Timestamp(1899, 12, 30)
ISO_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
#: Dates outside these years are slips of the keyboard (0202, 2926) or stand for "no date".
FIRST_YEAR, LAST_YEAR = 1900, 2100


def tidy(text: pa.Array, blank: Sequence[str] = ()) -> pa.Array:
    """Text trimmed, with ordinary spaces; empty text, and texts that mean "not recorded", become null."""
    text = pc.utf8_trim_whitespace(pc.replace_substring(text, "\u00a0", " "))
    nothing = pc.equal(text, "")
    if blank:
        nothing = pc.or_(nothing, pc.is_in(text, pa.array(list(blank), pa.string())))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), text)


def matches(text: pa.Array, pattern: str) -> np.ndarray:
    """Which texts match a regular expression; null matches nothing."""
    return pc.fill_null(pc.match_substring_regex(text, pattern), False).to_numpy(zero_copy_only=False)


def holds(text: pa.Array, part: str) -> bool:
    """Whether any text of the column holds the part; ten times quicker than asking each by a regular expression."""
    return bool(pc.any(pc.match_substring(text, part)).as_py())


def present(text: pa.Array) -> np.ndarray:
    """Which rows have a text at all."""
    return pc.is_valid(text).to_numpy(zero_copy_only=False)


def identifiers(text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Identifiers as text. ``310293.0`` is 310293 that went through a spreadsheet, and nothing is lost; ``1.23E+09``
    has lost its digits and does not fit."""
    if holds(text, ".0"):
        text = pc.replace_substring_regex(text, r"^(\d+)\.0+$", r"\1")
    if holds(text, "E+") or holds(text, "e+"):
        return text, matches(text, r"^[+-]?\d(?:[.,]\d+)?[eE]\+\d+$")
    return text, np.zeros(len(text), dtype=bool)


def not_whole(text: pa.Array) -> np.ndarray:
    """Which identifiers hold anything but digits; they stay text, so that leading zeros survive."""
    digits = pc.fill_null(pc.ascii_is_decimal(text), False).to_numpy(zero_copy_only=False)
    return present(text) & ~digits


def upns(text: pa.Array) -> pa.Array:
    """Unique pupil numbers in capitals and without spaces; whether they are valid is a rule's matter."""
    return pc.replace_substring(pc.utf8_upper(text), " ", "")


def upn_reasons(text: pa.Array) -> pa.Array:
    """The reason code where somebody wrote one in place of a unique pupil number, else null."""
    text = upns(text)
    return pc.if_else(pa.array(matches(text, r"^UN\d{1,2}$")), text, pa.scalar(None, pa.string()))


def postcodes(text: pa.Array) -> pa.Array:
    """Postcodes in capitals with one space before the last three characters; what has not that form is left in
    capitals."""
    encoded = pc.utf8_upper(text).dictionary_encode()
    text = encoded.dictionary
    close = pc.replace_substring_regex(text, r"\s+", "")
    formed = pa.array(matches(close, r"^[A-Z]{1,2}\d[A-Z0-9]?\d[A-Z]{2}$"))
    return pc.if_else(formed, pc.replace_substring_regex(close, r"^(.*)(...)$", r"\1 \2"), text).take(encoded.indices)


def choices(text: pa.Array) -> pa.Array:
    """What was chosen from a printed list: "f) U6: Foster placement" is U6, "N1 - Abuse" is N1, "b) Female" Female."""
    text = pc.replace_substring_regex(text, r"^[a-z]{1,2}\)\s*", "")
    return pc.replace_substring_regex(text, r"(:\s|\s[-\x{2013}]\s).*$", "")


def dates(text: pa.Array, forms: Sequence[str]) -> tuple[pd.Series, np.ndarray]:
    """Calendar days, midnight; the form is stated (`EXCEL`: numbers of days), and several may be. Marked: no such form,
    no such day, or a year outside 1900-2100."""
    distinct, places = _distinct(text)
    days = pd.Series(pd.NaT, index=distinct.index, dtype="datetime64[us]")
    for form in forms:
        open_ = days.isna() & distinct.notna()
        if not open_.any():
            break
        if form == EXCEL:
            numbers = pd.to_numeric(distinct[open_].where(distinct[open_].str.fullmatch(r"\d{1,6}(\.\d+)?")))
            read = pd.to_datetime(numbers, unit="D", origin=_EXCEL_FIRST, errors="coerce")
        else:
            read = pd.to_datetime(distinct[open_], format=form, errors="coerce")
        days[open_] = read.astype("datetime64[us]").dt.normalize()
    years = days.dt.year
    wrong = distinct.notna() & (days.isna() | (years < FIRST_YEAR) | (years > LAST_YEAR))
    days[wrong] = pd.NaT
    return _spread(days, places), _spread(wrong, places).to_numpy(dtype=bool)


def flags(text: pa.Array, yes: Sequence[str], no: Sequence[str]) -> tuple[pd.Series, np.ndarray]:
    """Yes, no or not recorded. Marked: texts that the profile does not name."""
    distinct, places = _distinct(text)
    values = distinct.map({**dict.fromkeys(no, False), **dict.fromkeys(yes, True)}).astype("boolean")
    unknown = distinct.notna() & values.isna()
    return _spread(values, places), _spread(unknown, places).to_numpy(dtype=bool)


def numbers(text: pa.Array) -> tuple[pd.Series, np.ndarray]:
    """Whole numbers. Marked: anything else."""
    distinct, places = _distinct(text)
    values = pd.to_numeric(distinct.str.replace(r"\.0+$", "", regex=True), errors="coerce")
    wrong = distinct.notna() & (values.isna() | (values % 1 != 0) | (values.abs() > 1e15))
    whole_numbers = values.mask(wrong).astype("Float64").astype("Int64")
    return _spread(whole_numbers, places), _spread(wrong, places).to_numpy(dtype=bool)


def codes(text: pa.Array, code_map: dict[str, str]) -> tuple[pa.Array, np.ndarray]:
    """Their codes decoded. Marked, and null: codes that the map does not hold. A meaning of '' is not recorded."""
    theirs = pa.array(list(code_map), pa.string())
    ours = pa.array([value or None for value in code_map.values()], pa.string())
    found = pc.index_in(text, value_set=theirs)
    unknown = (pc.is_valid(text).to_numpy(zero_copy_only=False)) & ~pc.is_valid(found).to_numpy(zero_copy_only=False)
    return ours.take(found), unknown


def series(text: pa.Array) -> pd.Series:
    """The text as a pandas column of type ``str``."""
    return pd.Series(text, dtype="str") if not len(text) else pd.Series(pd.array(text, dtype="str"))


def _distinct(text: pa.Array) -> tuple[pd.Series, np.ndarray]:
    """The distinct texts with a missing one at the end, and for each row which of them it is."""
    encoded = text.dictionary_encode()
    places = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    distinct = pd.Series([*encoded.dictionary.to_pylist(), None], dtype="str")
    return distinct, places


def _spread(values: pd.Series, places: np.ndarray) -> pd.Series:
    return values.take(places).reset_index(drop=True)
