"""Small steps on whole frames that the pure core shares. Dates are `datetime64`, `as_of` is a midnight Timestamp."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd


@contextmanager
def small_frames() -> Iterator[None]:
    """Within it (or in a function decorated with it) text is kept as Python's own and not as Arrow's, and Python looks for no rubbish.

    On the few thousand rows of a past day pandas is 1.5 times as fast so; a night of a large authority keeps Arrow's, for its memory.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        with pd.option_context("mode.string_storage", "python"):
            yield
    finally:
        if was_collecting:
            gc.enable()


def is_among(keys: pd.Series, values: Collection[Any] | pd.Series | pd.Index) -> pd.Series:
    """True where a key is among many values. `Series.isin` does the same for text seventy times slower: it makes an Arrow scalar of each value."""
    return keys.astype(object).isin(values)


def is_begun(frame: pd.DataFrame, as_of: pd.Timestamp, started: str = "started_on") -> pd.Series:
    """True where a spell has begun: it starts on or before the day, or does not say when it started."""
    return ~(frame[started] > as_of)


def is_open(
    frame: pd.DataFrame, as_of: pd.Timestamp, started: str = "started_on", ended: str = "ended_on"
) -> pd.Series:
    """True where a spell is open on the day: begun, and no end or an end after it."""
    return is_begun(frame, as_of, started) & ~(frame[ended] <= as_of)


def latest(frame: pd.DataFrame, on: str, by: str = "child_id") -> pd.DataFrame:
    """The row with the latest date per child, indexed by child; ties are broken by `row_id`, so file order never matters."""
    dated = frame.sort_values([by, on, "row_id"], na_position="first", kind="stable")
    return dated.drop_duplicates(by, keep="last").set_index(by)


def earliest(frame: pd.DataFrame, on: str, by: str = "child_id") -> pd.DataFrame:
    """The row with the earliest date per child, indexed by child."""
    dated = frame.sort_values([by, on, "row_id"], na_position="last", kind="stable")
    return dated.drop_duplicates(by, keep="first").set_index(by)


def joined(values: pd.Series, by: pd.Series, separator: str = "+") -> pd.Series:
    """The distinct values of each group in alphabetical order, joined to one text."""
    pairs = pd.DataFrame({"by": by.to_numpy(), "value": values.to_numpy()}).dropna().astype(object)
    texts: dict[str, str] = {}
    for key, value in sorted(set(zip(pairs["by"], pairs["value"], strict=True))):
        texts[key] = f"{texts[key]}{separator}{value}" if key in texts else value
    return pd.Series(list(texts.values()), index=pd.Index(list(texts), dtype="str"), dtype="str")


def days(later: pd.Series | pd.Timestamp, earlier: pd.Series | pd.Timestamp) -> pd.Series:
    """Whole days from the earlier date to the later one; missing where either is."""
    return (later - earlier).dt.days.astype("Int64")


def age_on(born_on: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """Completed years of age on the day; a birthday on 29 February falls on 1 March in other years."""
    not_yet = (born_on.dt.month > as_of.month) | ((born_on.dt.month == as_of.month) & (born_on.dt.day > as_of.day))
    return (as_of.year - born_on.dt.year - not_yet).astype("Int64")


def dates_in(years: pd.Series, month: int, day: int) -> pd.Series:
    """The same month and day in each of the given years."""
    return pd.to_datetime({"year": years.astype("Float64"), "month": month, "day": day}, errors="coerce").astype(
        "datetime64[us]"
    )


def row_reference(frame: pd.DataFrame) -> pd.Series:
    """Where a value came from, as people quote it: ``synergy placements 600686``."""
    return frame["source"] + " " + frame["row_id"]


def look_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    """The value of each key, missing where there is none; keeps the type of the values, also when there are none at all."""
    return pd.Series(values.reindex(keys.to_numpy()).array, index=keys.index)
