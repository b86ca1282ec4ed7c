"""The audit of plans and case files: what is looked at, and what its results say. Pure: frames in, frames out.

A sample of children is drawn; of each, every field of `FIELDS` is held against the plan and the case file. The results come back in the
workbook; the newest of a field stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pipelines.frames import is_among
from pipelines.returns import Field

ACCURATE, WRONG, NOT_ON_FILE, NOT_APPLICABLE = "Accurate", "Wrong", "Not on file", "Does not apply"
#: What a person fills in, by the heading of the workbook.
ENTRIES = (
    Field("result", "Result", "choice", (ACCURATE, WRONG, NOT_ON_FILE, NOT_APPLICABLE)),
    Field("note", "Note", "text", most=500),
)
ITEM_COLUMNS = ("key", "child_id", "field", "title", "system", "record", "value")
OVER_TIME_COLUMNS = ("month", "children", "accurate", "percent_accurate", "audited_in_a_year", "percent_audited")
RESULT_COLUMNS = ("id", "sample_id", "child_id", "field", "system", "entry", "value", "who", "at", "file")


@dataclass(frozen=True)
class Audited:
    """A field that is audited: its column in the inspectors' list or register, and the column that names where its value came from."""

    field: str
    title: str
    column: str
    came_from: str
    system: str


FIELDS = (
    Audited("plan", "Plan: date issued", "plan_started_on", "plan_from", "synergy"),
    Audited("review", "Last completed review: date of the decision", "last_completed_review_on", "review_from", "synergy"),
    Audited("need", "Primary need", "need_code", "", "synergy"),
    Audited("setting", "Setting attended", "setting_name", "placement_from", "synergy"),
    Audited("provision", "Type of provision commissioned", "provision_type", "placement_from", "synergy"),
    Audited("residential", "Residential", "residential", "placement_from", "synergy"),
    Audited("visit", "Last monitoring visit that saw the child", "last_monitoring_visit_on", "visit_from", "synergy"),
    Audited("statutory_visit", "Last statutory visit that saw the child", "last_statutory_visit_on", "visit_from", "liquidlogic"),
    Audited("awaiting", "Awaiting provision since", "awaiting_since", "waiting_from", "synergy"),
    Audited("roll", "School roll agrees with the plan", "corroborated_by", "", "capita"),
    Audited("case_file", "Case file: advice, plan and review papers are there", "", "", "case file"),
)  # fmt: skip


def items(register: pd.DataFrame) -> pd.DataFrame:
    """What is to be audited of each child of a register, protected already: a row a child and field (`ITEM_COLUMNS`)."""
    parts = []
    for audited in FIELDS:
        value = register[audited.column] if audited.column else pd.Series(pd.NA, index=register.index, dtype="str")
        if str(value.dtype).startswith("datetime64"):
            value = value.dt.strftime("%Y-%m-%d")
        record = (
            register[audited.came_from] if audited.came_from else pd.Series(pd.NA, index=register.index, dtype="str")
        )
        system = (
            record.astype("str")
            .str.extract(r"^(\S+)", expand=False)
            .where(record.notna() & value.notna(), audited.system)
        )
        known = system if audited.came_from not in ("", "visit_from") else audited.system
        parts.append(
            pd.DataFrame(
                {
                    "key": register["child_id"] + "|" + audited.field,
                    "child_id": register["child_id"],
                    "field": audited.field,
                    "title": audited.title,
                    "system": known,
                    "record": record.astype("str").where(record.notna() & value.notna(), ""),
                    "value": value.astype("str").where(value.notna(), ""),
                }
            )
        )
    order = register.reset_index(drop=True).reset_index().set_index("child_id")["index"]
    together = pd.concat(parts, ignore_index=True)
    return together.assign(place=together["child_id"].map(order)).sort_values(
        "place", kind="stable", ignore_index=True
    )[list(ITEM_COLUMNS)]


def standing(results: pd.DataFrame) -> pd.DataFrame:
    """The newest result of each sample, child and field: sample_id, child_id, field, system, result, note, who, at."""
    keys = ["sample_id", "child_id", "field"]
    newest = results.sort_values("id").drop_duplicates([*keys, "entry"], keep="last")
    given = newest[(newest["entry"] == "result") & (newest["value"] != "")].rename(columns={"value": "result"})
    notes = newest.loc[newest["entry"] == "note", [*keys, "value"]].rename(columns={"value": "note"})
    return given[[*keys, "system", "result", "who", "at"]].merge(notes, on=keys, how="left").reset_index(drop=True)


