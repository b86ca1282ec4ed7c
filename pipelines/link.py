"""Which records are one child: named deterministic passes over three systems that share no key, then the scores of a model.

A wrong link hides a child and a missed link makes one look lost, so each pass says what must agree, a tie is never guessed, and what is
left is scored (`link_scored`) and, where that decides nothing, goes to clerical review. Pure: frames in, frames out; the same records in any
order give the same links.

Guards: at most one record per system per child; twins need their forename; a record that is unborn, estimated, merged away or deceased
is linked by a shared valid UPN only, and after everybody else; conflicting numbers, compared over all records of the two children, stop a
match by name unless address and date of birth agree too; what a person told apart is not joined by a third record; and a child placed for
adoption is not linked under another surname without a number. The record that an adoption closed is **sealed**: it takes no part, and no pair of it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipelines.frames import is_among
from pipelines.link_blocks import pairs_for_passes
from pipelines.link_cluster import Clusters, pair_key
from pipelines.link_codes import encode
from pipelines.link_compare import KEPT_TIMES, OFTEN, compare_pairs, describe_pairs, prepare_people, same_birth_identity
from pipelines.link_model import Model
from pipelines.link_scored import link_by_score, was_one

ADOPTED = ("E11", "E12")
#: SSDA903 placement codes: placed for adoption, with the current foster carer or not, with consent or under an order.
PLACED_FOR_ADOPTION = ("A3", "A4", "A5", "A6")
PAIR = ("source_a", "source_id_a", "source_b", "source_id_b")


@dataclass(frozen=True)
class Linkage:
    """`links` (child_id, source, source_id, how), `review` (undecided pairs in words), `sealed` (source, source_id; never stored), and
    `guarded`, the pairs that look like twins (pair, why)."""

    links: pd.DataFrame
    review: pd.DataFrame
    sealed: pd.DataFrame
    guarded: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*PAIR, "why"], dtype="str"))


#: What must agree in each pass, strongest first. The names are shown to people as `how`.
PASSES = (
    ("UPN with name or date of birth", lambda p: p.upn_same & ~p.is_closed & ~p.is_sibling & (p.born_same & (p.forename_near | p.surname_same) | p.name_same)),
    ("ULN with name or date of birth", lambda p: p.uln_same & ~p.is_closed & ~p.is_sibling & (p.born_same & (p.forename_near | p.surname_same) | p.name_same)),
    ("UPN with a changed name or date", lambda p: p.upn_same & ~p.is_closed & ~p.is_sibling & (p.born_same | p.surname_same & p.forename_near | p.forename_same & p.born_near)),
    ("name, date of birth and postcode", lambda p: p.name_same & p.born_same & p.postcode_same & ~p.is_closed),
    ("name and date of birth", lambda p: p.name_same & p.born_same & ~p.number_conflict & ~p.sex_conflict & ~p.is_closed & ~p.is_common & ((p.namesakes < OFTEN) | p.door_same)),
    ("like name, date of birth and postcode", lambda p: p.surname_same & p.forename_near & p.born_same & p.postcode_same & ~p.number_conflict & ~p.is_closed),
    ("name, postcode and like date of birth", lambda p: p.name_same & p.born_near & p.postcode_same & ~p.number_conflict & ~p.sex_conflict & ~p.is_closed),
    ("forename, date of birth and postcode", lambda p: p.forename_same & p.born_same & p.postcode_same & (p.surname_same | ~p.is_placed) & ~p.number_conflict & ~p.sex_conflict & ~p.is_closed),
    ("UPN of a closed record", lambda p: p.upn_same & p.is_closed & ~p.is_sibling),
)  # fmt: skip


def link_people(
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    care_placements: pd.DataFrame | None,
    plans: pd.DataFrame | None,
    previous_links: pd.DataFrame | None,
    decisions: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    as_of: pd.Timestamp,
    model: Model | None = None,
) -> Linkage:
    """Link the person records of all systems as they stand tonight.

    `people`, `addresses`, `care_placements` and `plans` are canonical tables; `previous_links` (child_id, source, source_id; of every
    earlier night, newest first) keeps child ids from night to night, and an id that was ever given is given to no other child; `decisions` (source_a, source_id_a, source_b, source_id_b, answer) are people's, and outrank the passes.
    Without a `model` only the deterministic passes link, and the pairs to review have no weight.
    """
    records = (
        prepare_people(people, addresses).sort_values(["source", "source_id"], kind="stable").reset_index(drop=True)
    )
    sealed = _sealed(records, care_placements, plans, as_of)
    keys_of_sealed = records.loc[sealed, ["source", "source_id"]].reset_index(drop=True)
    records = records[~sealed].reset_index(drop=True)
    records["is_placed"] = placed_for_adoption(records, care_placements)
    coded = encode(records)
    pairs = compare_pairs(coded, nicknames, pairs_for_passes(coded))
    guarded = _twins(records, pairs)
    same, different = _decided(records, decisions)
    pairs = pairs[~np.isin(_keys(pairs), _keys(different))].reset_index(drop=True)
    often = pairs[pairs["name_same"] & pairs["born_same"] & (pairs["namesakes"] >= OFTEN)]
    pairs.loc[often.index[was_one(records, often, previous_links)], "namesakes"] /= KEPT_TIMES
    clusters = Clusters(coded, different)
    for position in range(len(same)):  # decisions are few, and each may depend on the one before
        clusters.join(clusters.candidates(same.iloc[[position]]), "decision")
    for label, condition in PASSES:
        clusters.join_sole(pairs[condition(pairs).to_numpy()], label)
    undecided = link_by_score(clusters, records, coded, pairs, people, addresses, nicknames, previous_links, model)
    review = describe_pairs(records, undecided)
    child_id = _child_ids(records, coded["system"], clusters.cluster, previous_links)
    links = pd.DataFrame(
        {
            "child_id": child_id,
            "source": records["source"],
            "source_id": records["source_id"],
            "how": pd.Series(clusters.how, dtype="str"),
        }
    )
    return Linkage(links, review, keys_of_sealed, guarded)


def _twins(records: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs that look like twins: same surname, date of birth and postcode, another forename, and one system holds both children.

    A postcode that is not known may be the same. Of two namesakes who live apart nothing has to be remembered: each night tells them apart by
    their forenames again, and in a region there are millions of such pairs.
    """
    unknown = records["postcode"].isna().to_numpy()
    may_share_home = pairs["postcode_same"] | unknown[pairs["a"]] | unknown[pairs["b"]]
    alike = pairs[pairs["is_sibling"] & pairs["surname_same"] & pairs["born_same"] & may_share_home]
    sides = [records.loc[alike[end], ["source", "source_id"]].reset_index(drop=True) for end in ("a", "b")]
    return pd.concat(sides, axis=1).set_axis(list(PAIR), axis=1).assign(why="twins by name and date of birth")


