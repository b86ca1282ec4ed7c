"""One night's linking with its memory: earlier links, people's decisions, the never-link list, and what became of whom. Pure: frames in, frames out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from config.settings import config_file
from pipelines.decisions import ANSWERS, DECIDED, DIFFERENT, PAIR, UNDONE, Honoured, honour, never_link, pair_key
from pipelines.frames import is_among
from pipelines.link import Linkage, link_people
from pipelines.link_codes import encode
from pipelines.link_compare import compare_pairs, describe_pairs, prepare_people
from pipelines.link_model import Model
from pipelines.link_score import weigh
from pipelines.sealing import is_sealed

LINK_EVENT_COLUMNS = (
    "event", "child_id", "before", "source", "source_id", "why", "who", "decision_id",
)  # fmt: skip
MERGED, SPLIT, MOVED, LAPSED = "merged", "split", "moved", "decision lapsed"


@dataclass(frozen=True)
class Known:
    """What was known before a night: `links` of every earlier night, newest first; `sealed` records; `never` (the never-link list);
    `exceptions` as the night before `left` them, after `pipelines.inherit` those of tonight's children; those that `followed` their child under
    another id; what rules in `shadow` found; `acts` of people on exceptions; `decisions` about pairs and the ids of the `lapsed` ones; `since`, the night before, from which on a decision explains what moved tonight."""

    links: pd.DataFrame
    sealed: pd.DataFrame
    never: pd.DataFrame
    left: pd.DataFrame
    exceptions: pd.DataFrame
    followed: pd.DataFrame
    shadow: pd.DataFrame
    acts: pd.DataFrame
    decisions: pd.DataFrame
    lapsed: frozenset[int]
    since: pd.Timestamp | None


@dataclass(frozen=True)
class Linked:
    """A night's linking: `linkage`, all `sealed` records so far, the `never`-link list, and `events` (`LINK_EVENT_COLUMNS`)."""

    linkage: Linkage
    sealed: pd.DataFrame
    never: pd.DataFrame
    events: pd.DataFrame


def link_night(
    tables: dict[str, pd.DataFrame], known: Known, day: pd.Timestamp, key: bytes, model: Model | None
) -> Linked:
    """Link tonight's canonical `tables`. What an adoption once closed stays sealed, also after the record has gone.

    `key` is the council's own, for the hashes that decisions rest on; `model` scores what the deterministic passes leave.
    """
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    people = unsealed(tables["people"], known.sealed)
    said = honour(known.decisions, set(known.lapsed), people, key)
    # Of the list of the night before what guards put on it; what people say now is in their answers.
    told_apart = known.never.loc[known.never["why"] != DECIDED, PAIR].assign(answer=DIFFERENT)
    answers = pd.concat([said.answers, told_apart], ignore_index=True).drop_duplicates(PAIR)
    linkage = link_people(
        people,
        tables["addresses"],
        tables["care_placements"],
        tables["plans"],
        known.links,
        answers,
        nicknames,
        day,
        model,
    )
    sealed = pd.concat([known.sealed, linkage.sealed]).drop_duplicates().sort_values(["source", "source_id"])
    people = unsealed(people, sealed)
    never = never_link(known.never, linkage.guarded, said.answers, people, key)
    never = never[~is_sealed(never, sealed, "_a") & ~is_sealed(never, sealed, "_b")].reset_index(drop=True)
    asked = _asked_again(linkage, said, people, tables["addresses"], nicknames, model)
    linkage = Linkage(linkage.links, asked, linkage.sealed, linkage.guarded)
    return Linked(linkage, sealed, never, became(known, linkage.links, said.lapsed))


