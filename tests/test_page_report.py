"""report.html: the right figures, whole and self-contained, for keyboard, screen reader and paper; and for a night
without anything.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from test_outputs_frames import (
    AS_OF,
    SECRET_DETAIL,
    SECRET_SETTING,
    SECRET_URN,
    about,
    exceptions,
    feeds,
    health,
    kpis,
    register,
    trend,
)

from outputs.about import NotReceived
from outputs.charts import sparkline, stacked
from outputs.page import write_report
from outputs.page_figures import (
    awaiting_by_days,
    counts,
    not_believed,
    reviews_by_month,
    reviews_overdue,
    visits_by_cohort,
    visits_soon,
    where_children_are,
)
from outputs.page_kpis import kpi_rows
from outputs.page_lists import NOT_CONFIRMED, list_of, standing
from outputs.page_sections import Beside, nights_before, not_in_education
from outputs.protect import RESTRICTED, mask_restricted
from outputs.volume_table import TOLD
from outputs.wording import told_detail, with_names

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects what a test asks of a page, and whether its elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.tables = self.captions = 0
        self.bare_heads = 0
        self.pictures_without_words = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        facts = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if facts.get("id"):
            self.ids.append(str(facts["id"]))
        if facts.get("href"):
            self.hrefs.append(str(facts["href"]))
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.bare_heads += tag == "th" and "scope" not in facts
        self.pictures_without_words += tag == "svg" and not (facts.get("aria-label") or facts.get("aria-hidden"))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element that closes itself opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def read(path: Path) -> tuple[str, Reader]:
    text = path.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    return text, reader


def plain(text: str) -> str:
    body = re.sub(r"<(script|style)>.*?</\1>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(path, kpis(), exceptions(), register(), feeds(), health(), trend(), about())
    text, reader = read(path)
    assert not reader.wrong and not reader.open
    return text


def test_it_is_one_file_that_fetches_nothing(page: str) -> None:
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", page), "nothing stands beside it, so it leads nowhere"
    assert not re.search(r"https?:|//cdn|@import|url\(|fetch\(|XMLHttpRequest", page)
    assert len(page.encode()) < 300_000


def test_whereabouts_not_confirmed_come_before_every_other_figure(page: str) -> None:
    said = plain(page)
    assert said.index("Whereabouts not confirmed", said.index("Not every source arrived")) < said.index(
        "children with an EHC plan"
    )
    assert re.search(r'<div class="huge">17</div>', page), "the KPI's own figure, not one of the page's"
    assert 'class="alarm"' in page and "The target is 0." in said


def test_every_child_whose_whereabouts_are_not_confirmed_is_listed(page: str) -> None:
    frame = exceptions()
    own = frame[frame["rule"].isin(NOT_CONFIRMED) & (frame["status"] != "resolved")]
    who = page[page.index('id="who"') : page.index('id="news"')]
    for child in own["child_id"].unique():
        assert child in who


def test_every_figure_stands_with_numerator_denominator_target_and_course(page: str) -> None:
    table = page[page.index('id="kpis"') : page.index('id="reviews"')]
    shown = kpis()[lambda frame: ~frame["line"].str.contains(": ")]
    for row in shown.itertuples():
        assert f'<td class="n">{row.numerator:,}</td><td class="n">{row.denominator:,}</td>' in table
    assert table.count('class="spark"') == (shown["denominator"] > 0).sum()
    assert table.count("none to count") == (shown["denominator"] == 0).sum() == 1
    assert ">2,264 days<" in table
    assert 'aria-label="from 78.3% on 25 Oct 2026 to 79.5% on 28 Oct 2026, 4 nights"' in table
    assert "up 2, worse" in table and "up 0.4 points, better" in table


def test_a_wait_is_told_in_days_over_nights_too(tmp_path: Path) -> None:
    earlier = trend()
    earlier.loc[earlier["line"] == "longest_days", "value"] = 2260.0
    figures = kpis().assign(direction="up")
    figures.loc[figures["code"].isin(["K05", "K07"]), "direction"] = "down"
    write_report(tmp_path / "r.html", figures, exceptions(), register(), feeds(), health(), earlier, about())
    text = read(tmp_path / "r.html")[0]
    assert "up 4 days" in text and "from 2,260 days on 25 Oct 2026 to 2,264 days on 28 Oct 2026, 4 nights" in text


def test_what_was_not_received_is_said_on_top(page: str) -> None:
    assert "Liquidlogic: visits</b>: no file for this night; the copy of 27 October 2026 is used." in page


def test_new_and_resolved_are_counted_by_severity(page: str) -> None:
    frame = exceptions()
    news = plain(page[page.index('id="news"') : page.index('id="kpis"')])
    resolved = frame["status"] == "resolved"
    assert f"All {(frame['is_new'] & ~resolved).sum()} {resolved.sum()} {(~resolved).sum()}" in news


def test_nothing_says_where_a_restricted_child_is_and_nothing_runs(page: str) -> None:
    for secret in (SECRET_SETTING, SECRET_URN, SECRET_DETAIL):
        assert secret not in page
    assert "<script>alert" not in page


def test_tables_links_and_pictures_are_fit_for_a_screen_reader(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, kpis(), exceptions(), register(), feeds(), health(), trend(), about())
    text, reader = read(path)
    assert reader.tables == reader.captions > 8
    assert reader.bare_heads == 0 and reader.pictures_without_words == 0
    assert len(reader.ids) == len(set(reader.ids))
    assert {href.removeprefix("#") for href in reader.hrefs} <= set(reader.ids)
    assert (
        '<html lang="en-GB">' in text and 'class="skip"' in text and "@media print" in text and ":focus-visible" in text
    )


def test_lists_can_be_filtered_and_whereabouts_never_are(page: str) -> None:
    who = page[page.index('id="who"') : page.index('id="news"')]
    lists = page[page.index('id="lists"') : page.index('id="sources"')]
    assert "data-owner" not in who and lists.count('<tr data-owner="') > 20
    assert "#lists tr[data-owner]" in page


def test_a_night_without_anything_still_has_a_page_that_promises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    empty = [frame.head(0) for frame in (kpis(), exceptions(), register(), feeds(), health())]
    write_report(path, *empty, None, about(received=True))
    text, reader = read(path)
    assert not reader.wrong and "No child with a plan is on the register" in text
    assert 'class="calm"' not in text and 'class="alarm"' not in text


def test_a_good_night_is_green_and_one_with_a_source_missing_is_not(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    figures = kpis()
    figures.loc[figures["code"] == "K05", "numerator"] = 0
    calm = exceptions().query("rule not in @NOT_CONFIRMED", local_dict={"NOT_CONFIRMED": NOT_CONFIRMED})
    write_report(path, figures, calm, register(), feeds(), health(), trend(), about(received=True))
    assert 'class="calm"' in read(path)[0]
    write_report(path, figures, calm, register(), feeds(), health(), trend(), about())
    assert 'class="calm"' not in read(path)[0] and "not every source could be checked tonight" in read(path)[0]


def test_long_ago_resolved_is_not_news(tmp_path: Path) -> None:
    frame = exceptions()
    is_resolved = frame["status"] == "resolved"
    frame["resolved_on"] = pd.Series(AS_OF - pd.Timedelta(days=3), index=frame.index).where(is_resolved)
    frame.loc[is_resolved.idxmax(), "resolved_on"] = AS_OF
    path = tmp_path / "report.html"
    write_report(path, kpis(), frame, register(), feeds(), health(), None, about())
    new = (frame["is_new"] & ~is_resolved).sum()
    assert f"All {new} 1 {(~is_resolved).sum()}" in plain(read(path)[0])


def test_a_night_without_the_figure_breaks_the_line() -> None:
    assert sparkline([1.0, 2.0, None, 3.0, 4.0], "x").count("<polyline") == 2
    assert sparkline([1.0, None, 3.0], "x").count("<polyline") == 0
    assert sparkline([None, None], "x") == '<span class="quiet">no figure yet</span>'
    assert 'aria-label="&lt;b&gt;"' in sparkline([1.0, 2.0], "<b>")


def test_feeds_missing_for_one_reason_are_told_together() -> None:
    feeds_missing = tuple(NotReceived("liquidlogic", feed, "no folder", None) for feed in ("persons", "visits"))
    told = replace(about(), sources_not_received=(*feeds_missing, NotReceived("capita", "students", "held")))
    assert [one.title for one in told.missing_together] == ["Liquidlogic: persons, visits", "Capita: students"]


OVERDUE = """
due        | band
2026-10-28 |
2026-10-27 | Up to 3 months
2026-07-28 | Up to 3 months
2026-07-27 | 3 to 6 months
2026-04-28 | 3 to 6 months
2026-04-27 | 6 to 12 months
2025-10-28 | 6 to 12 months
2025-10-27 | Over 12 months
           |
