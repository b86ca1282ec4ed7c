"""`report.html`: one page a night that says where children are, what is overdue, and what cannot be believed.

Self-contained: its style, its small script and its pictures are in the file, and it fetches nothing. It says child
ids and the systems' record ids, never names; for a restricted child it says nothing about where the child is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from outputs import charts
from outputs.about import About, system_title
from outputs.figures import RAG_WORDS, judged, moved, nights_of
from outputs.page_figures import (
    awaiting_by_days,
    not_believed,
    reviews_by_month,
    reviews_overdue,
    since_yesterday,
    visits_by_cohort,
    visits_soon,
    where_children_are,
)
from outputs.page_lists import NOT_CONFIRMED, Shown, list_of, standing
from outputs.protect import mask_restricted, restricted_children
from outputs.render import write_page
from outputs.wording import (
    FEED_STATUS,
    GRADE_MEANINGS,
    GRADES,
    LINES_IN_DAYS,
    LINES_IN_PERCENT,
    SEVERITY_MEANINGS,
    SEVERITY_TITLES,
    in_words,
    line_title,
    percent,
    short_date,
    titled,
    whole,
)

#: The KPI on source health stands in the section on sources, system by system.
_SOURCES = "K17"
_MEASURES = ("extracts on time", "rows accepted", "expectations met")
_TOP = 15
_TOP_WHEREABOUTS = 60
_NIGHTS = 31


def write_report(
    path: Path,
    figures: pd.DataFrame,
    exceptions: pd.DataFrame,
    register: pd.DataFrame,
    feeds: pd.DataFrame,
    health: pd.DataFrame | None,
    trend: pd.DataFrame | None,
    about: About,
) -> None:
    """Write the page of a night.

    `figures` is the KPI frame; `exceptions` the exceptions frame, with those resolved since the night before (by
    ``resolved_on`` where the frame has it); `register` the public register; `feeds` the night's feeds; `health` the
    expectation results; `trend` the KPI figures of earlier nights. Every frame may be empty. Raises OSError where the
    file cannot be written.
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
    rows = _kpi_rows(figures, trend, as_of)
    write_page(
        path,
        "report.html.j2",
        about=about,
        restricted=restricted,
        glance=_glance(figures, now, register, active, as_of),
        whereabouts=_whereabouts(figures, now, register, active, about),
        kpis=[row for row in rows if row["code"] != _SOURCES],
        systems=_systems(rows, health),
        lists=_lists(now, register),
        news=since_yesterday(exceptions),
        unchecked=int((now["status"] == "not_evaluated").sum()),
        new_critical=_new_critical(now, register),
        months=months,
        months_picture=charts.columns([(row["name"], row["number"], "soft") for row in months], "Reviews due by month"),
        months_later=later,
        reviews_undated=undated,
        overdue=reviews_overdue(active, as_of),
        cohorts=visits_by_cohort(figures),
        visits_soon=visits_soon(active, as_of),
        awaiting=awaiting_by_days(active),
        where=where_children_are(active),
        grade_meanings={GRADES[grade]: text for grade, text in GRADE_MEANINGS.items()},
        feeds=_feed_rows(feeds, about),
        believed=not_believed(now),
        severity_titles=SEVERITY_TITLES,
        severity_meanings=SEVERITY_MEANINGS,
        owners=sorted({str(owner) for owner in now["owner"].dropna()}, key=str.casefold),
        total=len(now),
        children=int(now["child_id"].nunique()),
    )


def _figure(figures: pd.DataFrame, code: str, column: str, line: str = "") -> int | None:
    found = figures[(figures["code"] == code) & (figures["line"].fillna("") == line)]
    if found.empty or pd.isna(found[column].iloc[0]):
        return None
    return int(found[column].iloc[0])


