"""One night of an invented council: every output tells the same figure, every breakdown adds up to it, and no output, page or log names a child."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from test_outputs_frames import AS_OF, about, exceptions, feeds, health, kpis, register, trend

from config.settings import Settings, load_settings
from outputs.board import for_board, write_board_page
from outputs.board_pack import write_board_pack
from outputs.figures import night_before
from outputs.page import write_report
from outputs.page_kpis import kept_back
from outputs.workbooks import write_kpis
from pipelines.answers import kpis_as_of
from pipelines.answers_figures import figures_by, figures_in_doubt
from pipelines.answers_notified import notifications_as_of
from pipelines.cli import main
from pipelines.demo import invent
from pipelines.run import run_night
from pipelines.store import Store

NOW = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path, Path, str]:
    """Settings, outputs, extracts and the log of one night."""
    folder = tmp_path_factory.mktemp("one")
    settings = load_settings({"EHCP_DATA": str(folder / "var")})
    demo = invent(folder / "extracts", plans=200, nights=1, seed=3, end=date(2026, 11, 2))
    [(day, extracts)] = demo.nights
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        result = run_night(settings, day, extracts, now=NOW)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert any("figures" in line for line in lines)
    return settings, result.outputs, extracts, "\n".join(lines)


@pytest.fixture(scope="module")
def figures(night) -> pd.DataFrame:
    frame = Store(night[0]).kpis()
    return frame.assign(line=frame["line"].fillna("")).set_index(["code", "line"])


def pairs(frame: pd.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    lines = frame["line"].fillna("") if "line" in frame else pd.Series("", index=frame.index)
    return {
        (code, line): (int(met), int(of))
        for code, line, met, of in zip(frame["code"], lines, frame["numerator"], frame["denominator"], strict=True)
    }


def test_the_command_the_files_and_the_view_tell_the_store_s_figures(night, figures):
    settings, outputs, _, _ = night
    wanted = pairs(figures.reset_index())
    asked = CliRunner().invoke(main, ["kpis", "--format", "json"], env={"EHCP_DATA": str(settings.data_dir)})
    assert asked.exit_code == 0, asked.output
    assert pairs(pd.read_json(io.StringIO(asked.stdout), dtype={"line": "str"})) == wanted
    assert pairs(pd.read_parquet(outputs / "kpis.parquet")) == wanted
    assert pairs(pd.read_csv(outputs / "kpis.csv", encoding="utf-8-sig", dtype={"line": "str"})) == wanted
    star = next(outputs.glob("bi/*kpi_values*.parquet"))
    assert pairs(pd.read_parquet(star)) == wanted


def test_the_workbook_tells_them_too(night, figures):
    sheet = openpyxl.load_workbook(night[1] / "kpis.xlsx", read_only=True)["Figures"]
    rows = [
        row
        for row in sheet.iter_rows(values_only=True)
        if row and isinstance(row[0], str) and re.match(r"^K\d", row[0])
    ]
    found = sorted((row[0], int(row[3]), int(row[4])) for row in rows)
    assert found == sorted((code, *pair) for (code, _), pair in pairs(figures.reset_index()).items())


def test_the_page_tells_them_too(night, figures):
    page = (night[1] / "report.html").read_text(encoding="utf-8")
    table = page[page.index('id="kpis"') : page.index('id="reviews"')]
    cells = [
        tuple(int(number.replace(",", "")) for number in found)
        for found in re.findall(r'</th><td class="n">([\d,]+)</td><td class="n">([\d,]+)</td>', table)
    ]
    shown = [
        pair
        for (code, line), pair in pairs(figures.reset_index()).items()
        if code != "K17" and not (code == "K06" and ": " in line)
    ]
    assert sorted(cells) == sorted(shown)
    huge = re.search(r'<div class="huge">([\d,]+)</div>', page)
    assert huge and int(huge.group(1)) == figures.loc[("K05", ""), "numerator"]


def test_the_board_s_page_and_pack_tell_what_may_be_told_of_them_and_nothing_else(night, figures):
    frame = figures.reset_index()
    pack = "\n".join(page.extract_text() for page in PdfReader(night[1] / "board-pack.pdf").pages)
    page = (night[1] / "board.html").read_text(encoding="utf-8")
    told = frame[~kept_back(frame) & (frame["denominator"] > 0) & ~frame["code"].isin(["K07", "K17"])]
    told = told[~told["line"].str.contains(": ")]
    assert len(told) >= 4
    for row in told.itertuples():
        assert f"{row.numerator:,} of {row.denominator:,}" in pack, row.code
        assert f'<td class="n">{row.numerator:,}</td><td class="n">{row.denominator:,}</td>' in page, row.code
    few = frame[(frame["numerator"] > 0) & (frame["numerator"] < 5) & ~frame["code"].isin(["K07", "K17"])]
    for row in few.itertuples():
        assert not re.search(rf"(?<![\d,]){row.numerator} of {row.denominator:,}\b", pack), row.code


def of_page(text: str, section: str) -> dict[str, list[int]]:
    """The numbers of each line of a section's tables, by its heading."""
    part = text[text.index(f'<section id="{section}"') :]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', part[: part.index("</section>")])
    return {
        unescape(re.sub(r"<[^>]+>", "", name)): [
            int(n.replace(",", "")) for n in re.findall(r">([\d,]+)(?:</a>)?</td>", cells)
        ]
        for name, cells in rows
    }


