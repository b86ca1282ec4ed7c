"""Contracts: the shape of every canonical table; rows in are rows accepted and rows set aside."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import contracts
from checks.contracts import SET_ASIDE, validate
from config.canonical import TABLES
from config.errors import FeedRefusedError

VALUES = {"str": "a", "datetime64[us]": pd.Timestamp(2020, 5, 4), "boolean": True, "Int64": 3}


def table(name: str, rows: int = 3) -> pd.DataFrame:
    """A frame that keeps the contract, every column filled."""
    frame = pd.DataFrame({c: pd.Series([VALUES[t]] * rows, dtype=t) for c, t in TABLES[name].dtypes.items()})
    return frame.assign(row_id=pd.Series(range(rows)).astype("str"), line=pd.Series(range(2, rows + 2), dtype="Int64"))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_public_schema_that_its_own_shape_keeps(name):
    schema = getattr(contracts, name)
    assert list(schema.columns) == list(TABLES[name].dtypes)
    frame = table(name)
    schema.validate(frame, lazy=True)
    accepted, set_aside = validate(name, frame)
    pd.testing.assert_frame_equal(accepted, frame)
    assert list(set_aside.columns) == SET_ASIDE
    assert len(set_aside) == 0


@pytest.mark.parametrize("name", TABLES)
def test_empty_and_wholly_blank_tables_keep_their_types(name):
    empty = table(name).iloc[:0]
    accepted, set_aside = validate(name, empty)
    assert {c: str(t) for c, t in accepted.dtypes.items()} == TABLES[name].dtypes
    assert len(set_aside) == 0


BROKEN = [
    ("row_id", None, "no value: row_id"),
    ("source_id", None, "no value: source_id"),
    ("file", None, "no value: file"),
    ("row_id", "0", "the same key twice: row_id"),
    ("surname", " Marsh", "white space around it"),
    ("surname", "", "text is empty"),
    ("surname", "Mar\x01sh", "control characters"),
    ("upn", "A\n1", "runs over several lines"),
    ("sex_code", "M" * 101, "text too long"),
    ("born_on", pd.Timestamp(1899, 12, 31), "not a calendar day of 1900 to 2100"),
    ("born_on", pd.Timestamp(2101, 1, 1), "not a calendar day"),
    ("born_on", pd.Timestamp(2020, 1, 1, 12), "not a calendar day"),
    ("line", 0, "line number below 1"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BROKEN)
def test_a_row_that_breaks_is_set_aside_with_its_file_line_and_reason(column, value, reason):
    frame = table("people")
    frame.loc[1, column] = value
    accepted, set_aside = validate("people", frame)
    assert len(accepted) + len(set_aside) == len(frame)
    assert accepted.row_id.tolist() == ["0", "2"]
    assert set_aside.column.tolist() == [column]
    assert reason in set_aside.reason[0]
    if column not in ("line", "file"):
        assert set_aside[["file", "line", "table"]].values.tolist() == [["a", 3, "people"]]


@pytest.mark.parametrize(("value", "kept"), [(pd.Timestamp(1900, 1, 1), True), (pd.Timestamp(2100, 12, 31), True)])
def test_the_first_and_the_last_day_are_good(value, kept):
    frame = table("people")
    frame.loc[1, "born_on"] = value
    assert (len(validate("people", frame)[1]) == 0) == kept


def test_a_repeated_key_keeps_the_first_and_one_per_system():
    frame = table("people", 4).assign(row_id=["7", "7", "7", "8"], source=["a", "a", "b", "a"])
    frame = frame.astype(TABLES["people"].dtypes)
    accepted, set_aside = validate("people", frame)
    assert accepted[["source", "row_id"]].values.tolist() == [["a", "7"], ["b", "7"], ["a", "8"]]
    assert set_aside.line.tolist() == [3]


def test_a_row_that_breaks_does_not_make_the_next_of_its_key_a_repeat():
    frame = table("people", 2).assign(row_id="7").astype(TABLES["people"].dtypes)
    frame.loc[0, "born_on"] = pd.Timestamp(1800, 1, 1)
    accepted, set_aside = validate("people", frame)
    assert (accepted.line.tolist(), set_aside.line.tolist()) == ([3], [2])


def test_a_column_of_another_type_is_cast_and_only_what_cannot_be_is_set_aside():
    frame = table("settings", 4).astype({"opened_on": object, "low_age": object, "urn": object})
    frame["opened_on"] = ["2020-05-04", "no day", pd.Timestamp(2021, 1, 1), None]
    frame["low_age"] = [3, "4", "four", 2.5]
    frame["urn"] = pd.Series(["1", "2", "3", 4.5], dtype=object)
    accepted, set_aside = validate("settings", frame)
    assert set_aside[["line", "reason"]].values.tolist() == [
        [3, "wrong type: opened_on"],
        [4, "wrong type: low_age"],
        [5, "wrong type: urn"],
    ]
    assert {c: str(t) for c, t in accepted.dtypes.items()} == TABLES["settings"].dtypes


def test_a_frame_that_lost_or_gained_a_column_is_refused():
    with pytest.raises(FeedRefusedError, match="Table 'people' has no column 'upn'"):
        validate("people", table("people").drop(columns="upn"))
    with pytest.raises(FeedRefusedError, match="has an unknown column 'nickname'"):
        validate("people", table("people").assign(nickname="x"))


@settings(max_examples=12, deadline=None)
@given(
    faults=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["row_id", "surname", "born_on", "line"])), max_size=12
    )
)
def test_no_row_is_lost_and_none_that_breaks_is_kept(faults):
    bad = {"row_id": None, "surname": " x", "born_on": pd.Timestamp(1700, 1, 1), "line": 0}
    frame = table("people", 10)
    for row, column in faults:
        frame.loc[row, column] = bad[column]
    accepted, set_aside = validate("people", frame)
    assert len(accepted) + len(set_aside) == 10
    assert len(set_aside) == len({row for row, _ in faults})
    assert len(validate("people", accepted)[1]) == 0


def test_every_failure_is_found_where_pandera_alone_might_stop():
    frame = table("people", 2000)
    frame.loc[::2, "surname"] = " x"
    frame.loc[::3, "born_on"] = pd.Timestamp(1700, 1, 1)
    accepted, set_aside = validate("people", frame)
    broken = {n for n in range(2000) if n % 2 == 0 or n % 3 == 0}
    assert set(set_aside.line - 2) == broken
    assert len(accepted) == 2000 - len(broken)


def test_a_table_that_keeps_its_contract_is_quick_and_needs_no_pandera():
    frame = table("people", 100_000)
    began = time.perf_counter()
    validate("people", frame)
    assert time.perf_counter() - began < 2  # about 0.15 s; the rest is for a busy machine
    code = (
        "import sys; from tests.test_contracts import table; from checks.contracts import validate;"
        "validate('people', table('people')); sys.exit('pandera' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_set_aside_has_the_types_of_a_reading():
    frame = table("people").assign(row_id=np.nan).astype(TABLES["people"].dtypes)
    set_aside = validate("people", frame)[1]
    assert {c: str(t) for c, t in set_aside.dtypes.items()} == {**dict.fromkeys(SET_ASIDE, "str"), "line": "Int64"}
