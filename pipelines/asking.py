"""A question asked of a day: put together, protected, broken down, and made fit to leave the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml
from outputs.protect import RESTRICTED, says_where
from outputs.suppress_tables import hidden_cells, hidden_in_list
from pipelines import questions_duty, questions_where
from pipelines.frames import is_among, small_frames
from pipelines.positions import Position, position
from pipelines.questions import (
    BREAKDOWNS,
    OF_DATES,
    REGISTRY,
    TELLING,
    Answered,
    Question,
    Then,
    answer,
    breakdown,
    crossed,
)
from pipelines.store import Store

#: What stands where a number is hidden.
KEPT_BACK = "c"
#: Questions of the list that another command answers.
ELSEWHERE = (
    (15, "ehcp child ID", "One child: every review meeting, decision and amended plan, with the missed ones"),
    (21, "ehcp ask NAME --as-of DATE --against DATE", "Why two figures differ: who is in one and not in the other"),
    (22, "ehcp inspectors sample", "A reproducible sample of plans"),
)
_DECLARED = (questions_duty, questions_where)


@dataclass(frozen=True)
class Asked:
    """A protected answer with the clocks it was asked by."""

    answered: Answered
    as_of: date
    known_on: date
    since: date
    words: Mapping[str, Any]

    @property
    def lines(self) -> list[str]:
        """What is said beside the figures: the question, its definition, the clocks, what the records lack or do not say."""
        asked, answered = self.answered.question, self.answered
        period = f"{self.since} to {self.as_of}" if asked.of_period else f"As at {self.as_of}"
        lines = [f"{asked.title}.", asked.definition, f"{period}, by what the night of {self.known_on} knew."]
        if answered.reason:
            return [*lines, f"The data cannot answer: {answered.reason}"]
        lacking = answered.rows.loc[~answered.rows["counted"], "lacks"].value_counts()
        lines += [f"Not counted, listed with --list: {count} without {what}." for what, count in lacking.items()]
        return lines + ([f"Not recorded: {asked.untold}."] if asked.untold else [])


def find_question(name: str) -> Question:
    """A question by its name. Raises ConfigurationError where there is none."""
    if name not in REGISTRY:
        raise ConfigurationError(f"There is no question {name}.", "See them with: ehcp ask list")
    return REGISTRY[name]


def question_list() -> pd.DataFrame:
    """Every question: number, name, title, what it is broken down by, definition."""
    rows = [
        (q.number, q.name, q.title, ", ".join([*q.by, *(name for name in q.own if name not in q.by)]), q.definition)
        for q in REGISTRY.values()
    ]
    rows += [(number, command, title, "", "another command answers it") for number, command, title in ELSEWHERE]
    frame = pd.DataFrame(rows, columns=["number", "name", "title", "by", "definition"])
    return frame.sort_values(["number", "name"], ignore_index=True)


def then_of(at: Position, since: date, words: Mapping[str, Any]) -> Then:
    """A past day as questions read it."""
    configuration = at.configuration
    return Then(
        at.day, pd.Timestamp(since), at.assembled.register, at.assembled.tables, at.assembled.cohorts, lambda: at.frames, configuration.limits,
        configuration.la_code, tuple(configuration.precedence["reviews"]), words,
    )  # fmt: skip


@small_frames()
def ask(
    store: Store,
    name: str,
    as_of: date | None = None,
    known_on: date | None = None,
    since: date | None = None,
    ages: tuple[int, int] | None = None,
) -> Asked:
    """Ask a question as at a day (the night's own unless said) by what a night knew (the newest unless said): see `ask_at`."""
    find_question(name)
    night = store.night_of(known_on)
    return ask_at(position(store, as_of or night, night), name, since, ages)


@small_frames()
def ask_at(at: Position, name: str, since: date | None = None, ages: tuple[int, int] | None = None) -> Asked:
    """Ask a question of a day that is put together.

    `since` begins the period of a question about one: twelve months to the day unless said. Whoever is restricted shows no whereabouts, and where
    the list itself tells them nothing at all. Raises ConfigurationError for an unknown question, or days the wrong way round.
    """
    begins = since or (at.day - pd.DateOffset(years=1) + pd.Timedelta(days=1)).date()
    if begins > at.as_of:
        raise ConfigurationError(f"{begins} is after {at.as_of}.", "Give the first day of the period with --from.")
    words = load_yaml(config_file(at.store.settings.config_dir, "questions.yml"))
    found = answer(find_question(name), then_of(at, begins, words), ages)
    register = at.assembled.register
    secret = at.store.restricted() | set(register.loc[register["is_restricted"], "child_id"])
    return Asked(replace(found, rows=_protected(found, secret)), at.as_of, at.known_on, begins, words)


def _protected(answered: Answered, secret: set[str]) -> pd.DataFrame:
    rows = answered.rows
    hidden = is_among(rows["child_id"], secret)
    if not hidden.any():
        return rows
    telling = {name for name in rows if name in TELLING or says_where(name)}
    if answered.question.tells_where:
        telling |= {"child_id", "row_id", "source_id"} & set(rows)
    return rows.assign(**{name: rows[name].astype("object").mask(hidden, RESTRICTED) for name in telling})


def listed(asked: Asked) -> pd.DataFrame:
    """The list behind the figure: a row each that counts, or lacks what it needs; ``meets`` where the question has a part that meets it.

    Where the list itself tells where a child is, a restricted one's row says nothing: an age, a need and a date stand beside the id elsewhere.
    """
    question, rows = asked.answered.question, asked.answered.rows
    names = [*question.shows, *(["meets"] if question.meets else []), "lacks"]
    key = [name for name in ("child_id", "row_id") if name in rows]
    found = rows.reindex(columns=names).loc[rows.sort_values(key).index].reset_index(drop=True)
    silent = found["child_id"] == RESTRICTED
    if not silent.any():
        return found
    dates = {name: found[name].dt.strftime("%Y-%m-%d") for name in found.select_dtypes("datetime")}
    found = found.assign(**dates)
    return found.assign(**{name: found[name].astype("object").mask(silent, RESTRICTED) for name in names})


def table_by(asked: Asked, by: tuple[str, ...], limit: int | None = None) -> pd.DataFrame:
    """The figure, broken down by one column or two; adds up, with those in no category. `limit` hides what could be a few children.

    One column: category, counted, and where the question has a part that meets it, meets and percent. Two: a row and a column each category.
    What is hidden of a breakdown's numbers is the same in every table of it, so that tables cannot be held against each other.
    Raises ConfigurationError for a breakdown that the question does not take, or that two columns of cannot be given with small numbers hidden.
    """
    question, rows = asked.answered.question, asked.answered.counted
    chosen = by or question.by[:1]
    for name in chosen:
        _need_breakdown(question, name, rows)
    if len(chosen) == 2:
        cross = crossed(rows, *chosen)
        shown = cross.astype("object")
        if limit is not None:
            shown = shown.mask(_hidden_crossed(cross, chosen, limit), KEPT_BACK)
        return shown.rename_axis(None, axis=1).rename_axis(f"{chosen[0]} / {chosen[1]}").reset_index()
    order = tuple(asked.words["age_bands"]) if chosen == ("age",) else tuple(asked.words["education"])
    table = breakdown(rows, chosen[0], order) if chosen else breakdown(rows.assign(all="all"), "all")
    table = table.rename(columns={"category": chosen[0] if chosen else "category"})
    if limit is not None and hidden_in_list(table["counted"].to_numpy(), limit) is None:
        table = table.tail(1).reset_index(drop=True)
    percent = (100 * table["meets"] / table["counted"].where(table["counted"] > 0)).round(1)
    hidden = _hidden_parts(table, limit) if limit is not None else np.zeros((len(table), 3), dtype=bool)
    if question.meets:
        table["percent"] = percent.astype("object").mask(hidden.any(axis=1), KEPT_BACK)
        table["meets"] = table["meets"].astype("object").mask(hidden[:, 0], KEPT_BACK)
    else:
        table = table.drop(columns="meets")
    return table.assign(counted=table["counted"].astype("object").mask(hidden[:, 2], KEPT_BACK))


def _hidden_parts(table: pd.DataFrame, limit: int) -> np.ndarray:
    """Which of meets, not and counted to hide of each category and of the total, the last row."""
    met, counted = table["meets"].to_numpy(), table["counted"].to_numpy()
    numbers = np.column_stack([met, counted - met, counted])
    totals = np.zeros(numbers.shape, dtype=bool)
    small = (counted[-1] > 0) & (counted[-1] < limit)
    totals[-1] = hidden_cells(numbers[-1:].T, limit, np.array([[False], [False], [small]]))[:, 0]
    if len(numbers) == 1:
        return totals
    totals[:, -1] = hidden_in_list(counted, limit)
    return hidden_cells(numbers, limit, totals)


def _hidden_crossed(cross: pd.DataFrame, by: tuple[str, ...], limit: int) -> np.ndarray:
    """Which numbers of a table by two columns to hide: of its totals those that each column's own table hides."""
    numbers = cross.to_numpy()
    totals = np.zeros(numbers.shape, dtype=bool)
    for name, counts, place in ((by[0], numbers[:, -1], np.s_[:, -1]), (by[1], numbers[-1], np.s_[-1])):
        of_list = hidden_in_list(counts, limit)
        if of_list is None:
            raise ConfigurationError(
                f"By {name} the numbers are too few to be given out, even hidden.", "Ask by another column."
            )
        totals[place] = of_list
    return hidden_cells(numbers, limit, totals)


def _need_breakdown(question: Question, name: str, rows: pd.DataFrame) -> None:
    offered = [*question.own, *BREAKDOWNS, *(OF_DATES if "on" in rows else ())]
    if name not in offered:
        raise ConfigurationError(
            f"{question.name} cannot be broken down by {name}.", f"It takes --by {', '.join(dict.fromkeys(offered))}."
        )


def differences(first: Asked, second: Asked) -> pd.DataFrame:
    """Who is in one answer and not in the other, in how many rows each: ``child_id, first, second, why``."""
    question = first.answered.question
    both = []
    for asked in (first, second):
        counted = asked.answered.counted
        of = counted[counted["meets"]] if question.meets else counted
        both.append(of.groupby("child_id").size())
    table = pd.concat(both, axis=1, keys=["first", "second"]).fillna(0).astype("int64")
    lacking = [set(each.answered.rows.loc[~each.answered.rows["counted"], "child_id"]) for each in (first, second)]
    table = table[table["first"] != table["second"]].rename_axis("child_id").reset_index()
    why = pd.Series("in both, by another number of rows", index=table.index, dtype="str")
    why = why.mask(table["first"] == 0, "only in the second").mask(table["second"] == 0, "only in the first")
    for place, children in zip(("first", "second"), lacking, strict=True):
        why = why.mask(is_among(table["child_id"], children), f"lacks a date in the {place}")
    return table.assign(why=why)
