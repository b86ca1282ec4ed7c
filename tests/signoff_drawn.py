"""A handful of invented children over three nights, drawn straight into a store: what the tests of the sign-off freeze."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pandas as pd

from pipelines.store import Store

PERIOD = "2026-10"
OPENING, MIDDLE, CUT_OFF = date(2026, 9, 30), date(2026, 10, 20), date(2026, 11, 4)
NOW = datetime(2026, 11, 4, 7, 30, tzinfo=UTC)
REGISTER = """
    child_id | active_plan | setting_name     | setting_urn | synergy_id | plan_from         | is_restricted | plan_started_on
    C1       | Y           | Hill School      | 100001      | S1         | synergy plans 1   | false         | 2024-01-01
    C2       | Y           | Mill School      | 100002      | S2         | synergy plans 2   | false         | 2024-02-01
    C3       | Y           | Secret Hall      | 100003      | S3         | synergy plans 3   | true          | 2025-03-01
    C4       | {new}       | Vale School      | 100004      | S4         | synergy plans 4   | false         | {started}
"""
EXCEPTIONS = """
    exception_id | rule | child_id | source  | source_id | detail                   | severity | kind   | owner       | status | first_seen_on
    E1           | SR05 | C1       | synergy | S1        | the record has gone      | critical | record | SEN         | open   | 2026-10-20
    E2           | RV03 | C2       | synergy | S2        | decision due 2026-08-01  | high     | record | SEN         | open   | 2026-10-20
    E3           | WH04 | C3       | synergy | S3        | rolls at Secret Hall     | medium   | query  | Placements  | open   | 2026-10-20
"""
FIGURES = """
    code | line         | title                           | numerator | denominator | value | not_judged | target | definition
    K01  |              | Plans reviewed within 12 months | {met}     | {plans}     | {v}   | 0          | 100    | reviewed in time / all
    K06  | residential  | Welfare visits in date          | 1         | 1           | 100.0 | 0          | 100    | seen in time / cohort
"""
MEMBERS = """
    code | line        | child_id | in_numerator
    K01  |             | C1       | true
    K01  |             | C2       | {late}
    K01  |             | C3       | true
    K06  | residential | C3       | true
"""


def table(drawn: str) -> pd.DataFrame:
    """A drawn table as a frame; empty cells are missing, dates are dates and flags are flags."""
    frame = pd.read_csv(StringIO(drawn.strip()), sep=r"\s*\|\s*", engine="python", dtype="str")
    for name in frame:
        if str(name).endswith("_on"):
            frame[name] = pd.to_datetime(frame[name])
        elif str(name).startswith(("is_", "in_num", "on_old")):
            frame[name] = frame[name].eq("true")
        elif name == "line":
            frame[name] = frame[name].fillna("")
    return frame


def write_night(store: Store, night: date, **changed: Any) -> None:
    """One night as drawn above; `changed` says what is different: new, started, met, plans, v, late, students (the status of a feed), copy (the night that
    the last copies of the feeds are of), exceptions, rules."""
    told = {
        "new": "",
        "started": "",
        "met": 3,
        "plans": 3,
        "v": 100.0,
        "late": "true",
        "students": "accepted",
        "copy": None,
    } | changed
    members = MEMBERS.format(**told) + ("    K01 | | C4 | true\n" if told["new"] else "")
    feeds = pd.DataFrame(
        {
            "system": ["synergy", "capita"],
            "feed": ["plans", "students"],
            "status": ["accepted", told["students"]],
            "is_expected": True,
            "is_stale": False,
            "rows": [3, 3],
            "accepted": [3, 3],
            "set_aside": [0, 0],
            "reason": [None, None if told["students"] == "accepted" else "no file"],
            "old_copy_of": pd.to_datetime(told["copy"]),
        }
    )
    register = table(REGISTER.format(**told)).assign(awaiting_since=pd.NaT)
    links = pd.DataFrame(
        {"source": "synergy", "source_id": register["synergy_id"], "child_id": register["child_id"], "how": "drawn"}
    )
    with store.night(night) as kept:
        kept.open_run(
            {"application": "test", "rules": told.get("rules", "r1")}, datetime(*night.timetuple()[:3], 2, tzinfo=UTC)
        )
        kept.save("links", links)
        kept.save("sealed_records", told.get("sealed", pd.DataFrame(columns=["source", "source_id"], dtype="str")))
        kept.save("register", register)
        kept.save("exceptions", told.get("exceptions", table(EXCEPTIONS)).assign(on_old_data=False, field=None))
        kept.save("kpi_members", table(members))
        kept.save_nightly("kpi_values", table(FIGURES.format(**told)).astype({"value": "float64", "target": "float64"}))
        kept.save_nightly("run_feeds", feeds)
        kept.close_run(0, {}, {})


def write_month(store: Store) -> None:
    """Three nights: the end of September, one in October on which Capita was late, and the cut-off, with a new plan and a late review."""
    write_night(store, OPENING, exceptions=table(EXCEPTIONS).iloc[:0])
    write_night(store, MIDDLE, students="missing")
    write_night(store, CUT_OFF, new="Y", started="2026-10-10", met=3, plans=4, v=75.0, late="false")
