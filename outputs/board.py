"""What a board reads of a night: the same figures as everybody's, without a child in them.

Counts only. None of 1 to 4 children can be read or worked out (`outputs.suppress`): counts that add up to a total on the same sheet are kept
back together, and a child with a restricted address is in no line about places, but with those not recorded. The page for the board and the
pack on paper are both made from this.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from outputs import charts
from outputs.about import About
from outputs.page_figures import NOT_RECORDED, awaiting_by_days, counts, longest, reviews_by_month, reviews_overdue
from outputs.page_kpis import kpi_rows
from outputs.page_lists import NOT_CONFIRMED, lists_of, standing
from outputs.page_sections import SOURCES, figure_of, systems_of
from outputs.protect import restricted_children
from outputs.render import write_page
from outputs.suppress import THRESHOLD, in_words, is_few, suppressed
from outputs.wording import SETTING_CODES

Rows = list[dict[str, Any]]
#: Why whereabouts are not confirmed; a child is told under the first that applies, so that the reasons add up.
_REASONS = (
    ("WH06", "missing: an open missing episode"),
    ("WH07", "missing from education: an open case"),
    ("SR08", "vanished from a system's extract, unexplained"),
    ("WH01", "nothing in any system confirms where they are"),
)


@dataclass(frozen=True)
class Board:
    """A night for a board. Rows carry ``name``, ``words`` (the count as it may be told) and ``share`` (0 to 1, None where kept back)."""

    about: About
    plans: int
    whereabouts: dict[str, Any]
    tiles: Rows
    kpis: Rows
    overdue: Rows
    months: Rows
    awaiting: Rows
    provision: Rows
    authority: Rows
    types: Rows
    concerns: Rows
    systems: Rows

    @property
    def rated(self) -> dict[str, int]:
        """How many figures are green, amber and red."""
        ratings = [row["rag"] for row in self.kpis if not row["is_heading"] and row["rag"]]
        return {rag: ratings.count(rag) for rag in ("red", "amber", "green")}


def for_board(
    figures: pd.DataFrame,
    exceptions: pd.DataFrame,
    register: pd.DataFrame,
    health: pd.DataFrame | None,
    trend: pd.DataFrame | None,
    about: About,
    comparators: pd.DataFrame | None = None,
) -> Board:
    """The night as a board reads it, from the same frames as the page (`outputs.page.write_report`). Every frame may be empty."""
    as_of = pd.Timestamp(about.as_of)
    rows = kpi_rows(figures, trend, as_of, comparators=comparators, is_board=True)
    active = register[register["active_plan"] == "Y"]
    now = standing(exceptions)
    restricted = restricted_children(active)
    placed = active.mask(restricted, other=pd.NA)
    # Beside the figure on placements recorded, "not recorded" would tell how many they are: few are kept back with another line.
    without = {NOT_RECORDED} if is_few(int(restricted.sum())) else set()
    months, later, undated = reviews_by_month(active, as_of)
    ahead = [*months, {"name": "Later", "number": later}, {"name": "No due date", "number": undated}]
    reviews = told([*reviews_overdue(active, as_of), *ahead])
    whereabouts = _whereabouts(figures, now, active)
    return Board(
        about,
        len(active),
        whereabouts,
        _tiles(rows, whereabouts, reviews[:4], len(active)),
        [row for row in rows if row["code"] != SOURCES],
        reviews[:4],
        reviews[4:],
        told(awaiting_by_days(active)),
        told(counts(placed["provision_type"]), without),
        told(
            counts(placed["in_authority"], {"Y": "In this authority", "N": "In another authority"}, ["Y", "N"]), without
        ),
        told(longest(_types(placed), 9), without),
        _concerns(now, register),
        systems_of(rows, health),
    )


def write_board_page(path: Path, board: Board) -> None:
    """Write `board.html`: self-contained as the staff's page is. Raises OSError where the file cannot be written."""
    write_page(path, "board.html.j2", board=board, bar=charts.bar)


