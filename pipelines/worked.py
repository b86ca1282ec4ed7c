"""What people have done to exceptions, as the cells of a workbook, and cells that come back, as what they do. Pure: frames in, frames out.

A cell shows the newest act that stands: whom it is assigned to, whether it is said to be fixed, until when it is accepted and why, the last
note. Writing over it is a new act; clearing it takes back the act behind it, and only the one who did it can. A proposal to accept is not
in the cell, so that a second person can confirm it by writing the same date there.
"""

from __future__ import annotations

import pandas as pd

from outputs.exceptions_entries import ENTRIES
from pipelines.acts import (
    ACCEPTANCE,
    ASSIGNED,
    CLAIMED,
    NOTED,
    PROPOSED,
    SECONDED,
    UNDONE,
    acceptances,
    resting_on,
    standing,
)
from pipelines.lifecycle import RESOLVED
from pipelines.returns import (
    APPLY,
    CONFLICT,
    REFUSED,
    SAME,
    Field,
    HandedIn,
    contested,
    folded,
    quoted,
    shown_text,
    weigh,
)

_TITLES = {column.key: column.title for column in ENTRIES}
UNTIL, REASON = "accept_until", "accept_reason"
FIELDS = (
    Field("assigned_to", _TITLES["assigned_to"], most=200),
    Field("fixed", _TITLES["fixed"], "choice", ("Yes",)),
    Field(UNTIL, _TITLES[UNTIL], "date"),
    Field(REASON, _TITLES[REASON]),
    Field("note", _TITLES["note"]),
)
_STANDING = ["key", "field", "value", "who", "place", "is_proposed", "act", "night"]


def what_stands(events: pd.DataFrame, exceptions: pd.DataFrame, night: pd.Timestamp) -> pd.DataFrame:
    """What stands of people's acts, one row a cell: the columns of `returns.CURRENT_COLUMNS`, the act (its number) and its night.

    A claim counts from the night on which the exception last reopened; a proposal while its date is ahead and what it rests on is as it was.
    """
    acts = standing(events).rename(columns={"exception_id": "key", "id": "act"})
    known = exceptions.set_index("exception_id")
    # Not map: pandas cannot map by a column of dates that is empty.
    reopened = known["reopened_on"].reindex(acts["key"]).set_axis(acts.index)
    claims = acts[(acts["event"] == CLAIMED) & ~(acts["night"] < reopened)].assign(value="Yes")
    parts = [
        acts[acts["event"] == ASSIGNED].assign(field="assigned_to"),
        claims.assign(field="fixed"),
        acts[acts["event"] == NOTED].assign(field="note"),
    ]
    given, proposed = acceptances(events), acceptances(events, PROPOSED)
    rests = resting_on(known["detail"]).reindex(proposed.index)
    proposed = proposed[(proposed["until"] > night) & (proposed["basis"] == rests)]
    proposed = proposed[~(proposed["act"] < given["act"].reindex(proposed.index)).fillna(False).astype(bool)]
    given = given.drop(index=proposed.index, errors="ignore")
    places = acts.set_index("act")["place"]
    for frame, is_proposed in ((given, False), (proposed, True)):
        told = frame.rename_axis("key").reset_index().rename(columns={"given_on": "night"})
        told = told.assign(place=told["act"].map(places), is_proposed=is_proposed)
        parts.append(told.assign(field=UNTIL, value=told["until"].dt.strftime("%Y-%m-%d")))
        if not is_proposed:
            parts.append(told.assign(field=REASON, value=told["reason"]))
    stands = pd.concat([part.reindex(columns=_STANDING).astype(object) for part in parts], ignore_index=True)
    stands = stands.astype(dict.fromkeys(["key", "field", "value", "who", "place"], "str"))
    stands["is_proposed"] = stands["is_proposed"].astype("boolean").fillna(False).astype(bool)
    stands["act"], stands["night"] = stands["act"].astype("Int64"), pd.to_datetime(stands["night"])
    return stands.sort_values("act").drop_duplicates(["key", "field"], keep="last").reset_index(drop=True)


