"""The counts of the page that are not KPIs: bands, months and cohorts. Every breakdown adds up to the total beside
it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from outputs import charts
from outputs.about import system_title
from outputs.protect import RESTRICTED
from outputs.wording import (
    COHORTS,
    FAMILIES,
    GRADES,
    LINES,
    SETTING_CODES,
    SEVERITIES,
    WAITING_BANDS,
    band,
    titled,
)

Rows = list[dict[str, Any]]
#: The line of a breakdown for children of whom nothing is recorded.
NOT_RECORDED = "Not recorded"
#: The team of a child without one; and the line for restricted children, of whom nothing is shown that could tell where they are.
NO_TEAM, NOT_SHOWN = "No social care team", "Restricted: not shown"
_OVERDUE = ((3, "Up to 3 months"), (6, "3 to 6 months"), (12, "6 to 12 months"))


def counts(values: pd.Series, titles: dict[str, str] | None = None, order: list[str] | None = None) -> Rows:
    """How many of each value (name, number, share), the most first or in `order`; not recorded last; adds up to all."""
    words = values.astype("object").where(values.notna() & (values != ""), None)
    sizes = words.value_counts()
    names = [name for name in (order or []) if name in sizes.index] if order else list(sizes.index)
    names += [name for name in sizes.index if name not in names]
    missing = int(words.isna().sum())
    rows = [{"name": titled(name, titles or {}), "number": int(sizes[name])} for name in names]
    if missing:
        rows.append({"name": NOT_RECORDED, "number": missing})
    return _with_shares(rows)


def _with_shares(rows: Rows) -> Rows:
    total, most = sum(row["number"] for row in rows) or 1, max((row["number"] for row in rows), default=0) or 1
    for row in rows:
        row["share"] = row["number"] / total
        row["bar"] = charts.bar(row["number"] / most, row.get("css", ""))
    return rows


def reviews_by_month(active: pd.DataFrame, as_of: pd.Timestamp, months: int = 12) -> tuple[Rows, int, int]:
    """Reviews due in this month and the months ahead; how many later; how many have no due date."""
    due = pd.to_datetime(active["next_review_due_on"])
    ahead = due[due >= as_of].dt.to_period("M")
    first = as_of.to_period("M")
    wanted = [first + step for step in range(months)]
    sizes = ahead.value_counts()
    rows = [{"name": f"{month.strftime('%b')} {month.year}", "number": int(sizes.get(month, 0))} for month in wanted]
    return rows, int((ahead > wanted[-1]).sum()), int(due.isna().sum())


def reviews_overdue(active: pd.DataFrame, as_of: pd.Timestamp) -> Rows:
    """Overdue reviews by how long, in calendar months: the bands of the rule that raises them."""
    due = pd.to_datetime(active["next_review_due_on"])
    late = due[due < as_of]
    rows, counted = [], pd.Series(False, index=late.index)
    for upper, name in _OVERDUE:
        within = ~counted & (late >= as_of - pd.DateOffset(months=upper))
        rows.append({"name": name, "number": int(within.sum()), "css": "late"})
        counted |= within
    rows.append({"name": "Over 12 months", "number": int((~counted).sum()), "css": "late"})
    return _with_shares(rows)


def overdue_by_team(register: pd.DataFrame, advice: Collection[str], as_of: pd.Timestamp) -> Rows:
    """What is overdue by the social care team that works with the child (``team``): annual reviews, visits, and advice in assessments.

    `advice` are the children whose advice should be in. Every column adds up to the number on the page's tile; without a team last.
    """
    team = register.set_index("child_id")["team"]
    active = register[register["active_plan"] == "Y"]
    late = {
        "reviews": active.loc[pd.to_datetime(active["next_review_due_on"]) < as_of, "child_id"],
        "visits": active.loc[pd.to_datetime(active["visit_due_on"]) < as_of, "child_id"],
        "advice": pd.Series(sorted(advice), dtype="str"),
    }
    sizes = pd.DataFrame({name: who.map(team).fillna(NO_TEAM).value_counts() for name, who in late.items()})
    sizes = sizes.fillna(0).astype("int64").sort_index()
    last = [name for name in (NOT_SHOWN, NO_TEAM) if name in sizes.index]
    return [
        {"name": name, **{str(part): int(number) for part, number in numbers.items()}}
        for name, numbers in sizes.reindex([*sizes.index.drop(last), *last]).to_dict("index").items()
    ]


def awaiting_by_days(active: pd.DataFrame) -> Rows:
    """Children awaiting provision by days waited: with nothing in place, and with an interim placement."""
    waiting = active[active["awaiting"].isin(["nothing_in_place", "interim"])]
    bands = band(waiting["waiting_days"], WAITING_BANDS)
    rows: Rows = []
    for name in [*(label for _, label in WAITING_BANDS), NOT_RECORDED]:
        own = waiting[bands == name]
        nothing = int((own["awaiting"] == "nothing_in_place").sum())
        if len(own) or name != NOT_RECORDED:
            rows.append({"name": name, "nothing": nothing, "interim": len(own) - nothing, "number": len(own)})
    most = max((row["number"] for row in rows), default=0) or 1
    for row in rows:
        row["bar"] = charts.stacked(
            [
                (row["nothing"], "late", "nothing in place"),
                (row["interim"], "soft", "interim placement"),
                (most - row["number"], "none", ""),
            ],
            f"{row['nothing']} with nothing in place, {row['interim']} with an interim placement",
        )
    return rows


_STATES = (("never_seen", "late"), ("overdue", "late"), ("in_interval", "soft"), ("first_not_due", "none"))


def visits_by_cohort(figures: pd.DataFrame) -> Rows:
    """The four counts of each visit cohort, as the KPI on visits gives them; they add up to the cohort."""
    own = figures[figures["code"] == "K06"].assign(line=figures["line"].fillna(""))
    numerators = own.set_index("line")["numerator"].to_dict()
    rows: Rows = []
    for line, size in own.loc[~own["line"].str.contains(": "), ["line", "denominator"]].itertuples(index=False):
        number = {state: int(numerators.get(f"{line}: {state}", 0)) for state, _ in _STATES}
        number["in_interval"] = int(numerators[line])
        words = ", ".join(f"{number[state]} {titled(state, LINES)}" for state, _ in _STATES)
        parts = [(number[state], css, titled(state, LINES)) for state, css in _STATES]
        rows.append({"name": titled(line, COHORTS), **number, "number": int(size), "bar": charts.stacked(parts, words)})
    return rows


def visits_soon(active: pd.DataFrame, as_of: pd.Timestamp, days: int = 28) -> int:
    """How many children's next visit is due from the night on, within so many days."""
    due = pd.to_datetime(active["visit_due_on"])
    return int(((due >= as_of) & (due <= as_of + pd.Timedelta(days=days))).sum())


