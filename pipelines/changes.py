"""What changed between two nights: who came and went, who moved, what was corrected, and how each KPI got from one figure to the next.

Each function takes a history table as two nights left it. A change of the record about a day that was already past on the first
night is a correction; a change that happened since is an event.
"""

from __future__ import annotations

import pandas as pd

from pipelines.frames import is_among

CHANGE_COLUMNS = ("change", "child_id", "field", "before", "after", "why")
#: Why a child came into a figure or left it, the first that applies.
CAUSES = ("relinked", "joined", "left", "corrected", "moved", "review completed", "plan started anew")
RULES_CHANGED, TIME_PASSED = "rules or settings changed", "time passed, or another record"
BRIDGE_COLUMNS = ("code", "line", "part", "opening", "children_in", "children_out", "closing", "ids_in", "ids_out")


def relinks(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The records that are another child's now: child_id, the record as ``field``, the child before and after."""
    both = before.merge(after, on=["source", "source_id"], suffixes=("_before", "_after"))
    moved = both[both["child_id_before"] != both["child_id_after"]]
    return pd.DataFrame(
        {
            "change": "relinked",
            "child_id": moved["child_id_after"],
            "field": moved["source"] + " " + moved["source_id"],
            "before": moved["child_id_before"],
            "after": moved["child_id_after"],
            "why": "",
        }
    )


def register_changes(before: pd.DataFrame, after: pd.DataFrame, since: pd.Timestamp) -> pd.DataFrame:
    """Joiners, leavers, moves, reviews completed and corrections, a row per child and change (`CHANGE_COLUMNS` but ``why``).

    `since` is the day of the first register. A joiner has an active plan now and had none; a leaver the reverse.
    """
    both = before.merge(after, on="child_id", how="outer", suffixes=("_before", "_after"))
    was, is_now = both["active_plan_before"].eq("Y"), both["active_plan_after"].eq("Y")
    stayed = was & is_now
    found = [
        _rows(both[is_now & ~was], "joined", "active_plan"),
        _rows(both[was & ~is_now], "left", "active_plan"),
        _rows(both.assign(**_settings(both))[stayed & _has_moved(both)], "moved", "setting"),
    ]
    for field, event in (("last_completed_review_on", "review completed"), ("plan_started_on", "plan started anew")):
        old, new = both[f"{field}_before"], both[f"{field}_after"]
        differs = stayed & (old.ne(new) & (old.notna() | new.notna()))
        happened = differs & (new > since) & (old.isna() | (new > old))
        found += [
            _rows(both[happened], event, field),
            _rows(both[differs & ~happened], "corrected", field),
        ]
    return pd.concat(found, ignore_index=True)


def changes(
    register_before: pd.DataFrame,
    register_after: pd.DataFrame,
    links_before: pd.DataFrame,
    links_after: pd.DataFrame,
    since: pd.Timestamp,
) -> pd.DataFrame:
    """Everything that changed (`CHANGE_COLUMNS`); ``why`` says where a record of the child was linked elsewhere in between."""
    relinked = relinks(links_before, links_after)
    touched = pd.concat([relinked["before"], relinked["after"]])
    found = register_changes(register_before, register_after, since)
    found["why"] = is_among(found["child_id"], touched).map({True: "relinked", False: ""}).astype("str")
    together = pd.concat([found, relinked], ignore_index=True)[list(CHANGE_COLUMNS)]
    return together.sort_values(["change", "child_id", "field"], kind="stable", ignore_index=True)


def causes(found: pd.DataFrame) -> pd.Series:
    """By child_id, the cause that explains most of what changed for it: the first of `CAUSES`. `found` is a frame of `changes`."""
    linked = found.loc[found["change"] == "relinked", "before"]
    told = pd.concat(
        [found[["child_id", "change"]], pd.DataFrame({"child_id": linked, "change": "relinked"})], ignore_index=True
    )
    rank = told["change"].map({cause: place for place, cause in enumerate(CAUSES)})
    told = told.assign(rank=rank).dropna(subset=["rank"]).sort_values("rank", kind="stable")
    return told.drop_duplicates("child_id").set_index("child_id")["change"]


def bridges(
    before: pd.DataFrame, after: pd.DataFrame, cause: pd.Series | None = None, otherwise: str = TIME_PASSED
) -> pd.DataFrame:
    """Each KPI line from opening to closing, numerator and denominator (`BRIDGE_COLUMNS`), in children.

    opening + children_in - children_out = closing, always. A published figure that counts rows (two reviews of one child) counts
    them as one child here, who meets the line if all rows do. With `cause` (by child_id, see `causes`) a row each cause, in the column ``cause``; then
    the sums over a line's causes take its opening to its closing, and `otherwise` is the cause of whoever has none.
    """
    keys = ["code", "line", "child_id"]
    both = before.merge(after, on=keys, how="outer", suffixes=("_before", "_after"), indicator=True)
    counted = pd.DataFrame({"was": both["_merge"] != "right_only", "is_now": both["_merge"] != "left_only"})
    met = pd.DataFrame(
        {
            "was": both["in_numerator_before"].fillna(False).astype(bool),
            "is_now": both["in_numerator_after"].fillna(False).astype(bool),
        }
    )
    parts = [
        both[keys].assign(part=part, was=flags["was"], is_now=flags["is_now"])
        for part, flags in (("denominator", counted), ("numerator", met))
    ]
    rows = pd.concat(parts, ignore_index=True)
    came, went = rows["is_now"] & ~rows["was"], rows["was"] & ~rows["is_now"]
    rows = rows.assign(
        came=came,
        went=went,
        id_in=(rows["child_id"].astype(object) + " ").where(came, ""),
        id_out=(rows["child_id"].astype(object) + " ").where(went, ""),
    ).sort_values(["code", "line", "part", "child_id"])
    line = ["code", "line", "part"]
    if cause is None:
        return _summed(rows, line)[list(BRIDGE_COLUMNS)]
    whole = rows.groupby(line)[["was", "is_now"]].transform("sum")
    rows = rows.assign(opening=whole["was"], closing=whole["is_now"])
    rows["cause"] = rows["child_id"].map(cause).astype("str").fillna(otherwise)
    moved = rows[rows["came"] | rows["went"]]
    lines = _summed(moved, [*line, "opening", "closing", "cause"], with_sides=False)
    return lines[[*line, "opening", "cause", "children_in", "children_out", "closing", "ids_in", "ids_out"]]


def _summed(rows: pd.DataFrame, by: list[str], with_sides: bool = True) -> pd.DataFrame:
    sides = {"opening": ("was", "sum"), "closing": ("is_now", "sum")} if with_sides else {}
    lines = rows.groupby(by, as_index=False).agg(
        children_in=("came", "sum"),
        children_out=("went", "sum"),
        ids_in=("id_in", "sum"),
        ids_out=("id_out", "sum"),
        **sides,
    )
    for name in ("ids_in", "ids_out"):
        lines[name] = lines[name].astype("str").str.strip()
    return lines


def _settings(both: pd.DataFrame) -> dict[str, pd.Series]:
    """A word for the setting before and after: its name, or else its URN or its code."""
    return {
        f"setting_{when}": both[f"setting_name_{when}"]
        .fillna(both[f"setting_urn_{when}"])
        .fillna(both[f"setting_code_{when}"])
        for when in ("before", "after")
    }


def _has_moved(both: pd.DataFrame) -> pd.Series:
    """Another URN or code; the name decides only where neither is known, since a school may be renamed."""
    said = {name: both[name].astype(object).fillna("") for name in both if name.startswith("setting_")}
    elsewhere = (said["setting_urn_before"] != said["setting_urn_after"]) | (
        said["setting_code_before"] != said["setting_code_after"]
    )
    unnumbered = (said["setting_urn_before"] == "") & (said["setting_code_before"] == "")
    return elsewhere | (unnumbered & (said["setting_name_before"] != said["setting_name_after"]))


def _rows(both: pd.DataFrame, change: str, field: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "change": change,
            "child_id": both["child_id"],
            "field": field,
            "before": _as_text(both[f"{field}_before"]),
            "after": _as_text(both[f"{field}_after"]),
        }
    )


def _as_text(values: pd.Series) -> pd.Series:
    if str(values.dtype).startswith("datetime64"):
        values = values.dt.strftime("%Y-%m-%d")
    return values.astype(object).where(values.notna(), "").astype("str")
