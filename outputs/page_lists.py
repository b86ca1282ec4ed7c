"""The lists of the page: which children matter most today, why, and since when. Frames in, rows out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from outputs.about import system_title
from outputs.wording import SEVERITY_TITLES, plain_detail

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
    frame = frame.assign(detail=plain_detail(frame["detail"]))
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
        "is_new": _flag(record.get("is_new")),
        "on_old_data": _flag(record.get("on_old_data")),
        "has_plan": known.get("active_plan") == "Y",
        "seen_on": known.get("seen_on"),
        "corroborated_on": known.get("corroborated_on"),
        "recorded_on": known.get("recorded_on"),
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
    own = frame[frame["rule"].isin(set(rules))]
    with_child = own["child_id"].notna() & (own["child_id"] != "")
    leads = pd.concat([own[with_child].drop_duplicates("child_id"), own[~with_child]])
    return Shown(
        key,
        title,
        intro,
        rows_of(leads, register, top),
        len(leads),
        int(own.loc[with_child, "child_id"].nunique()),
        empty=empty,
    )
