"""Exceptions follow their child through merges and splits. Pure: frames in, frames out.

An exception of a record goes where its record goes. One of a child alone is known by the child's id; when all records of that child are another
child's, it goes on under that one's id with its age and with what people did, and when the link is taken back both children have theirs again
as they were. What people did is never rewritten: it is read under the id that the exception has tonight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from pipelines.frames import is_among
from pipelines.lifecycle import OPEN, RESOLVED, identify
from pipelines.link_codes import SYSTEMS
from pipelines.link_night import LAPSED, MERGED, Known, Linked
from pipelines.sealing import sealed_children

FOLLOWED, RESUMED = "followed its child", "resumed"


@dataclass(frozen=True)
class Inherited:
    """`known` with the exceptions of the night before, what rules in shadow found, and people's acts, under tonight's ids; `followed`, which exception of which former child goes
    on as which (exception_id, child_id, followed_by); `events` (exception_id, event, reason)."""

    known: Known
    followed: pd.DataFrame
    events: pd.DataFrame


def inherit(
    known: Known,
    linked: Linked,
    findings: pd.DataFrame,
    earlier: pd.DataFrame,
    earlier_shadow: pd.DataFrame | None = None,
) -> Inherited:
    """Last night's exceptions as those of tonight's children.

    `findings` are tonight's; `earlier` are the exceptions of children who have a record back, as the last night before it left had them (`came_back`);
    `earlier_shadow` the same of what rules in shadow found (none, where nobody asks).
    """
    links = linked.linkage.links
    is_back = is_among(known.followed["child_id"], links["child_id"])
    exceptions, resumed = _as_before(
        known.exceptions, findings, earlier, set(known.followed.loc[is_back, "followed_by"])
    )
    exceptions = _with_their_records(exceptions, linked.events, links)
    heir = heirs(linked.events)
    exceptions, moved = _to_heirs(exceptions, heir)
    followed = pd.concat([known.followed[~is_back], moved], ignore_index=True)
    followed = followed[~followed["child_id"].isin(sealed_children(known.links, linked.sealed))]
    told = "child " + moved["child_id"] + " is " + moved["child_id"].map(heir).astype("str")
    events = [
        pd.DataFrame({"exception_id": moved["exception_id"], "event": FOLLOWED, "reason": told}),
        pd.DataFrame({"exception_id": resumed, "event": RESUMED, "reason": "the records are as they were"}),
    ]
    acts = known.acts.assign(exception_id=as_followed(known.acts["exception_id"], followed))
    shadow = known.shadow
    if earlier_shadow is not None:
        shadow = _shadow_as_before(shadow, earlier_shadow, came_back(linked.events, known.links))
    shadow, _ = _to_heirs(shadow.assign(status=OPEN), heir)
    return Inherited(
        replace(known, exceptions=exceptions, acts=acts, followed=followed, shadow=shadow),
        followed.reset_index(drop=True),
        pd.concat(events, ignore_index=True).astype("str"),
    )


def heirs(events: pd.DataFrame) -> pd.Series:
    """By child whose records are all another's tonight, that other: of Synergy's record, else Capita's, else Liquidlogic's."""
    merged = events[events["event"] == MERGED]
    rank = merged["source"].map({name: place for place, name in enumerate(SYSTEMS)}).fillna(len(SYSTEMS))
    best = merged.assign(rank=rank).sort_values(["rank", "source_id"]).drop_duplicates("before")
    return best.set_index("before")["child_id"]


def came_back(events: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """The records that are tonight the child's they were before the one of last night: source, source_id, child_id, before."""
    moved = events.loc[events["event"] != LAPSED, ["source", "source_id", "child_id", "before"]]
    return moved.merge(links[["source", "source_id", "child_id"]].drop_duplicates())


