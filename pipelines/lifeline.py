"""One child over time: spells (in a plan, in a setting, in care, waiting, missing) and events (reviews due, done and missed, visits, exceptions).

Pure: a past day's tables in, frames out. Nothing here is masked: whoever shows it says first whether the child is restricted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from outputs.wording import (
    ASSESSMENT_DECISIONS,
    CARE_PLACEMENTS,
    LEGAL_STATUSES,
    MISSING,
    NEEDS,
    REVIEW_OUTCOMES,
    SETTING_CODES,
    VISITS,
)
from pipelines.deadlines import next_review_due

#: One row a spell: which lane it is drawn in, from when, to when (missing: still open), what it says, and the row that says it.
SPELL_COLUMNS = ("lane", "started_on", "ended_on", "text", "source")
#: One row an event.
EVENT_COLUMNS = ("on", "kind", "text", "source")
#: Lanes and kinds that tell where a child is.
TELLING_LANES = frozenset({"placement", "roll", "care placement", "home education"})
_IN_WORDS = {
    "need_code": NEEDS, "setting_code": SETTING_CODES, "placement_code": CARE_PLACEMENTS, "legal_status_code": LEGAL_STATUSES, "status_code": MISSING,
}  # fmt: skip
DUE, MISSED, DONE = "review due", "review missed", "review completed"

_SPELLS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # table: (lane, end, columns that say what it is)
    "plans": ("plan", "ceased_on", ("need_code",)),
    "placements": ("placement", "ended_on", ("setting_name", "setting_code", "provision_type")),
    "rolls": ("roll", "ended_on", ("setting_name",)),
    "care_placements": ("care placement", "ended_on", ("placement_code", "legal_status_code")),
    "home_education": ("home education", "ended_on", ()),
    "awaiting": ("waiting", "ended_on", ("type_sought",)),
    "missing_episodes": ("missing", "ended_on", ("status_code",)),
    "missing_education": ("missing education", "ended_on", ()),
}


def spells_of(tables: Mapping[str, Any], child_id: str, day: pd.Timestamp) -> pd.DataFrame:
    """The spells of a child that had begun by the day (`SPELL_COLUMNS`), in the order of their lanes and starts."""
    found = []
    for name, (lane, end, says) in _SPELLS.items():
        frame = tables[name]
        if frame is not None:
            rows = frame[(frame["child_id"] == child_id) & ~(frame["started_on"] > day)]
            found.append(
                pd.DataFrame(
                    {
                        "lane": lane,
                        "started_on": rows["started_on"],
                        "ended_on": rows[end].where(rows[end] <= day),
                        "text": _joined(rows, says),
                        "source": rows["source"] + " " + rows["row_id"],
                    }
                )
            )
    spells = pd.concat(found, ignore_index=True)
    order = {lane: place for place, (lane, _, _) in enumerate(_SPELLS.values())}
    return spells.assign(place=spells["lane"].map(order)).sort_values(["place", "started_on", "source"], ignore_index=True)[list(SPELL_COLUMNS)]  # fmt: skip


def _joined(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    text = pd.Series("", index=rows.index, dtype="str")
    for column in columns:
        said = rows[column]
        more = (said.map(_IN_WORDS[column]).fillna(said) if column in _IN_WORDS else said).astype("str").fillna("")
        text = text + more.where((text == "") | (more == ""), ", " + more)
    return text


def reviews_of(reviews: pd.DataFrame | None, plan: Mapping[str, Any], day: pd.Timestamp) -> pd.DataFrame:
    """What was due and what was done: a row each due date of a plan (``due_on, met_on, decided_on, outcome, final_plan_on, state, days_late``).

    `plan` has ``started_on``, ``transferred_on`` and ``ceased_on``; `reviews` are the child's, of the casework system. A due date is met by the first
    review completed (decision notified) after the one before; the next is due twelve months from that (Children and Families Act 2014, s. 44(1)).
    ``state`` is ``in time``, ``late``, ``missed`` (its day has passed and nothing completed it), ``due`` or ``undecided`` (a meeting without decision).
    """
    columns = ["due_on", "met_on", "decided_on", "outcome", "final_plan_on", "state", "days_late"]
    rows: list[dict[str, Any]] = []
    begun = pd.Series([plan["started_on"]], dtype="datetime64[us]")
    came = pd.Series([plan["transferred_on"]], dtype="datetime64[us]")
    held = _NO_REVIEWS if reviews is None else reviews
    done = held[(held["decided_on"] <= day) & (held["decided_on"] >= plan["started_on"])].sort_values("decided_on")
    last = pd.Series([pd.NaT], dtype="datetime64[us]")
    due = next_review_due(begun, last, came).iloc[0]
    # One child has a dozen reviews at most, and each due date hangs on the review before it.
    for review in done.to_dict("records"):
        late = (review["decided_on"] - due).days
        rows.append(
            {"due_on": due, "met_on": review["met_on"], "decided_on": review["decided_on"], "outcome": REVIEW_OUTCOMES.get(review["outcome_code"], review["outcome_code"]),
             "final_plan_on": review["final_plan_on"], "state": "late" if late > 0 else "in time", "days_late": max(late, 0)}
        )  # fmt: skip
        due = next_review_due(begun, pd.Series([review["decided_on"]], dtype="datetime64[us]"), came).iloc[0]
    ceased = plan["ceased_on"]
    until = ceased if pd.notna(ceased) and ceased <= day else day
    if pd.notna(due) and (due < until or until == day):
        late = (until - due).days
        rows.append({"due_on": due, "state": "missed" if late > 0 else "due", "days_late": max(late, 0)})
    undecided = held[held["decided_on"].isna() & (held["met_on"] <= day)]
    rows += [{"met_on": met, "state": "undecided"} for met in undecided["met_on"]]
    table = pd.DataFrame(rows, columns=columns)
    for column in ("due_on", "met_on", "decided_on", "final_plan_on"):
        table[column] = pd.to_datetime(table[column]).astype("datetime64[us]")
    return table.astype({"days_late": "Int64"}).sort_values(["due_on", "met_on"], ignore_index=True)


_NO_REVIEWS = pd.DataFrame(
    {name: pd.Series(dtype="datetime64[us]") for name in ("met_on", "decided_on", "final_plan_on")}
).assign(outcome_code=pd.Series(dtype="str"))


def events_of(
    tables: Mapping[str, Any],
    child_id: str,
    reviews: pd.DataFrame,
    exceptions: pd.DataFrame,
    acts: pd.DataFrame,
    day: pd.Timestamp,
) -> pd.DataFrame:
    """Everything that happened to a child by the day (`EVENT_COLUMNS`), oldest first.

    `reviews` is the frame of `reviews_of`; `exceptions` the child's, as history holds them; `acts` what people did to them.
    """
    found = [_dated(tables["requests"], child_id, {"received_on": "request received", "decided_on": "decision to assess", "outcome_on": "outcome of the assessment"}, "decision_code", ASSESSMENT_DECISIONS)]  # fmt: skip
    found.append(_dated(tables["visits"], child_id, {"visited_on": "visit"}, "kind_code", VISITS, seen=True))
    completed = reviews[reviews["decided_on"].notna()]
    late = completed["days_late"].fillna(0) > 0
    text = completed["outcome"].astype("str").fillna("")
    text = text + (", " + completed["days_late"].astype("str") + " days late").where(late, "")
    found.append(_event(completed["decided_on"], DONE, text))
    found.append(_event(reviews["met_on"], "review meeting", ""))
    found.append(_event(reviews["final_plan_on"], "final amended plan", ""))
    open_ones = reviews[reviews["state"].isin(["missed", "due"])]
    words = (open_ones["days_late"].astype("str") + " days ago").where(open_ones["state"] == "missed", "")
    found.append(_event(open_ones["due_on"], open_ones["state"].map({"missed": MISSED, "due": DUE}), words))
    told = exceptions["rule"] + " " + exceptions["title"]
    found.append(_event(exceptions["first_seen_on"], "exception raised", told, exceptions["exception_id"]))
    gone = exceptions[exceptions["status"] == "resolved"]
    found.append(_event(gone["resolved_on"], "exception resolved", told.loc[gone.index], gone["exception_id"]))
    by = acts[acts["who"].notna()]
    what = by["event"] + " by " + by["who"] + (": " + by["reason"]).fillna("")
    found.append(_event(by["night"], "decision", what, by["exception_id"]))
    events = pd.concat(found, ignore_index=True)
    events = events[events["on"].notna() & ((events["on"] <= day) | (events["kind"] == DUE))]
    return events.sort_values(["on", "kind", "source"], kind="stable", ignore_index=True)


def _dated(
    frame: pd.DataFrame | None,
    child_id: str,
    kinds: Mapping[str, str],
    says: str,
    words: Mapping[str, str],
    seen: bool = False,
) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame(columns=list(EVENT_COLUMNS))
    rows = frame[frame["child_id"] == child_id]
    text = rows[says].map(words).fillna(rows[says]).astype("str").fillna("")
    if seen:
        text = text + rows["is_seen"].map({True: ", child seen", False: ", child not seen"}).astype("str").fillna("")
    origin = rows["source"] + " " + rows["row_id"]
    parts = [_event(rows[column], kind, text if seen or column == "decided_on" else "", origin) for column, kind in kinds.items()]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _event(on: pd.Series, kind: Any, text: Any, source: Any = "") -> pd.DataFrame:
    return pd.DataFrame({"on": on, "kind": kind, "text": text, "source": source}, index=on.index)
