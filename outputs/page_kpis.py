"""The key figures as rows that people read: value, range, target, rating, course over nights, direction of travel and what others come to.

One place for the page, its board edition and the packs, so that a figure is told in the same words everywhere. In an edition for the board
what must not be read or worked out is kept back (`outputs.suppress`).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs import charts
from outputs.figures import RAG_WORDS, judged, moved, nights_of, old_words, travelled
from outputs.suppress import HIDDEN, in_words, is_few, is_small, suppressed
from outputs.wording import LINES_IN_DAYS, LINES_IN_PERCENT, counted, line_title, percent, short_date, whole

#: The list of the page that stands behind a figure, and behind one of its lines.
LISTS = {
    "K01": "overdue-reviews",
    "K02": "record-faults",
    "K03": "placements",
    "K04": "placements",
    "K05": "who",
    "K06": "statutory-visits",
    "K07": "nothing-in-place",
    "K08": "who",
    "K09": "record-faults",
    "K10": "audited",
    "K11": "issued-late",
    "K12": "assessments",
    "K13": "decisions",
    "K14": "decisions",
    "K15": "transfers",
    "K16": "settings-away",
    "K18": "placements",
}
_LINE_LISTS = {"recorded_only": "recorded-only", "interim": "interim-placement"}
_SPANS = (("previous", "the night before"), ("month", "last month"), ("quarter", "last quarter"))


def kpi_rows(
    figures: pd.DataFrame,
    trend: pd.DataFrame | None,
    as_of: pd.Timestamp,
    nights: int = 31,
    comparators: pd.DataFrame | None = None,
    is_board: bool = False,
) -> list[dict[str, Any]]:
    """The figures in order, a heading before the lines of a figure that has no line of its own; `nights` are those of the small picture.

    `comparators` has ``code``, ``line``, ``area``, ``kind``, ``year`` and ``value``. With `is_board` counts that tell of 1 to 4 children are
    kept back, on every night of the picture as well.
    """
    if figures.empty:
        return []
    every = nights_of(trend, figures, as_of)
    frame = travelled(moved(judged(figures), every, as_of), every, as_of)
    recent = sorted(every["as_of"].unique())[-nights:]
    hidden = pd.Series(False, index=frame.index)
    if is_board:
        hidden = kept_back(frame)
        compared = [frame["month_on"].max(), frame["quarter_on"].max()]
        every = every[every["as_of"].isin([*recent, *compared])]
        unread = pd.concat([kept_back(group) for _, group in every.groupby("as_of")])
        every = every.assign(**{name: every[name].mask(unread) for name in ("numerator", "value")})
        frame = _travel_of_told(figures, every, hidden, as_of)
    lines = {key: group.set_index("as_of") for key, group in every.groupby(["code", "line"])}
    others = _compared(comparators)
    wholes = set(frame.loc[frame["line"] == "", "code"])
    frame = frame.assign(
        _first=frame.groupby("code", sort=False).ngroup(), _part=(frame["line"] != ""), is_hidden=hidden
    )
    # The four counts of each visit cohort stand in the section on visits.
    shown = frame[~((frame["code"] == "K06") & frame["line"].str.contains(": "))]
    rows: list[dict[str, Any]] = []
    for record in shown.sort_values(["_first", "_part"], kind="stable").to_dict("records"):
        if record["code"] not in wholes:
            wholes.add(record["code"])
            old = old_words(record.get("old_sources"))
            rows.append({"is_heading": True, "code": record["code"], "title": record["title"], "old_words": old})
        history = lines[(record["code"], record["line"])].reindex(recent)
        rows.append(_row(record, history, others.get((record["code"], record["line"]), []), is_board))
    return rows


def _travel_of_told(figures: pd.DataFrame, every: pd.DataFrame, hidden: pd.Series, as_of: pd.Timestamp) -> pd.DataFrame:
    """Judged and with its direction of travel, told only between two figures that are both told."""
    frame = travelled(moved(judged(figures), every, as_of), every, as_of)
    gone = ["previous_numerator", "previous_value", "change"]
    gone += [f"{span}_{part}" for span in ("month", "quarter") for part in ("numerator", "value", "change")]
    frame[gone] = frame[gone].mask(hidden, axis=0)
    return frame


def _row(record: dict[Any, Any], history: pd.DataFrame, others: list[dict[str, Any]], is_board: bool) -> dict[str, Any]:
    in_days = record["line"] in LINES_IN_DAYS
    told_by_value = in_days or record["line"] in LINES_IN_PERCENT
    is_count = not told_by_value and bool(record.get("is_down"))
    by_number = is_count or (not told_by_value and pd.isna(record["value"]))
    is_hidden = bool(record["is_hidden"])
    # A figure of nobody has no course; nor has, for a board, a wait of few children.
    is_mute = not record["denominator"] or (is_board and in_days and is_few(record["denominator"]))
    is_kept_back = is_hidden or (is_mute and bool(record["denominator"]))
    course = history["numerator" if by_number else "value"]
    course = course.mask(history["denominator"].eq(0) | is_mute)
    target = None if pd.isna(record["target"]) or in_days else float(record["target"])
    england = next((other["value"] for other in others if other["kind"] == "england"), None)
    kept = ("code", "title", "numerator", "denominator", "value", "not_judged", "rag", "definition")
    return {
        **{name: record[name] for name in kept},
        "is_heading": False,
        "part": record["line"],
        "line": line_title(record["line"]),
        "number_words": _number(record, is_board, in_days),
        "not_judged_words": in_words(record["not_judged"]) if is_board else whole(record["not_judged"]),
        "of_words": _of(record, is_board),
        "rag_word": RAG_WORDS[record["rag"]],
        "old_words": old_words(record.get("old_sources")),
        "target_words": _target(record["target"], is_count),
        "value_words": HIDDEN if is_kept_back else _value(record, in_days, is_count),
        "range_words": "" if is_hidden else _range(record, by_number, is_board),
        "change": "" if is_mute else _change(record, "previous", by_number, in_days),
        "travel": [
            {"since": name, "on": record.get(f"{span}_on"), "words": _change(record, span, by_number, in_days)}
            for span, name in _SPANS[1:]
            if not is_mute
        ],
        "others": others,
        "list": _LINE_LISTS.get(record["line"], LISTS.get(record["code"], "")),
        "course": [None if pd.isna(value) else float(value) for value in course],
        "spark": charts.sparkline(
            course.tolist(),
            _spark_words(course, by_number, in_days),
            target=target,
            other=None if by_number else england,
            nothing=HIDDEN if is_kept_back else _why_none(record),
        ),
    }


def kept_back(frame: pd.DataFrame) -> pd.Series:
    """Which lines of one night a board must not read: those that tell of 1 to 4 children, and those from which such a line could be had.

    A line tells of few where few meet it, few do not, few are counted, or few of all children with a plan are not counted. Where nothing is in
    place and interim placement add up to all who wait, and plans with and without an exception to all plans issued, one is not told alone.
    """
    numerator, denominator = (
        pd.to_numeric(frame[name]).astype("Float64").astype("float64") for name in ("numerator", "denominator")
    )
    code, line = frame["code"], frame["line"].fillna("")
    plans = denominator[(code == "K02") & (line == "")].max()
    of_plans = code.isin(["K01", "K03", "K18"])
    hidden = is_small(numerator) | is_small(denominator) | is_small(denominator - numerator)
    hidden |= of_plans & is_small(plans - denominator)
    waiting = (code == "K07") & line.isin(["nothing_in_place", "interim"])
    hidden.loc[waiting[waiting].index] |= suppressed(numerator[waiting])
    issued = code == "K11"
    for counts in (numerator, denominator):
        by_line = dict(zip(line[issued], counts[issued], strict=True))
        apart = by_line.get("with_exceptions", 0) - by_line.get("without_exceptions", 0)
        hidden |= issued & (line == "without_exceptions") & is_few(apart)
    # Who is in the numerator of K03 is the denominator of K04.
    if hidden[(code == "K03") & (line == "")].any():
        hidden |= code == "K04"
    about_children = ~code.isin(["K16", "K17"]) & ~line.isin(list(LINES_IN_DAYS))
    return (hidden & about_children).astype(bool)


def _why_none(record: dict[Any, Any]) -> str:
    if record["denominator"]:
        return "no figure yet"
    return "not judged" if record["not_judged"] else "none to count"


def _number(record: dict[Any, Any], is_board: bool, in_days: bool) -> str:
    if not is_board:
        return whole(record["numerator"])
    return "–" if in_days else in_words(record["numerator"], bool(record["is_hidden"]))


def _of(record: dict[Any, Any], is_board: bool) -> str:
    """The denominator; a board does not read how many wait, since those with nothing in place and those with something add up to it."""
    if not is_board:
        return whole(record["denominator"])
    if record["code"] == "K07" and record["line"] not in ("nothing_in_place", "interim"):
        return "–"
    return in_words(record["denominator"], bool(record["is_hidden"]) and record["code"] in ("K01", "K03", "K04", "K18"))


def _compared(comparators: pd.DataFrame | None) -> dict[tuple[str, str], list[dict[str, Any]]]:
    if comparators is None or comparators.empty:
        return {}
    told = comparators.assign(words=comparators["value"].map(percent))
    return {key: group.to_dict("records") for key, group in told.groupby(["code", "line"], sort=False)}


def _value(record: dict[Any, Any], in_days: bool, is_count: bool) -> str:
    if pd.isna(record["value"]):
        return "–"
    if in_days:
        return f"{record['value']:,.0f} days"
    if is_count:
        return counted(int(record["numerator"]), "child", "children")
    return percent(record["value"], is_exact=record["numerator"] in (0, record["denominator"]))


def _range(record: dict[Any, Any], by_number: bool, is_board: bool) -> str:
    """``between 3 and 58``; nothing where nothing is in doubt."""
    if not record["denominator"] or pd.isna(record.get("best", pd.NA)) or not record.get("in_doubt"):
        return ""
    if is_board and is_few(record["in_doubt"]):
        return ""
    if by_number:
        low, high = sorted(int(record[name]) for name in ("best_numerator", "worst_numerator"))
        if is_board and is_small(pd.Series([low, high])).any():
            return f"at most {high:,}" if high >= 5 else ""
        return f"between {low:,} and {high:,}" if low != high else ""
    bottom, top = sorted(float(record[name]) for name in ("best", "worst"))
    return "" if bottom == top else f"between {percent(bottom)} and {percent(top)}"


def _target(target: object, is_count: bool) -> str:
    return "–" if pd.isna(target) else f"{float(target):g}" + ("" if is_count else "%")  # type: ignore[arg-type]


def _change(record: dict[Any, Any], span: str, by_number: bool, in_days: bool) -> str:
    """How the figure moved since the night it is compared with, and whether that is better."""
    points = record["change"] if span == "previous" else record[f"{span}_change"]
    step = record["numerator"] - record[f"{span}_numerator"] if by_number else points
    if pd.isna(step):
        return ""
    step = round(float(step), 0 if by_number else 1)
    if step == 0:
        return "no change"
    size = (
        f"{abs(step):,.0f}" if by_number else counted(int(abs(step)), "day") if in_days else f"{abs(step):.1f} points"
    )
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