def _glance(
    figures: pd.DataFrame, now: pd.DataFrame, register: pd.DataFrame, active: pd.DataFrame, as_of: pd.Timestamp
) -> list[dict[str, Any]]:
    """The tiles: a number, what it counts, and where to read on."""
    plans = len(active)
    overdue = int((pd.to_datetime(active["next_review_due_on"]) < as_of).sum())
    nothing = int((active["awaiting"] == "nothing_in_place").sum())
    missing = int(now.loc[now["rule"].isin(["WH06", "WH07"]), "child_id"].nunique())
    visits = int((pd.to_datetime(active["visit_due_on"]) < as_of).sum())
    accurate, of = _figure(figures, "K09", "numerator"), _figure(figures, "K09", "denominator")
    tiles: list[dict[str, Any]] = [
        {
            "number": whole(plans),
            "label": "children with an EHC plan",
            "note": f"{len(register) - plans:,} more in assessment",
            "to": "where",
            "css": "",
        },
        {
            "number": whole(missing),
            "label": "missing now",
            "note": "open missing episode or missing-education case",
            "to": "whereabouts",
            "css": "bad" if missing else "good",
        },
        {
            "number": whole(nothing),
            "label": "awaiting, with nothing in place",
            "note": "no placement that works today",
            "to": "awaiting",
            "css": "bad" if nothing else "good",
        },
        {
            "number": whole(overdue),
            "label": "annual reviews overdue",
            "note": f"of {plans:,} plans",
            "to": "reviews",
            "css": "bad" if overdue else "good",
        },
        {
            "number": whole(visits),
            "label": "welfare visits overdue",
            "note": "looked after, residential, out of authority and others",
            "to": "visits",
            "css": "bad" if visits else "good",
        },
    ]
    if accurate is not None and of:
        tiles.append(
            {
                "number": whole(accurate),
                "label": "plans whose records we can believe",
                "note": f"of {of:,}; nothing serious recorded wrongly",
                "to": "believe",
                "css": "",
            }
        )
    return tiles


def _whereabouts(
    figures: pd.DataFrame, now: pd.DataFrame, register: pd.DataFrame, active: pd.DataFrame, about: About
) -> dict[str, Any]:
    """The children whose whereabouts are not confirmed: how many with a plan, why, and who."""
    own = now[now["rule"].isin(NOT_CONFIRMED)]
    with_plan = own["child_id"].isin(active["child_id"])
    number = _figure(figures, "K05", "numerator")
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
        _TOP_WHEREABOUTS,
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


def _lists(now: pd.DataFrame, register: pd.DataFrame) -> list[Shown]:
    return [
        list_of(
            "nothing-in-place",
            "Without a place",
            "Awaiting provision, of school age and not in education, or a placement that ended with none to follow.",
            now,
            register,
            ("AW01", "AW03", "PL01", "PL02"),
            _TOP,
        ),
        list_of(
            "statutory-visits",
            "Visits overdue or never made",
            "Children in visit cohorts whose visit is late. Statutory visits come first.",
            now,
            register,
            ("VS01", "VS02"),
            _TOP,
        ),
        list_of(
            "overdue-reviews",
            "Reviews overdue or never held",
            "Most urgent first.",
            now,
            register,
            ("RV01", "RV02"),
            _TOP,
        ),
        list_of(
            "decisions",
            "Review decisions and amended plans overdue",
            "The meeting was held, and what had to follow has not.",
            now,
            register,
            ("RV03", "RV04", "RV05"),
            _TOP,
        ),
        list_of(
            "recorded-only",
            "Recorded only",
            "Somebody wrote down where the child is; nothing confirms it.",
            now,
            register,
            ("WH10",),
            _TOP,
        ),
    ]


def _new_critical(now: pd.DataFrame, register: pd.DataFrame) -> Shown:
    own = now[now["is_new"].fillna(False).astype(bool) & (now["severity"] == "critical")]
    return list_of("new-critical", "New and critical", "", own, register, set(own["rule"]), _TOP)