def where_children_are(active: pd.DataFrame) -> dict[str, Rows]:
    """Children with a plan by provision, type and authority of the setting, and by how sure we are of where they are; those placed in another
    authority by which (``setting_la_name``, where the frame has it).
    """
    hidden = {RESTRICTED: NOT_SHOWN}
    away = active[active["in_authority"] == "N"]
    types: Rows = []
    if "setting_type" in active:
        code = active["setting_code"].where(active["setting_code"] != "")
        types = counts(active["setting_type"].where(active["setting_type"] != "").fillna(code), SETTING_CODES | hidden)
    return {
        "provision": counts(active["provision_type"], hidden),
        "types": longest(types, 12),
        "authority": counts(
            active["in_authority"],
            {"Y": "In this authority", "N": "In another authority"} | hidden,
            ["Y", "N", RESTRICTED],
        ),
        "elsewhere": longest(counts(away["setting_la_name"]), 8) if "setting_la_name" in active else [],
        "grades": counts(
            active["whereabouts_grade"], GRADES, ["missing", "not_known", "recorded", "corroborated", "seen"]
        ),
    }


def longest(rows: Rows, most: int) -> Rows:
    """The first lines and one for all the others, so that it still adds up."""
    if len(rows) <= most + 1:
        return rows
    named = [row for row in rows if row["name"] != NOT_RECORDED]
    unnamed = [row for row in rows if row["name"] == NOT_RECORDED]
    others = {"name": f"{len(named) - most} others", "number": sum(row["number"] for row in named[most:])}
    return _with_shares([*named[:most], others, *unnamed])


def not_believed(standing: pd.DataFrame) -> tuple[list[str], Rows]:
    """Exceptions about the record, by what they are about and by the system at fault; adds up both ways."""
    record = standing[standing["kind"] == "record"]
    family = record["rule"].astype("str").str[:2]
    source = (
        record["source"]
        .fillna("")
        .astype("str")
        .map(lambda system: system_title(system) if system else "Between systems")
    )
    table = pd.crosstab(family, source)
    order = ["Synergy", "Liquidlogic", "Capita"]
    systems = [name for name in order if name in table.columns]
    systems += [name for name in table.columns if name not in order and name != "Between systems"]
    systems += ["Between systems"] if "Between systems" in table.columns else []
    most = int(table.to_numpy().max()) if table.size else 1
    rows = []
    for code in table.index:
        cells = [int(table.loc[code, system]) for system in systems]
        children = int(record.loc[family == code, "child_id"].nunique())
        shades = [0 if not number else 1 + round(3 * number / most) for number in cells]
        rows.append(
            {
                "name": titled(code, FAMILIES),
                "cells": list(zip(cells, shades, strict=True)),
                "number": sum(cells),
                "children": children,
            }
        )
    return systems, sorted(rows, key=lambda row: -row["number"])


def since_yesterday(exceptions: pd.DataFrame) -> Rows:
    """New and resolved exceptions by severity, and how many stand."""
    resolved = exceptions["status"] == "resolved"
    new = exceptions["is_new"].fillna(False).astype(bool) & ~resolved
    rows = []
    for severity in SEVERITIES:
        own = exceptions["severity"] == severity
        rows.append(
            {
                "severity": severity,
                "new": int((own & new).sum()),
                "resolved": int((own & resolved).sum()),
                "number": int((own & ~resolved).sum()),
            }
        )
    return rows
