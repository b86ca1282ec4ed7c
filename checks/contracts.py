"""Contracts: the shape of every canonical table, as pandera schemas made from `config.canonical`.

A contract guards shape and nothing else. A frame that lost a column is refused; a row that breaks its contract is set
aside with its file, line and reason; rows in = rows accepted + rows set aside, always.

    accepted, set_aside = validate("people", frame)
    contracts.people        # the pandera schema itself, made when it is first asked for

The rules of a contract are plain functions on a column. They are tried first, in pandas alone; pandera (two seconds
to import) is called only when something fails, to say what. Its lazy mode is known to miss failures and to give no
row for a failure of type, so that the functions have the last word on which rows break.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.canonical import DTYPES, TABLES
from config.errors import FeedRefusedError

if TYPE_CHECKING:
    import pandera.pandas as pandera

SET_ASIDE = ["file", "line", "row_id", "source_id", "reason", "column", "raw", "table"]
FIRST_DAY, LAST_DAY = pd.Timestamp(1900, 1, 1), pd.Timestamp(2100, 12, 31)
_LONGEST = {"id": 200, "code": 100, "text": 4000}

Check = Callable[[pd.Series], pd.Series]


def _arrow(column: pd.Series) -> pa.Array:
    """The column as an arrow array: text checks there take a tenth of the time."""
    return pa.array(column, type=pa.large_string(), from_pandas=True)


def _holds(text: pa.Array, pattern: str) -> pa.Array:
    """Where a text matches a pattern of control characters. Most columns hold no such byte at all, which is quickly
    seen in their buffer and saves nine tenths of the time."""
    chunks = text.chunks if isinstance(text, pa.ChunkedArray) else [text]
    buffers = [chunk.buffers()[2] for chunk in chunks]
    if not any(buffer is not None and (np.frombuffer(buffer, dtype=np.uint8) < 32).any() for buffer in buffers):
        return pa.scalar(False)
    return pc.match_substring_regex(text, pattern)


def _clean(column: pd.Series, fault: pa.Array) -> pd.Series:
    """Where the fault is absent; a missing text has none."""
    return pd.Series(~pc.fill_null(fault, False).to_numpy(zero_copy_only=False), index=column.index)


def is_recorded(column: pd.Series) -> pd.Series:
    """There is a value."""
    return column.notna()


def is_tidy(column: pd.Series) -> pd.Series:
    """Text is missing or holds something, has no white space around it and no control characters in it (line feeds
    and tabs may stand within)."""
    text = _arrow(column)
    loose = pc.or_(pc.equal(text, ""), pc.not_equal(pc.utf8_trim_whitespace(text), text))
    return _clean(column, pc.or_(loose, _holds(text, r"[\x00-\x08\x0b\x0c\x0e-\x1f]")))


def is_on_one_line(column: pd.Series) -> pd.Series:
    """An identifier or a code holds no line feed or tab."""
    text = _arrow(column)
    return _clean(column, pc.and_(pc.is_valid(text), _holds(text, r"[\n\r\t]")))


def is_calendar_day(column: pd.Series) -> pd.Series:
    """A date is at midnight and in the years 1900 to 2100."""
    return column.isna() | ((column == column.dt.normalize()) & column.between(FIRST_DAY, LAST_DAY))


def is_line_number(column: pd.Series) -> pd.Series:
    """Lines are counted from 1."""
    return (column.isna() | (column >= 1)).astype(bool)


def is_small_number(column: pd.Series) -> pd.Series:
    """Ages, weeks and counts are not negative and have at most six digits."""
    return (column.isna() | column.between(0, 999_999)).astype(bool)


def _not_longer(kind: str) -> Check:
    longest = _LONGEST[kind]

    def is_not_longer(column: pd.Series) -> pd.Series:
        return _clean(column, pc.greater(pc.utf8_length(_arrow(column)), longest))

    is_not_longer.__doc__ = f"At most {longest} characters."
    return is_not_longer


#: What is said of a broken check, by the name of its function.
REASONS = {
    "is_recorded": "no value",
    "is_tidy": "text is empty, or has white space around it or control characters in it",
    "is_on_one_line": "an identifier or code runs over several lines",
    "is_calendar_day": "not a calendar day of 1900 to 2100",
    "is_line_number": "line number below 1",
    "is_small_number": "number out of range",
    "is_not_longer": "text too long",
    "is_of_its_type": "wrong type",
    "is_only_row": "the same key twice",
}
_CHECKS: dict[str, tuple[Check, ...]] = {
    "id": (is_tidy, is_on_one_line, _not_longer("id")),
    "code": (is_tidy, is_on_one_line, _not_longer("code")),
    "text": (is_tidy, _not_longer("text")),
    "date": (is_calendar_day,),
    "flag": (),
    "number": (is_small_number,),
}


def checks_of(table_name: str) -> list[tuple[str, Check]]:
    """Every check of a table's contract, with its column."""
    table = TABLES[table_name]
    needed = {*table.needed, "source", "file", "line"}
    checks: list[tuple[str, Check]] = []
    for column, kind in table.all_columns.items():
        if column in needed:
            checks.append((column, is_recorded))
        checks += [(column, check) for check in ((is_line_number,) if column == "line" else _CHECKS[kind])]
    return checks


