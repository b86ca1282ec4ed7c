"""What people said about pairs of records, folded from an append-only list. Pure: frames in, frames out.

A decision is an edge between two records: ``same``, ``different`` or ``unsure``, with who, when and why. It is never overwritten: taking it
back is a row of its own. It rests on the permanent UPN, ULN and date of birth of both records, kept as short keyed hashes and never as values.
A *same* lapses when one of these changes so that the two records now contradict each other on it; a *different* when they now agree on it. A
corrected name, address or sex lapses nothing, nor does a record that is away.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines import link
from pipelines.frames import is_among
from pipelines.link_compare import prepare_people

SAME, DIFFERENT, UNSURE, UNDONE = "same", "different", "unsure", "undone"
ANSWERS = (SAME, DIFFERENT, UNSURE)
PAIR = list(link.PAIR)
DECISION_COLUMNS = ("id", *PAIR, "answer", "reason", "who", "at", "night", "basis", "place", "undoes")
#: What a decision rests on, as the linking compares it, and its name for people.
RESTS_ON = {"permanent_upn": "UPN", "uln": "ULN", "born_on": "date of birth"}
#: What tells twins apart, and so what a pair on the never-link list rests on.
NAMES = {"surname": "surname", "forename": "forename", "born_on": "date of birth"}
_NOTHING = "-"


@dataclass(frozen=True)
class Honoured:
    """Tonight's decisions: `answers` for the linking (pair, answer), `queue` (pair, why: asked again whatever the passes say),
    `lapsed` (decision_id, pair, why)."""

    answers: pd.DataFrame
    queue: pd.DataFrame
    lapsed: pd.DataFrame


def ordered(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the side that comes first in the alphabet as ``a``, so that a pair is one pair whichever way it was given."""
    swap = (pairs["source_a"] + "\t" + pairs["source_id_a"]) > (pairs["source_b"] + "\t" + pairs["source_id_b"])
    turned = pairs.rename(columns=dict(zip(PAIR, [*PAIR[2:], *PAIR[:2]], strict=True)))[list(pairs.columns)]
    return pairs.where(~swap, turned)


def pair_key(pairs: pd.DataFrame) -> pd.Series:
    """One text a pair, to look pairs up by."""
    first, *others = (pairs[name].astype("str") for name in PAIR)
    return first.str.cat(others, sep="\t")


def standing(decisions: pd.DataFrame) -> pd.DataFrame:
    """The last answer to each pair that nobody took back."""
    undone = decisions.loc[decisions["answer"] == UNDONE, "undoes"].dropna().astype("int64")
    acts = decisions[decisions["answer"].isin(ANSWERS) & ~decisions["id"].isin(undone)].sort_values("id")
    return acts.drop_duplicates(PAIR, keep="last")


def marks(
    people: pd.DataFrame, records: pd.MultiIndex, key: bytes, fields: tuple[str, ...] = tuple(RESTS_ON)
) -> pd.DataFrame:
    """The short keyed hash of each field of some records, by (source, source_id); ``-`` where a record does not say. Absent records have no row."""
    chosen = people[is_among(people["source_id"], records.get_level_values("source_id"))]
    chosen = chosen[pd.MultiIndex.from_frame(chosen[["source", "source_id"]]).isin(records)]
    frame = prepare_people(chosen, None).set_index(["source", "source_id"])[list(fields)]
    frame = frame[~frame.index.duplicated()]
    for name in fields:
        values = frame[name].dt.strftime("%Y-%m-%d") if name == "born_on" else frame[name]
        hashed = values.map(lambda value, name=name: _mark(f"{name}|{value}", key), na_action="ignore")
        frame[name] = hashed.astype("str").fillna(_NOTHING)
    return frame


def _mark(text: str, key: bytes) -> str:
    return hashlib.blake2b(text.encode(), key=key, digest_size=6).hexdigest()


def key_name(key: bytes) -> str:
    """A name for a key, so that hashes made with another one are not compared."""
    return hashlib.blake2b(key, digest_size=4).hexdigest()


def bases(pairs: pd.DataFrame, found: pd.DataFrame, key: bytes) -> pd.Series:
    """What a decision about each pair rests on: the name of the key, then the marks of the first record, then of the second."""
    sides = [_of_side(pairs, found, end).fillna(_NOTHING) for end in ("a", "b")]
    text = pd.Series(key_name(key), index=pairs.index, dtype="str")
    for side in sides:
        for name in side:
            text = text + " " + side[name]
    return text