def test_what_is_overdue_and_who_is_in_no_education_are_the_same_on_tiles_in_tables_lists_files_and_the_command(night):
    settings, outputs, _, _ = night
    text = (outputs / "report.html").read_text(encoding="utf-8")
    tiles = {
        label: int(number.replace(",", ""))
        for number, label in re.findall(r'class="number">([\d,]+)</span><span class="label">([^<]+)<', text)
    }
    lists = {
        name: int(number.replace(",", "")) for name, number in re.findall(r"<caption>([^<:]+): ([\d,]+) child", text)
    }
    children = pd.read_parquet(outputs / "bi" / "children.parquet").query("has_active_plan")
    lines = notifications_as_of(Store(settings))
    advice = lines[(lines["team"] == "SEN casework") & (lines["list"] == "advice due") & (lines["days_left"] < 0)]
    assert lists.get("Advice that should be in", 0) == tiles["assessments past their date for advice"]
    by_team = [int(children[name].sum()) for name in ("is_review_overdue", "is_visit_overdue")] + [len(advice)]
    teams = text[text.index('<section id="overdue"') :]
    assert of_page(teams[: teams.index("</table>")] + "</section>", "overdue")["All"] == by_team
    assert [tiles[name] for name in ("annual reviews overdue", "welfare visits overdue", "assessments past their date for advice")] == by_team  # fmt: skip
    assert [
        lists.get(name, 0) for name in ("Reviews overdue or never held", "Visits overdue or never made")
    ] == by_team[:2]
    stands = pd.read_parquet(outputs / "bi" / "exceptions.parquet")
    idle = stands.loc[stands["rule"] == "AW03", "child_id"].nunique()
    assert tiles["of school age, in no education"] == lists["Of school age, in no education"] == idle > 0
    nothing = int((children["awaiting"] == "nothing_in_place").sum())
    assert tiles["awaiting, with nothing in place"] == lists["Awaiting, with nothing in place"] == nothing > 0
    interim = int((children["awaiting"] == "interim").sum())
    assert of_page(text, "awaiting")["All"] == [nothing, interim, nothing + interim]
    assert lists.get("Awaiting, with an interim placement", 0) == interim
    owners = teams[teams.index("By who has to see to it") :]
    book = openpyxl.load_workbook(outputs / "exceptions.xlsx", read_only=True)["All exceptions"]
    rows = book.iter_rows(values_only=True)
    listed = pd.DataFrame(rows, columns=next(rows))
    late = listed[listed["Rule"].isin(["RV01", "RV02"]) & listed["Social care team"].notna()]
    counted = {name: numbers[0] for name, numbers in of_page(text, "overdue").items() if numbers[:1] != [0]}
    by_name = late["Social care team"].replace({"restricted": "Restricted: not shown"}).value_counts().to_dict()
    assert by_name and {name: counted[name] for name in by_name} == by_name
    owners = of_page('<section id="overdue">' + owners, "overdue")
    env = {"EHCP_DATA": str(settings.data_dir)}
    asked = CliRunner().invoke(main, ["exceptions", "volume", "--by", "owner", "--format", "csv"], env=env)
    counted = pd.read_csv(io.StringIO(asked.stdout)).set_index("owner")
    counted["number"] = counted[["open", "accepted", "not_evaluated"]].sum(axis=1)
    overdue = [
        lists.get(name, 0)
        for name in (
            "Reviews overdue or never held",
            "Review decisions and amended plans overdue",
            "Assessments overdue",
            "Visits overdue or never made",
        )
    ]
    assert owners["All"] == [*overdue, *counted[["overdue", "number"]].sum()] and sum(overdue) > 0
    assert {owner: numbers[4:] for owner, numbers in owners.items() if owner != "All"} == {
        owner: numbers.tolist() for owner, numbers in counted.query("number > 0")[["overdue", "number"]].iterrows()
    }


def table_of(text: str, caption: str) -> dict[str, list[int]]:
    """The numbers of each line of the table under a caption, by its heading."""
    table = text[text.index(f"<caption>{caption}") :]
    return of_page('<section id="it">' + table[: table.index("</table>")] + "</section>", "it")


