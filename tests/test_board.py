"""The board's edition and pack: the staff's figures without a child, and without a number from which 1 to 4 children could be had."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader
from test_outputs_frames import (
    SECRET_DETAIL,
    SECRET_SETTING,
    SECRET_URN,
    about,
    exceptions,
    health,
    kpis,
    register,
    trend,
)

from outputs.board import Board, for_board, told, write_board_page
from outputs.board_pack import write_board_pack
from outputs.page_kpis import kept_back, kpi_rows

OTHERS = pd.DataFrame(
    {
        "code": ["K01", "K01"],
        "line": ["", ""],
        "area": ["England", "North"],
        "kind": ["england", "region"],
        "year": ["2024", "2024"],
        "value": [44.4, 50.0],
        "note": ["of another age", ""],
    }
)


def board(**changes: pd.DataFrame) -> Board:
    frames = {"figures": kpis(), "exceptions": exceptions(), "register": register(), "trend": trend()} | changes
    return for_board(
        frames["figures"], frames["exceptions"], frames["register"], health(), frames["trend"], about(), OTHERS
    )


def words(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    body = re.sub(r"<(script|style)>.*?</\1>", " ", path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("board")
    write_board_page(folder / "board.html", board())
    write_board_pack(folder / "board-pack.pdf", board())
    return folder / "board.html", folder / "board-pack.pdf"


def test_no_child_no_record_and_no_secret_is_in_either(written: tuple[Path, Path]) -> None:
    ids = {str(value) for name in ("child_id", "synergy_id", "capita_id") for value in register()[name].dropna()}
    for path in written:
        said = words(path)
        assert not [known for known in ids if re.search(rf"\b{re.escape(known)}\b", said)]
        assert not any(secret in said for secret in (SECRET_SETTING, SECRET_URN, SECRET_DETAIL))


def test_the_figures_are_the_staff_s_figures_where_they_may_be_told(written: tuple[Path, Path]) -> None:
    for path in written:
        said = words(path)
        assert "406" in said and "79.5%" in said and "502" in said
    assert "17" in words(written[0]).split("Whereabouts not confirmed")[-1][:40]
    assert "44.4%" in words(written[1]) and "England" in words(written[1])


def lines(rows: list[tuple[str, str, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["code", "line", "numerator", "denominator"])


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        ([("K09", "", 500, 596)], []),
        ([("K09", "", 3, 596)], [0]),  # few meet it
        ([("K09", "", 593, 596)], [0]),  # all but few meet it
        ([("K06", "looked_after", 5, 10)], []),  # five and five
        ([("K06", "looked_after", 2, 4)], [0]),  # few are counted
        ([("K02", "", 500, 596), ("K18", "", 500, 593)], [1]),  # all but few of the plans are counted
        ([("K02", "", 500, 596), ("K18", "", 500, 590)], []),
        ([("K07", "nothing_in_place", 3, 596), ("K07", "interim", 20, 596)], [0, 1]),  # they add up to all who wait
        ([("K11", "with_exceptions", 52, 91), ("K11", "without_exceptions", 52, 88)], [1]),  # three have an exception
        ([("K11", "with_exceptions", 52, 91), ("K11", "without_exceptions", 52, 83)], []),
        ([("K03", "", 594, 596), ("K04", "", 400, 594)], [0, 1]),  # the one's numerator is the other's denominator
        ([("K17", "synergy: extracts on time", 3, 8)], []),  # feeds are no children
        ([("K07", "longest_days", 3, 3)], []),  # a number of days; its count is not shown
    ],
)
def test_drawn_lines_that_a_board_must_not_read(rows, hidden):
    found = kept_back(lines(rows))
    assert list(found[found].index) == hidden


def test_a_line_kept_back_has_no_value_no_range_no_travel_and_no_picture_that_tells() -> None:
    few = kpis().assign(in_doubt=9, best_numerator=0, worst_numerator=30, best=100.0, worst=0.0)
    few.loc[few["code"] == "K09", "numerator"] = 593
    few.loc[few["code"] == "K09", "value"] = 99.5
    earlier = trend()
    earlier.loc[earlier["code"] == "K09", ["numerator", "value"]] = [594, 99.7]
    rows = kpi_rows(few, earlier, pd.Timestamp(about().as_of), is_board=True)
    row = next(row for row in rows if row["code"] == "K09")
    assert (row["number_words"], row["value_words"], row["range_words"], row["change"]) == (
        "not shown",
        "not shown",
        "",
        "",
    )
    assert set(row["course"]) == {None} and "not shown" in row["spark"]


def test_what_was_kept_back_last_night_is_not_had_from_how_it_moved() -> None:
    earlier = trend()
    earlier.loc[earlier["code"] == "K05", "numerator"] = 3
    rows = kpi_rows(kpis(), earlier, pd.Timestamp(about().as_of), is_board=True)
    row = next(row for row in rows if row["code"] == "K05" and not row["line"])
    assert row["number_words"] == "17" and row["change"] == "" and row["course"] == [None, None, None, 17.0]


def test_a_wait_of_few_children_has_neither_days_nor_a_course_and_a_figure_of_nobody_has_none() -> None:
    few = kpis()
    few.loc[few["line"] == "longest_days", ["numerator", "denominator"]] = 3
    rows = kpi_rows(few, trend(), pd.Timestamp(about().as_of), is_board=True)
    wait = next(row for row in rows if row.get("part") == "longest_days")
    assert (wait["value_words"], wait["number_words"], wait["change"]) == ("not shown", "–", "")
    nobody = next(row for row in rows if row["code"] == "K15")
    assert (nobody["value_words"], nobody["change"]) == ("–", "")
    assert {*wait["course"], *nobody["course"]} == {None}


def test_counts_that_add_up_are_kept_back_together_and_have_no_bar() -> None:
    rows = told([{"name": "a", "number": 3}, {"name": "b", "number": 9}, {"name": "c", "number": 40}])
    assert [row["words"] for row in rows] == ["fewer than 5", "not shown", "40"]
    assert [row["share"] for row in rows] == [None, None, 1.0]


def test_few_missing_children_are_few_and_have_no_reasons(tmp_path: Path) -> None:
    figures = kpis()
    figures.loc[(figures["code"] == "K05") & (figures["line"] == ""), "numerator"] = 3
    few = board(figures=figures)
    assert few.whereabouts["words"] == "fewer than 5" and few.whereabouts["reasons"] == []
    write_board_page(tmp_path / "b.html", few)
    assert 'class="alarm"' in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_a_restricted_child_is_in_no_line_about_places() -> None:
    one = register()
    placed = board(register=one)
    names = {row["name"] for row in [*placed.authority, *placed.provision, *placed.types]}
    assert one["is_restricted"].any() and not any("estricted" in name for name in names)


@pytest.mark.parametrize(("restricted", "is_kept_back"), [(0, False), (1, True), (4, True), (5, False)])
def test_few_restricted_children_cannot_be_had_from_two_counts_of_what_is_not_recorded(
    restricted: int, is_kept_back: bool
) -> None:
    """All have a placement, so the figure on placements recorded leaves nobody out: the line is of the restricted and six more."""
    many = pd.concat([register().head(1)] * 60, ignore_index=True).assign(
        child_id=[f"R{n}" for n in range(60)], active_plan="Y", is_restricted=[n < restricted for n in range(60)],
        in_authority=["Y"] * 34 + ["N"] * 20 + [None] * 6, provision_type=["Special"] * 34 + ["Mainstream"] * 20 + [None] * 6,
    )  # fmt: skip
    placed = board(register=many)
    for lines in (placed.authority, placed.provision):
        told_of = {row["name"]: row["words"] for row in lines}
        assert (told_of["Not recorded"] == "not shown") == is_kept_back
        assert list(told_of.values()).count("not shown") == (2 if is_kept_back else 0)


def test_why_a_source_is_missing_is_not_for_a_board_but_that_it_is_and_what_is_not_measured(tmp_path: Path) -> None:
    unmeasured = pd.DataFrame({"code": ["K16"], "line": "", "title": "Settings visited", "numerator": 0, "denominator": 0,
                               "not_judged": 9, "definition": "No extract carries visits to settings."})  # fmt: skip
    made = board(figures=pd.concat([kpis(), unmeasured], ignore_index=True))
    write_board_page(tmp_path / "b.html", made)
    write_board_pack(tmp_path / "b.pdf", made)
    for path in (tmp_path / "b.html", tmp_path / "b.pdf"):
        said = re.sub(r"\s+", " ", words(path))
        assert "Liquidlogic: visits" in said and "no file for this night" not in said
        assert "No extract carries visits to settings." in said


def test_a_list_that_is_one_part_of_a_total_that_is_shown_is_no_concern() -> None:
    late = exceptions().assign(rule="PD04", title="Issued after 20 weeks")
    names = {row["name"] for row in board(exceptions=pd.concat([exceptions(), late])).concerns}
    assert "Reviews overdue or never held" in names
    assert not names & {"Awaiting, with nothing in place", "Plans issued after 20 weeks"}


def test_a_night_without_anything_still_has_a_page_and_a_pack(tmp_path: Path) -> None:
    none = for_board(kpis().head(0), exceptions().head(0), register().head(0), None, None, about())
    write_board_page(tmp_path / "b.html", none)
    write_board_pack(tmp_path / "b.pdf", none)
    assert "No figures for this night" in words(tmp_path / "b.html")


def test_the_same_night_gives_the_same_bytes(written: tuple[Path, Path], tmp_path: Path) -> None:
    write_board_pack(tmp_path / "again.pdf", board())
    assert (tmp_path / "again.pdf").read_bytes() == written[1].read_bytes()