def told(rows: Rows, without: Collection[str] = ()) -> Rows:
    """Counts that add up to a total, with ``words`` and ``share``: what must be kept back says so and has no share.

    `without` names lines that are kept back whatever they come to.
    """
    numbers = pd.Series([row["number"] for row in rows], dtype="int64")
    hidden = suppressed(numbers, also=pd.Series([row["name"] in without for row in rows], dtype="bool"))
    most = int(numbers[~hidden].max()) if (~hidden).any() else 0
    return [
        {
            "name": row["name"],
            "words": in_words(row["number"], kept_back),
            "share": None if kept_back else row["number"] / (most or 1),
            "number": None if kept_back else row["number"],
        }
        for row, kept_back in zip(rows, hidden, strict=True)
    ]


def _types(placed: pd.DataFrame) -> Rows:
    if "setting_type" not in placed:
        return []
    code = placed["setting_code"].where(placed["setting_code"] != "")
    return counts(placed["setting_type"].where(placed["setting_type"] != "").fillna(code), SETTING_CODES)


def _whereabouts(figures: pd.DataFrame, now: pd.DataFrame, active: pd.DataFrame) -> dict[str, Any]:
    own = now[now["rule"].isin(NOT_CONFIRMED) & now["child_id"].isin(active["child_id"])]
    order = {rule: place for place, (rule, _) in enumerate(_REASONS)}
    first = own.assign(_order=own["rule"].map(order)).sort_values("_order", kind="stable").drop_duplicates("child_id")
    number = figure_of(figures, "K05", "numerator")
    number = len(first) if number is None else number
    reasons = told([{"name": name, "number": int((first["rule"] == rule).sum())} for rule, name in _REASONS])
    recorded = figure_of(figures, "K05", "numerator", "recorded_only") or 0
    return {
        "number": number,
        "words": in_words(number),
        "reasons": [reason for reason in reasons if reason["words"] != "0"] if number >= THRESHOLD else [],
        "recorded_only": in_words(recorded) if recorded else "",
    }


def _tiles(rows: Rows, whereabouts: dict[str, Any], overdue: Rows, plans: int) -> Rows:
    by_line = {(row["code"], row["part"]): row for row in rows if not row["is_heading"]}
    nothing, accurate = by_line.get(("K07", "nothing_in_place")), by_line.get(("K09", ""))
    reviewed, visits = by_line.get(("K01", "")), by_line.get(("K06", "looked_after"))
    tiles: Rows = [{"number": f"{plans:,}", "label": "children with an EHC plan", "note": "", "tone": ""}]
    bad = whereabouts["number"]
    tiles.append(
        {
            "number": whereabouts["words"],
            "label": "whereabouts not confirmed",
            "note": "the target is 0",
            "tone": "bad" if bad else "good",
        }
    )
    if nothing:
        tone = "bad" if nothing["numerator"] else "good"
        tiles.append(
            {
                "number": nothing["number_words"],
                "label": "awaiting, nothing in place",
                "note": "no placement that works today",
                "tone": tone,
            }
        )
    for row, label in (
        (reviewed, "reviewed within 12 months"),
        (visits, "looked after, visited in time"),
        (accurate, "of records can be believed"),
    ):
        if row:
            tone = {"red": "bad", "green": "good"}.get(row["rag"], "")
            tiles.append(
                {"number": row["value_words"], "label": label, "note": f"target {row['target_words']}", "tone": tone}
            )
    return tiles


def _concerns(now: pd.DataFrame, register: pd.DataFrame) -> Rows:
    """The lists that the staff work through, the longest first: how many children are on each. They overlap and add up to nothing.

    Who awaits, with nothing or an interim placement, and whose plan was late without an exception, is told by the figures alone: with their other part each adds
    up to a total that is shown.
    """
    told_alone = ("nothing-in-place", "interim-placement", "issued-late")
    lists = [shown for shown in lists_of(now, register, 0) if shown.children and shown.key not in told_alone]
    return [
        {"name": shown.title, "about": shown.intro, "words": in_words(shown.children), "number": shown.children}
        for shown in sorted(lists, key=lambda shown: -shown.children)
    ]
