"""Welfare and monitoring visits: which cohorts a child belongs to, since when, and when the next visit is due.

Looked-after children are held to Liquidlogic's statutory visits, the others to monitoring visits; only a visit that saw the
child counts, and only from the start of the current placement, arrangement or spell. In several cohorts the one with the
shortest interval decides. Intervals and their legal sources are in `rules.yml`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from config.limits import Limits
from pipelines.frames import earliest, is_among, is_open, latest, look_up

#: Canonical tables by name; None where there is no accepted copy at all.
Tables = dict[str, Any]
SHORT_BREAKS = ("V3", "V4")


def cohorts(
    register: pd.DataFrame, tables: Tables, main: pd.DataFrame, as_of: pd.Timestamp, limits: Limits, la_code: str
) -> pd.DataFrame:
    """One row per active-plan child and cohort.

    Columns ``child_id``, ``cohort``, ``since`` (start of the current placement, arrangement or spell), ``is_long_term``,
    ``first_days``, ``then_days``, ``last_seen_on`` (last counting visit that saw the child, since then), ``last_visit_on``,
    ``last_was_seen``, ``visit_due_on``, ``state`` (in_interval, first_not_due, overdue, never_seen), ``is_statutory``.
    """
    spells = [_spell("looked_after", _looked_after(tables, as_of))]
    placements = tables["placements"]
    if placements is not None:
        has_main = main[main["setting_urn"].notna() | main["residential_code"].notna()]
        spells.append(_spell("residential", has_main[has_main["residential_code"].notna()].reset_index()))
        away = has_main[has_main["setting_la_code"].notna() & (has_main["setting_la_code"] != la_code)]
        spells.append(_spell("out_of_authority", away.reset_index()))
        s61 = placements[placements["is_open"] & (placements["setting_code"] == "OLA")]
        spells.append(_spell("s61", latest(s61, "started_on").reset_index()))
    spells.append(_spell("home_educated", _home_educated(tables, as_of)))
    frame = pd.concat(spells, ignore_index=True)
    active = register.loc[register["has_active_plan"], "child_id"]
    frame = frame[is_among(frame["child_id"], active)].reset_index(drop=True)

    rules = pd.DataFrame(
        {name: (v.first, v.then, v.long_term, v.is_statutory) for name, v in limits.visits.items()},
        index=["first_days", "then_days", "long_term_days", "is_statutory"],
    ).T
    frame = frame.join(rules, on="cohort")
    settled = (
        frame["is_long_term"] & (frame["since"] + pd.DateOffset(years=1) <= as_of) & frame["long_term_days"].notna()
    )
    frame["then_days"] = frame["then_days"].where(~settled, frame["long_term_days"]).astype("Int64")
    frame["first_days"] = frame["first_days"].astype("Int64")
    frame["is_statutory"] = frame["is_statutory"].astype(bool)
    frame = _with_visits(frame, tables["visits"], as_of, limits)
    return _with_state(frame, as_of)


def _spell(cohort: str, rows: pd.DataFrame) -> pd.DataFrame:
    long_term = rows["is_long_term"].fillna(False).astype(bool) if "is_long_term" in rows else False
    return pd.DataFrame(
        {
            "child_id": rows["child_id"].to_numpy(),
            "cohort": cohort,
            "since": rows["started_on"].to_numpy(),
            "is_long_term": long_term,
        }
    ).astype({"child_id": "str", "cohort": "str", "since": "datetime64[us]", "is_long_term": "bool"})


_NO_SPELLS = pd.DataFrame({"child_id": pd.Series(dtype="str"), "started_on": pd.Series(dtype="datetime64[us]")})


def _looked_after(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    care = tables["care_placements"]
    if care is None:
        return _NO_SPELLS
    return latest(
        care[is_open(care, as_of) & ~care["legal_status_code"].isin(SHORT_BREAKS)], "started_on"
    ).reset_index()


def _home_educated(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    found = []
    spells, placements = tables["home_education"], tables["placements"]
    columns = ["child_id", "started_on", "row_id"]
    if spells is not None:
        found.append(spells.loc[is_open(spells, as_of), columns])
    if placements is not None:
        found.append(placements.loc[placements["is_open"] & (placements["setting_code"] == "EHE"), columns])
    return earliest(pd.concat(found), "started_on").reset_index() if found else _NO_SPELLS


def _with_visits(frame: pd.DataFrame, visits: pd.DataFrame | None, as_of: pd.Timestamp, limits: Limits) -> pd.DataFrame:
    if visits is None:
        return frame.assign(last_seen_on=pd.NaT, last_visit_on=pd.NaT, last_was_seen=pd.NA, last_visit_row=pd.NA)
    kinds = pd.DataFrame(
        [(c, kind) for c, v in limits.visits.items() for kind in v.kinds], columns=["cohort", "kind_code"]
    )
    past = visits.loc[visits["visited_on"] <= as_of, ["child_id", "row_id", "kind_code", "visited_on", "is_seen"]]
    counting = (
        frame[["child_id", "cohort", "since"]].merge(kinds, on="cohort").merge(past, on=["child_id", "kind_code"])
    )
    counting = counting[~(counting["visited_on"] < counting["since"])]
    counting["key"] = counting["child_id"] + "|" + counting["cohort"]
    key = frame["child_id"] + "|" + frame["cohort"]
    last_seen = counting[counting["is_seen"].fillna(False)].groupby("key")["visited_on"].max()
    # Of two visits on one day the one that saw the child is the later: somebody went back until the child was seen.
    ordered = counting.assign(rank=counting["is_seen"].fillna(False).astype(int)).sort_values(
        ["key", "visited_on", "rank", "row_id"]
    )
    last = ordered.drop_duplicates("key", keep="last").set_index("key")
    return frame.assign(
        last_seen_on=look_up(key, last_seen).astype("datetime64[us]"),
        last_visit_on=look_up(key, last["visited_on"]).astype("datetime64[us]"),
        last_was_seen=look_up(key, last["is_seen"]).astype("boolean"),
        last_visit_row=look_up(key, last["row_id"]).astype("str"),
    )


def _with_state(frame: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    never = frame["last_seen_on"].isna()
    first_due = frame["since"] + pd.to_timedelta(frame["first_days"].astype("int64"), unit="D")
    next_due = frame["last_seen_on"] + pd.to_timedelta(frame["then_days"].astype("int64"), unit="D")
    due = first_due.where(never, next_due).astype("datetime64[us]")
    state = pd.Series("in_interval", index=frame.index, dtype="str")
    state = state.mask(~never & (due < as_of), "overdue")
    state = state.mask(never & (due < as_of), "never_seen")
    state = state.mask(never & ~(due < as_of), "first_not_due")
    return frame.assign(visit_due_on=due, state=state)


def strictest(frame: pd.DataFrame) -> pd.DataFrame:
    """The cohort that decides for each child: the one with the shortest interval now; indexed by child.

    Of equal intervals the statutory one decides, then the one that has lasted longest.
    """
    interval = frame["first_days"].where(frame["last_seen_on"].isna(), frame["then_days"])
    shortest = frame[["first_days", "then_days"]].min(axis=1)
    ordered = frame.assign(shortest=shortest, interval=interval, policy=~frame["is_statutory"])
    ordered = ordered.sort_values(["child_id", "shortest", "policy", "since", "cohort"], kind="stable")
    return ordered.drop_duplicates("child_id").set_index("child_id")


def last_visits(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Per child, the last statutory (STVL) and the last monitoring visit that saw the child, ever."""
    visits = tables["visits"]
    if visits is None:
        return pd.DataFrame(
            {
                "last_statutory_visit_on": pd.Series(dtype="datetime64[us]"),
                "last_monitoring_visit_on": pd.Series(dtype="datetime64[us]"),
            }
        )
    seen = visits[visits["is_seen"].fillna(False) & (visits["visited_on"] <= as_of)]
    return pd.DataFrame(
        {
            f"last_{name}_visit_on": seen[seen["kind_code"] == kind].groupby("child_id")["visited_on"].max()
            for name, kind in (("statutory", "STVL"), ("monitoring", "monitoring"))
        }
    )
