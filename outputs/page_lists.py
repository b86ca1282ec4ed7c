"""The lists of the page: which children matter most today, why, and since when. Frames in, rows out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from outputs.about import system_title
from outputs.page_figures import NO_TEAM
from outputs.wording import NEWS_TITLES, SEVERITY_TITLES, cohort_titles, told_detail

NOT_CONFIRMED = ("WH01", "WH06", "WH07", "SR08")


@dataclass(frozen=True)
class Shown:
    """A list of the page: its first rows, and how many there are in all."""

    key: str
    title: str
    intro: str
    rows: list[dict[str, Any]]
    total: int
    children: int
    total_words: str = ""
    empty: str = "Nobody tonight."
    extra: tuple[str, ...] = field(default=())

    @property
    def left_out(self) -> int:
        """How many rows are in the workbook only."""
        return self.total - len(self.rows)


def standing(exceptions: pd.DataFrame) -> pd.DataFrame:
    """The exceptions that stand tonight, those with most points first."""
    frame = exceptions[exceptions["status"] != "resolved"]
    frame = frame.assign(detail=told_detail(frame))
    return frame.sort_values(["priority", "child_id", "rule"], ascending=[False, True, True], kind="stable")


def rows_of(frame: pd.DataFrame, register: pd.DataFrame, top: int) -> list[dict[str, Any]]:
    """The first `top` exceptions as a page shows them."""
    facts = register.drop_duplicates("child_id").set_index("child_id")
    first = frame.head(top)
    joined = first[["child_id"]].join(
        facts[
            [
                name
                for name in (
                    "whereabouts_grade",
                    "seen_on",
                    "corroborated_on",
                    "recorded_on",
                    "active_plan",
                    "synergy_id",
                    "liquidlogic_id",
                    "capita_id",
                    "team",
                    "cohorts",
                )
                if name in facts
            ]
        ],
        on="child_id",
    )
    records = first.to_dict("records")
    return [_row(record, known) for record, known in zip(records, joined.to_dict("records"), strict=True)]


def _row(record: dict[Any, Any], known: dict[Any, Any]) -> dict[str, Any]:
    ids = [(system_title(system), known.get(f"{system}_id")) for system in ("synergy", "liquidlogic", "capita")]
    records = [f"{name} {number}" for name, number in ids if isinstance(number, str) and number]
    source, source_id = record.get("source"), record.get("source_id")
    if isinstance(source, str) and source and isinstance(source_id, str) and source_id:
        records = [f"{system_title(source)} {source_id}"]
    return {
        "child_id": _text(record["child_id"]) or "no child",
        "records": records,
        "severity": record["severity"],
        "severity_title": SEVERITY_TITLES.get(record["severity"], record["severity"]),
        "rule": record["rule"],
        "title": record["title"],
        "detail": _text(record.get("detail")),
        "why_first": _text(record.get("why_first")),
        "since": record.get("first_seen_on"),
        "age_days": None if pd.isna(record.get("age_days")) else int(record["age_days"]),
        "owner": _text(record.get("owner")) or "No owner",
        "news": NEWS_TITLES.get(_text(record.get("news")), ""),
        "on_old_data": _flag(record.get("on_old_data")),
        "has_plan": known.get("active_plan") == "Y",
        "seen_on": known.get("seen_on"),
        "corroborated_on": known.get("corroborated_on"),
        "recorded_on": known.get("recorded_on"),
        "team": _text(known.get("team")) or NO_TEAM,
        "cohorts": "|".join(cohort_titles(known.get("cohorts")).split(", ")) or "No visit cohort",
    }


def _text(value: object, limit: int = 240) -> str:
    text = value if isinstance(value, str) else ""
    return text if len(text) <= limit else f"{text[:limit]}… (in full in the workbook)"


def _flag(value: object) -> bool:
    return not pd.isna(value) and bool(value)


def list_of(
    key: str,
    title: str,
    intro: str,
    frame: pd.DataFrame,
    register: pd.DataFrame,
    rules: Collection[str],
    top: int,
    empty: str = "Nobody tonight.",
) -> Shown:
    """The standing exceptions of some rules as a list of the page: one line per child, its most serious one."""
    leads = _leads(frame, rules)
    return Shown(
        key,
        title,
        intro,
        rows_of(leads, register, top),
        len(leads),
        int(leads["child_id"].replace("", pd.NA).nunique()),
        empty=empty,
    )


def _leads(frame: pd.DataFrame, rules: Collection[str]) -> pd.DataFrame:
    own = frame[frame["rule"].isin(set(rules))]
    with_child = own["child_id"].notna() & (own["child_id"] != "")
    return pd.concat([own[with_child].drop_duplicates("child_id"), own[~with_child]])


#: The lists of the page: key, title, what it holds, and its rules.
_LISTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "nothing-in-place",
        "Awaiting, with nothing in place",
        "Marked as awaiting, or only a type of setting is named, and there is no open placement.",
        ("AW01",),
    ),
    (
        "interim-placement",
        "Awaiting, with an interim placement",
        "Awaiting another setting than the one where they are.",
        ("AW02",),
    ),
    (
        "no-education",
        "Of school age, in no education",
        "No open placement, home education or section 61 arrangement is recorded. Who is also marked as awaiting is counted there as well.",
        ("AW03",),
    ),
    (
        "no-placement",
        "No placement, or one that ended",
        "No placement was ever recorded, or the last one ended and none follows.",
        ("PL01", "PL02"),
    ),
    (
        "statutory-visits",
        "Visits overdue or never made",
        "Children in visit cohorts whose visit is late. Statutory visits come first.",
        ("VS01", "VS02"),
    ),
    (
        "overdue-reviews",
        "Reviews overdue or never held",
        "The review that was due by now is not complete. Most urgent first.",
        ("RV01", "RV02"),
    ),
    (
        "decisions",
        "Review decisions and amended plans overdue",
        "The meeting was held, and what had to follow has not.",
        ("RV03", "RV04", "RV05"),
    ),
    (
        "transfers",
        "Phase transfers missed or at risk",
        "No final plan names the next school or type yet.",
        ("RV08", "RV12"),
    ),
    (
        "assessments",
        "Assessments overdue",
        "Requests past six weeks without a decision to assess, and past twenty without an outcome.",
        ("PD05", "PD06"),
    ),
    (
        "issued-late",
        "Plans issued after 20 weeks",
        "They explain the figure of the last 12 months. Record an exception to the time limit where one applied.",
        ("PD04",),
    ),
    (
        "recorded-only",
        "Recorded only",
        "Somebody wrote down where the child is; nothing confirms it.",
        ("WH10",),
    ),
    (
        "placements",
        "Placements that cannot be relied on",
        "The setting is not identified, has closed, or two systems name different ones.",
        ("PL03", "PL04", "PL05", "PL06", "PL12", "PL13", "WH02", "WH08"),
    ),
)


#: The lists of what is overdue that are told owner by owner.
OVERDUE = ("overdue-reviews", "decisions", "assessments", "statutory-visits")


def overdue_by_owner(now: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many lines of each list of `OVERDUE` each owner has, by owner; they add up to the list."""
    rules = {key: codes for key, _, _, codes in _LISTS}
    sizes = pd.DataFrame({key: _leads(now, rules[key])["owner"].value_counts() for key in OVERDUE})
    return {str(owner): lines for owner, lines in sizes.fillna(0).astype("int64").to_dict("index").items()}


def lists_of(now: pd.DataFrame, register: pd.DataFrame, most: int) -> list[Shown]:
    """The lists of the page, `most` rows of each; the last holds the critical and high exceptions about records, whatever their rule."""
    lists = [list_of(key, title, intro, now, register, rules, most) for key, title, intro, rules in _LISTS]
    wrong = now[(now["kind"] == "record") & now["severity"].isin(["critical", "high"])]
    title, intro = "Records to put right", "The most serious thing wrong in each child's records."
    return [*lists, list_of("record-faults", title, intro, wrong, register, set(wrong["rule"]), most)]
