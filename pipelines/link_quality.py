"""How well a night linked: rates by system and by group of children, sizes of children, passes, and the queue. Pure: frames in, frames out."""

from __future__ import annotations

import pandas as pd

#: A fall of more than so many percentage points against the night before is told, if it is of at least so many records.
FALL, FEWEST = 2.0, 5
#: Groups of children by which nobody may be quietly lost, as columns of people.
GROUPS = {"ethnicity_code": "ethnicity", "need_code": "need"}
COLUMNS = ("measure", "group", "count", "of", "rate")


def link_quality(
    links: pd.DataFrame, review: pd.DataFrame, people: pd.DataFrame | None = None, in_care: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row a measure and group: `count`, `of` how many, and `rate` in percent (missing where a rate makes no sense).

    `links` (child_id, source, source_id, how) and `review` (weight) are a night's; `people` gives ethnicity and need of records, `in_care`
    (source, source_id) the records of looked-after children. A record is linked when its child has a record of another system.
    """
    linked = links.assign(is_linked=links["child_id"].duplicated(keep=False))
    parts = [_rates("linked, by system", linked, "source")]
    if people is not None:
        told = linked.merge(people[["source", "source_id", *GROUPS]], on=["source", "source_id"])
        parts += [_rates(f"linked, by {word}", told, column) for column, word in GROUPS.items()]
    if in_care is not None:
        keys = pd.MultiIndex.from_frame(linked[["source", "source_id"]])
        looked_after = linked[keys.isin(pd.MultiIndex.from_frame(in_care))].assign(group="looked after")
        parts.append(_rates("linked, by care", looked_after, "group"))
    sizes = links.groupby("child_id").size().value_counts().sort_index()
    parts.append(_counts("children, by number of records", sizes))
    parts.append(_counts("records, by how they were linked", links["how"].value_counts().sort_index()))
    bands = (review["weight"].dropna() // 5 * 5).astype("int64").value_counts().sort_index()
    bands.index = [f"weight {low} to {low + 5}" for low in bands.index]
    parts.append(_counts("pairs that wait for a person", bands.rename("pairs")))
    parts.append(_counts("pairs that wait for a person", pd.Series({"all": len(review)})))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _rates(measure: str, linked: pd.DataFrame, column: str) -> pd.DataFrame:
    found = linked.groupby(column)["is_linked"].agg(["sum", "size"])
    rows = _counts(measure, found["sum"])
    return rows.assign(of=found["size"].to_numpy(), rate=(100 * found["sum"] / found["size"]).round(2).to_numpy())


def _counts(measure: str, counts: pd.Series) -> pd.DataFrame:
    rows = {"measure": measure, "group": counts.index.astype("str"), "count": counts.to_numpy().astype("int64")}
    return pd.DataFrame(rows).assign(of=pd.NA, rate=float("nan")).astype({"of": "Int64"})


def beside(tonight: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Tonight's measures with `count_before` and `rate_before`, those of the night before."""
    named = before[["measure", "group", "count", "rate"]].rename(
        columns={"count": "count_before", "rate": "rate_before"}
    )
    both = tonight.merge(named, on=["measure", "group"], how="left")
    return both.astype({"count_before": "Int64"})


def fallen(links: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """What a night says when a system's link rate fell sharply against the night before; nothing on the first one."""
    if before.empty or links.empty:
        return []
    nothing = pd.DataFrame({"weight": pd.Series(dtype="float64")})
    told = beside(link_quality(links, nothing), link_quality(before, nothing))
    told = told[told["measure"] == "linked, by system"]
    lost = (told["rate_before"] - told["rate"]) / 100 * told["of"].astype("float64")
    sharp = told[(told["rate_before"] - told["rate"] > FALL) & (lost >= FEWEST)]
    return [
        f"linking: {group} {now:.1f} % of records linked, {then:.1f} % the night before. Look at `ehcp links quality`."
        for group, now, then in zip(sharp["group"], sharp["rate"], sharp["rate_before"], strict=True)
    ]