def unsealed(frame: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """The rows of a frame that are not of a sealed record."""
    return frame[~is_sealed(frame, keys)].reset_index(drop=True)


def _asked_again(
    linkage: Linkage,
    said: Honoured,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    model: Model | None,
) -> pd.DataFrame:
    """The review queue with the pairs that are apart and that people are asked about again, each with why."""
    child = linkage.links.set_index(["source", "source_id"])["child_id"]
    again = said.queue.assign(
        **{end: child.reindex(pd.MultiIndex.from_frame(said.queue[PAIR[at : at + 2]])).to_numpy() for end, at in (("a", 0), ("b", 2))}
    )  # fmt: skip
    again = again[again["a"].notna() & again["b"].notna() & (again["a"] != again["b"])]
    review = linkage.review
    missing = again[~pair_key(again).isin(pair_key(review))]
    if len(missing):
        review = pd.concat([review, _described(missing, people, addresses, nicknames, model)], ignore_index=True)
    why = pd.Series(again["why"].to_numpy(), index=pair_key(again).to_numpy(), dtype="str")
    return review.assign(asked=pair_key(review).map(why).fillna("").astype("str"))


def _described(
    pairs: pd.DataFrame,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    model: Model | None,
) -> pd.DataFrame:
    """Pairs of records in the words of the review queue, whether or not the passes would have looked at them."""
    keys = ["source", "source_id"]
    sides = [pairs[PAIR[at : at + 2]].set_axis(keys, axis=1) for at in (0, 2)]
    chosen = pd.concat(sides).drop_duplicates()
    of_them = people.merge(chosen, on=keys).drop_duplicates(keys)
    lived = addresses.merge(chosen, on=keys) if addresses is not None else None
    records = prepare_people(of_them, lived).reset_index(drop=True).assign(is_placed=False)
    at = pd.Series(records.index, index=pd.MultiIndex.from_frame(records[keys]))
    positions = pd.DataFrame(
        {end: at.loc[pd.MultiIndex.from_frame(side)].to_numpy() for end, side in zip("ab", sides, strict=True)}
    )
    compared = compare_pairs(encode(records), nicknames, positions)
    weight = weigh(pairs, people, addresses, nicknames, model)["weight"].to_numpy() if model else np.nan
    return describe_pairs(records, compared.assign(weight=weight))


def became(known: Known, links: pd.DataFrame, lapsed: pd.DataFrame) -> pd.DataFrame:
    """What became of whom tonight (`LINK_EVENT_COLUMNS`): records that are another child's now, and decisions that lapsed (as `Honoured` has them)."""
    before = known.links.drop_duplicates(["source", "source_id"])[["source", "source_id", "child_id"]]
    both = links.merge(before, on=["source", "source_id"], suffixes=("", "_before"))
    moved = both[both["child_id"] != both["child_id_before"]]
    event = pd.Series(MOVED, index=moved.index, dtype="str")
    event = event.mask(~is_among(moved["child_id"], before["child_id"]), SPLIT)
    event = event.mask(~is_among(moved["child_id_before"], links["child_id"]), MERGED)
    found = moved.assign(event=event, before=moved["child_id_before"], why=moved["how"]).join(_acts(known, both))
    lapsed = lapsed.rename(columns={"source_a": "source", "source_id_a": "source_id"}).assign(event=LAPSED)
    lapsed = lapsed.merge(links[["source", "source_id", "child_id"]], on=["source", "source_id"])
    together = pd.concat([found, lapsed], ignore_index=True).reindex(columns=list(LINK_EVENT_COLUMNS))
    return together.sort_values(["event", "child_id", "source", "source_id"], ignore_index=True)


def _acts(known: Known, both: pd.DataFrame) -> pd.DataFrame:
    """By row of `both`, the newest decision (or its withdrawal) since the night before about a record of the child it left or joined."""
    empty = pd.DataFrame({"who": pd.Series(dtype="str"), "decision_id": pd.Series(dtype="Int64")})
    if known.since is None:
        return empty
    acts = known.decisions[known.decisions["answer"].isin([*ANSWERS, UNDONE])]
    acts = acts[~(acts["night"] < known.since)]
    # What was given and taken back since then explains nothing.
    idle = acts[acts["undoes"].isin(acts["id"])]
    acts = acts[~acts["id"].isin(idle["id"]) & ~acts["id"].isin(idle["undoes"])]
    if acts.empty:
        return empty
    names = {end: [f"source_{end}", f"source_id_{end}"] for end in ("a", "b")}
    touched = pd.concat(
        [acts[[*columns, "id", "who"]].set_axis(["source", "source_id", "decision_id", "who"], axis=1) for columns in names.values()]
    ).merge(both, on=["source", "source_id"])  # fmt: skip
    by_child = pd.concat(
        [touched[[name, "decision_id", "who"]].set_axis(["child", "decision_id", "who"], axis=1) for name in ("child_id", "child_id_before")]
    ).sort_values("decision_id").drop_duplicates("child", keep="last").set_index("child")  # fmt: skip
    sides = [both[name].map(by_child["decision_id"]) for name in ("child_id", "child_id_before")]
    newest = pd.concat(sides, axis=1).max(axis=1)
    who = by_child.drop_duplicates("decision_id").set_index("decision_id")["who"]
    return pd.DataFrame({"who": newest.map(who), "decision_id": newest.astype("Int64")}, index=both.index)
