"""The quarterly report: the right nights, the statement's headings, movement that explains, and nothing of few children."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader
from store_drawn import NOW
from test_outputs_frames import about

from config.errors import ConfigurationError
from outputs.quarterly_report import HEADINGS, Quarter, quarter_rows, write_quarterly
from pipelines.kpis import REGISTRY
from pipelines.quarterly import quarter_of, report_quarter
from pipelines.store import Store


def figures(**values: tuple[int, int]) -> pd.DataFrame:
    rows = [(code, "", f"Title {code}", *pair, "red", 100.0, "what is counted") for code, pair in values.items()]
    frame = pd.DataFrame(
        rows, columns=["code", "line", "title", "numerator", "denominator", "rag", "target", "definition"]
    )
    frame["value"] = (100 * frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)).round(1)
    return frame


def bridge(code: str, met: tuple[int, int], counted: tuple[int, int]) -> pd.DataFrame:
    parts = [("numerator", *met), ("denominator", *counted)]
    frame = pd.DataFrame(parts, columns=["part", "children_in", "children_out"])
    return frame.assign(code=code, line="")


def quarter(opening: pd.DataFrame, closing: pd.DataFrame, *bridges: pd.DataFrame) -> Quarter:
    nothing = bridge("K99", (0, 0), (0, 0))
    moved = pd.concat([nothing, *bridges])
    return Quarter("2026-Q3", date(2026, 6, 30), date(2026, 9, 30), opening, closing, moved, {"K05": "down"}, False)


def test_every_figure_has_a_place_under_the_statement_s_headings():
    placed = [code for _, _, codes in HEADINGS for code in codes]
    assert set(REGISTRY) <= set(placed) and len(placed) == len(set(placed))


def test_a_figure_is_told_from_opening_to_closing_with_what_moved():
    made = quarter(
        figures(K01=(400, 500), K05=(20, 600)),
        figures(K01=(420, 510), K05=(10, 600)),
        bridge("K01", (30, 10), (25, 15)),
        bridge("K05", (0, 10), (0, 0)),
    )
    rows = {row["code"]: row for row in quarter_rows(made)}
    assert rows["K01"]["opening"] == "80.0% (400 of 500)" and rows["K01"]["closing"] == "82.4% (420 of 510)"
    assert rows["K01"]["moved"] == "up 2.4 points, better" and rows["K05"]["moved"] == "down 1.6 points, better"
    assert rows["K01"]["movement"].endswith(
        "30 came to meet it and 10 no longer do; 25 came to be counted and 15 no longer are."
    )


@pytest.mark.parametrize(
    ("opening", "closing", "told"),
    [
        ((400, 500), (3, 500), ("80.0% (400 of 500)", "fewer than 5", "")),
        ((3, 500), (400, 500), ("fewer than 5", "80.0% (400 of 500)", "")),
        ((498, 500), (400, 500), ("not shown", "80.0% (400 of 500)", "")),
        ((500, 500), (0, 500), ("100% (500 of 500)", "0% (0 of 500)", "down 100.0 points, worse")),
        ((0, 0), (400, 500), ("–", "80.0% (400 of 500)", "")),
    ],
)
def test_what_is_of_few_children_is_not_told_at_either_end_nor_by_how_it_moved(opening, closing, told):
    row = quarter_rows(quarter(figures(K09=opening), figures(K09=closing), bridge("K09", (9, 9), (9, 9))))[0]
    assert (row["opening"], row["closing"], row["moved"]) == told
    assert bool(row["movement"]) == ("fewer than 5" not in told and "not shown" not in told)


def test_few_who_came_are_not_had_from_those_who_went_and_both_ends():
    made = quarter(figures(K09=(69, 90)), figures(K09=(74, 95)), bridge("K09", (6, 1), (9, 5)))
    row = quarter_rows(made)[0]
    assert "came to meet it" not in row["movement"] and "9 came to be counted and 5 no longer are" in row["movement"]


def test_a_figure_that_is_new_has_no_opening():
    row = quarter_rows(quarter(figures(K01=(1, 500)), figures(K09=(400, 500))))[0]
    assert (row["opening"], row["moved"], row["movement"]) == ("–", "", "")


def test_the_paper_has_the_headings_the_figures_and_what_is_not_measured(tmp_path: Path):
    made = quarter(figures(K01=(400, 500)), figures(K01=(420, 510)), bridge("K01", (30, 10), (25, 15)))
    for name in ("a.pdf", "b.pdf"):
        write_quarterly(tmp_path / name, made, about())
    text = "\n".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages)
    for words in ("Weakness 1: records and oversight", "Weakness 3: plans and annual reviews", "82.4%", "K16, K17"):
        assert words in text
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def keep(store: Store, *nights: date) -> None:
    for night in nights:
        with store.night(night) as kept:
            kept.open_run({}, NOW)
            kept.save_nightly("kpi_values", figures(K01=(400, 500)))
            kept.close_run(0, {}, {})


def test_a_quarter_opens_with_the_last_night_before_it_and_closes_with_its_last(tmp_path: Path, store: Store):
    days = [date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1), date(2026, 9, 30), date(2026, 10, 1)]
    keep(store, *days)
    found = quarter_of(store, "2026-Q3")
    assert (found.opening_on, found.closing_on, found.is_opening_inside) == (days[1], days[3], False)
    first = quarter_of(store, "2026-Q2")
    assert (first.opening_on, first.closing_on, first.is_opening_inside) == (days[0], days[1], True)
    path = report_quarter(store, "2026-Q3", tmp_path / "deep" / "q.pdf", NOW + timedelta(days=1))
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("period", "says"),
    [("2026-Q5", "is no quarter"), ("Q3", "is no quarter"), ("2025-Q1", "No night was run in 2025-Q1")],
)
def test_a_quarter_that_is_none_or_has_no_night_is_said(store: Store, period: str, says: str):
    keep(store, date(2026, 7, 1))
    with pytest.raises(ConfigurationError, match=says):
        quarter_of(store, period)
