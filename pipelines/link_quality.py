"""How well a night linked: rates by system and by group of children, sizes of children, passes, and the queue. Pure: frames in, frames out."""

from __future__ import annotations

import pandas as pd

from config.linking import Watch
from outputs.linking import ALL, CHILDREN, FOUND, QUEUE, RECORDS
from pipelines.frames import is_among

#: Groups of children by which nobody may be quietly lost, as columns of people.
GROUPS = {"ethnicity_code": "ethnicity", "need_code": "primary need"}
COLUMNS = ("measure", "group", "count", "of", "rate")
NOT_RECORDED = "not recorded"


def link_quality(
    links: pd.DataFrame,
    review: pd.DataFrame,
    people: pd.DataFrame,
    care: pd.DataFrame | None,
    register: pd.Series,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """One row a measure and group: `count`, `of` how many, and `rate` in percent (missing where a rate makes no sense).

    `links` (child_id, source, source_id, how) and `review` (weight) are a night's; `people` gives ethnicity and need of records, `care` the
    placements of looked-after children, `register` the child ids of the register. A record is linked when its child has a record of another
    system, and so is a child of the register.
    """
    linked = links.assign(is_linked=links["child_id"].duplicated(keep=False))
    looked_after = linked.iloc[:0]
    if care is not None:
        now = pd.MultiIndex.from_frame(care.loc[~(care["ended_on"] <= as_of), ["source", "source_id"]])
        looked_after = linked[pd.MultiIndex.from_frame(linked[["source", "source_id"]]).isin(now)]
    ours = linked[is_among(linked["child_id"], register)]
    children = _facts(ours, people)
    parts = [
        _rates(f"{RECORDS}, by system", linked.assign(group=linked["source"])),
        _rates(f"{RECORDS}, by care", looked_after.assign(group="looked after")),
        _found_in(ours, len(children)),
        _rates(CHILDREN, children.assign(group=ALL)),
        *(_rates(f"{CHILDREN}, by {word}", children.assign(group=children[name])) for name, word in GROUPS.items()),
    ]  # fmt: skip
    sizes = links.groupby("child_id").size().value_counts().sort_index()
    parts.append(_counts("children, by number of records", sizes))
    parts.append(_counts("records, by how they were linked", links["how"].value_counts().sort_index()))
    bands = (review["weight"].dropna() // 5 * 5).astype("int64").value_counts().sort_index()
    bands.index = [f"weight {low} to {low + 5}" for low in bands.index]
    parts.append(_counts(QUEUE, bands))
    parts.append(_counts(QUEUE, pd.Series({ALL: len(review)})))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _facts(ours: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One row a child of these records: whether it is linked, and what the first of its records that says so gives as each of `GROUPS`."""
    told = ours.merge(people[["source", "source_id", *GROUPS]].drop_duplicates(["source", "source_id"]), how="left")
    facts = told.groupby("child_id")[["is_linked", *GROUPS]].first()
    return facts.fillna(dict.fromkeys(GROUPS, NOT_RECORDED))


def _found_in(ours: pd.DataFrame, children: int) -> pd.DataFrame:
    """Of how many children of the register each system has a record."""
    rows = _counts(FOUND, ours.groupby("source")["child_id"].nunique())
    return _as_rates(rows, pd.Series(children, index=rows.index))


def _rates(measure: str, linked: pd.DataFrame) -> pd.DataFrame:
    found = linked.groupby("group")["is_linked"].agg(["sum", "size"])
    return _as_rates(_counts(measure, found["sum"]), found["size"].reset_index(drop=True))


def _as_rates(rows: pd.DataFrame, of: pd.Series) -> pd.DataFrame:
    return rows.assign(of=of.astype("Int64"), rate=(100 * rows["count"] / of).round(2))


def _counts(measure: str, counts: pd.Series) -> pd.DataFrame:
    rows = {"measure": measure, "group": counts.index.astype("str"), "count": counts.to_numpy().astype("int64")}
    return pd.DataFrame(rows).assign(of=pd.NA, rate=float("nan")).astype({"of": "Int64"})


def beside(tonight: pd.DataFrame, trend: pd.DataFrame) -> pd.DataFrame:
    """Tonight's measures with `count_before` and `rate_before`, those of the newest night of `trend` (all earlier nights', with ``as_of``)."""
    before = trend[trend["as_of"] == trend["as_of"].max()][["measure", "group", "count", "rate"]]
    named = before.rename(columns={"count": "count_before", "rate": "rate_before"})
    return tonight.merge(named, on=["measure", "group"], how="left").astype({"count_before": "Int64"})


def worse(tonight: pd.DataFrame, trend: pd.DataFrame, watch: Watch) -> list[str]:
    """What has got worse against the best of the last nights, a sentence each: a share of links that fell, a queue that grew.

    `trend` holds the measures of earlier nights (``as_of`` and `COLUMNS`), `watch` says how far back to look and how much is too much.
    """
    nights = sorted(trend["as_of"].unique())[-watch.nights :]
    recent = trend[trend["as_of"].isin(nights)]
    keys = ["measure", "group"]
    best = recent.dropna(subset="rate").sort_values(["rate", "as_of"]).drop_duplicates(keys, keep="last")
    shares = tonight.merge(best[[*keys, "rate", "as_of"]], on=keys, suffixes=("", "_best"))
    fall = shares["rate_best"] - shares["rate"]
    lost = (fall / 100 * shares["of"].astype("float64")).round()
    fell = shares[(fall > watch.fall_points) & (lost >= watch.fall_fewest)]
    told = [
        f"{row.measure}: {row.group} {row.rate:.1f}%, {row.rate_best:.1f}% on the night of {row.as_of:%Y-%m-%d}"
        for row in fell.itertuples()
    ]
    waiting = {"measure": QUEUE, "group": ALL}
    now = int(tonight.loc[(tonight[keys] == waiting).all(axis=1), "count"].iloc[0])
    queues = recent[(recent[keys] == waiting).all(axis=1)].sort_values(["count", "as_of"], ascending=[False, True])
    if len(queues):
        fewest, night = int(queues["count"].iloc[-1]), queues["as_of"].iloc[-1]
        more = now - fewest
        if more >= watch.queue_more and more > watch.queue_percent / 100 * fewest:
            told.append(f"{QUEUE}: {now:,}, {fewest:,} on the night of {night:%Y-%m-%d}")
    return told