def _of_side(pairs: pd.DataFrame, found: pd.DataFrame, end: str) -> pd.DataFrame:
    keys = pd.MultiIndex.from_frame(pairs[[f"source_{end}", f"source_id_{end}"]])
    return found.reindex(keys).set_axis(pairs.index)


def records_of(pairs: pd.DataFrame) -> pd.MultiIndex:
    """The records of both sides of some pairs."""
    sides = [pairs[PAIR[:2]].to_numpy(), pairs[PAIR[2:]].to_numpy()]
    both = pd.DataFrame(np.concatenate(sides), columns=["source", "source_id"], dtype="str").drop_duplicates()
    return pd.MultiIndex.from_frame(both)


def honour(decisions: pd.DataFrame, lapsed_before: set[int], people: pd.DataFrame, key: bytes) -> Honoured:
    """Tonight's decisions against tonight's `people`: which hold, which lapse, and which pairs people are asked about again.

    A lapsed *different* keeps its pair apart until somebody answers anew; a lapsed *same* leaves the pair to the passes. A decision whose hashes
    were made with another key, or one of whose records is not there, cannot be compared and stands.
    """
    said = standing(decisions)
    said = said[said["answer"] != UNSURE].reset_index(drop=True)
    now = marks(people, records_of(said), key)
    changed = _contradicted(said, now, key)
    before = said["id"].isin(lapsed_before)
    lapses = ~before & (changed != "")
    over = before | lapses
    holds = said[~over | (said["answer"] == DIFFERENT)]
    why = ("decided " + said["answer"] + ", and since then " + changed.mask(before, "what it rested on")) + " changed"
    unsure = standing(decisions).query("answer == @UNSURE")
    queue = pd.concat(
        [said.loc[over, PAIR].assign(why=why[over]), unsure[PAIR].assign(why="answered unsure")], ignore_index=True
    )
    return Honoured(
        holds[[*PAIR, "answer"]].reset_index(drop=True),
        queue,
        said.loc[lapses, ["id", *PAIR]]
        .rename(columns={"id": "decision_id"})
        .assign(why="the " + changed[lapses] + " of one record changed")
        .reset_index(drop=True),
    )


def _contradicted(said: pd.DataFrame, now: pd.DataFrame, key: bytes) -> pd.Series:
    """The identifiers that changed since a decision and now say the opposite of it, in words; blank where none does."""
    words = pd.Series("", index=said.index, dtype="str")
    if said.empty:
        return words
    then = said["basis"].fillna("").str.split(" ", expand=True).reindex(columns=range(1 + 2 * len(RESTS_ON)))
    here, there = _of_side(said, now, "a"), _of_side(said, now, "b")
    comparable = (then[0] == key_name(key)) & here.iloc[:, 0].notna() & there.iloc[:, 0].notna()
    for place, (field, word) in enumerate(RESTS_ON.items(), 1):
        a, b = here[field], there[field]
        moved = (a != then[place]) | (b != then[place + len(RESTS_ON)])
        known = (a != _NOTHING) & (b != _NOTHING)
        against = known & ((a == b) == (said["answer"] == DIFFERENT))
        words = words.mask(comparable & moved & against, words + " and " + word)
    return words.str.removeprefix(" and ")


def never_link(
    before: pd.DataFrame, guarded: pd.DataFrame, answers: pd.DataFrame, people: pd.DataFrame, key: bytes
) -> pd.DataFrame:
    """Tonight's never-link list (pair, why, basis): `guarded` pairs (pair, why) and people's *different*, with those of the list `before`.

    A pair that a guard put on the list stays on it, also when the record that gave the evidence is gone; it leaves when the name or date of birth
    of one of its records is corrected. A pair that people put on it stays until the decision is taken back.
    """
    told = answers.loc[answers["answer"] == DIFFERENT, PAIR].assign(why=DECIDED, basis="")
    joined = pair_key(answers[answers["answer"] == SAME])
    fresh, kept = ordered(guarded), before[before["why"] != DECIDED]
    fresh, kept = fresh[~pair_key(fresh).isin(joined)], kept[~pair_key(kept).isin(joined)]
    found = marks(people, records_of(pd.concat([kept[PAIR], fresh[PAIR]])), key, tuple(NAMES))
    fresh = fresh.assign(basis=bases(fresh, found, key))
    here = _of_side(kept, found, "a").notna().all(axis=1) & _of_side(kept, found, "b").notna().all(axis=1)
    same_key = kept["basis"].str.split(" ").str[0] == key_name(key)
    corrected = here & same_key & (bases(kept, found, key) != kept["basis"])
    together = pd.concat([told, fresh, kept[~corrected]], ignore_index=True).drop_duplicates(PAIR)
    return together[[*PAIR, "why", "basis"]].sort_values(PAIR, ignore_index=True)