def test_those_placed_away_are_the_same_on_the_page_in_the_answer_and_in_the_files(night, figures):
    settings, outputs, _, _ = night
    text = (outputs / "report.html").read_text(encoding="utf-8")
    by_authority = {name: numbers[0] for name, numbers in table_of(text, "In another authority, by which").items()}
    env = {"EHCP_DATA": str(settings.data_dir)}
    asked = CliRunner().invoke(main, ["ask", "other-authority", "--by", "authority", "--format", "csv"], env=env)
    answer = pd.read_csv(io.StringIO(asked.stdout)).set_index("authority")["meets"]
    assert by_authority.pop("All") == answer["total"] > 0
    assert by_authority == answer[answer > 0].drop("total").to_dict()
    away = pd.read_parquet(outputs / "register.parquet").query("active_plan == 'Y' and in_authority == 'N'")
    assert len(away) == answer["total"]
    by_setting = {name: numbers[-1] for name, numbers in table_of(text, "Settings in use in other authorities").items()}
    assert sorted(by_setting.values()) == sorted(away["setting_urn"].value_counts())
    assert len(by_setting) <= figures.loc[("K16", ""), "not_judged"]


def test_a_night_that_was_incomplete_is_told_alike_on_pages_in_the_pack_and_in_the_workbook(tmp_path):
    last = AS_OF - pd.Timedelta(days=1)
    came = {
        "code": "K17",
        "line": "capita: extracts on time",
        "title": "Source health",
        "not_judged": 0,
        "target": None,
    }
    tonight = pd.concat(
        [kpis(), pd.DataFrame([came | {"numerator": 4, "denominator": 4, "value": 100.0}])], ignore_index=True
    )
    earlier = pd.concat(
        [trend(), pd.DataFrame([came | {"as_of": last, "numerator": 3, "denominator": 4, "value": 75.0}])]
    )
    told = replace(about(received=True), night_before=night_before(earlier, AS_OF))
    board = for_board(tonight, exceptions(), register(), health(), earlier, told)
    write_report(tmp_path / "report.html", tonight, exceptions(), register(), feeds(), health(), earlier, told)
    write_board_page(tmp_path / "board.html", board)
    write_board_pack(tmp_path / "board-pack.pdf", board)
    write_kpis(tmp_path / "kpis.xlsx", tonight, told, earlier)
    for path in tmp_path.iterdir():
        said = re.sub(r"\s+", " ", text_of(path))
        assert "on the night of 27 October 2026 not everything arrived in time (Capita 3 of 4 extracts)" in said, path
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>27 Oct 2026</b> Capita 3 of 4 extracts" in page and "in time for 1 of the" in page
    book = openpyxl.load_workbook(tmp_path / "kpis.xlsx", read_only=True)
    heads = [str(cell) for cell in next(book["Trend"].iter_rows(max_row=1, values_only=True))]
    assert [head for head in heads if "incomplete" in head] == ["27 Oct 2026\nincomplete"]
    every = pd.DataFrame(list(book["Every night"].iter_rows(min_row=2, values_only=True)))
    assert set(every.loc[every[7].notna() & (every[7] != ""), 0]) == {last}


def test_the_workbook_and_the_pack_rate_alike(night, figures):
    cover = openpyxl.load_workbook(night[1] / "kpis.xlsx", read_only=True)["Read me first"]
    told = {row[1]: row[2] for row in cover.iter_rows(values_only=True) if row and row[1] in ("Red", "Amber", "Green")}
    assert told == {rag.capitalize(): int((figures["rag"] == rag).sum()) for rag in ("red", "amber", "green")}
    pack = " ".join(page.extract_text() for page in PdfReader(night[1] / "board-pack.pdf").pages)
    wanted = ", ".join(f"{told[rag]} {rag.lower()}" for rag in ("Red", "Amber", "Green"))
    assert f"Of the figures with a target: {wanted}." in re.sub(r"\s+", " ", pack)


def test_pages_lead_to_every_file_for_people_and_to_none_that_is_not_there(night):
    outputs = night[1]
    leads = {}
    for name in ("report.html", "digest.html", "board.html"):
        found = re.findall(r'href="(?!#)([^"]+)"', (outputs / name).read_text(encoding="utf-8"))
        leads[name] = {unquote(href) for href in found}
        assert all((outputs / href).is_file() for href in leads[name]), name
    made = {path.relative_to(outputs).as_posix() for path in outputs.rglob("*.xlsx")}
    made |= {path.name for path in outputs.glob("health-*.html")}
    assert made <= leads["report.html"] and not leads["board.html"]
    assert {"report.html", "exceptions.xlsx", "kpis.xlsx", "health-capita.html"} <= leads["digest.html"]


