"""What the workbooks that people work through tell beside what was found."""

from __future__ import annotations

import pandas as pd

from outputs.exceptions_workbook import shown
from pipelines.worksheets import with_records

REGISTER = pd.DataFrame(
    {"child_id": ["c1", "c2"], "synergy_id": ["310001", None], "liquidlogic_id": None, "capita_id": ["0021", "0022"]}
)


def recorded(*rows: tuple[str, str, str]) -> list[str]:
    """The record of each exception, given as child, source and source_id."""
    frame = pd.DataFrame(list(rows), columns=["child_id", "source", "source_id"], dtype="str")
    return with_records(frame, REGISTER)["source_id"].tolist()


def test_what_is_no_one_system_s_fault_names_the_child_s_number_in_each():
    assert recorded(
        ("c1", "", ""), ("c1", "synergy", "310001"), ("c2", "", ""), ("gone", "", ""), ("", "capita", "")
    ) == ["Synergy 310001, Capita 0021", "310001", "Capita 0022", "", ""]
    assert recorded() == []


def test_dates_in_evidence_and_in_claims_are_written_the_same_way():
    flags = dict.fromkeys(["on_old_data", "is_overdue", "is_lead"], False)
    claim = "Said to be fixed in Synergy on 2026-11-03, no fresh extract since"
    row = {"source": "synergy", "detail": "ended 2026-05-24", "claim": claim, "status": "open", "kind": "duty"} | flags
    told = shown(pd.DataFrame([row])).iloc[0]
    assert told["detail"] == "ended 24/05/2026" and told["claim"] == claim.replace("2026-11-03", "03/11/2026")