@cache
def schema(table_name: str) -> pandera.DataFrameSchema:
    """The pandera schema of a canonical table: all of its columns, their types, their checks, and no others."""
    import pandera.pandas as pandera

    table = TABLES[table_name]
    checks = checks_of(table_name)
    columns = {
        column: pandera.Column(
            dtype,
            checks=[
                pandera.Check(check, name=check.__name__, error=REASONS[check.__name__])
                for name, check in checks
                if name == column and check is not is_recorded
            ],
            nullable=(column, is_recorded) not in checks,
            description=f"{table.all_columns[column]}",
        )
        for column, dtype in table.dtypes.items()
    }
    keyed = table.needed or ("row_id",)
    return pandera.DataFrameSchema(
        columns,
        index=pandera.Index(int, unique=True),
        strict=True,
        coerce=False,
        unique=["source", "row_id"] if "row_id" in keyed else None,
        report_duplicates="exclude_first",
        name=table_name,
        description=table.about,
    )


def __getattr__(name: str) -> Any:
    if name in TABLES:
        return schema(name)
    raise AttributeError(name)


def validate(table_name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that keep the contract of a table, with its types, and the rows set aside.

    Set aside: file, line, row_id, source_id, reason, column, raw (empty: the reader keeps the raw text), table. Raises
    `FeedRefusedError` when columns are missing or unknown.
    """
    table = TABLES[table_name]
    absent = [column for column in table.dtypes if column not in frame.columns]
    unknown = [column for column in frame.columns if column not in table.dtypes]
    if absent or unknown:
        raise FeedRefusedError(
            f"Table '{table_name}' has {'no' if absent else 'an unknown'} column "
            f"{', '.join(repr(column) for column in absent or unknown)}.",
            "Correct the reader or the profile; the columns of every table are in config/canonical.py.",
        )
    frame = frame[list(table.dtypes)].reset_index(drop=True)
    frame, broken = _typed(table_name, frame)
    empty = {column for column in frame if frame[column].isna().all()}
    for column, check in checks_of(table_name):
        if check is is_recorded or column not in empty:
            _note(broken, check, column, ~check(frame[column]).to_numpy(dtype=bool))
    if "row_id" in (table.needed or ("row_id",)):
        again = frame.duplicated(["source", "row_id"]) & frame["row_id"].notna()
        broken_first = np.isin(np.arange(len(frame)), list(broken))
        if again.any():
            kept = frame.loc[~broken_first]
            again = kept.duplicated(["source", "row_id"]).reindex(frame.index, fill_value=False)
            for place in np.flatnonzero(again).tolist():
                broken.setdefault(place, ("row_id", REASONS["is_only_row"]))
    if not broken:
        return frame, _empty()
    broken = _by_pandera(table_name, frame) | broken
    return _divide(table_name, frame, broken)


def _note(broken: dict[int, tuple[str, str]], check: Check, column: str, wrong: np.ndarray) -> None:
    for place in np.flatnonzero(wrong).tolist():
        broken.setdefault(place, (column, REASONS[check.__name__]))


def _typed(table_name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, tuple[str, str]]]:
    """Columns of another type cast value by value, with the rows whose value cannot be."""
    broken: dict[int, tuple[str, str]] = {}
    wrong = {column: dtype for column, dtype in TABLES[table_name].dtypes.items() if str(frame[column].dtype) != dtype}
    cast: dict[str, pd.Series] = {}
    for column, dtype in wrong.items():
        values = frame[column]
        if dtype == DTYPES["date"]:
            good = pd.to_datetime(values, errors="coerce", format="ISO8601").astype(dtype)
        elif dtype == DTYPES["number"]:
            numbers = pd.to_numeric(values, errors="coerce")
            good = numbers.where(numbers % 1 == 0).astype("Float64").astype(dtype)
        elif dtype == DTYPES["flag"]:
            good = values.where(values.isin([True, False])).astype(dtype)
        else:
            texts = values.map(lambda value: isinstance(value, str)).astype(bool)
            good = values.where(texts).astype(dtype)
        _note(broken, is_of_its_type, column, (good.isna() & values.notna()).to_numpy(dtype=bool))
        cast[column] = good
    return (frame.assign(**cast) if cast else frame), broken


def is_of_its_type(column: pd.Series) -> pd.Series:
    """The value is of the type of its column; failed only while a column is cast."""
    return column.notna()


def _by_pandera(table_name: str, frame: pd.DataFrame) -> dict[int, tuple[str, str]]:
    """Rows that break according to pandera, with the column and the reason. Which row of a repeated key is kept is
    decided by `validate`, since pandera does not know that the first may be set aside for another reason."""
    from pandera.errors import SchemaErrors

    try:
        schema(table_name).validate(frame, lazy=True)
    except SchemaErrors as problem:
        cases = problem.failure_cases
        cases = cases.loc[cases["index"].notna() & (cases["check"] != "multiple_fields_uniqueness")]
        reasons = cases["check"].replace("not_nullable", REASONS["is_recorded"])
        return {
            int(index): (str(column), str(reason))
            for index, column, reason in zip(cases["index"], cases["column"], reasons, strict=True)
        }
    return {}


def _divide(
    table_name: str, frame: pd.DataFrame, broken: dict[int, tuple[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    places = sorted(broken)
    bad = frame.loc[places, ["file", "line", "row_id", "source_id"]].reset_index(drop=True)
    bad = bad.assign(
        column=[broken[place][0] for place in places],
        reason=[f"{broken[place][1]}: {broken[place][0]}" for place in places],
        raw="",
        table=table_name,
    )[SET_ASIDE]
    good = frame.drop(index=places).reset_index(drop=True)
    if len(good) + len(bad) != len(frame):
        raise AssertionError(f"{table_name}: {len(frame)} rows in, {len(good)} accepted and {len(bad)} set aside")
    return good, bad.astype({**dict.fromkeys(SET_ASIDE, "str"), "line": "Int64"})


def _empty() -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype="Int64" if column == "line" else "str") for column in SET_ASIDE})
