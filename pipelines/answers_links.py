"""What `ehcp links` answers: the review queue, one child's records and decisions, and what became of whom."""

from __future__ import annotations

from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from outputs.protect import RESTRICTED
from pipelines.decisions import PAIR, UNDONE, ordered, standing
from pipelines.link_night import LAPSED
from pipelines.review import named, queue, side_by_side
from pipelines.store import Store
from pipelines.store_links import (
    decisions_shown,
    events_shown,
    link_spells,
    people_of_newest,
    record_named,
    unknown_child,
)

HISTORY_COLUMNS = ("night", "event", "child_id", "record", "other", "why", "who")


def review_queue(store: Store, names: bool = False, known_on: date | None = None) -> pd.DataFrame:
    """The pairs that wait for a person (`review.QUEUE_COLUMNS`), heaviest first; with `names` both records side by side, from the private store.

    With `known_on` those that waited after that night, with the answers given by it. Names are personal data, for the screen of whoever asks, and
    as the newest night has them.
    """
    said = decisions_shown(store, store.night_of(known_on) if known_on else None)
    told = queue(store.nightly("review_pairs", known_on), store.links(known_on), standing(said))
    return side_by_side(told, people_of_newest(store), store.restricted()) if names else told


def records_of_child(store: Store, child_id: str) -> pd.DataFrame:
    """The records that a child has: record, how each was linked, since which night. Raises ConfigurationError for a child that no night has known.

    A child whose records are all another's now has none; `ehcp links history` says where they went.
    """
    spells = link_spells(store, {child_id})
    if spells.empty:
        raise unknown_child(child_id)
    now = spells[spells["known_to"].isna()]
    told = pd.DataFrame({"record": now["source"] + ":" + now["source_id"], "how": now["how"]})
    # A night on which only the way it was linked changed is no new beginning.
    first = spells.groupby(["source", "source_id"])["known_from"].min()
    keys = pd.MultiIndex.from_frame(now[["source", "source_id"]])
    return told.assign(since=first.reindex(keys).to_numpy()).sort_values("record", ignore_index=True)


def decisions_of_child(store: Store, child_id: str) -> pd.DataFrame:
    """What people said about the records that this child ever had: when, pair, answer, state (stands, taken back, lapsed), reason, who.

    What was written about a restricted child may say where the child is, and is withheld.
    """
    spells = link_spells(store, {child_id})
    mine = pd.MultiIndex.from_frame(spells[["source", "source_id"]].drop_duplicates())
    said = decisions_shown(store)
    touches = [pd.MultiIndex.from_frame(said[PAIR[at : at + 2]]).isin(mine) for at in (0, 2)]
    said = said[touches[0] | touches[1]]
    lapsed = events_shown(store).query("event == @LAPSED")["decision_id"]
    state = pd.Series("stands", index=said.index, dtype="str")
    state = state.mask(said["id"].isin(lapsed), "lapsed").mask(said["id"].isin(said["undoes"].dropna()), "taken back")
    return pd.DataFrame(
        {
            "at": said["at"].dt.strftime("%Y-%m-%d %H:%M UTC"),
            "record_a": named(said, "a"),
            "record_b": named(said, "b"),
            "answer": said["answer"],
            "state": state.mask(said["answer"] == UNDONE, ""),
            "reason": said["reason"].mask(pd.Series(child_id in store.restricted(), index=said.index), RESTRICTED),
            "who": said["who"],
            "place": said["place"],
        }
    ).reset_index(drop=True)


def history_of_child(store: Store, child_id: str) -> pd.DataFrame:
    """What became of a child, oldest first (`HISTORY_COLUMNS`): records linked, merges, splits, moves, decisions, lapses; by data or by whom."""
    spells = link_spells(store, {child_id})
    if spells.empty:
        raise unknown_child(child_id)
    events = events_shown(store)
    events = events[(events["child_id"] == child_id) | (events["before"] == child_id)]
    came = spells.drop_duplicates(["source", "source_id", "known_from"])
    came = came[~(came["source"] + came["source_id"]).duplicated()]
    moved = events[events["event"] != LAPSED]
    by_event = pd.MultiIndex.from_frame(moved[["source", "source_id", "night"]])
    came = came[~pd.MultiIndex.from_frame(came[["source", "source_id", "known_from"]]).isin(by_event)]
    said = decisions_of_child(store, child_id)
    parts = [
        pd.DataFrame({"night": came["known_from"].dt.strftime("%Y-%m-%d"), "order": 0, "event": "record came", "child_id": child_id,
                      "record": came["source"] + ":" + came["source_id"], "other": "", "why": came["how"], "who": ""}),
        pd.DataFrame({"night": events["night"].dt.strftime("%Y-%m-%d"), "order": 1, "event": events["event"], "child_id": events["child_id"],
                      "record": events["source"] + ":" + events["source_id"], "other": events["before"], "why": events["why"], "who": events["who"]}),
        pd.DataFrame({"night": said["at"].str[:10], "order": 2, "event": "decided " + said["answer"], "child_id": child_id, "record": said["record_a"],
                      "other": said["record_b"], "why": said["reason"], "who": said["who"]}),
    ]  # fmt: skip
    told = pd.concat(parts, ignore_index=True).sort_values(["night", "order", "record"], kind="stable")
    return told[list(HISTORY_COLUMNS)].fillna("").reset_index(drop=True)


def never_link_list(store: Store, known_on: date | None = None) -> pd.DataFrame:
    """The pairs that are never linked, as a night left them (the newest unless said): record_a, record_b and why."""
    pairs = store.history("never_links", known_on)
    told = pd.DataFrame({"record_a": named(pairs, "a"), "record_b": named(pairs, "b"), "why": pairs["why"]})
    return told.sort_values(["record_a", "record_b"], ignore_index=True)


def need_pair(store: Store, first: str, second: str) -> pd.DataFrame:
    """Two records given as ``system:number`` as a pair. Raises ConfigurationError where one is not known to the newest night."""
    sides = [record_named(text) for text in (first, second)]
    known = set(pd.MultiIndex.from_frame(store.links()[["source", "source_id"]]))
    for side in sides:
        if side not in known:
            raise ConfigurationError(
                f"There is no record {side[0]}:{side[1]} in the newest night.",
                "The records are in: ehcp links list --format csv",
            )
    return ordered(pd.DataFrame([[*sides[0], *sides[1]]], columns=PAIR, dtype="str"))
