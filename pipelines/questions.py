"""The questions that are put to councils, each declared in a few lines: who is counted, who meets it, and what stands in the list behind it.

A question is a function of `Then` (one day, put together) that gives rows: the list. A row is counted unless it has no date that the question
needs (column ``lacks`` says which): those are listed and told apart, never dropped. Filters, breakdowns, comparison and suppression belong to
the caller. Pure: frames in, frames out; the day is in `Then`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from config.limits import Limits
from pipelines.frames import age_on, look_up

NO_CATEGORY = "in no category"
TOTAL = "total"


class NotRecordedError(Exception):
    """What the question asks for is in no extract; the text says what, and `figures` what is known all the same."""

    def __init__(self, what: str, figures: Mapping[str, float | None] | None = None) -> None:
        super().__init__(what)
        self.figures = figures or {}


@dataclass(frozen=True)
class Then:
    """One day, put together: the register as rules see it, the tables with `child_id`, the visit cohorts; and the period asked about.

    `judged` gives the frames of the rules, which take longer. `words` is `questions.yml`.
    """

    day: pd.Timestamp
    since: pd.Timestamp
    children: pd.DataFrame
    tables: Mapping[str, Any]
    cohorts: pd.DataFrame
    judged: Callable[[], Mapping[str, Any]]
    limits: Limits
    la_code: str
    casework: tuple[str, ...]
    words: Mapping[str, Any]

    @cached_property
    def plans(self) -> pd.DataFrame:
        """The children with an active plan, one row each, with every breakdown's column."""
        active = self.children[self.children["has_active_plan"]]
        return active.assign(**self.dimensions(active))

    def table(self, name: str, column: str = "") -> pd.DataFrame:
        """A table's rows; raises NotRecordedError where no extract carries it, or the column."""
        frame = self.tables.get(name)
        if frame is None or (column and not frame[column].notna().any()):
            raise NotRecordedError(f"No extract carries {column or name.replace('_', ' ')}.")
        return frame

    @cached_property
    def reviews(self) -> pd.DataFrame:
        """The annual reviews as the casework system has them."""
        reviews = self.table("reviews")
        return reviews[reviews["source"].isin(self.casework)]

    def in_period(self, dates: pd.Series) -> pd.Series:
        """Whether each date is within the period asked about, its first and its last day included."""
        return (dates >= self.since) & (dates <= self.day)

    def dimensions(self, rows: pd.DataFrame) -> dict[str, pd.Series]:
        """The columns by which any rows about children can be broken down, by the name of the breakdown."""
        people = self.tables["people"]
        child = rows["child_id"]
        born = look_up(child, people.groupby("child_id")["born_on"].first())
        on_register = self._of_register
        found = {name: look_up(child, on_register[name]) for name in on_register}
        need = found["need"].fillna(look_up(child, people.groupby("child_id")["need_code"].first()))
        return found | {"need": need, "years": age_on(born, self.day), "age": self.age_band(age_on(born, self.day))}

    def age_band(self, years: pd.Series) -> pd.Series:
        """The age band of each age; missing where the age is."""
        band = pd.Series(pd.NA, index=years.index, dtype="str")
        for name, (first, last) in self.words["age_bands"].items():
            band = band.mask(years.between(first, last).fillna(False), name)
        return band

    @cached_property
    def _of_register(self) -> pd.DataFrame:
        """The breakdowns that the register knows, by child."""
        children = self.children
        settings = self.tables["settings"]
        facts = pd.DataFrame(columns=["type_code", "la_name"], dtype="str")
        if settings is not None:
            facts = settings.drop_duplicates("urn").set_index("urn")[["type_code", "la_name"]]
        type_code = look_up(children["setting_urn"], facts["type_code"])
        by_code = {code: name for name, codes in self.words["education"].items() for code in codes}
        arranged = {code: name for name, codes in self.words["arrangements"].items() for code in codes}
        education = type_code.map(by_code).where(
            children["setting_urn"].notna(), children["setting_code"].map(arranged)
        )
        # An establishment that the register does not know, or of a type without a name here, is in no category; no placement is unknown.
        education = education.mask(children["placement_row"].isna(), "unknown")
        education = education.mask(children["has_home_education"] & children["placement_row"].isna(), "home educated")
        away = children["is_out_of_authority"].map({True: "another authority", False: "this authority"})
        return pd.DataFrame(
            {
                "need": children["need_code"],
                "education": education,
                "is_independent": type_code.isin(self.words["independent"]),
                "setting_type": children["type_name"],
                "setting": children["setting_name"],
                "provision": children["provision_type"],
                "authority": look_up(children["setting_urn"], facts["la_name"]).fillna(children["setting_la_code"]),
                "in_authority": away,
                "residential": children["residential_code"].map({"A": "38 to 51 weeks", "B": "52 weeks"}).fillna("day"),
                "whereabouts": children["whereabouts_grade"],
                "looked_after": children["is_looked_after"].map({True: "looked after", False: "not looked after"}),
            }
        ).set_axis(pd.Index(children["child_id"]), axis=0)


