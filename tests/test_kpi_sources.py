"""Which figures of a night rest on an earlier copy, and whose."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pypdf import PdfReader
from test_board import board
from test_outputs_frames import about, kpis

from checks.engine import catalogue
from config.canonical import TABLES
from outputs.board_pack import write_board_pack
from outputs.page_kpis import kpi_rows
from outputs.workbooks import write_kpis
from pipelines.kpi_sources import RESTS_ON, old_sources, told_old
from pipelines.kpis import REGISTRY


def feeds(*absent: str) -> pd.DataFrame:
    """The feeds of a night; those named did not arrive."""
    rows = [("capita", "involvements", "plans, reviews"), ("capita", "rolls", "rolls"), ("liquidlogic", "visits", "visits"), ("synergy", "plans", "plans")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["system", "feed", "tables"])
    return frame.assign(is_accepted=~(frame["system"] + " " + frame["feed"]).isin(absent), is_expected=True)


def test_every_figure_says_which_tables_it_rests_on() -> None:
    assert set(RESTS_ON) == set(REGISTRY) and {name for names in RESTS_ON.values() for name in names} <= set(TABLES)


@pytest.mark.parametrize(
    ("code", "rules"),
    [("K01", ["RV01", "RV02"]), ("K05", ["WH01", "WH06", "WH07", "WH10"]), ("K08", ["WH01", "WH06", "WH07"]), ("K18", ["PL13"])],
)  # fmt: skip
def test_a_figure_made_of_rules_rests_on_what_they_read(code: str, rules: list[str]) -> None:
    assert {table for rule in rules for table in catalogue()[rule].uses} <= set(RESTS_ON[code])


@pytest.mark.parametrize(
    ("absent", "told"),
    [
        ((), {"K01": "", "K05": "", "K09": "", "K17": ""}),
        (("liquidlogic visits",), {"K01": "", "K05": "liquidlogic", "K06": "liquidlogic", "K17": ""}),
        (("capita involvements", "liquidlogic visits"), {"K01": "capita", "K05": "capita, liquidlogic", "K12": "", "K17": ""}),
    ],
)  # fmt: skip
def test_what_did_not_arrive_marks_the_figures_drawn_from_it_and_no_other(absent: tuple, told: dict[str, str]) -> None:
    codes = pd.Series(list(told))
    assert dict(zip(codes, old_sources(codes, feeds(*absent)), strict=True)) == told


def test_the_command_says_it_beside_the_figures() -> None:
    assert told_old(feeds()) == []
    lines = told_old(feeds("liquidlogic visits"))
    assert lines == ["On an earlier copy of Liquidlogic: K05, K06, K08, K09."]


def test_the_mark_is_told_on_the_page_in_the_pack_and_in_the_workbook(tmp_path: Path) -> None:
    marked = kpis().assign(old_sources=lambda frame: frame["code"].map({"K01": "capita, liquidlogic", "K06": "capita"}))
    rows = {
        (row["code"], row["is_heading"]): row["old_words"]
        for row in kpi_rows(marked, None, pd.Timestamp(about().as_of))
    }
    assert rows["K01", False] == "earlier copy of Capita, Liquidlogic" and rows["K06", True] == "earlier copy of Capita"
    assert rows["K02", False] == ""
    write_kpis(tmp_path / "kpis.xlsx", marked, about())
    lines = list(openpyxl.load_workbook(tmp_path / "kpis.xlsx", read_only=True)["Figures"].iter_rows(values_only=True))
    place = lines[0].index("Rests on")
    assert {line[place] for line in lines if line[0] == "K01"} == {"earlier copy of Capita, Liquidlogic"}
    assert {line[place] for line in lines if line[0] == "K02"} <= {None, ""}
    write_board_pack(tmp_path / "pack.pdf", board(figures=marked))
    said = " ".join(" ".join(page.extract_text() for page in PdfReader(tmp_path / "pack.pdf").pages).split())
    assert "(earlier copy of Capita, Liquidlogic)" in said
