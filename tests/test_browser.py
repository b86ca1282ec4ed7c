"""The pages in a real browser: accessible by WCAG 2.2 AA, quick, quiet, and their filter and lists at work. Without Chromium they say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
import pytest
from test_board import OTHERS, board
from test_outputs_frames import about, exceptions, feeds, health, kpis, register, trend

from outputs.board import write_board_page
from outputs.digest import digest_of, write_digest
from outputs.health import write_health
from outputs.page import write_report
from pipelines.volume import COUNTS

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    everybody = register()
    teams = pd.Series(["Team A", "Team B"] * len(everybody), dtype="str")[: len(everybody)]
    teams.index = everybody["child_id"]
    frames = (kpis(), exceptions(2000), everybody, feeds(), health(), trend(), about(), OTHERS)
    write_report(folder / "report.html", *frames, teams)
    write_board_page(folder / "board.html", board())
    aside = pd.DataFrame({"file": ["pupils_of_a_long_name.csv"], "line": [17], "row_id": ["1"], "column": ["Date of Birth"], "reason": ["unparseable date"]})  # fmt: skip
    write_health(folder, "synergy", feeds(), health(), aside, None, None, about())
    counts = dict.fromkeys(COUNTS, 1_234)
    volume = pd.DataFrame([{"rule": "RV01", "severity": "high", "owner": "SEN casework", **counts}])
    write_digest(folder, digest_of(volume, about()))
    return folder


def opened(browser: Any, path: Path, **options: Any) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.goto(path.as_uri(), wait_until="load")
    return page


@pytest.mark.parametrize("name", ["report.html", "board.html"])
@pytest.mark.parametrize("width", [1280, 360])
def test_wcag_2_2_aa_finds_nothing_wrong(browser: Any, folder: Path, name: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, folder / name)
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["report.html", "board.html"])
def test_a_page_opens_in_two_seconds_and_asks_for_nothing_else(browser: Any, folder: Path, name: str) -> None:
    since = perf_counter()
    page = opened(browser, folder / name)
    assert perf_counter() - since < 2
    assert page.asked == [(folder / name).as_uri()] and page.wrong == []


@pytest.mark.parametrize("name", ["report.html", "board.html", "health-synergy.html", "digest.html"])
def test_a_page_of_320_pixels_needs_no_scrolling_sideways(browser: Any, folder: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 600})
    page.goto((folder / name).as_uri(), wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def shown(page: Any) -> int:
    return int(
        page.eval_on_selector_all("#lists tr[data-owner]", "rows => rows.filter(row => row.offsetParent).length")
    )


def test_a_list_opens_in_full_and_a_filter_looks_through_all_of_it(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    every = page.locator("#lists tr[data-owner]").count()
    first = shown(page)
    assert first < every
    page.locator("#overdue-reviews button.all").click()
    assert shown(page) > first
    page.get_by_label("Social care team").select_option("Team A")
    of_team = page.locator('#lists tr[data-team="Team A"]').count()
    assert shown(page) == of_team > 0
    assert f"{of_team} of the {every} lines" in page.get_by_role("status").inner_text()
    page.get_by_label("Visit cohort").select_option("Looked after")
    assert 0 < shown(page) < of_team
    page.get_by_role("button", name="Show all", exact=True).click()
    assert shown(page) > first


def test_the_keyboard_reaches_the_skip_link_first_and_a_figure_leads_to_its_list(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#kpis a", has_text="Plans reviewed within 12 months").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#overdue-reviews") and page.locator("#overdue-reviews").is_visible()


def test_a_number_of_a_team_leads_to_that_team_s_lines(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    row = page.locator("#overdue tbody tr", has_text="Team B").first
    row.locator("a").first.click()
    assert page.url.endswith("#overdue-reviews") and page.get_by_label("Social care team").input_value() == "Team B"
    assert shown(page) == page.locator('#lists tr[data-team="Team B"]').count() > 0
    fitting = page.locator('#overdue-reviews tr[data-team="Team B"]').count()
    assert f"{fitting} fit the filter: Team B." in page.locator("#overdue-reviews caption").inner_text()
    page.get_by_role("button", name="Show all", exact=True).click()
    assert "fit the filter" not in page.locator("#overdue-reviews caption").inner_text()


@pytest.mark.parametrize("name", ["sources", "lists", "believe"])
def test_an_address_with_a_place_opens_there(browser: Any, folder: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 400})
    page.goto(f"{(folder / 'report.html').as_uri()}#{name}", wait_until="load")
    page.wait_for_timeout(300)
    assert 0 <= page.evaluate(f"document.getElementById('{name}').getBoundingClientRect().top") < 40


def test_without_scripts_every_line_is_there(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "report.html", java_script_enabled=False)
    rows = page.locator("#lists tr[data-owner]")
    assert rows.count() > 50 and rows.last.is_visible()


def test_on_paper_whereabouts_are_whole_and_lists_are_short(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    page.emulate_media(media="print")
    assert page.locator("#who tbody tr").last.is_visible()
    assert not page.locator("#lists tr.more").first.is_visible() and not page.locator("nav").is_visible()
    assert page.locator(".on-paper").first.is_visible()
