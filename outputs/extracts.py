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
from outputs.kinds import DATE, FLAG, NUMBER, TEXT, WHOLE, typed
from outputs.kpis_workbook import COLUMNS as KPI_COLUMNS
from outputs.protect import mask_restricted, neutral_csv
from outputs.register_workbook import COLUMNS as REGISTER_COLUMNS

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
#: Per table: column to type (`outputs.kinds`).
TABLES: dict[str, dict[str, str]] = {
    "register": {
        "as_of": DATE,
        "child_id": TEXT,
        "active_plan": TEXT,
        "in_assessment": TEXT,
        "age": WHOLE,
        "need_code": TEXT,
        "setting_urn": TEXT,
        "setting_code": TEXT,
        "setting_name": TEXT,
        "provision_type": TEXT,
        "in_authority": TEXT,
        "residential": TEXT,
        "plan_started_on": DATE,
        "last_completed_review_on": DATE,
        "next_review_due_on": DATE,
        "cohorts": TEXT,
        "last_statutory_visit_on": DATE,
        "last_monitoring_visit_on": DATE,
        "visit_due_on": DATE,
        "awaiting": TEXT,
        "awaiting_since": DATE,
        "waiting_days": WHOLE,
        "whereabouts_grade": TEXT,
        "seen_on": DATE,
        "seen_by": TEXT,
        "corroborated_on": DATE,
        "corroborated_by": TEXT,
        "recorded_on": DATE,
        "vanished": TEXT,
        "is_restricted": FLAG,
        "synergy_id": TEXT,
        "liquidlogic_id": TEXT,
        "capita_id": TEXT,
    },
    "exceptions": {
        "as_of": DATE,
        "exception_id": TEXT,
        "rule": TEXT,
        "title": TEXT,
        "child_id": TEXT,
        "source": TEXT,
        "source_id": TEXT,
        "row_id": TEXT,
        "field": TEXT,
        "detail": TEXT,
        "severity": TEXT,
        "kind": TEXT,
        "status": TEXT,
        "on_old_data": FLAG,
        "first_seen_on": DATE,
        "age_days": WHOLE,
        "nights": WHOLE,
        "is_new": FLAG,
        "owner": TEXT,
        "fix_in": TEXT,
        "todo": TEXT,
        "basis": TEXT,
    },
    "kpis": {
        "as_of": DATE,
        "code": TEXT,
        "line": TEXT,
        "title": TEXT,
        "numerator": WHOLE,
        "denominator": WHOLE,
        "value": NUMBER,
        "not_judged": WHOLE,
        "target": NUMBER,
        "definition": TEXT,
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
