"""Files for business intelligence: the register, the exceptions and the figures as Parquet and as CSV, with a data
dictionary.

Column order and types are declared here and do not change from night to night; a column that a frame lacks is written
empty. What a frame has beyond them is not written: a new column is a decision, not an accident. Parquet keeps types
and the text as it is. CSV is UTF-8 with a byte order mark, so that Excel reads it; dates are ``yyyy-mm-dd``, and text
that a spreadsheet would run as a formula has an apostrophe in front. Ids are text: in Excel open the Parquet file or
the workbook to keep leading zeros.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.exceptions_workbook import COLUMNS as EXCEPTION_COLUMNS
from outputs.kpis_workbook import COLUMNS as KPI_COLUMNS
from outputs.protect import mask_restricted, neutral_csv
from outputs.register_workbook import COLUMNS as REGISTER_COLUMNS

#: Per table: column to (type, meaning). Types: id and text are text, date a day, whole and number numbers, flag true
#: or false.
_TEXT, _DATE, _WHOLE, _NUMBER, _FLAG = "text", "date", "whole", "number", "flag"
DTYPES = {_TEXT: "str", _DATE: "datetime64[us]", _WHOLE: "Int64", _NUMBER: "float64", _FLAG: "boolean"}
_MEANINGS = {
    **{column.key: column.about for column in (*KPI_COLUMNS, *REGISTER_COLUMNS, *EXCEPTION_COLUMNS)},
    "as_of": "the night that is judged",
    "active_plan": "Y: an EHC plan that the council maintains is in force on the night",
    "in_assessment": "Y: a request is without outcome",
    "awaiting_since": "the day from which the wait is counted",
    "line": "the cohort, system or part of the KPI; empty for the KPI itself",
    "is_new": "true where first seen on this night",
    "on_old_data": "true where judged on an earlier copy, because a source did not arrive",
    "is_restricted": "true where the address is restricted, so that nothing says where the child is",
}
TABLES: dict[str, dict[str, str]] = {
    "register": {
        "as_of": _DATE,
        "child_id": _TEXT,
        "active_plan": _TEXT,
        "in_assessment": _TEXT,
        "age": _WHOLE,
        "need_code": _TEXT,
        "setting_urn": _TEXT,
        "setting_code": _TEXT,
        "setting_name": _TEXT,
        "provision_type": _TEXT,
        "in_authority": _TEXT,
        "residential": _TEXT,
        "plan_started_on": _DATE,
        "last_completed_review_on": _DATE,
        "next_review_due_on": _DATE,
        "cohorts": _TEXT,
        "last_statutory_visit_on": _DATE,
        "last_monitoring_visit_on": _DATE,
        "visit_due_on": _DATE,
        "awaiting": _TEXT,
        "awaiting_since": _DATE,
        "waiting_days": _WHOLE,
        "whereabouts_grade": _TEXT,
        "seen_on": _DATE,
        "seen_by": _TEXT,
        "corroborated_on": _DATE,
        "corroborated_by": _TEXT,
        "recorded_on": _DATE,
        "vanished": _TEXT,
        "is_restricted": _FLAG,
        "synergy_id": _TEXT,
        "liquidlogic_id": _TEXT,
        "capita_id": _TEXT,
    },
    "exceptions": {
        "as_of": _DATE,
        "exception_id": _TEXT,
        "rule": _TEXT,
        "title": _TEXT,
        "child_id": _TEXT,
        "source": _TEXT,
        "source_id": _TEXT,
        "row_id": _TEXT,
        "field": _TEXT,
        "detail": _TEXT,
        "severity": _TEXT,
        "kind": _TEXT,
        "status": _TEXT,
        "on_old_data": _FLAG,
        "first_seen_on": _DATE,
        "age_days": _WHOLE,
        "nights": _WHOLE,
        "is_new": _FLAG,
        "owner": _TEXT,
        "fix_in": _TEXT,
        "todo": _TEXT,
        "basis": _TEXT,
    },
    "kpis": {
        "as_of": _DATE,
        "code": _TEXT,
        "line": _TEXT,
        "title": _TEXT,
        "numerator": _WHOLE,
        "denominator": _WHOLE,
        "value": _NUMBER,
        "not_judged": _WHOLE,
        "target": _NUMBER,
        "definition": _TEXT,
    },
}


def write_extracts(
    folder: Path, register: pd.DataFrame, exceptions: pd.DataFrame, kpis: pd.DataFrame, about: About
) -> list[Path]:
    """Write each table as Parquet and CSV, and `data_dictionary.csv`, into `folder`; returns the paths.

    Whereabouts of restricted children are masked here. Raises OSError where a file cannot be written.
    """
    frames = {
        "register": mask_restricted(register, register).assign(is_restricted=register.get("is_restricted")),
        "exceptions": mask_restricted(exceptions, register),
        "kpis": kpis,
    }
    paths = []
    for name, frame in frames.items():
        table = shaped(name, frame, about)
        paths += [folder / f"{name}.parquet", folder / f"{name}.csv"]
        table.to_parquet(paths[-2], index=False)
        _write_csv(paths[-1], table)
    paths.append(folder / "data_dictionary.csv")
    _write_csv(paths[-1], data_dictionary())
    return paths


def shaped(name: str, frame: pd.DataFrame, about: About) -> pd.DataFrame:
    """The frame with exactly the declared columns, in order and typed."""
    dated = frame.assign(as_of=pd.Timestamp(about.as_of))
    return pd.DataFrame(
        {column: typed(dated.get(column), kind, dated.index) for column, kind in TABLES[name].items()}
    ).reset_index(drop=True)


def typed(values: pd.Series | None, kind: str, index: pd.Index) -> pd.Series:
    """A column as its declared kind (see `DTYPES`); one that is not there is empty in every row of `index`."""
    if values is None:
        return pd.Series(pd.NA, index=index).astype(DTYPES[kind])
    if kind == _FLAG:
        return values.astype("object").map({True: True, False: False, "Y": True, "N": False}).astype("boolean")
    if kind == _DATE:
        return pd.to_datetime(values).astype(DTYPES[kind])
    if kind in (_WHOLE, _NUMBER):
        return pd.to_numeric(values, errors="coerce").astype(DTYPES[kind])
    return values.astype("object").where(values.notna(), None).astype("str")


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    neutral_csv(table).to_csv(path, index=False, encoding="utf-8-sig", date_format="%Y-%m-%d", lineterminator="\r\n")


def data_dictionary() -> pd.DataFrame:
    """Every column of every file: ``table``, ``column``, ``type``, ``meaning``."""
    rows = [
        (table, column, kind, _MEANINGS.get(column, "the same as in the workbook"))
        for table, columns in TABLES.items()
        for column, kind in columns.items()
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "meaning"])
