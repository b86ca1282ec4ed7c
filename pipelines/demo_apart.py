"""Children of an invented council who must never be linked: twins, and the two identities of an adopted child."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.demo_council import FORENAMES, SURNAMES, Council

_HOME = ["house", "street", "postcode"]


def keep_apart(council: Council) -> pd.DataFrame:
    """Make twins and adopted children of some that are there. Gives the pairs that must never be linked: true_id_a, true_id_b, reason.

    One pair of twins has two plans; in the others the twin is a pupil without one. Of an adopted child, social care and the rolls still hold the
    birth identity, which the order closed.
    """
    kids, twins, adopted = council.children, max(2, council.plans // 100), max(1, council.plans // 200)
    plain = kids["age"].between(6.2, 15.5) & (kids["liquidlogic"] == "")
    # The last ones: known faults are put on the first.
    planned = kids.index[plain & (kids.index < council.plans)][::-1]
    by_age = kids.loc[planned[:40], "age"].sort_values()
    closest = by_age.diff().argmin()
    both = by_age.index[closest - 1 : closest + 1]
    others = planned.drop(both)
    single = kids.loc[others[: twins - 1], "age"].sort_values().index
    pupils = kids.index[plain & (kids["synergy"] == "")]
    pairs = [
        _twins(council, both[:1], both[1:]),
        _twins(council, single, _nearest(kids["age"], single, pupils)),
        _adopted(council, others[twins - 1 :][:adopted]),
    ]
    return pd.concat(pairs, ignore_index=True)


def _nearest(age: pd.Series, children: pd.Index, pupils: pd.Index) -> pd.Index:
    """For each child another pupil of about the same age."""
    ordered = age[pupils].sort_values()
    at = np.searchsorted(ordered.to_numpy(), age[children].to_numpy())
    return ordered.index[np.clip(at, 0, len(ordered) - len(children)) + np.arange(len(children))]


def _twins(council: Council, children: pd.Index, twins: pd.Index) -> pd.DataFrame:
    """`twins` become the twins of `children`: the same surname, home and date of birth, another forename."""
    kids = council.children
    same = ["surname", "born", *_HOME]
    kids.loc[twins, same] = kids.loc[children, same].to_numpy()
    for child, twin in zip(children, twins, strict=True):
        names = FORENAMES[kids.at[twin, "sex"]].split()
        kids.at[twin, "forename"] = next(
            name for name in [kids.at[twin, "forename"], *names] if name[0] != kids.at[child, "forename"][0]
        )
    return _pairs(kids, children, twins, "twins")


def _adopted(council: Council, children: pd.Index) -> pd.DataFrame:
    """Children in care become the birth identities of `children`, closed by an adoption order 300 days before the last night."""
    kids, care, order = council.children, council.care_placements, council.end - pd.Timedelta(days=300)
    pupils = kids[(kids["synergy"] == "") & kids["liquidlogic"].isin(care["DIM_PERSON_ID"])]
    births = pupils.index[: len(children)]
    children = children[: len(births)]
    kids.loc[births, ["sex", "forename", "born"]] = kids.loc[children, ["sex", "forename", "born"]].to_numpy()
    surnames = SURNAMES.split()
    for child, birth in zip(children, births, strict=True):
        kids.at[birth, "surname"] = next(
            name for name in [kids.at[birth, "surname"], *surnames] if name != kids.at[child, "surname"]
        )
    numbers = kids.loc[births, "liquidlogic"]
    placed = care["DIM_PERSON_ID"].isin(numbers)
    care.loc[placed, ["CLA_START_DTTM", "START_DTTM", "END_DTTM"]] = [order - pd.Timedelta(days=300)] * 2 + [order]
    care.loc[placed, ["PLACEMENT_TYPE_CODE", "CARE_REASON_END_CODE"]] = ["A3", "E11"]
    for spells in (council.addresses, council.involvements):
        spells.loc[spells["DIM_PERSON_ID"].isin(numbers), "END_DTTM"] = order
    council.care_visits = council.care_visits[~council.care_visits["DIM_PERSON_ID"].isin(numbers)]
    council.rolls.loc[births, "END_DATE"] = order
    return _pairs(kids, births, children, "adopted: birth identity / adoptive identity")


def _pairs(kids: pd.DataFrame, some: pd.Index, others: pd.Index, reason: str) -> pd.DataFrame:
    ids = {
        f"true_id_{end}": kids.loc[side, "true_id"].to_numpy() for end, side in zip("ab", (some, others), strict=True)
    }
    return pd.DataFrame(ids).assign(reason=reason)
