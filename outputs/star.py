"""The star for business intelligence: facts about children and the dimensions around them, the same in the database and as Parquet.

Declared once, here: the tables of the database, the Parquet files, the data dictionary and the contract test all come from `STAR`. A name or
a type changes only with a migration and a line in the changelog. No table holds a name, a date of birth, an address or a system's own
person number; what says where a restricted child is holds the word ``restricted``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from outputs.kinds import typed
from outputs.protect import RESTRICTED, mask_restricted
from outputs.wording import CHILD_AGES

UNRECORDED = "not recorded"


@dataclass(frozen=True)
class StarTable:
    """A table of the star: what one row is, the key that is never empty or twice, and its columns with type and meaning."""

    about: str
    key: tuple[str, ...]
    columns: dict[str, tuple[str, str]]


_CHILD = ("text", "the child: joins to children")
_AS_OF = ("date", "the night that is judged; every row of the table has the same")
STAR: dict[str, StarTable] = {
    "children": StarTable(
        "one row per child with an active plan or in assessment",
        ("child_id",),
        {
            "as_of": _AS_OF,
            "child_id": ("text", "the child's id in the register, the same every night"),
            "has_active_plan": ("flag", "an EHC plan that the council maintains is in force"),
            "is_in_assessment": ("flag", "a request is without outcome"),
            "age": ("whole", "in completed years"),
            "age_band": ("text", f"{', '.join(CHILD_AGES.values())}, or {UNRECORDED}"),
            "need_code": ("text", "primary need, as the SEN2 return codes it"),
            "care_status": ("text", "looked after, not looked after"),
            "is_restricted": ("flag", "the address is restricted, so nothing says where the child is"),
            "setting_key": ("text", "the setting of the current main placement: joins to settings"),
            "in_authority": ("text", "Y: the setting lies in this authority; N: in another"),
            "next_review_due_on": ("date", "the day before twelve months are up"),
            "is_review_overdue": ("flag", "that day has passed, and the plan is active"),
            "visit_due_on": ("date", "by the strictest cohort"),
            "is_visit_overdue": ("flag", "that day has passed"),
            "awaiting": ("text", "nothing_in_place or interim where the child waits for provision"),
            "waiting_days": ("whole", "days since the wait began"),
            "whereabouts_grade": ("text", "seen, corroborated, recorded, not_known or missing"),
        },
    ),
    "plans": StarTable(
        "one row per plan as a system holds it",
        ("plan_key",),
        {
            "as_of": _AS_OF,
            "plan_key": ("text", "the system and its row"),
            "child_id": _CHILD,
            "started_on": ("date", "the date of the plan"),
            "ceased_on": ("date", "the day it ceased"),
            "is_active": ("flag", "in force on the night and maintained by this council"),
            "is_maintained": ("flag", "maintained by this council"),
            "need_code": ("text", "primary need in the plan"),
        },
    ),
    "placements": StarTable(
        "one row per placement that the casework system commissions, past ones too",
        ("placement_key",),
        {
            "as_of": _AS_OF,
            "placement_key": ("text", "the system and its row"),
            "child_id": _CHILD,
            "setting_key": ("text", "joins to settings; empty where no setting is recorded"),
            "provision_type": ("text", "the type of provision commissioned"),
            "residential_code": ("text", "the residential code of the record"),
            "started_on": ("date", "first day"),
            "ended_on": ("date", "last day"),
            "is_open": ("flag", "open on the night"),
            "is_primary": ("flag", "the main one, not a second part"),
        },
    ),
    "reviews": StarTable(
        "one row per annual review as a system holds it",
        ("review_key",),
        {
            "as_of": _AS_OF,
            "review_key": ("text", "the system and its row"),
            "child_id": _CHILD,
            "met_on": ("date", "the meeting"),
            "report_sent_on": ("date", "the report went to the council"),
            "decided_on": ("date", "the decision was notified: only this completes a review"),
            "outcome_code": ("text", "maintain, amend or cease, as the source codes it"),
            "is_complete": ("flag", "decided on or before the night"),
        },
    ),
    "visits": StarTable(
        "one row per recorded visit or contact",
        ("visit_key",),
        {
            "as_of": _AS_OF,
            "visit_key": ("text", "the system and its row"),
            "child_id": _CHILD,
            "kind_code": ("text", "statutory, monitoring or another contact"),
            "visited_on": ("date", "the day"),
            "is_seen": ("flag", "the child was seen"),
            "is_seen_alone": ("flag", "and alone"),
        },
    ),
    "exceptions": StarTable(
        "one row per exception that stands",
        ("exception_id",),
        {
            "as_of": _AS_OF,
            "exception_id": ("text", "the same every night, also when it reopens"),
            "rule": ("text", "joins to rules; restricted where the rule itself tells where a child is"),
            "child_id": ("text", "joins to children; empty where it is about no child"),
            "owner": ("text", "joins to owners"),
            "severity": ("text", "critical, high, medium or info"),
            "kind": ("text", "what sort of finding it is"),
            "status": ("text", "open, accepted or not_evaluated"),
            "on_old_data": ("flag", "judged on an earlier copy, because a source did not arrive"),
            "first_seen_on": ("date", "the night on which it was first seen"),
            "age_days": ("whole", "days since then"),
        },
    ),
    "kpi_values": StarTable(
        "one row per KPI line and night, tonight and every night before",
        ("as_of", "code", "line"),
        {
            "as_of": ("date", "the night: joins to dates"),
            "code": ("text", "the KPI's permanent code"),
            "line": ("text", "cohort, system or part; empty for the KPI itself"),
            "numerator": ("whole", "what is counted"),
            "denominator": ("whole", "of what"),
            "value": ("number", "as the KPI gives it: per cent where it is a share"),
        },
    ),
    "dates": StarTable(
        "one row per day, from the first to the last day that a fact names",
        ("date_on",),
        {
            "date_on": ("date", "the day"),
            "year": ("whole", "calendar year"),
            "month": ("whole", "1 to 12"),
            "quarter": ("text", "calendar quarter, as 2026-Q3"),
            "financial_year": ("text", "from 1 April, as 2026-27"),
            "academic_year": ("text", "from 1 September, as 2026-27"),
            "is_month_end": ("flag", "the last day of a month"),
            "is_weekend": ("flag", "Saturday or Sunday"),
        },
    ),
    "settings": StarTable(
        "one row per setting that a placement of a child who is not restricted names",
        ("setting_key",),
        {
            "setting_key": ("text", "the establishment's number (URN), else the SEN2 setting code"),
            "setting_name": ("text", "as the national register of establishments has it"),
            "setting_type": ("text", "its type there"),
            "setting_la_code": ("text", "the authority it lies in"),
            "is_closed": ("flag", "closed on the night"),
        },
    ),
    "owners": StarTable(
        "one row per owner of a rule or of an exception",
        ("owner",),
        {"owner": ("text", "the team or person"), "open_exceptions": ("whole", "exceptions that stand tonight")},
    ),
    "rules": StarTable(
        "one row per rule of the catalogue",
        ("rule",),
        {
            "rule": ("text", "its permanent code"),
            "title": ("text", "in words"),
            "severity": ("text", "the highest that it gives"),
            "kind": ("text", "what sort of finding it gives"),
            "owner": ("text", "who has it unless the council routes it"),
            "fix_in": ("text", "the system to mend it in"),
            "basis": ("text", "the law or standard it rests on"),
        },
    ),
}


def calendar(first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """The `dates` dimension from one day to another, both included."""
    day = pd.Series(pd.date_range(first, last, freq="D"))
    return pd.DataFrame(
        {
            "date_on": day,
            "year": day.dt.year,
            "month": day.dt.month,
            "quarter": day.dt.year.astype("str") + "-Q" + day.dt.quarter.astype("str"),
            "financial_year": _year_from(day, 4),
            "academic_year": _year_from(day, 9),
            "is_month_end": day.dt.is_month_end,
            "is_weekend": day.dt.day_of_week >= 5,
        }
    )


def _year_from(day: pd.Series, month: int) -> pd.Series:
    begins = day.dt.year - (day.dt.month < month)
    return begins.astype("str") + "-" + ((begins + 1) % 100).astype("str").str.zfill(2)


def shaped_star(
    frames: dict[str, pd.DataFrame], register: pd.DataFrame, as_of: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """Every table of `STAR` with exactly its columns, typed, masked for restricted children and in the order of its key.

    `frames` by table name; a column that a frame lacks is empty. `register` says who is restricted (``child_id``, ``is_restricted``).
    """
    tables = {}
    for name, table in STAR.items():
        frame = frames[name]
        if name not in ("settings", "rules", "owners", "dates", "kpi_values"):
            frame = mask_restricted(frame, register).assign(as_of=as_of)
        tables[name] = pd.DataFrame(
            {column: typed(frame.get(column), kind, frame.index) for column, (kind, _) in table.columns.items()}
        ).sort_values(list(table.key), ignore_index=True)
    placed = pd.concat([tables["children"]["setting_key"], tables["placements"]["setting_key"]])
    named = tables["settings"]["setting_key"].isin(placed[placed != RESTRICTED])
    tables["settings"] = tables["settings"][named].reset_index(drop=True)
    return tables


def write_star(folder: Path, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Write each table as ``<name>.parquet``, and `data_dictionary.csv`, into `folder`; returns the paths. Raises OSError where a file cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, table in tables.items():
        paths.append(folder / f"{name}.parquet")
        table.to_parquet(paths[-1], index=False)
    paths.append(folder / "data_dictionary.csv")
    star_dictionary().to_csv(paths[-1], index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return paths


def star_dictionary() -> pd.DataFrame:
    """Every column of the star: ``table`` (as in the database, ``bi_…``), ``column``, ``type``, ``meaning``."""
    rows = [
        (f"bi_{name}", column, kind, meaning)
        for name, table in STAR.items()
        for column, (kind, meaning) in table.columns.items()
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "meaning"])
