"""Where a child is and how sure that is: seen, corroborated, recorded only, or not known.

*Seen*: a visit at which the child was seen, a review meeting, a recorded contact. *Corroborated*: an open main roll or an open
care placement; its date is the last night on which a fresh feed carried it, or its end, whichever is earlier. *Recorded only*: a
casework placement or home education, dated the same way. A row that no accepted feed carries any more confirms nothing after
the night that last carried it; a placement that has not begun dates nothing.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from config.limits import Limits
from pipelines.frames import age_on, is_among, is_begun, is_open, joined, look_up
from pipelines.places import MAIN_ROLL

#: Canonical tables by name; None where there is no accepted copy at all.
Tables = dict[str, Any]


def _sightings(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    found = []
    visits, reviews = tables["visits"], tables["reviews"]
    if visits is not None:
        found.append(
            visits.loc[visits["is_seen"].fillna(False), ["child_id", "source", "visited_on"]].set_axis(_DATED, axis=1)
        )
    if reviews is not None:
        found.append(reviews[["child_id", "source", "met_on"]].set_axis(_DATED, axis=1))
    return _dated(found, as_of)


def _confirmations(frames: list[pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """Spells that have begun, each dated to the last night that a feed carried it or to its end."""
    found = []
    for frame in frames:
        begun = frame[is_begun(frame, as_of)]
        until = begun[["carried_on", "ended_on"]].min(axis=1).clip(upper=as_of)
        found.append(begun[["child_id", "source"]].assign(on=until))
    return _dated(found, as_of)


_DATED = ["child_id", "source", "on"]


def _dated(frames: list[pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame(
            {
                "child_id": pd.Series(dtype="str"),
                "source": pd.Series(dtype="str"),
                "on": pd.Series(dtype="datetime64[us]"),
            }
        )
    dated = pd.concat(frames, ignore_index=True)
    return dated[dated["on"] <= as_of]


def _latest(dated: pd.DataFrame, name: str) -> pd.DataFrame:
    """Per child, the latest date and the systems that have it."""
    last = dated.groupby("child_id")["on"].max()
    at_last = dated[dated["on"] == look_up(dated["child_id"], last)]
    return pd.DataFrame({f"{name}_on": last, f"{name}_by": joined(at_last["source"], at_last["child_id"])})


def whereabouts(register: pd.DataFrame, tables: Tables, as_of: pd.Timestamp, limits: Limits) -> pd.DataFrame:
    """Adds the whereabouts columns to a register frame.

    ``seen_on``/``seen_by``, ``corroborated_on``/``_by``, ``recorded_on``, ``is_missing`` (an open missing episode),
    ``is_missing_education`` (an open case), ``whereabouts_days`` (the limit that applies, in days), ``whereabouts_since`` (the
    earliest date that still confirms) and ``whereabouts_grade``.
    """
    rolls, placements = tables["rolls"], tables["placements"]
    main_rolls = None if rolls is None else rolls[rolls["enrol_status_code"].isin(MAIN_ROLL)]
    in_place = None if placements is None else placements[placements["is_placed"]]
    corroborated = _confirmations([f for f in (main_rolls, tables["care_placements"]) if f is not None], as_of)
    recorded = _confirmations([f for f in (in_place, tables["home_education"]) if f is not None], as_of)

    register = register.join(_latest(_sightings(tables, as_of), "seen"), on="child_id")
    register = register.join(_latest(corroborated, "corroborated"), on="child_id")
    register = register.join(_latest(recorded, "recorded")[["recorded_on"]], on="child_id")
    for column, table in (("is_missing", "missing_episodes"), ("is_missing_education", "missing_education")):
        cases = tables[table]
        gone = set() if cases is None else set(cases.loc[is_open(cases, as_of), "child_id"])
        register[column] = is_among(register["child_id"], gone)

    is_neet = pd.Series(False, index=register.index)
    if placements is not None:
        neet = placements[placements["is_open"] & placements["setting_code"].isin(["NEET", "NIEO"])]
        is_neet = is_among(register["child_id"], neet["child_id"]) & (age_on(register["born_on"], as_of) >= 16).fillna(
            False
        )
    register["whereabouts_days"] = is_neet.map(
        {True: limits.whereabouts_neet_days, False: limits.whereabouts_days}
    ).astype("int64")
    since = as_of - pd.to_timedelta(register["whereabouts_days"], unit="D")
    grade = pd.Series("not_known", index=register.index, dtype="str")
    grade = grade.mask(register["recorded_on"] >= since, "recorded")
    grade = grade.mask(register["corroborated_on"] >= since, "corroborated")
    grade = grade.mask(register["seen_on"] >= since, "seen")
    register["whereabouts_grade"] = grade.mask(register["is_missing"] | register["is_missing_education"], "missing")
    return register
