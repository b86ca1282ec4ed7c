"""Whose an exception is and what is claimed of it, held against the extracts since: "said to be fixed, still failing in 4". Pure.

A claim changes nothing: the data decide. It counts from the first time somebody claims it after the exception last came back.
"""

from __future__ import annotations

import pandas as pd

from outputs.about import system_title
from pipelines.acts import ASSIGNED, CLAIMED
from pipelines.frames import is_among
from pipelines.lifecycle import ACCEPTED, OPEN, RESOLVED

#: What is added to exceptions.
COLUMNS = ("assigned_to", "claimed_on", "claimed_by", "claim_failing", "claim")


def told(exceptions: pd.DataFrame, acts: pd.DataFrame, spells: pd.DataFrame, nights: pd.Series) -> pd.DataFrame:
    """Exceptions with ``assigned_to``; and ``claimed_on`` (the night), ``claimed_by``, ``claim_failing`` (in how many nights since its rule still
    found it on fresh data) and ``claim`` (a sentence; empty where nothing is claimed).

    `acts` are the people's acts that stand (`acts.standing`); `spells` the history of these exceptions (exception_id, status, on_old_data,
    known_from, known_to, the last missing while it lasts); `nights` the complete nights.
    """
    assigned = acts[acts["event"] == ASSIGNED].drop_duplicates("exception_id", keep="last").set_index("exception_id")
    claims = acts[acts["event"] == CLAIMED]
    back = _of(exceptions.set_index("exception_id")["reopened_on"], claims["exception_id"])
    claims = claims[~(claims["night"] < back)].drop_duplicates("exception_id").set_index("exception_id")
    failing = _failing(claims["night"], spells, nights)
    one = exceptions["exception_id"]
    frame = exceptions.assign(
        assigned_to=_of(assigned["value"], one),
        claimed_on=_of(claims["night"], one),
        claimed_by=_of(claims["who"], one),
        claim_failing=_of(failing, one).astype("Int64"),
    )
    return frame.assign(claim=_sentence(frame))


def summed(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The claims of `told` by a column (``owner``, ``claimed_by``): claims, still_failing (in an extract since), waiting (none since), came_true."""
    claimed = frame[frame["claimed_on"].notna()]
    is_over = claimed["status"] == RESOLVED
    fails = ~is_over & (claimed["claim_failing"] > 0)
    parts = {"claims": True, "still_failing": fails, "waiting": ~is_over & ~fails, "came_true": is_over}
    counted = pd.DataFrame({by: claimed[by], **parts}, index=claimed.index)
    counts = counted.groupby(by, sort=True)[list(parts)].sum().astype("int64").reset_index()
    return counts.sort_values(["still_failing", by], ascending=[False, True], kind="stable", ignore_index=True)


def _of(values: pd.Series, exceptions: pd.Series) -> pd.Series:
    """The value of each exception, by exception_id, with the kind of `values` also where there is none."""
    return values.reindex(exceptions).set_axis(exceptions.index)


def _failing(since: pd.Series, spells: pd.DataFrame, nights: pd.Series) -> pd.Series:
    """By exception_id, how many nights after `since` fell into a spell in which it was found on fresh data."""
    fresh = spells["status"].isin([OPEN, ACCEPTED]) & ~spells["on_old_data"].astype("boolean").fillna(True).astype(bool)
    own = spells[fresh & is_among(spells["exception_id"], since.index)]
    known = nights.sort_values().drop_duplicates().astype("datetime64[us]").to_numpy()
    after = _of(since, own["exception_id"]) + pd.Timedelta(days=1)
    begins = own["known_from"].where(own["known_from"] > after, after)
    ends = own["known_to"].fillna(pd.Timestamp.max.floor("D")).astype("datetime64[us]")
    counts = known.searchsorted(ends.to_numpy()) - known.searchsorted(begins.astype("datetime64[us]").to_numpy())
    found = pd.Series(counts, index=own.index, dtype="int64").clip(lower=0).groupby(own["exception_id"]).sum()
    return found.reindex(since.index, fill_value=0)


def _sentence(exceptions: pd.DataFrame) -> pd.Series:
    frame = exceptions[exceptions["claimed_on"].notna()]
    systems = frame["source"].fillna("")
    where = systems.map({name: system_title(name) if name else "the source" for name in systems.unique()}).astype("str")
    said = "Said to be fixed in " + where + " on " + frame["claimed_on"].dt.strftime("%Y-%m-%d")
    count = frame["claim_failing"]
    extracts = count.astype("str") + pd.Series(" extracts", index=frame.index, dtype="str").mask(count == 1, " extract")
    still = ", still failing in " + extracts + " since"
    still = still.mask(count == 0, ", no fresh extract since")
    gone = ", no longer found since " + frame["resolved_on"].dt.strftime("%Y-%m-%d")
    text = said + still.where(frame["status"] != RESOLVED, gone)
    return text.reindex(exceptions.index, fill_value="").astype("str")