def as_followed(ids: pd.Series, followed: pd.DataFrame) -> pd.Series:
    """The ids that these exceptions have now. An exception may have followed its child more than once."""
    next_id = followed.set_index("exception_id")["followed_by"]
    while (again := ids.isin(next_id.index)).any():
        ids = ids.mask(again, ids.map(next_id))
    return ids


def _as_before(
    exceptions: pd.DataFrame, findings: pd.DataFrame, earlier: pd.DataFrame, shared: set[str]
) -> tuple[pd.DataFrame, pd.Series]:
    """The exceptions with those of `earlier` that go on as they were, and the ids of these that stood.

    They are: what went to another child (`shared` are the ids under which it went on), and what resolved since and is found again.
    """
    if earlier.empty:
        return exceptions, pd.Series(dtype="str")
    status = exceptions.set_index("exception_id")["status"].reindex(earlier["exception_id"]).set_axis(earlier.index)
    stood = earlier["status"] != RESOLVED
    again = (status == RESOLVED) & stood & earlier["exception_id"].isin(identify(findings))
    back = earlier[status.isna() | again | earlier["exception_id"].isin(shared)]
    kept = exceptions[~exceptions["exception_id"].isin(shared | set(back["exception_id"]))]
    return pd.concat([kept, back], ignore_index=True), earlier.loc[(status.isna() & stood) | again, "exception_id"]


def _shadow_as_before(shadow: pd.DataFrame, earlier: pd.DataFrame, back: pd.DataFrame) -> pd.DataFrame:
    """What rules in shadow found, with that of children who are `back` (child_id, before) as it was, and so what they had shared with another."""
    of_back = earlier["child_id"].isin(back["child_id"])
    _, moved = _to_heirs(earlier[of_back].assign(status=OPEN), back.drop_duplicates("child_id").set_index("child_id")["before"])  # fmt: skip
    shared = set(moved["followed_by"])
    was = earlier[of_back | earlier["exception_id"].isin(shared)]
    return pd.concat([was, shadow[~shadow["exception_id"].isin(shared | set(was["exception_id"]))]], ignore_index=True)


def _with_their_records(exceptions: pd.DataFrame, events: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """The exceptions of records that are another child's tonight as that child's."""
    keys = ["source", "source_id"]
    moved = links.merge(events.loc[events["event"] != LAPSED, keys].drop_duplicates()).set_index(keys)["child_id"]
    if moved.empty:
        return exceptions
    child = moved.reindex(pd.MultiIndex.from_frame(exceptions[keys])).set_axis(exceptions.index)
    return exceptions.assign(child_id=child.fillna(exceptions["child_id"]).astype("str"))


def _to_heirs(exceptions: pd.DataFrame, heir: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The exceptions with those of former children alone as their heirs', and which goes on as which.

    Where both children have the same one, it is one: the one that stands, first seen when the earlier of the two was.
    """
    goes = exceptions["source_id"].fillna("").eq("") & exceptions["child_id"].isin(heir.index)
    going = exceptions[goes]
    texts = {name: going[name].fillna("") for name in ("source", "source_id", "row_id", "thing")}
    going = going.assign(**texts, child_id=going["child_id"].map(heir))
    # Child by child, as two former children of one heir may have the same exception; merges are few.
    parts = [identify(part) for _, part in going.groupby(exceptions.loc[goes, "child_id"])]
    new_id = pd.concat(parts) if parts else pd.Series(dtype="str")
    moved = exceptions.loc[goes, ["exception_id", "child_id"]].assign(followed_by=new_id)
    if moved.empty:
        return exceptions, moved
    together = pd.concat([exceptions[~goes], going.assign(exception_id=new_id)], ignore_index=True)
    first = together.groupby("exception_id")["first_seen_on"].transform("min")
    together = together.assign(first_seen_on=first, _is_over=together["status"] == RESOLVED)
    together = together.sort_values("_is_over", kind="stable").drop_duplicates("exception_id")
    return together.drop(columns="_is_over").reset_index(drop=True), moved