def with_work(exceptions: pd.DataFrame, stands: pd.DataFrame) -> pd.DataFrame:
    """The exceptions with the cells that people fill in (not masked yet), and ``so_far``: what people did that no cell shows."""
    cells = _wide(stands[~stands["is_proposed"]]).reindex(exceptions["exception_id"]).set_axis(exceptions.index)
    frame = exceptions.assign(**{field.key: cells[field.key] for field in FIELDS})
    frame[UNTIL] = pd.to_datetime(frame[UNTIL], format="%Y-%m-%d")
    told = stands.assign(day=pd.to_datetime(stands["night"]).dt.strftime("%d/%m/%Y"))
    claimed = told[told["field"] == "fixed"].set_index("key")
    proposed = told[told["is_proposed"]].set_index("key")
    asks = pd.to_datetime(proposed["value"]).dt.strftime("%d/%m/%Y")
    asks = (
        proposed["who"]
        + " proposes to accept it until "
        + asks
        + ": a second person confirms by writing that date and a reason"
    )
    said = claimed["who"] + " said on the night of " + claimed["day"] + " that it is fixed"
    lines = [texts.reindex(exceptions["exception_id"]).set_axis(exceptions.index).fillna("") for texts in (said, asks)]
    frame["so_far"] = (lines[0] + "\n" + lines[1]).str.strip()
    return frame


def handed(shown: pd.DataFrame, stands: pd.DataFrame, details: pd.Series) -> pd.DataFrame:
    """What is remembered of a hand-out: key, what an acceptance would rest on, and each cell as it is and as it was shown (masked, cut)."""
    true = _wide(stands).reindex(shown["exception_id"]).set_axis(shown.index).fillna("")
    parts = {"key": shown["exception_id"], "basis": resting_on(details)}
    for field in FIELDS:
        parts[field.key] = true[field.key]
        text = shown[field.key].dt.strftime("%Y-%m-%d") if field.kind == "date" else shown[field.key]
        parts[f"{field.key}:shown"] = shown_text(text)
    return pd.DataFrame(parts).reset_index(drop=True)


def _wide(stands: pd.DataFrame) -> pd.DataFrame:
    wide = stands.pivot(index="key", columns="field", values="value")
    return wide.reindex(columns=[field.key for field in FIELDS]).astype("str")


def contest(files: list[HandedIn], exceptions: pd.DataFrame, stands: pd.DataFrame, taken: pd.DataFrame) -> None:
    """All files of one sitting against each other, once what is so already is out of the way; puts the outcome on their edits.

    Where two have to agree on an acceptance, each gives a reason of their own: their reasons may differ.
    """
    if not files:
        return
    together = pd.concat([weigh(file.edits, stands, taken) for file in files], keys=range(len(files)))
    severity = together["key"].map(exceptions.set_index("exception_id")["severity"])
    own = (together["field"] == REASON) & severity.isin(SECONDED) & (together["new"] != "")
    found = contested(together, together["new"].mask(own, ""))
    for place, file in enumerate(files):
        if len(file.edits):
            file.edits = found.loc[place]


#: What the receipt says of an acceptance that one person alone cannot give.
_PROPOSED = "proposed, not accepted yet: it is critical or high, and a second person has to write the same date"


