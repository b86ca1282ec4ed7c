"""`kpis.xlsx`: the figures, how each is defined, and every night's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.figures import RAG_WORDS, judged, moved, nights_of
from outputs.sheets import Book, Column, write_list
from outputs.wording import COHORTS, short_date, titled

TITLE = "Key figures"

COLUMNS = (
    Column("code", "Code", 8, "text", "the KPI's code; it never changes meaning"),
    Column("title", "Figure", 34, "wrapped", "the KPI in a few words"),
    Column("line_title", "Part", 34, "wrapped", "the cohort, system or part; empty for the KPI itself"),
    Column("numerator", "Numerator", 11, "number", "how many meet it"),
    Column("denominator", "Denominator", 12, "number", "of how many"),
    Column(
        "value",
        "Per cent",
        9,
        "percent",
        "numerator as a percentage of the denominator; empty where the denominator is 0",
    ),
    Column(
        "not_judged", "Not judged", 10, "number", "how many could not be judged, because a date or a source was missing"
    ),
    Column(
        "target", "Target", 9, "target", "the council's target: per cent, or a number of children where less is better"
    ),
    Column("rag", "Rating", 10, "rag", "Green on target, Amber near, Red off; by the thresholds that the council set"),
    Column("previous_value", "Night before", 9, "percent", "the percentage on the latest earlier night"),
    Column("change", "Change", 9, "points", "in percentage points since then"),
    Column("definition", "Definition", 70, "wrapped", "what is counted"),
)
_DEFINITIONS = (
    Column("code", "Code", 8),
    Column("title", "Figure", 34, "wrapped"),
    Column("definition", "What is counted", 80, "wrapped"),
    Column("target", "Target", 9, "target"),
)
_EVERY_NIGHT = (
    Column("as_of", "Night", 12, "date"),
    Column("code", "Code", 8),
    Column("title", "Figure", 34, "wrapped"),
    Column("line_title", "Part", 34, "wrapped"),
    Column("numerator", "Numerator", 11, "number"),
    Column("denominator", "Denominator", 12, "number"),
    Column("value", "Per cent", 9, "percent"),
)
#: A sheet is wide enough for a quarter of nights and still fit to read; the list of every night holds the others.
_NIGHTS_ACROSS = 92


def write_kpis(path: Path, kpis: pd.DataFrame, about: About, trend: pd.DataFrame | None = None) -> None:
    """Write the KPI workbook.

    `kpis` is the KPI frame of the night; `trend` the same figures of earlier nights (``as_of``, ``code``, ``line``,
    ``numerator``, ``denominator``, ``value``). Raises OSError where the file cannot be written.
    """
    as_of = pd.Timestamp(about.as_of)
    every = nights_of(trend, kpis, as_of)
    figures = moved(judged(kpis), every, as_of)
    figures = figures.assign(line_title=figures["line"].map(line_title))
    book = Book()
    footer = footer_of(about, TITLE)
    cover = open_cover(
        book,
        TITLE,
        "Each figure with what it counts, of how many, and how many could not be judged. One definition stands behind each, and the "
        "same night asked again gives the same figure.",
        about,
    )
    cover.heading("Against target")
    ratings = figures.loc[figures["line"] == "", "rag"]
    for rating in ("red", "amber", "green"):
        cover.line((RAG_WORDS[rating], f"rag {rating}"), (int((ratings == rating).sum()), "count"))
    cover.line((RAG_WORDS[""], "label"), (int((ratings == "").sum()), "count"))
    column_guide(cover, COLUMNS)
    run_facts(cover, about, [("Nights shown", str(every["as_of"].nunique()))])
    write_list(book, "Figures", figures, COLUMNS, footer, freeze=3)
    whole = kpis.drop_duplicates("code")
    write_list(book, "Definitions", whole, _DEFINITIONS, f"{footer} · definitions", freeze=1)
    titles = figures.drop_duplicates("code").set_index("code")["title"]
    every = every.assign(title=every["code"].map(titles), line_title=every["line"].map(line_title))
    _write_trend(book, every, footer)
    latest_first = every.sort_values(["as_of", "code", "line"], ascending=[False, True, True], kind="stable")
    write_list(book, "Every night", latest_first, _EVERY_NIGHT, f"{footer} · every night", freeze=2)
    write_run_sheet(book, about, COLUMNS, "kpis", len(figures))
    book.save(path)


def _write_trend(book: Book, every: pd.DataFrame, footer: str) -> None:
    """Percentages, one figure a row and one night a column, the latest night first."""
    nights = sorted(every["as_of"].unique(), reverse=True)[:_NIGHTS_ACROSS]
    keys = ["code", "title", "line_title"]
    wide = every[every["as_of"].isin(nights)].pivot_table(
        index=[*keys, "line"], columns="as_of", values="value", aggfunc="last", dropna=False
    )
    wide = wide[wide.notna().any(axis=1)]
    names = {night: f"night_{place}" for place, night in enumerate(nights)}
    flat = wide.rename(columns=names).reset_index().sort_values(["code", "line"], kind="stable")
    columns = [
        Column("code", "Code", 8),
        Column("title", "Figure", 34, "wrapped"),
        Column("line_title", "Part", 28, "wrapped"),
    ]
    columns += [Column(name, short_date(night), 10, "percent") for night, name in names.items()]
    write_list(book, "Trend, per cent", flat, columns, f"{footer} · trend", freeze=3)


def line_title(line: object) -> str:
    """The part of a KPI in words."""
    text = titled(str(line), COHORTS) if isinstance(line, str) and line else ""
    return text[:1].upper() + text[1:]
