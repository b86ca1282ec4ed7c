"""Every figure by what is known of the children behind it; each breakdown adds up to the figure, with a line for what is not recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from outputs.protect import RESTRICTED
from outputs.wording import BREAKDOWNS, CHILD_AGES, age_band
from pipelines.frames import is_open, latest, look_up
from pipelines.kpis import Counted

NOT_RECORDED = "not recorded"
COLUMNS = ("code", "line", "by", "category", "numerator", "denominator")


def child_facts(register: pd.DataFrame, involvements: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    """One row per child of the register, indexed by ``child_id``, with a category for each of `BREAKDOWNS`; empty where it is not recorded.

    The setting and its authority of a restricted child are withheld: the child counts under ``restricted``. Caseworker and team are those of
    the open social care involvement, the only caseworkers that an extract carries.
    """
    child, hidden = register["child_id"], register["is_restricted"].fillna(False).astype(bool)
    placed = register["has_active_plan"]
    away = register["is_out_of_authority"].astype("boolean").map({True: "out of authority", False: "in authority"})
    facts = pd.DataFrame(
        {
            "age": age_band(register["age"]),
            "need": register["need_code"],
            "setting_type": register["type_name"]
            .fillna(register["setting_code"])
            .where(placed)
            .mask(hidden, RESTRICTED),
            "authority": away.where(placed).astype(object).mask(hidden, RESTRICTED),
            "care": register["is_looked_after"].map({True: "looked after", False: "not looked after"}),
        }
    )
    for name, column in (("team", "team"), ("caseworker", "worker")):
        facts[name] = pd.Series(pd.NA, index=facts.index, dtype="object")
        if involvements is not None:
            now = latest(involvements[is_open(involvements, as_of)], "started_on")
            facts[name] = look_up(child, now[column]).astype(object)
    return facts.astype(object).set_index(child)


def broken_down(measured: Sequence[Counted], facts: pd.DataFrame) -> pd.DataFrame:
    """Each line of each figure about children by each of `BREAKDOWNS` (`COLUMNS`); the categories add up to the line's two numbers.

    A child who is not on the register (a plan since ceased) is in the category ``not recorded``. Lines in days are left out, and so are the
    parts of a visit cohort, which the cohort's own line tells.
    """
    rows = [
        pd.DataFrame(
            {
                "code": this.code,
                "line": this.part.line,
                "child_id": this.part.of.loc[this.counted, "child_id"],
                "meets": this.meets[this.counted],
            }
        )
        for this in measured
        if "child_id" in this.part.of and this.part.number is None and ": " not in this.part.line
    ]
    if not rows:
        return _typed(pd.DataFrame(columns=list(COLUMNS)))
    every = pd.concat(rows, ignore_index=True).join(facts, on="child_id")
    parts = []
    for by in BREAKDOWNS:
        category = every[by].fillna(NOT_RECORDED).replace("", NOT_RECORDED)
        sizes = every["meets"].groupby([every["code"], every["line"], category.rename("category")]).agg(["sum", "size"])
        parts.append(sizes.reset_index().assign(by=by))
    found = pd.concat(parts, ignore_index=True).rename(columns={"sum": "numerator", "size": "denominator"})
    places = {name: place for place, name in enumerate(CHILD_AGES.values())}
    order = found["category"].map(places).fillna(len(places))
    last = found["category"] == NOT_RECORDED
    found = found.assign(_last=last, _order=order, _by=found["by"].map({by: n for n, by in enumerate(BREAKDOWNS)}))
    found = found.sort_values(["code", "line", "_by", "_last", "_order", "category"], kind="stable", ignore_index=True)
    return _typed(found[list(COLUMNS)])


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    kinds: dict[str, Any] = dict.fromkeys(("code", "line", "by", "category"), "str")
    return frame.astype(kinds | {"numerator": "Int64", "denominator": "Int64"})


def with_value(breakdowns: pd.DataFrame) -> pd.DataFrame:
    """The breakdowns with ``value``, a percentage of one decimal; none where the denominator is 0."""
    denominator = breakdowns["denominator"].mask(breakdowns["denominator"] == 0).astype("Float64")
    return breakdowns.assign(value=(100 * breakdowns["numerator"] / denominator).round(1))
