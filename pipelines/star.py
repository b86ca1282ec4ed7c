"""The facts and dimensions of a night for business intelligence, from the frames that the night has anyway. Pure.

`outputs.star` declares what the columns are called and protects restricted children; here stands where they come from.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs.star import UNRECORDED, calendar, shaped_star
from outputs.wording import age_band
from pipelines.catalogues import rules_frame
from pipelines.frames import is_among


def star_of_night(
    register: pd.DataFrame,
    tables: dict[str, Any],
    exceptions: pd.DataFrame,
    figures: pd.DataFrame,
    trend: pd.DataFrame,
    as_of: pd.Timestamp,
) -> dict[str, pd.DataFrame]:
    """Every table of `outputs.star.STAR`, by name.

    `register` is the night's own (`assemble.build`), `tables` the canonical tables with child ids as `build` leaves them (None where there is
    no copy), `exceptions` those that stand with their age, `figures` tonight's KPI lines and `trend` those of the nights before.
    """

    def rows(name: str, key: str) -> pd.DataFrame:
        return _rows(tables[name], key, register["child_id"])

    frames = {
        "children": _children(register, as_of),
        "plans": rows("plans", "plan_key"),
        "placements": _with_setting(rows("placements", "placement_key")),
        "reviews": _reviews(rows("reviews", "review_key"), as_of),
        "visits": rows("visits", "visit_key"),
        "exceptions": exceptions,
        "kpi_values": _all_nights(figures, trend, as_of),
        "rules": rules_frame(),
    }
    frames["settings"] = _settings(frames["placements"], tables["settings"], as_of)
    standing = exceptions["owner"].value_counts()
    owners = standing.index.union(frames["rules"]["owner"].unique())
    frames["owners"] = pd.DataFrame({"owner": owners, "open_exceptions": standing.reindex(owners).fillna(0).to_numpy()})
    frames["dates"] = _dates(frames, as_of)
    return shaped_star(frames, register, as_of)


def _rows(table: pd.DataFrame | None, key: str, children: pd.Series) -> pd.DataFrame:
    """The rows about children on the register, with the key that names each of them: its system and its own number there.

    Only for these children does the register know whether they are restricted; so nobody else is told of.
    """
    if table is None:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in ("child_id", key)})
    told = table[is_among(table["child_id"], children)]
    return told.assign(**{key: told["source"] + " " + told["row_id"]}).drop_duplicates(key, keep="last")


def _children(register: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    active = register["has_active_plan"]
    placed = active & register["placement_row"].notna()
    return _with_setting(register).assign(
        age_band=age_band(register["age"]).fillna(UNRECORDED),
        care_status=register["is_looked_after"].map({True: "looked after", False: "not looked after"}),
        setting_key=lambda frame: frame["setting_key"].where(placed),
        in_authority=(~register["is_out_of_authority"]).map({True: "Y", False: "N"}).where(placed),
        is_review_overdue=active & (register["next_review_due_on"] < as_of),
        is_visit_overdue=register["visit_due_on"] < as_of,
        waiting_days=(as_of - register["awaiting_since"]).dt.days,
    )


def _with_setting(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(setting_key=frame["setting_urn"].fillna(frame["setting_code"]))


def _reviews(reviews: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    if "decided_on" not in reviews:
        return reviews
    return reviews.assign(is_complete=reviews["decided_on"] <= as_of)


def _settings(placements: pd.DataFrame, settings: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    """The settings that placements name: what the national register says of them; of an arrangement its code."""
    named = pd.DataFrame({"setting_key": placements["setting_key"].dropna().unique()})
    if settings is None:
        return named
    facts = settings.drop_duplicates("urn").assign(
        setting_type=settings["type_name"],
        setting_la_code=settings["la_code"],
        is_closed=settings["closed_on"] <= as_of,
    )
    facts = facts.set_index("urn")[["setting_name", "setting_type", "setting_la_code", "is_closed"]]
    found = named.join(facts, on="setting_key")
    return found.assign(setting_name=found["setting_name"].fillna(found["setting_key"]))


def _all_nights(figures: pd.DataFrame, trend: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    frame = pd.concat([trend[trend["as_of"] < as_of], figures.assign(as_of=as_of)], ignore_index=True)
    return frame.assign(line=frame["line"].fillna(""))


def _dates(frames: dict[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """Every day between the earliest and the latest that a fact names, within a lifetime of the night."""
    near = (as_of - pd.DateOffset(years=30), as_of + pd.DateOffset(years=30))
    named = [
        frame[column]
        for frame in frames.values()
        for column in frame
        if column.endswith("_on") and pd.api.types.is_datetime64_any_dtype(frame[column])
    ]
    days = pd.concat([*named, pd.Series([as_of])]).dropna()
    days = days[days.between(*near)]
    return calendar(days.min(), days.max())
