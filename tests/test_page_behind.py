"""The lists behind figures that no exception makes: advice that should be in, plans audited, settings in other authorities."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from test_outputs_frames import AS_OF, SECRET_SETTING, SECRET_URN, about, exceptions, feeds, health, kpis, register

from outputs.page import write_report
from outputs.page_behind import advice_due, advice_list, audited_list, settings_away
from outputs.page_kpis import kpi_rows
from outputs.protect import mask_restricted


def ago(days: int) -> pd.Timestamp:
    return AS_OF - pd.Timedelta(days=days)


def test_advice_is_late_from_the_day_after_it_was_due_and_a_child_is_listed_once() -> None:
    notified = pd.DataFrame(
        {
            "team": ["SEN casework", "Team A", "SEN casework", "SEN casework", "SEN casework"],
            "list": ["advice due", "advice due", "advice due", "advice due", "reviews ahead"],
            "child_id": ["C000004", "C000004", "C000001", "C000002", "C000005"],
            "due_on": [ago(1), ago(1), ago(9), AS_OF, ago(9)],
            "last_on": [ago(43), ago(43), pd.NaT, ago(42), ago(300)],
        }
    )
    late = advice_due(notified, AS_OF)
    assert late["child_id"].tolist() == ["C000001", "C000004"]
    shown = advice_list(late, register(), AS_OF, 400)
    assert [row["detail"] for row in shown.rows] == [
        "due 19 Oct 2026, 9 days ago",
        "decided on 15 Sep 2026 to assess; due 27 Oct 2026, 1 day ago",
    ]
    assert shown.children == 2 and {row["owner"] for row in shown.rows} == {"SEN casework"}
    assert advice_due(None, AS_OF).empty and advice_list(advice_due(None, AS_OF), register(), AS_OF, 400).rows == []


def test_audits_of_active_plans_of_the_last_12_months_are_listed_with_what_was_wrong_first() -> None:
    everybody = register()
    active = everybody.loc[everybody["active_plan"] == "Y", "child_id"].tolist()[:5]
    gone = everybody.loc[everybody["active_plan"] == "N", "child_id"].iloc[0]
    audits = pd.DataFrame(
        {
            "child_id": [*active, gone],
            "audited_on": [ago(3), ago(2), AS_OF - pd.DateOffset(years=1), ago(364), AS_OF + pd.Timedelta(days=1), ago(1)],
            "is_accurate": [True, False, True, False, True, True],
            "found": ["", "Primary need (wrong)", "", "Primary need (not on file)", "", ""],
        }
    )  # fmt: skip
    shown = audited_list(audits, everybody, AS_OF, 400)
    assert [(row["child_id"], row["title"], row["detail"]) for row in shown.rows] == [
        (active[1], "Audited: not accurate", "26 Oct 2026. Primary need (wrong)"),
        (active[3], "Audited: not accurate", "29 Oct 2025. Primary need (not on file)"),
        (active[0], "Audited: found accurate", "25 Oct 2026"),
    ]
    assert audited_list(None, everybody, AS_OF, 400).rows == []


def test_settings_away_are_counted_in_children_and_none_of_a_restricted_child_is_there() -> None:
    everybody = register()
    masked = mask_restricted(everybody, everybody).assign(setting_la_name="Farshire")
    active = masked[masked["active_plan"] == "Y"]
    rows = settings_away(active)
    assert sum(row["number"] for row in rows) == (active["in_authority"] == "N").sum() > 10
    assert not {SECRET_URN, SECRET_SETTING} & {row[name] for row in rows for name in ("urn", "name")}
    assert {row["authority"] for row in rows} == {"Farshire"} and [row["number"] for row in rows] == sorted(
        (row["number"] for row in rows), reverse=True
    )
    without = settings_away(register().query("active_plan == 'X'"))
    assert without == []


def test_every_figure_of_the_page_leads_to_a_place_of_its_own(tmp_path: Path) -> None:
    audits = pd.DataFrame({"child_id": ["C000000"], "audited_on": [ago(3)], "is_accurate": [False], "found": ["X (wrong)"]})  # fmt: skip
    figures = pd.concat(
        [kpis(), pd.DataFrame({"code": ["K10", "K10", "K16", "K07"], "line": ["audited", "accurate", "", "interim"], "title": "t", "numerator": 1, "denominator": 3, "not_judged": 0, "target": 100.0, "value": 33.3, "definition": "d"})],
        ignore_index=True,
    )  # fmt: skip
    write_report(tmp_path / "r.html", figures, exceptions(), register(), feeds(), health(), None, about(), audits=audits)  # fmt: skip
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    table = text[text.index('id="kpis"') : text.index('id="reviews"')]
    leads = re.findall(r'<th scope="row">(?:<a href="#([\w-]+)">)?', table)
    assert len(leads) == sum(not row["is_heading"] for row in kpi_rows(figures, None, AS_OF)) and all(leads)
    assert {"audited", "settings-away", "interim-placement"} <= set(leads)
    assert all(f'id="{place}"' in text for place in leads)
    assert "Plans audited: 1 child" in re.sub(r"<[^>]+>", "", text)