def _sealed(
    records: pd.DataFrame, care: pd.DataFrame | None, plans: pd.DataFrame | None, as_of: pd.Timestamp
) -> pd.Series:
    """The records that an adoption closed, and the same birth identity in other systems.

    A record with an active plan (or one still being made) is never sealed, nor another record of the same identity as that one: that
    would hide a child. The same birth identity means the same valid UPN with the same
    surname, or the same full name and date of birth; the adoptive identity has another surname and another UPN.
    """
    closed = pd.Series(False, index=records.index)
    if care is None:
        return closed
    ended = care[care["care_end_code"].isin(ADOPTED) & ~(care["ended_on"] > as_of)]
    since = care.groupby(["source", "source_id"])["started_on"].max()
    adopted = ended[["source", "source_id", "ended_on"]].groupby(["source", "source_id"])["ended_on"].max()
    returned = since.reindex(adopted.index) > adopted
    keys = pd.MultiIndex.from_frame(records[["source", "source_id"]])
    closed = pd.Series(keys.isin(adopted.index[~returned.to_numpy()]), index=records.index)
    if not closed.any():
        return closed
    has_plan = pd.Series(False, index=records.index)
    if plans is not None:
        active = plans[~(plans["started_on"] > as_of) & ~(plans["ceased_on"] <= as_of)]
        has_plan = pd.Series(keys.isin(pd.MultiIndex.from_frame(active[["source", "source_id"]])), index=records.index)
    born_as = same_birth_identity(records, closed)
    kept = born_as & has_plan
    return closed | (born_as & ~kept & ~same_birth_identity(records, kept))


