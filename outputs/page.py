"""`report.html`: one page a night that says where children are, what is overdue, and what cannot be believed.

Self-contained: its style, its small script and its pictures are in the file, and it fetches nothing. It says child
ids and the systems' record ids, never names; for a restricted child it says nothing about where the child is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from outputs import charts
from outputs.about import About
from outputs.page_behind import advice_due, advice_list, audited_list, settings_away
from outputs.page_figures import (
    NOT_SHOWN,
    awaiting_by_days,
    not_believed,
    overdue_by_team,
    reviews_by_month,
    reviews_overdue,
    since_yesterday,
    visits_by_cohort,
    visits_soon,
    where_children_are,
)
from outputs.page_kpis import kpi_rows
from outputs.page_lists import NOT_CONFIRMED, OVERDUE, Shown, list_of, lists_of, overdue_by_owner, standing
from outputs.page_sections import (
    SOURCES,
    Beside,
    feed_rows,
    figure_of,
    glance,
    nights_before,
    not_in_education,
    systems_of,
)
from outputs.protect import mask_restricted, restricted_children
from outputs.render import write_page
from outputs.volume_table import TOLD, account, by_owner, by_severity
from outputs.wording import GRADE_MEANINGS, GRADES, SEVERITY_MEANINGS, SEVERITY_TITLES

#: How many rows of a list are open to the eye; and how many are in the page at all, for the filter to find.
_TOP, _MOST = 15, 400
_NEWS_ALONE = ("new", "resolved", "number")
_ALONE = Beside()


def write_report(
    path: Path,
    figures: pd.DataFrame,
    exceptions: pd.DataFrame,
    register: pd.DataFrame,
    feeds: pd.DataFrame,
    health: pd.DataFrame | None,
    trend: pd.DataFrame | None,
    about: About,
    comparators: pd.DataFrame | None = None,
    teams: pd.Series | None = None,
    volume: pd.DataFrame | None = None,
    notified: pd.DataFrame | None = None,
    beside: Beside = _ALONE,
    linking: dict[str, Any] | None = None,
    rules: pd.DataFrame | None = None,
    audits: pd.DataFrame | None = None,
) -> None:
    """Write the page of a night, for the council's own staff: children by id, with the lists behind the figures.

    `figures` is the KPI frame; `exceptions` the exceptions frame, with those resolved since the night before (by
    ``resolved_on`` where the frame has it); `register` the public register; `feeds` the night's feeds; `health` the
    expectation results; `trend` the KPI figures of earlier nights; `comparators` what others come to
    (`outputs.page_kpis`); `teams` the social care team of each child, by child id; `volume` how many exceptions came
    and went (`pipelines.volume`); `notified` the lines of the notification lists; `beside` the files that the page leads
    to; `linking` how well records were linked (`outputs.linking.linking_of`); `rules` what became of each rule
    (`pipelines.catalogues.checked`); `audits` which children's plans were audited (`outputs.page_behind.audited_list`). Every frame may be empty. Raises OSError where the file cannot be written.
    """
    as_of = pd.Timestamp(about.as_of)
    exceptions = mask_restricted(exceptions, register)
    if "resolved_on" in exceptions:
        long_gone = (exceptions["status"] == "resolved") & (pd.to_datetime(exceptions["resolved_on"]) < as_of)
        exceptions = exceptions[~long_gone]
    restricted = int(restricted_children(register).sum())
    register = mask_restricted(register, register)
    active = register[register["active_plan"] == "Y"]
    now = standing(exceptions)
    months, later, undated = reviews_by_month(active, as_of)
    rows = kpi_rows(figures, trend, as_of, comparators=comparators)
    team = register["child_id"].map(teams) if teams is not None else pd.Series(pd.NA, register.index, dtype="object")
    facts = register.assign(team=team.mask(restricted_children(register), NOT_SHOWN))
    late_advice = advice_due(notified, as_of)
    advice = set(late_advice["child_id"])
    write_page(
        path,
        "report.html.j2",
        about=about,
        restricted=restricted,
        beside=beside,
        glance=glance(figures, now, register, active, advice, as_of),
        whereabouts=whereabouts_of(figures, now, register, active, about),
        kpis=[row for row in rows if row["code"] != SOURCES],
        systems=systems_of(rows, health),
        lists=[
            *lists_of(now, facts, _MOST),
            advice_list(late_advice, facts, as_of, _MOST),
            audited_list(audits, facts, as_of, _MOST),
        ],
        settings_away=settings_away(active),
        news_parts={name: told for name, told in TOLD.items() if volume is not None or name in _NEWS_ALONE},
        account="" if volume is None else account(volume),
        news=since_yesterday(exceptions) if volume is None else by_severity(volume),
        unchecked=int((now["status"] == "not_evaluated").sum()),
        new_critical=_new_critical(now, register),
        new_feeds=int(
            (now["is_new"].fillna(False).astype(bool) & (now["severity"] == "critical") & ~_of_child(now)).sum()
        ),
        months=months,
        months_picture=charts.columns([(row["name"], row["number"], "soft") for row in months], "Reviews due by month"),
        months_later=later,
        reviews_undated=undated,
        overdue=reviews_overdue(active, as_of),
        teams=overdue_by_team(facts, advice, as_of),
        owners=[] if volume is None else by_owner(volume),
        of_owners=overdue_by_owner(now),
        overdue_lists=OVERDUE,
        nights=nights_before(trend, as_of),
        idle=not_in_education(now, active),
        cohorts=visits_by_cohort(figures),
        visits_soon=visits_soon(active, as_of),
        awaiting=awaiting_by_days(active),
        where=where_children_are(active),
        grade_meanings={GRADES[grade]: text for grade, text in GRADE_MEANINGS.items()},
        feeds=feed_rows(feeds, about),
        linking=linking,
        believed=not_believed(now),
        not_evaluated=[] if rules is None else rules[rules["state"] == "not_evaluated"].to_dict("records"),
        severity_titles=SEVERITY_TITLES,
        severity_meanings=SEVERITY_MEANINGS,
        top=_TOP,
        total=len(now),
        children=int(now["child_id"].nunique()),
    )


def whereabouts_of(
    figures: pd.DataFrame, now: pd.DataFrame, register: pd.DataFrame, active: pd.DataFrame, about: About
) -> dict[str, Any]:
    """The children whose whereabouts are not confirmed: how many with a plan, why, and who."""
    own = now[now["rule"].isin(NOT_CONFIRMED)]
    with_plan = own["child_id"].isin(active["child_id"])
    number = figure_of(figures, "K05", "numerator")
    counted = int(own.loc[with_plan, "child_id"].nunique())
    reasons = [
        {"number": int(own.loc[with_plan & (own["rule"] == rule), "child_id"].nunique()), "label": label}
        for rule, label in (
            ("WH01", "not known: nothing in any system confirms where they are"),
            ("WH06", "missing: an open missing episode"),
            ("WH07", "missing from education: an open case"),
            ("SR08", "vanished from a system's extract, unexplained"),
        )
    ]
    listed = list_of(
        "not-confirmed",
        "Children whose whereabouts are not confirmed",
        "",
        own,
        register,
        NOT_CONFIRMED,
        _MOST,
    )
    return {
        "number": counted if number is None else number,
        "plans": len(active),
        "is_sure": len(active) > 0 and not about.has_old_data,
        "reasons": [reason for reason in reasons if reason["number"]],
        "recorded_only": int((active["whereabouts_grade"] == "recorded").sum()),
        "in_assessment": listed.children - counted,
        "list": listed,
    }


def _of_child(exceptions: pd.DataFrame) -> pd.Series:
    return exceptions["child_id"].notna() & (exceptions["child_id"] != "")


def _new_critical(now: pd.DataFrame, register: pd.DataFrame) -> Shown:
    own = now[now["is_new"].fillna(False).astype(bool) & (now["severity"] == "critical") & _of_child(now)]
    return list_of("new-critical", "New and critical", "", own, register, set(own["rule"]), _TOP)
