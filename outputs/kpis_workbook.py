"""`kpis.xlsx`: the figures, how each is defined, and every night's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import Cover, column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.figures import RAG_WORDS, arrivals, judged, moved, nights_of, old_words, travelled
from outputs.linking import write_linking
from outputs.sheets import Book, Column, write_list
from outputs.wording import BREAKDOWNS, LINES_IN_DAYS, category_titles, line_title, short_date

TITLE = "Key figures"

_NAMED = (
    Column("code", "Code", 7, "text", "the KPI's code; it never changes meaning"),
    Column("title", "Figure", 28, "wrapped", "the KPI in a few words"),
    Column("line_title", "Part", 26, "wrapped", "the cohort, system or part; empty for the KPI itself"),
)
COLUMNS = (
    *_NAMED,
    Column("numerator", "Numerator", 11, "number", "how many meet it"),
    Column("denominator", "Denominator", 12, "number", "of how many"),
    Column(
        "value",
        "Value",
        9,
        "figure",
        "numerator as a percentage of denominator, or days where the part says so; empty where the denominator is 0",
    ),
    Column(
        "not_judged", "Not judged", 10, "number", "how many could not be judged, because a date or a source was missing"
    ),
    Column(
        "target", "Target", 9, "target", "the council's target: per cent, or a number of children where less is better"
    ),
    Column("rag", "Rating", 10, "rag", "Green on target, Amber near, Red off; by the thresholds that the council set"),
    Column(
        "old_words",
        "Rests on",
        18,
        "wrapped",
        "the earlier copy that stands in for an extract which did not arrive; empty where all that the figure rests on is tonight's",
    ),
    Column("in_doubt", "In doubt", 9, "number", "how many an open exception puts in doubt, or could not be judged"),
    Column("best", "At best", 9, "figure", "the value if all that is in doubt turns out well"),
    Column("worst", "At worst", 9, "figure", "the value if all that is in doubt turns out badly"),
    Column("previous_value", "Night before", 9, "figure", "the value on the latest earlier night"),
    Column("change", "Change", 9, "points", "in percentage points since then"),
    Column(
        "month_change", "Since last month", 9, "points", "in percentage points since the last night of the month before"
    ),
    Column("quarter_change", "Since last quarter", 9, "points", "the same since the last night of the quarter before"),
    # On paper the sheet of definitions tells it.
    Column("definition", "Definition", 70, "wrapped", "what is counted", is_printed=False),
)
_BREAKDOWNS = (
    *_NAMED,
    Column("by", "By", 16, "text", "what the figure is broken down by"),
    Column("category", "Category", 34, "wrapped", "the categories of one breakdown add up to the figure"),
    Column("numerator", "Numerator", 11, "number"),
    Column("denominator", "Denominator", 12, "number"),
    Column("value", "Value", 9, "figure"),
)
_DEFINITIONS = (
    Column("code", "Code", 8),
    Column("title", "Figure", 34, "wrapped"),
    Column("definition", "What is counted", 80, "wrapped"),
    Column("target", "Target", 9, "target"),
)
_EVERY_NIGHT = (
    Column("as_of", "Night", 12, "date"),
    *_NAMED,
    Column("numerator", "Numerator", 11, "number"),
    Column("denominator", "Denominator", 12, "number"),
    Column("value", "Value", 9, "figure"),
    Column("short", "Not arrived in time", 34, "wrapped"),
)
#: A sheet is wide enough for a quarter of nights and still fit to read, and a page for ten; the list of every night holds the others.
_NIGHTS_ACROSS, _NIGHTS_PRINTED = 92, 10
_RANGE = ("in_doubt", "best", "worst")


def write_kpis(
    path: Path,
    kpis: pd.DataFrame,
    about: About,
    trend: pd.DataFrame | None = None,
    breakdowns: pd.DataFrame | None = None,
    linking: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> None:
    """Write the KPI workbook.

    `kpis` is the KPI frame of the night; `trend` the same figures of earlier nights (``as_of``, ``code``, ``line``,
    ``numerator``, ``denominator``, ``value``); `breakdowns` each figure by what is known of the children (``code``, ``line``, ``by``,
    ``category``, ``numerator``, ``denominator``, ``value``); `linking` how well tonight linked and how earlier nights did (`outputs.linking`). Raises OSError where the file cannot be written.
    """
    as_of = pd.Timestamp(about.as_of)
    every = nights_of(trend, kpis, as_of)
    figures = travelled(moved(judged(kpis), every, as_of), every, as_of)
    figures = _described(figures.assign(**{name: pd.NA for name in _RANGE if name not in figures}))
    book = Book()
    footer = footer_of(about, TITLE)
    cover = open_cover(
        book,
        TITLE,
        "Each figure with what it counts, of how many, and how many could not be judged. One definition stands behind each, and the "
        "same night asked again gives the same figure.",
        about,
    )
    short = arrivals(every)
    _incomplete_nights(cover, short[short != ""])
    cover.heading("Against target")
    cover.prose("Figures with a target, and parts that have one of their own.")
    for rating in ("red", "amber", "green"):
        cover.line((RAG_WORDS[rating], f"rag {rating}"), (int((figures["rag"] == rating).sum()), "count"))
    column_guide(cover, COLUMNS)
    run_facts(cover, about, [("Nights shown", str(every["as_of"].nunique()))])
    write_list(book, "Figures", figures, COLUMNS, footer, freeze=3)
    whole = kpis.drop_duplicates("code")
    write_list(book, "Definitions", whole, _DEFINITIONS, f"{footer} · definitions", freeze=1)
    titles = figures.drop_duplicates("code").set_index("code")["title"]
    places = figures.assign(place=range(len(figures))).set_index(["code", "line"])["place"]
    every = _described(every.assign(title=every["code"].map(titles))).join(places, on=["code", "line"])
    every["short"] = every["as_of"].map(short).astype("str")
    _write_trend(book, every, footer)
    if breakdowns is not None and len(breakdowns):
        named = breakdowns.assign(
            title=breakdowns["code"].map(titles),
            by=breakdowns["by"].map(BREAKDOWNS),
            category=category_titles(breakdowns["by"], breakdowns["category"]),
        )
        named = _described(named)
        write_list(book, "Breakdowns", named, _BREAKDOWNS, f"{footer} · breakdowns", freeze=3)
    if linking is not None:
        write_linking(book, *linking, as_of, footer)
    latest_first = every.sort_values(["as_of", "place"], ascending=[False, True], kind="stable")
    write_list(book, "Every night", latest_first, _EVERY_NIGHT, f"{footer} · every night", freeze=2)
    write_run_sheet(book, about, COLUMNS, "kpis", len(figures))
    book.save(path)


def _incomplete_nights(cover: Cover, short: pd.Series) -> None:
    """The nights whose figures rest in part on earlier copies, the latest first."""
    if short.empty:
        return
    cover.prose(
        "Of the nights shown, these were incomplete: not every extract had arrived in time, and their figures rest in part on earlier copies."
    )
    for night, what in short[::-1].head(_NIGHTS_PRINTED).items():
        cover.fact(short_date(night), what)
    if len(short) > _NIGHTS_PRINTED:
        cover.prose(f"And {len(short) - _NIGHTS_PRINTED:,} more, in the sheet Every night.")


def _described(figures: pd.DataFrame) -> pd.DataFrame:
    """With each part in words and the unit of its value."""
    line = figures["line"].fillna("")
    unit = line.isin(LINES_IN_DAYS).map({True: "days", False: "%"})
    old = figures["old_sources"].map(old_words) if "old_sources" in figures else ""
    return figures.assign(line_title=line.map(line_title), unit=unit, old_words=old)


def _write_trend(book: Book, every: pd.DataFrame, footer: str) -> None:
    """Values, one figure a row and one night a column, the latest night first; one on which not everything had arrived says so."""
    nights = sorted(every["as_of"].unique(), reverse=True)[:_NIGHTS_ACROSS]
    recent = every[every["as_of"].isin(nights)]
    wide = recent.pivot_table(index=["code", "line"], columns="as_of", values="value", aggfunc="last", dropna=False)
    wide = wide.reindex(columns=nights).dropna(how="all")
    names = {night: f"night_{place}" for place, night in enumerate(nights)}
    facts = recent.drop_duplicates(["code", "line"], keep="last").set_index(["code", "line"])
    facts = facts.sort_values("place", kind="stable")[["title", "line_title", "unit"]]
    flat = facts.join(wide.rename(columns=names), how="inner").reset_index()
    incomplete = set(recent.loc[recent["short"].str.len() > 0, "as_of"])
    across = [
        Column(
            name,
            short_date(night) + ("\nincomplete" if night in incomplete else ""),
            12,
            "figure",
            is_printed=place < _NIGHTS_PRINTED,
        )
        for place, (night, name) in enumerate(names.items())
    ]
    write_list(book, "Trend", flat, [*_NAMED, *across], f"{footer} · trend", freeze=3)