def _kpi_rows(figures: pd.DataFrame, trend: pd.DataFrame | None, as_of: pd.Timestamp) -> list[dict[str, Any]]:
    if figures.empty:
        return []
    every = nights_of(trend, figures, as_of, _NIGHTS)
    frame = moved(judged(figures), every, as_of)
    nights = sorted(every["as_of"].unique())
    lines = {key: group.set_index("as_of") for key, group in every.groupby(["code", "line"])}
    rows: list[dict[str, Any]] = []
    wholes = set(frame.loc[frame["line"] == "", "code"])
    frame = frame.assign(_first=frame.groupby("code", sort=False).ngroup(), _part=(frame["line"] != ""))
    # The four counts of each visit cohort stand in the section on visits.
    shown = frame[~((frame["code"] == "K06") & frame["line"].str.contains(": "))]
    for record in shown.sort_values(["_first", "_part"], kind="stable").to_dict("records"):
        in_days = record["line"] in LINES_IN_DAYS
        told_by_value = in_days or record["line"] in LINES_IN_PERCENT
        by_number = not told_by_value and (bool(record.get("is_down")) or pd.isna(record["value"]))
        history = lines[(record["code"], record["line"])].reindex(nights)["numerator" if by_number else "value"]
        kept = ("code", "title", "numerator", "denominator", "value", "not_judged", "rag", "definition")
        if record["code"] not in wholes:
            wholes.add(record["code"])
            rows.append({"is_heading": True, "code": record["code"], "title": record["title"]})
        rows.append(
            {
                **{name: record[name] for name in kept},
                "is_heading": False,
                "part": record["line"],
                "line": line_title(record["line"]),
                "rag_word": RAG_WORDS[record["rag"]],
                "target_words": _target(record["target"], by_number),
                "value_words": _value(record, in_days),
                "change": _change(record, by_number, in_days),
                "spark": charts.sparkline(history.tolist(), _spark_words(history, by_number, in_days)),
            }
        )
    return rows


def _value(record: dict[Any, Any], in_days: bool) -> str:
    if in_days:
        return "–" if pd.isna(record["value"]) else f"{record['value']:,.0f} days"
    return percent(record["value"], is_exact=record["numerator"] in (0, record["denominator"]))


def _target(target: object, by_number: bool) -> str:
    if pd.isna(target):
        return "–"
    return f"{float(target):g}" + ("" if by_number and not target else "%")  # type: ignore[arg-type]


def _change(record: dict[Any, Any], by_number: bool, in_days: bool) -> str:
    """How the figure moved since the night before, and whether that is better."""
    step = record["numerator"] - record["previous_numerator"] if by_number else record["change"]
    if pd.isna(step):
        return ""
    step = round(float(step), 0 if by_number else 1)
    if step == 0:
        return "no change"
    size = f"{abs(step):,.0f}" if by_number else f"{abs(step):,.0f} days" if in_days else f"{abs(step):.1f} points"
    verdict = "" if not record["rag"] else ", better" if (step < 0) == bool(record.get("is_down")) else ", worse"
    return f"{'up' if step > 0 else 'down'} {size}{verdict}"


def _spark_words(history: pd.Series, by_number: bool, in_days: bool) -> str:
    known = history.dropna()
    if len(known) < 2:
        return "first night"
    unit = "" if by_number else " days" if in_days else "%"
    number = "{:,.0f}" if by_number or in_days else "{:.1f}"
    first, last = number.format(known.iloc[0]), number.format(known.iloc[-1])
    return f"from {first}{unit} on {short_date(known.index[0])} to {last}{unit} on {short_date(known.index[-1])}, {len(known)} nights"


def _feed_rows(feeds: pd.DataFrame, about: About) -> list[dict[str, Any]]:
    copies = {(missing.system, missing.feed): missing.old_copy_of for missing in about.sources_not_received}
    return [
        {
            "system": system_title(str(record["system"])),
            "feed": record["feed"],
            "status": titled(record["status"], FEED_STATUS),
            "is_accepted": not pd.isna(record["is_accepted"]) and bool(record["is_accepted"]),
            "reason": record["reason"] if isinstance(record["reason"], str) else "",
            "modified_at": record["modified_at"],
            "old_copy_of": copies.get((record["system"], record["feed"])),
            **{name: record[name] for name in ("rows", "accepted", "set_aside", "repeated", "previous_rows")},
        }
        for record in feeds.to_dict("records")
    ]


def _systems(rows: list[dict[str, Any]], health: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Per system: extracts on time, rows accepted and expectations met, over nights, and the expectations not met."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["code"] == _SOURCES and not row["is_heading"]:
            system, _, measure = row["part"].partition(": ")
            found.setdefault(system, {})[measure] = row
    unmet = pd.DataFrame(columns=["system"])
    if health is not None and len(health):
        unmet = in_words(health)[~health["is_met"].astype("boolean").fillna(False)]
        found = {str(system): found.get(str(system), {}) for system in [*found, *health["system"].unique()]}
    return [
        {
            "system": system_title(system),
            "measures": [measures.get(measure) for measure in _MEASURES],
            "unmet": unmet[unmet["system"] == system].to_dict("records"),
        }
        for system, measures in found.items()
    ]