def test_the_measures_of_linking_are_the_same_in_the_store_the_command_the_workbook_and_the_page(night):
    settings, outputs, _, _ = night
    kept = Store(settings).link_trend()
    wanted = {
        (row.measure, row.group): int(row.count) for row in kept[["measure", "group", "count"]].itertuples(index=False)
    }
    assert len(wanted) > 20
    asked = CliRunner().invoke(
        main, ["links", "quality", "--format", "json"], env={"EHCP_DATA": str(settings.data_dir)}
    )
    rows = pd.read_json(io.StringIO(asked.stdout), dtype={"group": "str"})
    assert dict(zip(zip(rows["measure"], rows["group"], strict=True), rows["count"], strict=True)) == wanted
    book = openpyxl.load_workbook(outputs / "kpis.xlsx", read_only=True)
    numbers = [row[2] for row in book["Linking"].iter_rows(min_row=2, values_only=True) if row[0]]
    assert sorted(numbers) == sorted(wanted.values())
    told = [row[2] for row in book["Linking trend"].iter_rows(min_row=2, values_only=True) if row[0]]
    shares = kept["rate"].fillna(kept["count"].astype("Float64"))
    assert sorted(told) == pytest.approx(sorted(shares.astype("float64")))
    page = (outputs / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="linking"') :]
    for system in ("synergy", "capita", "liquidlogic"):
        count = wanted[("records linked, by system", system)]
        assert f'<th scope="row">{system.title()}</th><td class="n">{count:,}</td>' in section
    waiting = wanted[("pairs that wait for a person", "all")]
    assert f"{waiting:,} pair{'' if waiting == 1 else 's'} of records" in section


def test_every_breakdown_of_the_night_adds_up_to_its_figure(night, figures):
    found = Store(night[0]).nightly("kpi_breakdowns")
    sums = (
        found.assign(line=found["line"].fillna("")).groupby(["code", "line", "by"])[["numerator", "denominator"]].sum()
    )
    assert sums.index.get_level_values("by").nunique() == 7 and len(sums) > 60
    for (code, line, by), row in sums.iterrows():
        assert tuple(row) == tuple(figures.loc[(code, line), ["numerator", "denominator"]]), (code, line, by)


def test_a_past_day_breaks_down_into_its_own_figures_and_has_their_ranges(night):
    store, day = Store(night[0]), date(2026, 10, 1)
    wanted = pairs(kpis_as_of(store, day, None))
    for by in ("age", "care"):
        sums = figures_by(store, by, day).groupby(["code", "line"])[["numerator", "denominator"]].sum()
        assert len(sums) > 10 and all(
            tuple(row) == wanted[key] for key, row in zip(sums.index, sums.to_numpy(), strict=True)
        )
    assert pairs(figures_in_doubt(store, day)) == wanted


def test_every_figure_lies_between_its_best_and_its_worst(figures):
    ranged = figures[figures["best"].notna() & figures["value"].notna()]
    low, high = ranged[["best", "worst"]].min(axis=1), ranged[["best", "worst"]].max(axis=1)
    assert len(ranged) > 15 and ((low <= ranged["value"] + 0.05) & (ranged["value"] <= high + 0.05)).all()


def personal(extracts: Path) -> set[str]:
    """Surnames, UPNs and postcodes as the extracts of people carry them."""
    wanted = re.compile(r"surname|upn|postcode|nhs", re.IGNORECASE)
    found: set[str] = set()
    for path in extracts.rglob("*.csv"):
        if path.parent.name == "reference":
            continue
        frame = pd.read_csv(
            path, dtype="str", encoding_errors="replace", on_bad_lines="skip", sep=None, engine="python"
        )
        for column in [name for name in frame.columns if wanted.search(str(name))]:
            found |= set(frame[column].dropna().str.strip())
    return {value for value in found if len(value) > 6}


def text_of(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        return "\n".join(
            str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell
        )
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv(index=False)
    return path.read_text(encoding="utf-8", errors="replace")


def test_no_output_no_page_and_no_line_of_the_log_names_a_child(night):
    _, outputs, extracts, log = night
    secrets = personal(extracts)
    assert len(secrets) > 100
    texts = {path.name: text_of(path) for path in outputs.rglob("*") if path.is_file()} | {"log": log}
    assert {"report.html", "board.html", "board-pack.pdf", "kpis.xlsx", "log"} <= set(texts)
    words = {name: set(re.findall(r"[\w’'-]+(?: \w+)?|[A-Z]\d{12}", text)) for name, text in texts.items()}
    leaks = {name: sorted(secrets & said)[:3] for name, said in words.items() if secrets & said}
    assert not leaks
