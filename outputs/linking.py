"""How well the systems' records are linked, as people read it: a section of the staff page and two sheets of `kpis.xlsx`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs import charts
from outputs.about import system_title
from outputs.sheets import Book, Column, write_list
from outputs.wording import ETHNICITIES, NEEDS, short_date

#: What is measured; see `pipelines.link_quality`.
RECORDS, CHILDREN, FOUND = "records linked", "register children linked", "register children found, by system"
QUEUE, ALL = "pairs that wait for a person", "all"
SYSTEMS = f"{RECORDS}, by system"
#: Groups of fewer children say nothing by their share; so many of the others stand on the page, and so many nights in its pictures.
_FEWEST, _LOWEST, _NIGHTS = 10, 6, 31
#: A sheet is wide enough for a quarter of nights and still fit to read.
_NIGHTS_ACROSS = 92

_COLUMNS = (
    Column("measure", "Measure", 40, "wrapped", "what is counted"),
    Column("name", "Group", 34, "wrapped", "of which system, group or size"),
    Column("count", "Number", 11, "number", "how many"),
    Column("of", "Of", 11, "number", "of how many"),
    Column("rate", "Share", 9, "percent"),
    Column("count_before", "Number the night before", 12, "number"),
    Column("rate_before", "Share the night before", 12, "percent"),
    Column("change", "Change", 9, "points", "in percentage points"),
)


def linking_of(tonight: pd.DataFrame, trend: pd.DataFrame, as_of: pd.Timestamp, worse: list[str]) -> dict[str, Any]:
    """The section of the page: systems, the children of the register, the groups that are linked least, the queue, and what has got worse.

    `tonight` holds the measures beside those of the night before (``measure``, ``group``, ``count``, ``of``, ``rate``, ``count_before``,
    ``rate_before``), `trend` those of earlier nights with ``as_of``.
    """
    measure, course = tonight["measure"], _over_nights(tonight, trend, as_of, _NIGHTS)
    groups = tonight[measure.str.startswith(f"{CHILDREN}, by") & (tonight["of"] >= _FEWEST)]
    lowest = groups.sort_values(["rate", "measure", "group"]).head(_LOWEST)
    parts = {
        "systems": tonight[measure == SYSTEMS],
        "found": tonight[measure.isin([CHILDREN, FOUND])],
        "lowest": pd.concat([lowest, tonight[measure == f"{RECORDS}, by care"]]),
        "queue": tonight[(measure == QUEUE) & (tonight["group"] == ALL)],
    }
    return {name: _rows(frame, course) for name, frame in parts.items()} | {"worse": worse}


def _rows(frame: pd.DataFrame, course: pd.DataFrame) -> list[dict[str, Any]]:
    label = f"over {course.shape[1]} nights"
    return [
        row
        | {"spark": charts.sparkline(course.loc[(row["measure"], row["group"])].tolist(), f"{row['name']}, {label}")}
        for row in named(frame).to_dict("records")
    ]


def _over_nights(tonight: pd.DataFrame, trend: pd.DataFrame, as_of: pd.Timestamp, nights: int) -> pd.DataFrame:
    """The share, or where there is none the number, by measure and group (rows), on the last so many nights (columns, the oldest first)."""
    every = pd.concat([trend, tonight.assign(as_of=as_of)], ignore_index=True)
    every = every.assign(value=every["rate"].astype("float64").fillna(every["count"].astype("float64")))
    recent = every[every["as_of"].isin(sorted(every["as_of"].unique())[-nights:])]
    return recent.pivot(index=["measure", "group"], columns="as_of", values="value")


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """The measures with ``name``, the group in words."""
    systems = {name: system_title(name) for name in frame.loc[frame["measure"].isin([SYSTEMS, FOUND]), "group"]}
    name = frame["group"].map(NEEDS | systems)
    by_ethnicity = frame["measure"].str.endswith("by ethnicity")
    name = name.mask(by_ethnicity, frame["group"].map(ETHNICITIES)).fillna(frame["group"]).astype("str")
    name = name.str[:1].str.upper() + name.str[1:]
    return frame.assign(name=name.mask(frame["measure"] == CHILDREN, "In any second system").astype("str"))


def write_linking(book: Book, tonight: pd.DataFrame, trend: pd.DataFrame, as_of: pd.Timestamp, footer: str) -> None:
    """Put the sheets Linking (tonight beside the night before) and Linking trend (a night a column, the latest first) into a workbook."""
    rows = named(tonight).assign(change=(tonight["rate"] - tonight["rate_before"]).round(1))
    write_list(book, "Linking", rows, _COLUMNS, f"{footer} · linking", freeze=2)
    wide = _over_nights(tonight, trend, as_of, _NIGHTS_ACROSS).iloc[:, ::-1]
    columns = {night: f"night_{place}" for place, night in enumerate(wide.columns)}
    flat = named(wide.rename(columns=columns).reset_index())
    # The kind of column that shows a percentage also shows whole numbers, where the unit says so.
    shares = pd.concat([trend, tonight]).dropna(subset="rate")["measure"].unique()
    flat = flat.assign(unit=flat["measure"].isin(shares).map({True: "%", False: "days"}))
    heads = [Column(name, short_date(night), 12, "figure") for night, name in columns.items()]
    write_list(book, "Linking trend", flat, [*_COLUMNS[:2], *heads], f"{footer} · linking trend", freeze=2)
