"""The table of what came and went, on a summary sheet: it adds up, and severities without any stand as blanks."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from test_digest import COUNTED
from test_outputs_frames import about, exceptions, register

from outputs.volume_table import TOLD, account, by_severity
from outputs.workbooks import write_exceptions


def test_by_severity_every_count_is_told_and_none_is_lost() -> None:
    rows = by_severity(COUNTED)
    assert [row["severity"] for row in rows] == ["critical", "high", "medium", "info"]
    assert {name: sum(row[name] for row in rows) for name in TOLD} == {
        "new": 3, "backlog": 40, "reopened": 6, "resolved": 5, "newly_overdue": 1, "overdue": 3, "number": 1_242,
    }  # fmt: skip


def test_the_summary_sheet_has_the_table_and_its_total(tmp_path: Path) -> None:
    write_exceptions(tmp_path / "x.xlsx", exceptions(20), about(), register(), volume=COUNTED)
    rows = [
        [cell for cell in row if cell is not None]
        for row in openpyxl.load_workbook(tmp_path / "x.xlsx")["Summary"].values
    ]
    place = next(number for number, row in enumerate(rows) if row == ["Since the night before"])
    assert rows[place + 1][2:] == [title for title, _ in TOLD.values()]
    assert rows[place + 2] == ["Critical", "a child may be unsafe or lost", 3, 1, 3, 8]
    assert rows[place + 6] == ["Total", 3, 40, 6, 5, 1, 3, 1_242]


@pytest.mark.parametrize(
    ("hidden", "relinked", "told"),
    [
        (0, [0, 0], ""),
        (0, [-3, 1], "2 fewer stand, as records were linked otherwise."),
        (7, [0, 1_000], "7 more are kept and no longer counted, as their rule went into shadow. 1,000 more stand, as records were linked otherwise."),
    ],
)  # fmt: skip
def test_what_else_moved_the_number_that_stands_is_said(hidden: int, relinked: list[int], told: str) -> None:
    assert account(pd.DataFrame({"to_shadow": [hidden, 0], "relinked": relinked})) == told