#: Breakdowns that every question about children takes, and what each one is.
BREAKDOWNS = {
    "age": "completed years on the day, in bands", "need": "primary need", "education": "where educated, from the current main placement",
    "setting_type": "type of the setting in the register of establishments", "setting": "the current setting",
    "provision": "type of provision recorded", "authority": "authority that the setting lies in", "in_authority": "in this authority or another",
    "residential": "day or residential", "whereabouts": "how sure it is where the child is", "looked_after": "looked after or not",
}  # fmt: skip
#: Breakdowns of rows that carry a date ``on``.
OF_DATES = {"month": "month of the date", "academic_year": "1 September to 31 August, of the date"}
#: Columns that tell where a child is, beside those that `outputs.protect` knows by name.
TELLING = ("education", "is_independent", "setting", "setting_type", "provision", "authority", "in_authority", "residential", "placed", "area", "attended", "named")  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """What a question gives: the rows of its list, and further figures by name (days, percentages)."""

    frame: pd.DataFrame
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A question's declaration. `number` is its place in the list of questions put to councils."""

    name: str
    number: int
    title: str
    definition: str
    ask: Callable[[Then], pd.DataFrame | Rows]
    shows: tuple[str, ...]
    by: tuple[str, ...]
    own: Mapping[str, str]
    meets: str
    of_period: bool
    tells_where: bool
    untold: str


REGISTRY: dict[str, Question] = {}
Asking = Callable[[Then], Any]


def question(
    name: str,
    number: int,
    title: str,
    *,
    shows: tuple[str, ...],
    by: tuple[str, ...] = (),
    own: Mapping[str, str] | None = None,
    meets: str = "",
    of_period: bool = False,
    tells_where: bool = False,
    untold: str = "",
) -> Callable[[Asking], Asking]:
    """Declare a question; the first paragraph of the docstring is the definition that is printed beside the figure.

    `shows` are the columns of its list, `by` its breakdown unless another is asked for, `own` breakdowns of its own with what each is, `meets`
    what the rows that meet it have in common, `of_period` whether it is about a period that ends on the day, `tells_where` whether being in
    the list tells where a child is, `untold` what was asked and no record says.
    """

    def declare(ask: Asking) -> Asking:
        if name in REGISTRY:
            raise ValueError(f"question {name} is declared twice")
        definition = " ".join((ask.__doc__ or "").split("\n\n")[0].split())
        REGISTRY[name] = Question(
            name, number, title, definition, ask, shows, by, own or {}, meets, of_period, tells_where, untold
        )
        return ask

    return declare


@dataclass(frozen=True)
class Answered:
    """An answer: `rows` (the list, with ``counted``, ``meets`` and ``lacks``), further `figures`, and `reason` where the data cannot answer."""

    question: Question
    rows: pd.DataFrame
    figures: Mapping[str, float | None]
    reason: str = ""

    @property
    def counted(self) -> pd.DataFrame:
        """The rows that count."""
        return self.rows[self.rows["counted"]]


def answer(asked: Question, then: Then, ages: tuple[int, int] | None = None) -> Answered:
    """Ask a question of a day; `ages` keeps the children of these completed years, first and last included."""
    try:
        given = asked.ask(then)
    except NotRecordedError as why:
        empty = pd.DataFrame(columns=["child_id", "counted", "meets", "lacks"]).astype(
            {"counted": "bool", "meets": "bool"}
        )
        return Answered(asked, empty, why.figures, str(why))
    rows, figures = (given.frame, given.figures) if isinstance(given, Rows) else (given, {})
    lacks = rows["lacks"] if "lacks" in rows else pd.Series(pd.NA, index=rows.index, dtype="str")
    rows = rows.assign(
        lacks=lacks,
        counted=lacks.isna(),
        meets=(rows["meets"] if "meets" in rows else pd.Series(True, index=rows.index)).fillna(False).astype(bool),
    )
    new = {name: values for name, values in then.dimensions(rows).items() if name not in rows}
    rows = rows.assign(**new)
    if "on" in rows:
        year = rows["on"].dt.year - (rows["on"].dt.month < 9)
        named = year.astype("Int64").astype("str") + "/" + ((year + 1) % 100).astype("Int64").astype("str").str.zfill(2)
        rows = rows.assign(month=rows["on"].dt.strftime("%Y-%m"), academic_year=named.where(rows["on"].notna()))
    if ages:
        rows = rows[rows["years"].between(*ages).fillna(False)]
    return Answered(asked, rows.reset_index(drop=True), figures)


def breakdown(rows: pd.DataFrame, by: str, order: tuple[str, ...] = ()) -> pd.DataFrame:
    """Counted rows by a column: category, counted, meets; with those in no category, and a total that is their sum."""
    named = rows[by].astype("object").where(rows[by].notna(), NO_CATEGORY).astype("str")
    table = rows.assign(category=named).groupby("category").agg(counted=("meets", "size"), meets=("meets", "sum"))
    rank = {name: place for place, name in enumerate(order)}
    table = table.reset_index()
    table["rank"] = table["category"].map(rank).fillna(len(rank)).where(table["category"] != NO_CATEGORY, 10**6)
    table = table.sort_values(["rank", "category"], kind="stable").drop(columns="rank")
    total = pd.DataFrame({"category": [TOTAL], "counted": [len(rows)], "meets": [int(rows["meets"].sum())]})
    return pd.concat([table, total], ignore_index=True).astype({"counted": "int64", "meets": "int64"})


def crossed(rows: pd.DataFrame, down: str, across: str) -> pd.DataFrame:
    """Counted rows by two columns: a row and a column each category, with those in no category, and totals that are the sums."""
    named = {
        name: rows[name].astype("object").where(rows[name].notna(), NO_CATEGORY).astype("str")
        for name in (down, across)
    }
    table = pd.crosstab(named[down], named[across])
    for axis in (0, 1):
        labels = list(table.axes[axis])
        ordered = sorted(labels, key=lambda label: (label == NO_CATEGORY, label))
        table = table.reindex(ordered, axis=axis)
    table[TOTAL] = table.sum(axis=1)
    table.loc[TOTAL] = table.sum(axis=0)
    return table.astype("int64")
