"""The cascade's last step: what the deterministic passes left is scored by the model, under the same guards, with a memory.

Only records whose child still lacks a system take part, and only where they share something narrow (`link_blocks`), so the work is bounded. A pair
is joined from the model's `join` weight on, if each is the other's best by a margin; one that was one child on an earlier night stays so down to
`fracture`. What is left from `review` on waits for a person.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.link_blocks import pairs_for_scores
from pipelines.link_cluster import Clusters, pair_key
from pipelines.link_codes import Coded
from pipelines.link_compare import OFTEN, compare_pairs
from pipelines.link_model import Model
from pipelines.link_score import features, rarity, score_pairs

#: A forename that more children than this bear is a name, and no slip of the pen for another.
KNOWN_NAME = 2
SCORE, KEPT = "score", "score, as on an earlier night"


def link_by_score(
    clusters: Clusters,
    records: pd.DataFrame,
    coded: Coded,
    pairs: pd.DataFrame,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    previous: pd.DataFrame | None,
    model: Model | None,
) -> pd.DataFrame:
    """Join in `clusters` what scores high enough, and give the pairs that a person should look at, with `weight`.

    `pairs` are those of `compare_pairs` for the passes; pairs of records that share less are added here. Without a model nothing is joined.
    """
    looked_at = pairs[clusters.joinable(pairs) & ~pairs["is_closed"].to_numpy()]
    if model is None:
        return looked_at[_worth_review(looked_at)].assign(weight=np.nan)
    wider = pairs_for_scores(coded, clusters)
    wider = wider[~np.isin(pair_key(wider["a"], wider["b"]), pair_key(looked_at["a"], looked_at["b"]))]
    compared = compare_pairs(coded, nicknames, wider.reset_index(drop=True))
    looked_at = pd.concat([looked_at, compared[~compared["is_closed"]]], ignore_index=True)
    looked_at = looked_at[_may_be_one(looked_at)].sort_values(["a", "b"], ignore_index=True)
    model = model.for_population(int(records["source"].value_counts().max()) if len(records) else 0)
    at = np.unique(looked_at[["a", "b"]].to_numpy())
    described = features(records.loc[at], people, addresses, nicknames)
    scored = score_pairs(looked_at, described, rarity(records), model)
    looked_at["weight"] = scored["weight"]
    looked_at["is_guarded"] = _guarded(looked_at, scored, coded, model)
    looked_at["was_one"] = was_one(records, looked_at, previous)
    for label, floor in ((SCORE, model.join), (KEPT, model.fracture)):
        enough = (looked_at["weight"] >= floor) & ~looked_at["is_guarded"]
        if label == KEPT:
            enough &= looked_at["was_one"]
        for part in clusters.between(looked_at):
            clusters.join(_best(clusters.candidates(part), enough, model.margin), label)
    left = looked_at[clusters.joinable(looked_at)]
    return left[_worth_review(left) | (left["weight"] >= model.review) & ~left["is_guarded"]]


def _worth_review(p: pd.DataFrame) -> pd.Series:
    """Pairs that a person should look at whatever they weigh: nearly enough agrees, and no number says otherwise."""
    like = p.name_same & (p.born_same | p.born_near & p.postcode_same) | p.surname_same & p.forename_near & p.born_same
    numbers = (p.upn_same | p.uln_same) & (p.born_near | p.forename_near | p.surname_same)
    return ~p.is_closed & (like & ~(p.number_conflict & ~p.postcode_same) | numbers)


def _may_be_one(p: pd.DataFrame) -> pd.Series:
    """Pairs of which at least one of name, date of birth and home nearly agrees, or a number: no score makes one child of others."""
    return p.surname_same | p.forename_near | p.born_near | p.upn_same | p.uln_same | p.door_same | p.postcode_same


def _guarded(p: pd.DataFrame, scored: pd.DataFrame, coded: Coded, model: Model) -> pd.Series:
    """Pairs that no score may join: whose numbers disagree, who may be twins or namesakes, or whom an adoption may stand between."""
    conflict = p["number_conflict"] | (scored["gamma_nhs"] == 0) & ~p["upn_same"]
    sex = p["sex_conflict"] & ~p["forename_same"]
    often = p["name_same"] & (p["namesakes"] >= OFTEN) & ~p["door_same"]
    namesake = (p["is_common"] | often) & ~p["postcode_same"]
    adoption = p["is_placed"] & ~p["surname_same"]
    guarded = conflict | sex | namesake | adoption | p["is_sibling"]
    if model.keep_twins_apart:
        guarded |= ~p["forename_near"] & ~_is_slip(p, scored, coded, model)
    return guarded


def _is_slip(p: pd.DataFrame, scored: pd.DataFrame, coded: Coded, model: Model) -> pd.Series:
    """Two forenames of which one is the other with a slip of the pen, rather than two names: one of them is nobody else's."""
    slips = [model.gamma("forename", label) for label in ("forename one letter out",)]
    bearers = np.bincount(coded["forename"] + 1)
    rarest = np.minimum(*(bearers[coded["forename"][p[side]] + 1] for side in ("a", "b")))
    return scored["gamma_forename"].isin(slips) & (rarest <= KNOWN_NAME)


def was_one(records: pd.DataFrame, pairs: pd.DataFrame, previous: pd.DataFrame | None) -> np.ndarray:
    """True where both records were the same child when last seen."""
    if previous is None or previous.empty:
        return np.zeros(len(pairs), dtype=bool)
    last = previous.drop_duplicates(["source", "source_id"])
    child = records[["source", "source_id"]].merge(last, on=["source", "source_id"], how="left")["child_id"]
    left, right = child.loc[pairs["a"]].to_numpy(), child.loc[pairs["b"]].to_numpy()
    return (left == right) & pd.notna(left)


def _best(candidates: pd.DataFrame, enough: pd.Series, margin: float) -> pd.DataFrame:
    """The pairs that are the best of both children by the margin, over candidates that weigh too little too. A tie joins nobody."""
    ranked = candidates.sort_values(["weight", "a", "b"], ascending=[False, True, True]).drop_duplicates(
        ["left", "right"]
    )
    lead = pd.Series(True, index=ranked.index)
    for side in ("left", "right"):
        first = ranked.groupby(side)["weight"].transform("max")
        second = ranked[ranked.duplicated(side)].groupby(side)["weight"].max()
        lead &= (ranked["weight"] == first) & ~(ranked[side].map(second) > first - margin)
    return ranked[lead & enough.loc[ranked.index]]
