"""The catalogues in `docs/` are what the declarations say today."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.catalogue_pages import kpis_page, rules_page, write_pages
from pipelines.catalogues import rules_frame
from pipelines.kpis import REGISTRY

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize(("name", "page"), [("rules.md", rules_page), ("kpis.md", kpis_page)])
def test_a_catalogue_is_up_to_date(name: str, page) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == page(), "write it again: uv run poe docs"


def test_every_rule_and_every_kpi_has_its_place() -> None:
    headings = [line[4:8] for line in rules_page().splitlines() if line.startswith("### ")]
    assert headings == rules_frame()["rule"].tolist()
    rows = [line.split(" | ")[0][2:] for line in kpis_page().splitlines() if line.startswith("| K")]
    assert rows == ["KPI", *sorted(REGISTRY)]


def test_nothing_is_left_blank_or_nan() -> None:
    text = rules_page() + kpis_page()
    assert "nan" not in text.lower().split()
    assert "<NA>" not in text


def test_the_pages_are_written_where_asked(tmp_path: Path) -> None:
    write_pages(str(tmp_path / "new"))
    assert (tmp_path / "new" / "rules.md").read_text(encoding="utf-8") == rules_page()
