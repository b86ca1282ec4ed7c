"""The kinds of column that files for business intelligence have: text, date, whole, number and flag (true or false)."""

from __future__ import annotations

import pandas as pd

TEXT, DATE, WHOLE, NUMBER, FLAG = "text", "date", "whole", "number", "flag"
DTYPES = {TEXT: "str", DATE: "datetime64[us]", WHOLE: "Int64", NUMBER: "float64", FLAG: "boolean"}


def typed(values: pd.Series | None, kind: str, index: pd.Index) -> pd.Series:
    """A column as its declared kind (see `DTYPES`); one that is not there is empty in every row of `index`."""
    if values is None:
        return pd.Series(pd.NA, index=index).astype(DTYPES[kind])
    if kind == FLAG:
        return values.astype("object").map({True: True, False: False, "Y": True, "N": False}).astype("boolean")
    if kind == DATE:
        return pd.to_datetime(values).astype(DTYPES[kind])
    if kind in (WHOLE, NUMBER):
        return pd.to_numeric(values, errors="coerce").astype(DTYPES[kind])
    return values.astype("object").where(values.notna(), None).astype("str")