def placed_for_adoption(records: pd.DataFrame, care: pd.DataFrame | None) -> pd.Series:
    """The records of children who were ever placed for adoption, whether or not an order is recorded."""
    if care is None:
        return pd.Series(False, index=records.index)
    placed = care.loc[care["placement_code"].isin(PLACED_FOR_ADOPTION), ["source", "source_id"]]
    keys = pd.MultiIndex.from_frame(records[["source", "source_id"]])
    return pd.Series(keys.isin(pd.MultiIndex.from_frame(placed)), index=records.index)


def _keys(pairs: pd.DataFrame) -> np.ndarray:
    return pair_key(pairs["a"].to_numpy(), pairs["b"].to_numpy())


def _decided(records: pd.DataFrame, decisions: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People's decisions as pairs of record positions: those that are the same child and those that are not."""
    empty = pd.DataFrame({"a": pd.Series(dtype="int64"), "b": pd.Series(dtype="int64")})
    if decisions is None or decisions.empty:
        return empty, empty
    position = records.reset_index().set_index(["source", "source_id"])["index"]
    sides = {
        side: decisions[[f"source_{side}", f"source_id_{side}"]].set_axis(["source", "source_id"], axis=1)
        for side in ("a", "b")
    }
    found = pd.DataFrame(
        {side: sides[side].join(position, on=["source", "source_id"])["index"].to_numpy() for side in sides}
    )
    found["answer"] = decisions["answer"].to_numpy()
    found = found.dropna(subset=["a", "b"]).astype({"a": "int64", "b": "int64"})
    return found[found["answer"] == "same"], found[found["answer"] == "different"]


def _child_ids(
    records: pd.DataFrame, system: np.ndarray, cluster: np.ndarray, previous: pd.DataFrame | None
) -> np.ndarray:
    """A child keeps the id of its Synergy record, else Capita's, else Liquidlogic's; new ids follow the greatest one known, in the order of `records`.

    A child that is left without one takes an id that one of its records had before, if no record has held it since: so a link that is taken
    back gives both children the ids that they had.
    """
    frame = records[["source", "source_id"]].assign(cluster=cluster, rank=system)
    greatest = 0
    given = pd.Series(dtype="str")
    if previous is not None and not previous.empty:
        greatest = int(previous["child_id"].str[1:].astype("int64").max())
        held = previous.drop_duplicates(["source", "source_id", "child_id"])
        held = held.assign(back=held.groupby(["source", "source_id"]).cumcount())
        last = held["back"] == 0
        held = held[last | ~is_among(held["child_id"], held.loc[last, "child_id"])]
        known = held.set_index(["source", "source_id"])[["child_id", "back"]]
        claims = frame.join(known, on=["source", "source_id"]).dropna(subset=["child_id"])
        claims = claims.sort_values(["back", "rank", "source_id"])
        # The best-ranked claim comes first; what it leaves free, id or cluster, goes by the next claim. Few rounds: ids seldom cross.
        while not claims.empty:
            settled = claims[~claims.duplicated("child_id") & ~claims.duplicated("cluster")]
            given = pd.concat([given, settled.set_index("cluster")["child_id"]])
            is_open = ~is_among(claims["child_id"], settled["child_id"]) & ~claims["cluster"].isin(settled["cluster"])
            claims = claims[is_open]
    order = frame.sort_values("rank", kind="stable").drop_duplicates("cluster")["cluster"]
    new = order[~order.isin(given.index)]
    fresh = pd.Series(
        [f"C{greatest + number:07d}" for number in range(1, len(new) + 1)], index=new.to_numpy(), dtype="str"
    )
    return pd.Series(cluster).map(pd.concat([given, fresh])).to_numpy()