def audited_children(sampled: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """The children of whom every field of a sample has a result: child_id, sample_id, audited_on (the last of them), is_accurate, found (what was
    wrong or not on file, in words; empty where nothing was).

    `sampled` are the items of the samples (sample_id, child_id, field), `results` as `standing` gives them. Accurate: nothing wrong, and nothing not on
    file. The newest audit of a child stands.
    """
    keys = ["sample_id", "child_id", "field"]
    both = sampled[keys].merge(results[[*keys, "result", "at"]], on=keys, how="left")
    right = both["result"].isin([ACCURATE, NOT_APPLICABLE])
    titles = both["field"].map({audited.field: audited.title for audited in FIELDS}).fillna(both["field"])
    said = (titles + " (" + both["result"].str.lower() + ")").where(~right & both["result"].notna(), "")
    of_child = both.assign(told=both["result"].notna(), right=right, said=said)
    found = of_child.groupby(["sample_id", "child_id"], as_index=False).agg(
        told=("told", "all"),
        is_accurate=("right", "all"),
        at=("at", "max"),
        found=("said", lambda parts: "; ".join(filter(None, parts))),
    )
    done = found[found["told"]].sort_values("at").drop_duplicates("child_id", keep="last")
    audited_on = pd.to_datetime(done["at"], utc=True).dt.tz_localize(None).dt.normalize().astype("datetime64[us]")
    return done.assign(audited_on=audited_on)[
        ["child_id", "sample_id", "audited_on", "is_accurate", "found"]
    ].reset_index(drop=True)


def by_field(results: pd.DataFrame) -> pd.DataFrame:
    """Which fields and systems are wrong most: field, system, looked_at, accurate, wrong, not_on_file, percent_accurate; the worst first."""
    judged = results[results["result"] != NOT_APPLICABLE]
    counts = judged.assign(
        accurate=judged["result"] == ACCURATE,
        wrong=judged["result"] == WRONG,
        not_on_file=judged["result"] == NOT_ON_FILE,
    )
    table = counts.groupby(["field", "system"], as_index=False).agg(
        looked_at=("result", "size"),
        accurate=("accurate", "sum"),
        wrong=("wrong", "sum"),
        not_on_file=("not_on_file", "sum"),
    )
    titles = {audited.field: audited.title for audited in FIELDS}
    table["field"] = table["field"].map(titles).fillna(table["field"])
    table["percent_accurate"] = (100 * table["accurate"] / table["looked_at"]).round(1)
    return table.sort_values(["percent_accurate", "looked_at"], ascending=[True, False], ignore_index=True)


def over_time(
    sampled: pd.DataFrame, results: pd.DataFrame, active_at: Callable[[pd.Timestamp], set[str]]
) -> pd.DataFrame:
    """By month of the audit: month, children, accurate, percent_accurate, and how many of the plans then active had been audited in the twelve months to
    its end (audited_in_a_year, percent_audited), as K10 counts them.

    `results` as they were given (`RESULT_COLUMNS`): each month is told by what was known at its end, so that a child audited again leaves no month.
    `active_at` gives the children with an active plan at a month's end.
    """
    lines = []
    last = results["at"].dt.tz_localize(None).dt.normalize()
    # A line a month: each by the results that there were.
    for month in sorted(set(last.dt.to_period("M"))):
        end = month.end_time.normalize()
        done = audited_children(sampled, standing(results[last <= end]))
        active = active_at(end)
        done = done[is_among(done["child_id"], active)]
        within = done["audited_on"] > end - pd.DateOffset(years=1)
        of_month = done[done["audited_on"].dt.to_period("M") == month]
        if len(of_month):
            accurate = int(of_month["is_accurate"].sum())
            lines.append(
                {
                    "month": str(month), "children": len(of_month), "accurate": accurate, "percent_accurate": round(100 * accurate / len(of_month), 1),
                    "audited_in_a_year": int(within.sum()), "percent_audited": round(100 * int(within.sum()) / max(len(active), 1), 1),
                }
            )  # fmt: skip
    return pd.DataFrame(lines, columns=list(OVER_TIME_COLUMNS))
