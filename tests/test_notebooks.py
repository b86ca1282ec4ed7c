"""The notebooks are kept without output, and every one runs from its first cell to its picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.demonstrate import demo_store

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


def _cells(path: Path) -> list[dict]:
    book = json.loads(path.read_text(encoding="utf-8"))
    assert book["nbformat"] == 4
    return book["cells"]


def _code(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def beside_demo(tmp_path_factory) -> Path:
    """A folder that stands where `notebooks/` does, with the demonstration that all of them share already made."""
    root = tmp_path_factory.mktemp("checkout")
    demo_store(root / "var" / "notebooks")
    (root / "notebooks").mkdir()
    return root / "notebooks"


def test_there_are_six() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "comparing_two_dates",
        "linking_quality",
        "morning_triage",
        "reviews_ahead",
        "where_children_are",
        "writing_a_rule",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path: Path) -> None:
    kept = [cell for cell in _cells(path) if cell.get("outputs") or cell.get("execution_count") is not None]
    assert not kept, f"{path.name}: clear all outputs before you commit it"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_in_its_picture(path: Path) -> None:
    assert _code(path)[-1].splitlines()[-1] == "chart"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, beside_demo: Path, monkeypatch) -> None:
    monkeypatch.chdir(beside_demo)
    space: dict = {"__name__": path.stem}
    for number, cell in enumerate(_code(path), start=1):
        exec(compile(cell, f"{path.name}, code cell {number}", "exec"), space)
    # An empty frame would draw its axes and say nothing.
    drawn = space["chart"].to_dict()["datasets"]
    assert drawn
    assert all(drawn.values())


def test_a_demonstration_is_made_once(beside_demo: Path) -> None:
    data_dir = beside_demo.parent / "var" / "notebooks"
    before = demo_store(data_dir).runs()
    assert demo_store(data_dir).runs().equals(before)
    assert len(before) == 2
