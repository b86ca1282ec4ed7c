"""What the workbooks that people work through tell beside what was found."""

from __future__ import annotations

import pandas as pd

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