DECIDED = "decided different"


def objections(asked: pd.DataFrame, said: pd.DataFrame, never: pd.DataFrame, records: pd.MultiIndex) -> pd.Series:
    """Why each asked pair (ordered; with ``answer``) is refused; blank where it is not. Each is judged after those before it that were not refused.

    `said` are the decisions that stand, `never` the never-link list, `records` the person records that there are.
    """
    asked = asked.reset_index(drop=True)
    keys, known = pair_key(asked), set(records)
    opposite = asked["answer"].groupby(keys).transform(lambda answers: len(set(answers) - {UNSURE}) > 1)
    stands = dict(zip(pair_key(said), said["answer"], strict=True))
    apart = {tuple(row): "decided" for row in said.loc[said["answer"] == DIFFERENT, PAIR].to_numpy()}
    guards = never[never["why"] != DECIDED]
    apart |= {tuple(row[:4]): row[4] for row in guards[[*PAIR, "why"]].to_numpy()}
    groups = _Groups(said.loc[said["answer"] == SAME, PAIR])
    found = []
    # A loop over what people answered, not over children: each answer is judged by those before it.
    for key, both, row in zip(keys, opposite, asked[[*PAIR, "answer"]].to_numpy(), strict=True):
        a, b, answer = (row[0], row[1]), (row[2], row[3]), row[4]
        why = _objection(a, b, answer, known, both, stands.get(key), groups, apart)
        found.append(why)
        if not why and answer != UNSURE:
            stands[key] = answer
            if answer == SAME:
                groups.join(a, b)
            else:
                apart[(*a, *b)] = "decided"
    return pd.Series(found, index=asked.index, dtype="str")


Record = tuple[str, str]


def _objection(
    a: Record,
    b: Record,
    answer: str,
    known: set[Record],
    is_both: bool,
    stands: str | None,
    groups: _Groups,
    apart: dict[tuple[str, ...], str],
) -> str:
    absent = [f"{source} {source_id}" for source, source_id in (a, b) if (source, source_id) not in known]
    if absent:
        return f"there is no record {' and no record '.join(absent)}"
    if a == b:
        return "a record cannot be compared with itself"
    if is_both:
        return "the same pair is answered same and different both"
    if stands in (SAME, DIFFERENT) and stands != answer:
        return f"this pair was decided {stands}: take that back first"
    if answer == DIFFERENT and b in groups.of(a):
        return "a loop: by other decisions the two are one child, by way of a third record"
    if answer != SAME:
        return ""
    if a[0] == b[0]:
        return f"both are records of {a[0]}: a child has at most one record in each system"
    together = groups.of(a) | groups.of(b)
    for left, right in ((x, y) for x in together for y in together if x < y):
        why = apart.get((*left, *right))
        if why == "decided" and {left, right} != {a, b}:
            return f"a loop: {' '.join(left)} and {' '.join(right)} were decided different"
        if why:
            return f"{' '.join(left)} and {' '.join(right)} are on the never-link list ({why})"
    systems = [source for source, _ in together]
    twice = sorted({source for source in systems if systems.count(source) > 1})
    if twice:
        return f"with the decisions that stand the child would have two records in {' and '.join(twice)}"
    return ""


class _Groups:
    """The records that people's *same* decisions make one child."""

    def __init__(self, pairs: pd.DataFrame) -> None:
        self._group: dict[Record, set[Record]] = {}
        for row in pairs.to_numpy():
            self.join((row[0], row[1]), (row[2], row[3]))

    def of(self, record: Record) -> set[Record]:
        """The record with those that are one child with it."""
        return self._group.get(record, {record})

    def join(self, a: Record, b: Record) -> None:
        """Make the two groups one."""
        together = self.of(a) | self.of(b)
        self._group |= dict.fromkeys(together, together)
