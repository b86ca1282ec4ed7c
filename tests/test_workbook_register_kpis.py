"""register.xlsx and kpis.xlsx, read back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook
from openpyxl.xml.functions import fromstring
from test_outputs_frames import AS_OF, SECRET_SETTING, SECRET_URN, about, kpis, register, trend

from outputs.figures import judged, moved, nights_of
from outputs.sheets import Book
from outputs.workbooks import write_kpis, write_register


def table(book: Workbook, name: str) -> pd.DataFrame:
    rows = list(book[name].values)
    return pd.DataFrame(rows[1:], columns=list(rows[0]))


def values(book: Workbook) -> list[str]:
    return [str(value) for sheet in book for row in sheet.values for value in row if value is not None]


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    return register(300)


@pytest.fixture(scope="module")
def register_book(children: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    path = tmp_path_factory.mktemp("register") / "register.xlsx"
    write_register(path, children, about())
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def kpi_book(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    path = tmp_path_factory.mktemp("kpis") / "kpis.xlsx"
    write_kpis(path, kpis(), about(), trend())
    return openpyxl.load_workbook(path)


def test_one_row_for_each_child_whereabouts_not_confirmed_first(
    register_book: Workbook, children: pd.DataFrame
) -> None:
    shown = table(register_book, "Register")
    assert sorted(shown["Child"]) == sorted(children["child_id"])
    grades = shown["Whereabouts"].tolist()
    first = [grade for grade in grades if grade in ("Missing", "Not known", "Recorded only")]
    assert grades[: len(first)] == first and first[0] == "Missing"


def test_the_cover_counts_every_child_by_grade(register_book: Workbook, children: pd.DataFrame) -> None:
    rows = [list(row)[1:6] for row in register_book["Read me first"].values]
    total = next(row for row in rows if row[0] == "All")
    active = int((children["active_plan"] == "Y").sum())
    assert total[2:5] == [active, len(children) - active, len(children)]
    lines = [
        row
        for row in rows
        if row[0] in ("Missing", "Not known", "Recorded only", "Confirmed by a second system", "Seen")
    ]
    assert [sum(row[place] for row in lines if isinstance(row[4], int)) for place in (2, 3, 4)] == total[2:5]


def test_nothing_says_where_a_restricted_child_is(register_book: Workbook, children: pd.DataFrame) -> None:
    every = values(register_book)
    assert not [value for value in every if SECRET_SETTING in value or value == SECRET_URN]
    shown = table(register_book, "Register").set_index("Child")
    hidden = children.loc[children["is_restricted"], "child_id"]
    columns = ["Setting", "Provision", "In authority", "Residential", "URN", "Setting code"]
    assert (shown.loc[hidden, columns] == "restricted").all().all()
    assert shown.loc[hidden, "Visit cohorts"].unique().tolist() == ["Looked after, Restricted"]
    assert (shown.loc[hidden, "Restricted"] == "Y").all()


def test_ids_keep_their_zeros_and_overdue_dates_are_red(register_book: Workbook, children: pd.DataFrame) -> None:
    sheet = register_book["Register"]
    titles = [cell.value for cell in sheet[1]]
    capita, due, plan = (titles.index(name) + 1 for name in ("Capita", "Review due", "Plan"))
    for row in range(2, 40):
        assert sheet.cell(row, capita).value.startswith("002001")
        cell = sheet.cell(row, due)
        if cell.value is not None:
            late = cell.value < AS_OF.to_pydatetime() and sheet.cell(row, plan).value == "Active plan"
            assert (cell.font.color.rgb.endswith("9B1C1C")) == late and isinstance(cell.value, datetime)
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref == f"A1:AD{len(children) + 1}"


def test_figures_have_numerator_denominator_value_and_rating(kpi_book: Workbook) -> None:
    shown = table(kpi_book, "Figures")
    k01 = shown[shown["Code"] == "K01"].iloc[0]
    assert (k01["Numerator"], k01["Denominator"], k01["Not judged"], k01["Target"]) == (406, 511, 3, 100)
    assert k01["Value"] == pytest.approx(79.4521, abs=1e-3)
    assert k01["Rating"] == "Red" and k01["Night before"] == pytest.approx(100 * 404 / 511)
    assert k01["Change"] == pytest.approx(100 * 2 / 511)
    assert shown.loc[shown["Code"] == "K06", "Part"].tolist() == [
        "Looked after",
        "Looked after: first visit not yet due",
        "Looked after: overdue",
        "Looked after: never seen, though due",
        "Placed out of authority",
    ]
    k15 = shown[shown["Code"] == "K15"].iloc[0]
    assert pd.isna(k15["Value"]) and pd.isna(k15["Rating"]), "a denominator of 0 gives no percentage and no rating"


def test_days_are_shown_as_days_and_percentages_as_percentages(kpi_book: Workbook) -> None:
    sheet = kpi_book["Figures"]
    formats = {row[2].value: (row[5].value, row[5].number_format) for row in sheet.iter_rows(min_row=2)}
    assert formats["Longest wait, in days"] == (2264, "#,##0")
    assert formats["Nothing in place"][1] == '0.0"%"'


def test_the_trend_holds_every_night_the_latest_first(kpi_book: Workbook) -> None:
    shown = table(kpi_book, "Trend")
    assert list(shown.columns)[3:] == ["28 Oct 2026", "27 Oct 2026", "26 Oct 2026", "25 Oct 2026"]
    row = shown[shown["Code"] == "K01"].iloc[0]
    assert [round(row[night] * 511 / 100) for night in list(shown.columns)[3:]] == [406, 404, 402, 400]
    assert len(table(kpi_book, "Every night")) == 4 * len(kpis())
    assert len(table(kpi_book, "Definitions")) == kpis()["code"].nunique()


def test_a_night_on_which_not_everything_arrived_is_marked_wherever_it_is_shown(tmp_path: Path) -> None:
    nights = [AS_OF - pd.Timedelta(days=back) for back in (2, 1)]
    lines = {"code": "K17", "line": "capita: extracts on time", "denominator": 4}
    came = pd.DataFrame({"as_of": nights, "numerator": [3, 4], "value": [75.0, 100.0], **lines})
    tonight = pd.concat([kpis(), pd.DataFrame({**lines, "numerator": 2, "title": "Source health", "value": [50.0]})])
    write_kpis(tmp_path / "k.xlsx", tonight, about(), pd.concat([trend(), came]))
    book = openpyxl.load_workbook(tmp_path / "k.xlsx")
    assert list(table(book, "Trend").columns)[3:] == [
        "28 Oct 2026\nincomplete",
        "27 Oct 2026",
        "26 Oct 2026\nincomplete",
        "25 Oct 2026",
    ]
    told = table(book, "Every night").groupby("Night")["Not arrived in time"].first()
    assert told.fillna("").tolist() == ["", "Capita 3 of 4 extracts", "", "Capita 2 of 4 extracts"]
    cover = [row[1:3] for row in book["Read me first"].values]
    assert ("26 Oct 2026", "Capita 3 of 4 extracts") in cover and ("27 Oct 2026", "") not in cover


def test_the_cover_counts_every_figure_and_part_that_is_rated(kpi_book: Workbook) -> None:
    told = {row[1]: row[2] for row in kpi_book["Read me first"].values}
    ratings = table(kpi_book, "Figures")["Rating"].value_counts()
    assert {name: told[name] for name in ("Red", "Amber", "Green")} == {
        name: int(ratings.get(name, 0)) for name in ("Red", "Amber", "Green")
    }
    parts = table(kpi_book, "Figures").query("Part.notna()")
    assert parts["Rating"].notna().any(), "parts with a target of their own count"


def test_on_paper_a_sheet_is_landscape_as_wide_as_the_page_with_its_heading_on_each(kpi_book: Workbook) -> None:
    for name in ("Figures", "Trend", "Every night", "Definitions"):
        sheet = kpi_book[name]
        assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$1:$1"
        printed = [
            sheet.column_dimensions[cell.column_letter].width
            for cell in sheet[sheet.print_area.partition("!")[2].replace("$", "")][0]
        ]
        assert sum(printed) < 220, "wider than that, nobody can read it on A4"


def test_tonight_may_be_in_the_trend_already_and_later_nights_count_for_nothing() -> None:
    tonight = kpis().assign(as_of=AS_OF, numerator=1)
    tomorrow = kpis().assign(as_of=AS_OF + pd.Timedelta(days=1))
    every = nights_of(pd.concat([trend(), tonight, tomorrow]), kpis(), AS_OF)
    assert every["as_of"].nunique() == 4
    k01 = every[(every["code"] == "K01") & (every["as_of"] == AS_OF)]
    assert k01["numerator"].tolist() == [406.0]
    assert moved(kpis(), every, AS_OF).loc[0, "previous_numerator"] == 404


RATINGS = """
numerator | value | target | direction | green | amber | rag
95        | 95.0  | 100    | up        | 95    | 85    | green
94        | 94.9  | 100    | up        | 95    | 85    | amber
85        | 85.0  | 100    | up        | 95    | 85    | amber
84        | 84.9  | 100    | up        | 95    | 85    | red
0         | 0.0   | 0      | down      | 0     | 5     | green
5         | 0.8   | 0      | down      | 0     | 5     | amber
6         | 1.0   | 0      | down      | 0     | 5     | red
0         |       | 100    | up        | 95    | 85    |
3         | 50.0  |        | up        |       |       |
"""


def test_ratings_at_their_boundaries() -> None:
    lines = [[cell.strip() or None for cell in line.split("|")] for line in RATINGS.strip().splitlines()]
    drawn = pd.DataFrame(lines[1:], columns=lines[0])
    wanted = drawn.pop("rag").fillna("").tolist()
    assert judged(drawn)["rag"].tolist() == wanted


def test_a_target_alone_is_met_or_not() -> None:
    frame = pd.DataFrame({"numerator": [10, 9, 0, 1], "value": [100.0, 90.0, 0.0, 5.0], "target": [100, 100, 0, 0]})
    assert judged(frame)["rag"].tolist() == ["green", "red", "green", "red"]


def test_a_first_night_has_no_trend_and_still_a_workbook(tmp_path: Path) -> None:
    for name, earlier in (("none.xlsx", None), ("empty.xlsx", trend().head(0))):
        write_kpis(tmp_path / name, kpis(), about(), earlier)
        assert list(table(openpyxl.load_workbook(tmp_path / name), "Trend").columns)[3:] == ["28 Oct 2026"]


def test_no_children_and_no_figures_still_give_workbooks(tmp_path: Path) -> None:
    write_register(tmp_path / "r.xlsx", register().head(0), about())
    write_kpis(tmp_path / "k.xlsx", kpis().head(0), about(), None)
    assert openpyxl.load_workbook(tmp_path / "r.xlsx")["Register"].max_row == 1
    assert openpyxl.load_workbook(tmp_path / "k.xlsx")["Figures"].max_row == 1


def test_a_row_is_well_formed_whatever_it_holds() -> None:
    sheet = Book().add("x")
    text = '<&> "quoted" \x0b =1'
    row = fromstring(sheet._row_text([(text, "text"), (None, "text"), (1.5, "number"), (True, "flag"), (5, "")], 3))
    assert [cell.get("r") for cell in row] == ["A3", "B3", "C3", "D3"]
    assert row[0][0][0].text == '<&> "quoted"  =1' and row[3][0][0].text == "Yes"
