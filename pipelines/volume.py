"""How many exceptions came, went and are late, in one night. Pure: frames in, frames out."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from config.priority import Priority
from outputs.wording import severity_rank
from pipelines.frames import is_among
from pipelines.lifecycle import ACCEPTED, EXPLAINED, NOT_EVALUATED, OPEN, RESOLVED
from pipelines.priority import targets

KEYS = ("rule", "severity", "owner")
STANDING = (OPEN, ACCEPTED, NOT_EVALUATED)
#: What is counted, in the order in which it is told.
COUNTS = (
    "open", "accepted", "not_evaluated", "new", "backlog", "reopened", "resolved", "overdue", "newly_overdue", "to_shadow", "relinked",
)  # fmt: skip


def volume(
    before: pd.DataFrame,
    tonight: pd.DataFrame,
    weights: Priority,
    night: pd.Timestamp,
    since: pd.Timestamp | None = None,
    shadow: Collection[str] = (),
    was_shadow: Collection[str] = (),
    left: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The counts of a night by rule, severity and owner: columns KEYS and COUNTS.

    `before` and `tonight` are the exceptions as two nights left them, each with its resolved ones; `since` is the earlier of the two nights (the
    day before unless said). What a rule raised on its first night, or the
    first of a new version, is `backlog` and not `new`. `overdue` is past its target time; `newly_overdue` was not so the night before.

    Exceptions of the rules in `shadow` are kept and not counted: on the first night of it they are `to_shadow`. Those of a rule that was in shadow the
    night before (`was_shadow`) and no longer is come back as `backlog`.

    `left` are the exceptions as the night before left them, where records were linked otherwise since (`before` unless said): `relinked` is how many
    more (fewer, where negative) of them `before` has, as children became one, or two again. So on every night what stands is what stood + new +
    backlog + reopened + relinked - resolved - to_shadow.
    """
    was_late = before.loc[_late(before, weights, since or night - pd.Timedelta(days=1)), "exception_id"]
    late = _late(tonight, weights, night)
    first = (tonight["first_seen_on"] == night) & (tonight["status"] != RESOLVED)
    hidden, was_hidden = tonight["rule"].isin(shadow), tonight["rule"].isin(was_shadow)
    stood = tonight["exception_id"].isin(_standing(before)["exception_id"])
    backlog = first & tonight["is_backlog"].astype("boolean").fillna(False).astype(bool)
    flags = {
        **{status: tonight["status"] == status for status in STANDING},
        # What people explained is theirs, as what they accepted is.
        ACCEPTED: tonight["status"].isin([ACCEPTED, EXPLAINED]),
        "new": first & ~backlog,
        "backlog": backlog | (stood & was_hidden),
        "reopened": (tonight["reopened_on"] == night) & (tonight["status"] != RESOLVED),
        "resolved": (tonight["status"] == RESOLVED) & (tonight["resolved_on"] == night),
        "overdue": late,
        "newly_overdue": late & ~is_among(tonight["exception_id"], was_late),
    }
    flags = {name: flag & ~hidden for name, flag in flags.items()} | {"to_shadow": stood & hidden & ~was_hidden}
    counted = tonight[list(KEYS)].assign(**{name: flags[name].astype("int64") for name in flags})
    if left is not None:
        counted = pd.concat([counted, _relinked(before, left, was_shadow)]).fillna(dict.fromkeys(COUNTS, 0))
    counted = counted.reindex(columns=[*KEYS, *COUNTS], fill_value=0).astype(dict.fromkeys(COUNTS, "int64"))
    told = counted.groupby(list(KEYS), sort=True, dropna=False)[list(COUNTS)].sum().reset_index()
    return told[told[list(COUNTS)].any(axis=1)].reset_index(drop=True)


def _standing(exceptions: pd.DataFrame) -> pd.DataFrame:
    return exceptions[exceptions["status"].isin([*STANDING, EXPLAINED])]


def _relinked(before: pd.DataFrame, left: pd.DataFrame, was_shadow: Collection[str]) -> pd.DataFrame:
    """A row for each exception that stands `before` the night and was not `left` standing (1), or the other way round (-1)."""
    sides = [_standing(side)[["exception_id", *KEYS]] for side in (before, left)]
    moved = [
        side.loc[~is_among(side["exception_id"], other["exception_id"]), list(KEYS)].assign(relinked=number)
        for side, other, number in ((*sides, 1), (*sides[::-1], -1))
    ]
    both = pd.concat(moved)
    return both[~both["rule"].isin(was_shadow)]


def summed(counts: pd.DataFrame, by: str) -> pd.DataFrame:
    """The counts of `volume` by one of its keys (or by night), with as many rows as it has values, in their order; severities from the worst on."""
    told = counts.groupby(by, sort=False)[list(COUNTS)].sum().reset_index()
    return told.sort_values(by, key=severity_rank if by == "severity" else None, ignore_index=True)


def _late(exceptions: pd.DataFrame, weights: Priority, night: pd.Timestamp) -> pd.Series:
    return targets(exceptions, weights, night)["is_overdue"]