def acts_of(
    edits: pd.DataFrame, exceptions: pd.DataFrame, stands: pd.DataFrame, night: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The edits of one file that are to be applied, as events, and the edits with what came of them.

    Events: exception_id, event, value, reason, who, place, and `edit`, the edits' index (of an acceptance that of its date).
    """
    edits = _paired(_judged(_paired(edits), exceptions, stands, night))
    live = edits[edits["outcome"] == APPLY]
    now = live[["key", "field"]].merge(stands, on=["key", "field"], how="left").set_axis(live.index)
    event = live["field"].map({"assigned_to": ASSIGNED, "fixed": CLAIMED, "note": NOTED, UNTIL: ACCEPTANCE})
    reasons = live[live["field"] == REASON].set_index("key")["new"]
    dates = live["field"] == UNTIL
    severity = live["key"].map(exceptions.set_index("exception_id")["severity"])
    confirms = dates & now["is_proposed"].astype("boolean").fillna(False).astype(bool) & (now["value"] == live["new"])
    value = live["new"].mask(live["field"] == "fixed")
    value = value.mask(dates, live["new"] + " " + live["basis"])
    value = value.mask(confirms, value + " " + now["act"].astype("str"))
    cleared = live["new"] == ""
    proposes = dates & severity.isin(SECONDED) & ~confirms & ~cleared
    event = event.mask(proposes, PROPOSED)
    why = edits["why"].mask(proposes.reindex(edits.index, fill_value=False), _PROPOSED)
    told = ("with it the exception is accepted, as " + now["who"] + " proposed").where(confirms)
    edits["why"] = why.mask(confirms.reindex(edits.index, fill_value=False), told.reindex(edits.index)).astype("str")
    names = {"assigned_to": ASSIGNED, "fixed": CLAIMED, "note": NOTED, UNTIL: ACCEPTANCE}
    frame = pd.DataFrame(
        {
            "exception_id": live["key"],
            "event": event.mask(cleared, UNDONE),
            "value": value.mask(cleared, now["act"].astype("str")),
            "reason": live["key"].map(reasons).astype("str").fillna(live["was_reason"]).where(dates),
            "who": live["who"],
            "place": live["file"] + ", " + live["sheet"] + "!" + live["cell"],
            "edit": live.index,
        }
    )
    frame["reason"] = frame["reason"].mask(cleared, live["field"].map(names))
    return frame[live["field"] != REASON].reset_index(drop=True), edits.drop(columns="was_reason")


def _judged(edits: pd.DataFrame, exceptions: pd.DataFrame, stands: pd.DataFrame, night: pd.Timestamp) -> pd.DataFrame:
    """The edits with those refused that no act can come of, each with its reason."""
    known = exceptions.set_index("exception_id").reindex(edits["key"]).set_axis(edits.index)
    now = edits[["key", "field"]].merge(stands, on=["key", "field"], how="left").set_axis(edits.index)
    reason_now = edits["key"].map(stands[stands["field"] == REASON].set_index("key")["value"]).astype("str").fillna("")
    reason_in_file = _of_file(edits, REASON, (APPLY, SAME))
    live, cleared = edits["outcome"] == APPLY, edits["new"] == ""
    dates, reasons, claims = (edits["field"] == name for name in (UNTIL, REASON, "fixed"))
    given = dates & ~cleared
    theirs = folded(now["who"]) != folded(edits["who"])
    changed = edits["basis"] != resting_on(known["detail"])
    resolved = known["status"] == RESOLVED
    refusals = (
        (live & known["status"].isna(), "there is no exception of this key"),
        (live & cleared & ~reasons & theirs, "only " + now["who"].fillna("").astype("str") + " can take it back; write over it instead"),
        (live & given & (edits["new"] <= f"{night:%Y-%m-%d}"), f"an acceptance until then would have lapsed already: the newest night is {night:%d/%m/%Y}"),
        (live & given & resolved, "it is resolved: there is nothing to accept"),
        (live & given & changed, "what it says has changed since this workbook was made: look at the newest one"),
        (live & given & reason_in_file.where(reason_in_file.notna(), reason_now).eq(""), "a date needs a reason beside it"),
        (live & reasons & _of_file(edits, UNTIL, (APPLY,)).isna(), f"a reason is taken with a date in {_TITLES[UNTIL]}, written anew"),
    )  # fmt: skip
    why, outcome = edits["why"], edits["outcome"]
    for holds, told in refusals:
        fresh = holds.fillna(False).astype(bool) & (outcome == APPLY)
        why, outcome = why.mask(fresh, told), outcome.mask(fresh, REFUSED)
    true = live & claims & ~cleared & resolved & (outcome == APPLY)
    return edits.assign(
        why=why.mask(true, "it is resolved already").astype("str"),
        outcome=outcome.mask(true, SAME),
        was_reason=reason_now,
    )


def _of_file(edits: pd.DataFrame, field: str, outcomes: tuple[str, ...]) -> pd.Series:
    """For each edit, what the same file says in another field of the same row; missing where it says nothing of these outcomes."""
    said = edits[(edits["field"] == field) & edits["outcome"].isin(outcomes)]
    return edits["key"].map(said.drop_duplicates("key", keep="last").set_index("key")["new"]).astype("str")


def _paired(edits: pd.DataFrame) -> pd.DataFrame:
    """A date and its reason are one act: where one of them is left out, so is the other."""
    pair = edits["field"].isin([UNTIL, REASON])
    bad = edits[pair & edits["outcome"].isin([REFUSED, CONFLICT])].drop_duplicates("key").set_index("key")
    falls = pair & (edits["outcome"] == APPLY) & edits["key"].isin(bad.index)
    of = bad.assign(says=quoted(bad["new"]))[["title", "says", "outcome"]].reindex(edits["key"]).set_axis(edits.index)
    of = of.astype("str")
    told = "it goes with " + of["title"] + ", which says " + of["says"] + " and was not taken"
    return edits.assign(
        outcome=edits["outcome"].mask(falls, of["outcome"]),
        why=edits["why"].mask(falls, told).astype("str"),
    )
