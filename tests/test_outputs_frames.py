"""Invented frames for the tests of what is written: a small council, with nasty text and restricted children."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd

from outputs.about import About, NotReceived

AS_OF = pd.Timestamp("2026-10-28")
RULES = (
    # code, title, severity, kind, owner, fix_in, todo
    (
        "WH01",
        "Whereabouts not known",
        "critical",
        "safety",
        "SEN casework",
        "Synergy: placement",
        "Find out where the child is and record it",
    ),
    (
        "WH06",
        "Missing now",
        "critical",
        "safety",
        "Social care",
        "Liquidlogic: missing episode",
        "Follow the missing protocol",
    ),
    (
        "AW01",
        "Awaiting, with nothing in place",
        "critical",
        "safety",
        "Commissioning",
        "Synergy: placement",
        "Put something in place",
    ),
    (
        "PL02",
        "Placement ended, none follows",
        "critical",
        "record",
        "SEN casework",
        "Synergy: placement",
        "Record the next placement",
    ),
    (
        "RV01",
        "Review overdue",
        "high",
        "duty",
        "SEN casework",
        "Synergy: annual review",
        "Hold the review and notify the decision",
    ),
    (
        "VS02",
        "Visit overdue",
        "high",
        "duty",
        "Monitoring officers",
        "Synergy: monitoring visit",
        "Visit, and record whether the child was seen",
    ),
    ("ID05", "UPN invalid", "medium", "record", "Business intelligence", "the system named", "Correct the number"),
    (
        "WH04",
        "Home outside the authority",
        "high",
        "record",
        "SEN casework",
        "Synergy: address",
        "Check who maintains the plan",
    ),
    ("PD12", "Aged 25", "info", "record", "SEN casework", "Synergy: plan", "Explain"),
)
#: Text that must come through a workbook as it is, or be refused; it must never run.
NASTY = (
    '=cmd|"/c calc"!A1',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "emoji 👩‍👧 and 𝔘nicode",
    "שלום עולם، مرحبا",
    "bell \x07 and null \x00 inside",
    "x" * 40_000,
    '<script>alert(1)</script> & "quotes"',
    "two\r\nlines",
)
SECRET_SETTING, SECRET_URN, SECRET_DETAIL = "Hidden Hollow School", "987654", "lives at 1 Hidden Hollow, ZZ1 9ZZ"


def about(received: bool = False) -> About:
    missing = () if received else (NotReceived("liquidlogic", "visits", "no file for this night", date(2026, 10, 27)),)
    return About(
        council="Northmere Council (invented)",
        as_of=AS_OF.date(),
        run_id="2026-10-28-a1b2c3",
        generated_at=datetime(2026, 10, 28, 1, 47),
        period="2026-10",
        sources_not_received=missing,
        versions={"application": "0.1.0", "rules": "1"},
    )


def register(children: int = 300, seed: int = 7) -> pd.DataFrame:
    """A register in its public shape; every fortieth child is restricted."""
    rng = np.random.default_rng(seed)
    ids = [f"C{number:06d}" for number in range(children)]
    active = rng.random(children) < 0.92
    days = rng.integers(20, 2500, children)
    provision = rng.choice(
        ["Mainstream", "Special", "Further education", "Independent special", None],
        children,
        p=[0.5, 0.25, 0.12, 0.08, 0.05],
    )
    in_authority = rng.choice(["Y", "N", None], children, p=[0.75, 0.15, 0.1])
    cohort = np.where(
        in_authority == "N",
        "out_of_authority",
        rng.choice(["", "s61", "looked_after", "home_educated"], children, p=[0.9, 0.05, 0.03, 0.02]),
    )
    awaiting = rng.choice([None, "nothing_in_place", "interim"], children, p=[0.95, 0.03, 0.02])
    waits = pd.Series(rng.integers(1, 900, children), dtype="Int64").where(pd.Series(awaiting).notna())
    grade = rng.choice(
        ["corroborated", "seen", "recorded", "not_known", "missing"], children, p=[0.7, 0.2, 0.06, 0.03, 0.01]
    )
    started = AS_OF - pd.to_timedelta(days, unit="D")
    reviewed = pd.Series(AS_OF - pd.to_timedelta(rng.integers(5, 600, children), unit="D")).where(days > 400)
    due = reviewed.fillna(pd.Series(started)) + pd.Timedelta(days=364)
    frame = pd.DataFrame(
        {
            "child_id": pd.Series(ids, dtype="str"),
            "active_plan": np.where(active, "Y", "N"),
            "in_assessment": np.where(active, "N", "Y"),
            "setting_urn": rng.integers(100000, 150000, children).astype(str),
            "setting_code": rng.choice([None, "OLA", "EHE"], children, p=[0.9, 0.06, 0.04]),
            "setting_name": [f"Invented School {number % 40}" for number in range(children)],
            "provision_type": provision,
            "in_authority": in_authority,
            "residential": rng.choice(["N", "Y"], children, p=[0.97, 0.03]),
            "plan_started_on": pd.Series(started).where(active),
            "last_completed_review_on": reviewed.where(active),
            "next_review_due_on": due.where(active),
            "cohorts": cohort,
            "last_statutory_visit_on": pd.Series(pd.NaT, index=range(children), dtype="datetime64[us]"),
            "last_monitoring_visit_on": pd.Series(
                AS_OF - pd.to_timedelta(rng.integers(5, 500, children), unit="D")
            ).where(cohort != ""),
            "visit_due_on": pd.Series(AS_OF + pd.to_timedelta(rng.integers(-90, 300, children), unit="D")).where(
                cohort != ""
            ),
            "awaiting": pd.Series(awaiting, dtype="str"),
            "waiting_days": waits,
            "whereabouts_grade": grade,
            "seen_on": pd.Series(AS_OF - pd.to_timedelta(rng.integers(5, 500, children), unit="D")),
            "seen_by": "synergy",
            "corroborated_on": pd.Series(AS_OF, index=range(children)).where(grade == "corroborated"),
            "corroborated_by": "capita",
            "recorded_on": AS_OF,
            "vanished": pd.Series([None] * children, dtype="str"),
            "is_restricted": np.arange(children) % 40 == 3,
            "age": pd.Series(rng.integers(2, 25, children), dtype="Int64"),
            "need_code": rng.choice(["ASD", "SEMH", "SLCN", "MLD"], children),
            "synergy_id": [f"{310000 + number}" for number in range(children)],
            "liquidlogic_id": [f"{58000 + number}" for number in range(children)],
            "capita_id": [f"00{2001000 + number}" for number in range(children)],
        }
    )
    hidden = frame["is_restricted"]
    frame.loc[hidden, ["setting_name", "setting_urn", "in_authority", "cohorts"]] = [
        SECRET_SETTING,
        SECRET_URN,
        "N",
        "looked_after+out_of_authority",
    ]
    return frame


def exceptions(rows: int = 400, children: int = 300, seed: int = 11) -> pd.DataFrame:
    """An exceptions frame; the first rows carry the nasty text, and some are about restricted children."""
    rng = np.random.default_rng(seed)
    rule = [
        RULES[place] for place in rng.choice(len(RULES), rows, p=[0.03, 0.01, 0.04, 0.04, 0.35, 0.15, 0.2, 0.05, 0.13])
    ]
    child = rng.integers(0, children, rows)
    age = rng.choice([0, 1, 3, 12, 45, 200], rows, p=[0.08, 0.1, 0.2, 0.3, 0.2, 0.12])
    detail = [f"due {AS_OF - pd.Timedelta(days=int(days)):%d/%m/%Y}" for days in rng.integers(1, 500, rows)]
    detail[: len(NASTY)] = NASTY[:rows]
    source = rng.choice(["synergy", "liquidlogic", "capita", ""], rows)
    frame = pd.DataFrame(
        {
            "exception_id": [f"x{number:010d}" for number in range(rows)],
            "rule": [row[0] for row in rule],
            "title": [row[1] for row in rule],
            "child_id": pd.Series([f"C{number:06d}" for number in child], dtype="str"),
            "source": pd.Series(source, dtype="str"),
            "source_id": np.where(source == "", "", [f"{310000 + number}" for number in child]),
            "row_id": [f"{900000 + number}" for number in range(rows)],
            "field": rng.choice(["next_review_due_on", "placement", "out_of_authority"], rows),
            "detail": pd.Series(detail[:rows], dtype="str"),
            "severity": [row[2] for row in rule],
            "kind": [row[3] for row in rule],
            "status": rng.choice(["open", "accepted", "not_evaluated", "resolved"], rows, p=[0.88, 0.04, 0.04, 0.04]),
            "on_old_data": rng.random(rows) < 0.1,
            "first_seen_on": AS_OF - pd.to_timedelta(age, unit="D"),
            "age_days": pd.Series(age, dtype="Int64"),
            "nights": pd.Series(np.minimum(age, 4) + 1, dtype="Int64"),
            "is_new": age == 0,
            "owner": [row[4] for row in rule],
            "fix_in": [row[5] for row in rule],
            "todo": [row[6] for row in rule],
            "basis": "SEND Regulations 2014",
        }
    )
    hidden = child % 40 == 3
    frame.loc[hidden, "detail"] = SECRET_DETAIL
    points = frame["severity"].map({"critical": 1000, "high": 400, "medium": 150, "info": 20})
    frame = frame.assign(
        priority=points, why_first=frame["severity"].str.capitalize() + "; looked after", cause="", claim=""
    )
    frame = frame.assign(due_on=frame["first_seen_on"] + pd.Timedelta(days=10), is_overdue=age > 10, is_lead=True)
    return frame.sort_values("priority", ascending=False, kind="stable", ignore_index=True)


def kpis() -> pd.DataFrame:
    """A KPI frame with parts, a figure without denominator and one where less is better."""
    lines = [
        ("K01", "", "Plans reviewed within 12 months", 406, 511, 3, 100),
        ("K02", "", "Review dates held", 570, 596, 0, 100),
        ("K03", "", "Placement known", 547, 596, 0, 100),
        ("K04", "", "Placement corroborated", 459, 547, 0, 95),
        ("K05", "", "Whereabouts not confirmed", 17, 596, 0, 0),
        ("K05", "recorded_only", "Whereabouts not confirmed", 41, 596, 0, None),
        ("K06", "looked_after", "Welfare visits in date", 10, 12, 0, 100),
        ("K06", "looked_after: first_not_due", "Welfare visits in date", 0, 12, 0, None),
        ("K06", "looked_after: overdue", "Welfare visits in date", 1, 12, 0, None),
        ("K06", "looked_after: never_seen", "Welfare visits in date", 1, 12, 0, None),
        ("K06", "out_of_authority", "Welfare visits in date", 33, 71, 2, 100),
        ("K07", "nothing_in_place", "Awaiting provision", 10, 15, 0, 0),
        ("K07", "longest_days", "Awaiting provision", 15, 15, 0, None),
        ("K09", "", "Records accurate and up to date", 502, 596, 0, 100),
        ("K15", "", "Phase transfers in time", 0, 0, 0, 100),
    ]
    frame = pd.DataFrame(lines, columns=["code", "line", "title", "numerator", "denominator", "not_judged", "target"])
    frame["value"] = (100 * frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)).astype("float64")
    frame.loc[frame["line"] == "longest_days", "value"] = 2264.0
    frame["definition"] = "what is counted / of how many"
    return frame


def trend() -> pd.DataFrame:
    """The figures of three earlier nights."""
    parts = []
    for back in (3, 2, 1):
        night = kpis().assign(as_of=AS_OF - pd.Timedelta(days=back))
        night["numerator"] = (night["numerator"] - back * 2).clip(lower=0)
        night["value"] = 100 * night["numerator"] / night["denominator"].where(night["denominator"] > 0)
        parts.append(night[["as_of", "code", "line", "numerator", "denominator", "value"]])
    return pd.concat(parts, ignore_index=True)


def feeds() -> pd.DataFrame:
    """The feeds of a night: one missing, one held, the others accepted."""
    rows = [
        ("synergy", "pupils", "pupils.csv", 6200, 6198, 1, 1, "accepted", None, 6195, True),
        ("synergy", "ehc_plans", "ehc_plans.csv", 700, 699, 1, 0, "accepted", None, 700, True),
        ("liquidlogic", "visits", None, None, None, None, None, "missing", "no file for this night", 1200, False),
        (
            "capita",
            "students",
            "students.csv",
            4800,
            4799,
            1,
            0,
            "gated",
            "20% fewer rows than the last accepted",
            6000,
            False,
        ),
    ]
    names = [
        "system",
        "feed",
        "file",
        "rows",
        "accepted",
        "set_aside",
        "repeated",
        "status",
        "reason",
        "previous_rows",
        "is_accepted",
    ]
    frame = pd.DataFrame(rows, columns=names).astype(
        dict.fromkeys(("rows", "accepted", "set_aside", "repeated", "previous_rows"), "Int64")
    )
    frame["sha256"] = "ab" * 32
    frame["modified_at"] = pd.Timestamp("2026-10-28 00:55")
    frame["newest_on"] = AS_OF - pd.Timedelta(days=1)
    frame["old_copy_of"] = pd.to_datetime(pd.Series([None, None, "2026-10-27", "2026-10-26"]))
    return frame


def health() -> pd.DataFrame:
    """What was expected of the feeds, and what was found."""
    rows = [
        ("synergy", "pupils", "Every pupil has a date of birth", "born_on", "99.9%", "at least 99%", True, "warn"),
        (
            "synergy",
            "ehc_plans",
            "Every plan says who maintains it",
            "maintaining_la_code",
            "100%",
            "at least 98%",
            True,
            "stop",
        ),
        ("capita", "students", "As many rows as last time, within 15%", None, "4,800", "5,100 to 6,900", False, "stop"),
    ]
    return pd.DataFrame(
        rows, columns=["system", "feed", "expectation", "column", "observed", "wanted", "is_met", "severity"]
    )


def test_the_invented_frames_have_their_columns() -> None:
    assert {"exception_id", "rule", "detail", "owner", "is_new"} <= set(exceptions(20).columns)
    assert register(80)["is_restricted"].sum() == 2