"""


def test_overdue_reviews_fall_into_their_bands() -> None:
    lines = [[cell.strip() for cell in line.split("|")] for line in OVERDUE.strip("\n").splitlines()[1:]]
    due = pd.DataFrame({"next_review_due_on": pd.to_datetime([line[0] or None for line in lines])})
    wanted = pd.Series([line[1] for line in lines if line[1]]).value_counts().to_dict()
    assert {row["name"]: row["number"] for row in reviews_overdue(due, AS_OF)} == wanted


def test_reviews_ahead_add_up_to_all_that_are_not_overdue() -> None:
    active = register().query("active_plan == 'Y'")
    months, later, undated = reviews_by_month(active, AS_OF)
    overdue = sum(row["number"] for row in reviews_overdue(active, AS_OF))
    assert len(months) == 12 and months[0]["name"] == "Oct 2026"
    assert sum(row["number"] for row in months) + later + undated + overdue == len(active)


def test_breakdowns_add_up() -> None:
    active = register().query("active_plan == 'Y'")
    assert sum(row["number"] for row in counts(active["provision_type"])) == len(active)
    assert counts(active["provision_type"])[-1]["name"] == "Not recorded"
    waiting = awaiting_by_days(active)
    assert sum(row["number"] for row in waiting) == active["awaiting"].isin(["nothing_in_place", "interim"]).sum()
    assert all(row["nothing"] + row["interim"] == row["number"] for row in waiting)
    looked_after = visits_by_cohort(kpis())[0]
    assert looked_after["name"] == "Looked after" and looked_after["number"] == 12
    assert [looked_after[state] for state in ("in_interval", "first_not_due", "overdue", "never_seen")] == [10, 0, 1, 1]
    now = standing(exceptions())
    systems, rows = not_believed(now)
    assert systems == ["Synergy", "Liquidlogic", "Capita", "Between systems"]
    assert sum(row["number"] for row in rows) == (now["kind"] == "record").sum()
    assert all(sum(number for number, _ in row["cells"]) == row["number"] for row in rows)


def test_overdue_by_team_adds_up_and_names_no_team_of_a_restricted_child(tmp_path: Path) -> None:
    everybody = register()
    teams = pd.Series(["Team A", "Team B", None] * 100, index=everybody["child_id"], dtype="object")
    active = everybody[everybody["active_plan"] == "Y"]
    notified = pd.DataFrame(
        {
            "list": ["advice due", "advice due", "advice due", "advice due", "reviews ahead"],
            "child_id": ["C000000", "C000000", "C000003", "C000004", "C000001"],
            "due_on": [*[AS_OF - pd.Timedelta(days=1)] * 3, AS_OF, AS_OF - pd.Timedelta(days=9)],
        }
    )
    frames = (kpis(), exceptions(), everybody, feeds(), health(), trend(), about(), None)
    write_report(tmp_path / "r.html", *frames, teams, None, notified)
    text = read(tmp_path / "r.html")[0]
    table = text[text.index('id="overdue"') : text.index('id="kpis"')]
    rows = {
        name: [int(number) for number in re.findall(r"(\d+)(?:</a>)?</td>", cells)]
        for name, cells in re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', table)
    }
    assert list(rows) == ["Team A", "Team B", "Restricted: not shown", "No social care team", "All"]
    late = [int((active[column] < AS_OF).sum()) for column in ("next_review_due_on", "visit_due_on")]
    # The one whose advice falls due on the day is not late yet; a child told to two teams counts once.
    assert rows["All"] == [*late, 2] == [sum(rows[name][place] for name in list(rows)[:-1]) for place in range(3)]
    assert rows["Restricted: not shown"][2] == 1
    hidden = [line for line in re.findall(r"<tr data-owner.*?</th>", text) if ">C000003<" in line]
    assert all('data-team="Restricted: not shown"' in line for line in hidden)


def test_those_in_no_education_and_those_awaiting_are_told_apart() -> None:
    active = pd.DataFrame({"child_id": ["a", "b", "c", "d"], "awaiting": ["nothing_in_place", "interim", None, None]})
    now = pd.DataFrame({"rule": ["AW03", "AW03", "AW03", "PL01", "AW03"], "child_id": ["a", "b", "c", "d", "gone"]})
    assert not_in_education(now, active) == {"number": 3, "waiting": 1}


def test_it_leads_to_the_files_that_stand_beside_it_and_to_no_other(tmp_path: Path) -> None:
    counts = dict.fromkeys((*TOLD, "open", "accepted", "not_evaluated", "to_shadow", "relinked"), 0)
    volume = pd.DataFrame([{"severity": "high", "owner": name, **counts, "open": 1} for name in ("A & B", "Nobody's")])
    beside = Beside(frozenset({"exceptions.xlsx", "health-capita.html"}), {"A & B": "by_owner/A & B.xlsx"})
    frames = (kpis(), exceptions(), register(), feeds(), health(), trend(), about(), None, None, volume, None)
    write_report(tmp_path / "r.html", *frames, beside)
    text, reader = read(tmp_path / "r.html")
    leads = {href for href in reader.hrefs if not href.startswith("#")}
    assert leads == {"exceptions.xlsx", "health-capita.html", "by_owner/A%20%26%20B.xlsx"}
    assert "Nobody&#39;s" in text and not reader.wrong


def test_a_feed_s_exception_says_which_feed_and_a_vanished_child_s_which_system() -> None:
    drawn = pd.DataFrame(
        [
            ("SR01", "feed", "missing_episodes", "liquidlogic", "no file", "missing episodes: no file"),
            ("SR08", "safety", "persons", "liquidlogic", "last carried on 2026-10-27", "no longer in Liquidlogic, last carried on 27/10/2026"),
            ("SR08", "safety", "pupils", "synergy", "restricted", "restricted"),
            ("RV01", "duty", "next_review_due_on", "synergy", "due 2026-10-27", "due 27/10/2026"),
            ("PD03", "record", "final_plan_on", "synergy", "final_plan_on is 2027-04-17", "final plan on 17/04/2027"),
            ("PL01", "record", None, None, None, None),
        ],
        columns=["rule", "kind", "field", "source", "detail", "wanted"],
    )  # fmt: skip
    found = told_detail(drawn)
    assert found.fillna("").tolist() == drawn["wanted"].fillna("").tolist()


def test_settings_and_systems_are_told_by_their_names_where_the_rule_is_about_them() -> None:
    drawn = pd.DataFrame(
        [
            ("WH02", "Synergy says 900185, Capita says 900235, 900999", "Synergy says Elm School (900185), Capita says Oak (900235), 900999"),
            ("PL06", "900185 closed 2016-08-31; successor none", "Elm School (900185) closed 2016-08-31; successor none"),
            ("PD02", "900185 is a number of something else", "900185 is a number of something else"),
            ("SR01", "Extract missing: liquidlogic", "Extract missing: Liquidlogic"),
            ("PL06", RESTRICTED, RESTRICTED),
            ("PL01", None, None),
        ],
        columns=["rule", "found", "told"],
    )  # fmt: skip
    told = with_names(drawn["found"], drawn["rule"], {"900185": "Elm School", "900235": "Oak"})
    assert told.fillna("").tolist() == drawn["told"].fillna("").tolist()
    frame = exceptions().assign(told="attends Hidden Hollow School (987654)")
    hidden = mask_restricted(frame, register())
    assert (
        hidden.loc[hidden["detail"] == RESTRICTED, "told"].eq(RESTRICTED).all() and (hidden["told"] == RESTRICTED).any()
    )


def test_new_critical_exceptions_about_sources_are_told_apart_from_those_about_children(tmp_path: Path) -> None:
    frame = exceptions()
    about_feeds = frame.head(2).assign(child_id="", rule="SR01", kind="feed", severity="critical", status="open", is_new=True)  # fmt: skip
    write_report(tmp_path / "r.html", kpis(), pd.concat([frame, about_feeds], ignore_index=True), register(), feeds(), health(), trend(), about())  # fmt: skip
    said = plain(read(tmp_path / "r.html")[0])
    assert "2 critical exceptions that are new are about no child but about the sources ." in said


def test_a_night_on_which_not_everything_arrived_is_named(tmp_path: Path) -> None:
    nights = [AS_OF - pd.Timedelta(days=back) for back in (3, 2, 1)]
    came = pd.DataFrame(
        {"as_of": nights, "code": "K17", "line": "capita: extracts on time", "numerator": [4, 3, 4], "denominator": 4}
    )
    assert nights_before(pd.concat([trend(), came]), AS_OF) == [
        {"on": nights[2], "short": ""}, {"on": nights[1], "short": "Capita 3 of 4 extracts"}, {"on": nights[0], "short": ""},
    ]  # fmt: skip
    write_report(
        tmp_path / "r.html",
        *(kpis(), exceptions(), register(), feeds(), health(), pd.concat([trend(), came.assign(value=100.0)]), about()),
    )
    said = plain(read(tmp_path / "r.html")[0])
    assert "Compared with the night of 27 October 2026, for which every extract had arrived in time." in said
    assert "Not everything arrived in time for 1 of the 3 nights before this one" in said
    assert "26 Oct 2026 Capita 3 of 4 extracts" in said


def test_where_less_is_better_value_target_range_and_travel_are_children() -> None:
    figures = kpis().assign(direction="up", in_doubt=9, best_numerator=2, worst_numerator=30, best=0.3, worst=5.0)
    figures.loc[figures["code"].isin(["K05", "K07"]), "direction"] = "down"
    rows = {(row["code"], row.get("part")): row for row in kpi_rows(figures, trend(), AS_OF)}
    told = rows["K05", ""]
    assert (told["value_words"], told["range_words"], told["target_words"]) == ("17 children", "between 2 and 30", "0")
    assert told["change"] == "up 2, worse"
    assert (rows["K01", ""]["value_words"], rows["K15", ""]["target_words"]) == ("79.5%", "100%")
    assert rows["K07", "longest_days"]["value_words"] == "2,264 days"


def test_a_part_without_a_name_has_no_title() -> None:
    drawn = stacked([(1, "late", "late"), (2, "none", "")], "x")
    assert "<title>late: 1</title>" in drawn and drawn.count("<title>") == 1


def test_a_visit_due_today_or_in_28_days_is_due_soon() -> None:
    due = pd.to_datetime(["2026-10-27", "2026-10-28", "2026-11-25", "2026-11-26", None])
    assert visits_soon(pd.DataFrame({"visit_due_on": due}), AS_OF) == 2


def test_many_types_of_setting_are_folded_and_still_add_up() -> None:
    active = register().query("active_plan == 'Y'").assign(setting_type=lambda frame: frame["setting_name"])
    active.loc[active.index[:20], "setting_type"] = None
    rows = where_children_are(active)["types"]
    assert len(rows) <= 14 and sum(row["number"] for row in rows) == len(active)
    assert any(row["name"].endswith(" others") for row in rows)


def test_those_placed_in_another_authority_are_told_by_which_and_add_up() -> None:
    active = (
        register()
        .query("active_plan == 'Y'")
        .assign(setting_la_name=lambda frame: "LA " + frame["setting_urn"].str[-1])
    )
    active.loc[active.index[:30], "setting_la_name"] = None
    away = active[active["in_authority"] == "N"]
    rows = where_children_are(active)["elsewhere"]
    assert sum(row["number"] for row in rows) == len(away) > 10 and rows[-1]["name"] == "Not recorded"
    assert where_children_are(register())["elsewhere"] == []


def test_a_list_has_one_line_a_child_and_says_how_many_are_left_out() -> None:
    frame = exceptions(4000)
    shown = list_of("x", "X", "", standing(frame), register(), ("RV01",), 10)
    own = frame[(frame["rule"] == "RV01") & (frame["status"] != "resolved")]
    assert len(shown.rows) == 10 and shown.total == own["child_id"].nunique() == shown.children
    assert shown.left_out == shown.total - 10
    assert len({row["child_id"] for row in shown.rows}) == 10
