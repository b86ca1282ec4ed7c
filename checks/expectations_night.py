"""One night's expectations: which are asked of which feed, and what the answers say in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from checks.expectations_declared import (
    ANY,
    OF_A_FEED,
    OF_A_TABLE,
    Declarations,
    Declared,
    asked_columns,
    load_declarations,
    mapped_columns,
    table_check,
)
from checks.expectations_gx import Answer, Job
from config.profiles import Profile, load_profiles

#: Columns of the results: one row per expectation and feed. `value` is `observed` as a number: per cent, rows, days,
#: or percentage points for drift. `is_met` is missing where there was nothing to judge, or too little.
COLUMNS = {
    "system": "str",
    "feed": "str",
    "table": "str",
    "column": "str",
    "expectation": "str",
    "title": "str",
    "observed": "str",
    "wanted": "str",
    "value": "float64",
    "is_met": "boolean",
    "severity": "str",
}
FEED_UNITS = {"set_aside": " %", "repeated": " %", "steady": " %", "fresh": " days"}
Result = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """An expectation of one feed: what was declared, the feed, and whether its rows are an old copy."""

    declared: Declared
    system: str
    feed: str
    is_old: bool = False
    #: For what is asked of a feed: the measure, in the unit of the bound; missing where there is nothing to judge.
    measure: float = math.nan
    is_judged: bool = True


@dataclass
class Night:
    """What is asked tonight: jobs for Great Expectations, what stands behind each check, and what needs no asking."""

    declarations: Declarations
    previous: pd.DataFrame | None
    jobs: list[Job] = field(default_factory=list)
    asked: list[list[Asked]] = field(default_factory=list)
    known: list[Result] = field(default_factory=list)


def prepare(
    tables: Mapping[str, pd.DataFrame],
    feeds: pd.DataFrame,
    previous: pd.DataFrame | None,
    as_of: date | pd.Timestamp,
    config_dir: Path | None,
) -> Night:
    """Everything that is asked of a night. Needs no Great Expectations."""
    night = Night(load_declarations(config_dir), previous)
    profiles = load_profiles(config_dir)
    day = pd.Timestamp(as_of).normalize()
    feeds = feeds[feeds.is_expected.fillna(True).astype(bool)] if "is_expected" in feeds else feeds
    feeds = feeds.reset_index(drop=True)
    wanted: dict[tuple[str, str], list[Declared]] = {}
    for declared in night.declarations.expectations:
        if declared.expect in OF_A_TABLE:
            wanted.setdefault((declared.system, declared.table), []).append(declared)
    for (system, table), declared_here in wanted.items():
        _ask_table(night, profiles.get(system), table, declared_here, tables.get(table), feeds, day)
    _ask_feeds(night, profiles, feeds, day)
    return night


def _ask_table(
    night: Night,
    profile: Profile | None,
    table: str,
    declared_here: list[Declared],
    frame: pd.DataFrame | None,
    feeds: pd.DataFrame,
    day: pd.Timestamp,
) -> None:
    if profile is None:
        return
    names, columns = mapped_columns(profile, table)
    came = feeds[(feeds.system == profile.system) & feeds.feed.isin(names)]
    declared_here = [d for d in declared_here if not d.column or d.column in columns]
    if came.empty or not declared_here:
        return
    feed = "+".join(came.feed)
    is_old = not came.is_accepted.astype(bool).all()
    rows = frame[frame.source == profile.system] if frame is not None else None
    if rows is None or (rows.empty and is_old):
        night.known += [_result(d, profile.system, feed, "no accepted copy yet", math.nan, None) for d in declared_here]
        return
    if rows.empty:
        shares = [d for d in declared_here if d.expect != "rows"]
        night.known += [_result(d, profile.system, feed, "no rows", math.nan, None) for d in shares]
        declared_here = [d for d in declared_here if d.expect == "rows"]
    checks = [table_check(d, day) for d in declared_here]
    if checks:
        name = f"{profile.system} {table}"
        night.jobs.append(Job(name=name, frame=asked_columns(rows, checks), checks=checks))
        night.asked.append([Asked(d, profile.system, feed, is_old) for d in declared_here])


def _ask_feeds(night: Night, profiles: dict[str, Profile], feeds: pd.DataFrame, day: pd.Timestamp) -> None:
    """One check per kind for all feeds together: a row per feed, and how far inside its bound each feed is."""
    measures = _measures(feeds, day, night.declarations.judge_from)
    for kind in OF_A_FEED:
        bound = _bounds(night, profiles, feeds, kind)
        asked = [
            Asked(
                bound[place],
                system,
                feed,
                measure=float(measures[kind][place]),
                is_judged=bool(measures["enough"][place]),
            )
            for place, (system, feed) in enumerate(zip(feeds.system, feeds.feed, strict=True))
            if place in bound and not math.isnan(measures[kind][place])
        ]
        if not asked:
            continue
        inside = [a.measure - 1 if kind == "arrived" else (a.declared.at_most or 0) - a.measure for a in asked]
        frame = pd.DataFrame({"inside": pd.Series(inside, dtype="float64")})
        night.jobs.append(Job(name=f"feeds {kind}", frame=frame, checks=[_within("inside")]))
        night.asked.append(asked)


def _within(column: str) -> dict[str, Any]:
    return {"expect": "within", "column": column, "low": 0.0, "high": None}


def _bounds(night: Night, profiles: dict[str, Profile], feeds: pd.DataFrame, kind: str) -> dict[int, Declared]:
    """Which declaration holds for the feed at each place: its own table's before its system's before `any`."""
    found: dict[int, tuple[int, Declared]] = {}
    for declared in night.declarations.expectations:
        if declared.expect != kind:
            continue
        rank = (declared.system != ANY) + 2 * (declared.table != ANY)
        here = pd.Series(True, index=feeds.index) if declared.system == ANY else feeds.system == declared.system
        if declared.table != ANY:
            pairs = {(s, f) for s, p in profiles.items() for f in mapped_columns(p, declared.table)[0]}
            here &= pd.Series(
                [pair in pairs for pair in zip(feeds.system, feeds.feed, strict=True)], index=feeds.index, dtype=bool
            )
        for place in feeds.index[here]:
            if place not in found or rank > found[place][0]:
                found[place] = (rank, declared)
    return {place: declared for place, (_, declared) in found.items()}


def _measures(feeds: pd.DataFrame, day: pd.Timestamp, judge_from: int) -> dict[str, list[Any]]:
    """What each feed is measured by; missing where the feed was not accepted, so that `arrived` alone speaks."""
    accepted = feeds.is_accepted.astype(bool)
    rows = _number(feeds, "rows").where(accepted)
    before = _number(feeds, "previous_rows")
    newest = pd.to_datetime(feeds["newest_on"]) if "newest_on" in feeds else pd.Series(pd.NaT, index=feeds.index)
    return {
        "arrived": accepted.astype("float64").tolist(),
        "set_aside": (100 * _number(feeds, "set_aside") / rows.where(rows > 0)).tolist(),
        "repeated": (100 * _number(feeds, "repeated") / rows.where(rows > 0)).tolist(),
        "steady": (100 * (rows - before).abs() / before.where(before > 0)).tolist(),
        "fresh": (day - newest).dt.days.clip(lower=0).astype("float64").where(accepted).tolist(),
        "enough": (pd.concat([rows, before], axis=1).max(axis=1) >= judge_from).tolist(),
    }


def _number(feeds: pd.DataFrame, column: str) -> pd.Series:
    if column not in feeds:
        return pd.Series(math.nan, index=feeds.index)
    return pd.to_numeric(feeds[column]).astype("float64")


def read_answers(night: Night, answers: list[list[Answer]]) -> list[Result]:
    """The results of the jobs of a night, and what was known without asking."""
    found = list(night.known)
    for job, asked, given in zip(night.jobs, night.asked, answers, strict=True):
        if job["checks"][0]["expect"] == "within":
            outside = set(given[0]["failed"])
            found += [_read_feed(a, place not in outside) for place, a in enumerate(asked)]
        else:
            found += [
                _read_table(a, answer, night.declarations.judge_from) for a, answer in zip(asked, given, strict=True)
            ]
    return found


def _read_table(asked: Asked, answer: Answer, judge_from: int) -> Result:
    declared, value = asked.declared, answer["value"]
    if declared.expect == "rows":
        observed = f"{answer['rows']:,} rows"
    elif value is None:
        observed = "nothing filled in"
    else:
        # Rounded towards the fault, so that 97.96 never reads as the 98 it is not.
        observed = f"{math.floor(value * 10) / 10:.1f} % of {answer['rows']:,}"
    # With nothing at fault there is nothing to be too few for.
    too_few = declared.is_share and answer["rows"] < judge_from and value != 100
    observed += ", too few to judge" if too_few and value is not None else ""
    observed += " (old copy)" if asked.is_old else ""
    is_met = None if too_few else answer["is_met"]
    return _result(declared, asked.system, asked.feed, observed, math.nan if value is None else value, is_met)


def _read_feed(asked: Asked, is_met: bool) -> Result:
    declared, measure = asked.declared, asked.measure
    if declared.expect == "arrived":
        return _result(declared, asked.system, asked.feed, "accepted" if measure else "not accepted", measure, is_met)
    if declared.expect == "fresh":
        observed = f"{measure:,.0f} days"
    else:
        observed = f"{math.ceil(measure * 10) / 10:.1f} %"
    if declared.is_share and not asked.is_judged and measure:
        return _result(declared, asked.system, asked.feed, f"{observed}, too few rows to judge", measure, None)
    return _result(declared, asked.system, asked.feed, observed, measure, is_met)


def drift(night: Night, found: list[Result]) -> tuple[Job, list[Result]]:
    """What is compared with the last run: each completeness judged then and now, one row of the job for each."""
    limit = night.declarations.drop_points
    before: dict[tuple[str, ...], float] = {}
    if night.previous is not None:
        then = night.previous[night.previous.expectation.eq("complete") & night.previous.value.notna()]
        keys = zip(then.system, then.feed, then.table, then.column, strict=True)
        before = dict(zip(keys, then.value.astype(float), strict=True))
    compared = []
    for now in found:
        key = (now["system"], now["feed"], now["table"], now["column"])
        if now["expectation"] != "complete" or now["is_met"] is None or key not in before:
            continue
        change = now["value"] - before[key]
        compared.append(
            now
            | {
                "expectation": "drift",
                "title": f"{now['column']} is filled in as often as in the last run",
                "observed": f"{before[key]:.1f} % then, {now['value']:.1f} % now",
                "wanted": f"at most {limit:g} points less",
                "value": change,
                "severity": "warn",
            }
        )
    inside = pd.Series([limit + row["value"] for row in compared], dtype="float64")
    return Job(name="drift", frame=pd.DataFrame({"inside": inside}), checks=[_within("inside")]), compared


def read_drift(compared: list[Result], answer: Answer) -> list[Result]:
    """The rows of `drift` with the answer in them."""
    outside = set(answer["failed"])
    return [row | {"is_met": place not in outside} for place, row in enumerate(compared)]


def _result(declared: Declared, system: str, feed: str, observed: str, value: float, is_met: bool | None) -> Result:
    return {
        "system": system,
        "feed": feed,
        "table": "" if declared.table == ANY else declared.table,
        "column": declared.column,
        "expectation": declared.expect,
        "title": declared.title,
        "observed": observed,
        "wanted": declared.wanted,
        "value": value,
        "is_met": is_met,
        "severity": declared.severity,
    }
