"""What people do to exceptions, folded from their events. Pure: frames in, frames out.

Events are only ever added. People assign, note, accept until a date and claim that something is fixed in the source; nobody closes. An
acceptance rests on what the exception said when it was given, kept as a short hash so that the trail never holds the value itself.
"""

from __future__ import annotations

import hashlib
from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from pipelines.lifecycle import ACCEPTED, OPEN, RESOLVED

ASSIGNED, NOTED, PROPOSED, ACCEPTANCE, CLAIMED = "assigned", "noted", "acceptance proposed", "accepted", "claimed fixed"
EXPLAINED = "explained"
UNDONE, LAPSED, FELL = "undone", "acceptance lapsed", "explanation proved wrong"
ACTS = (ASSIGNED, NOTED, PROPOSED, ACCEPTANCE, CLAIMED, EXPLAINED)
#: An acceptance of one of these needs a second, different person.
SECONDED = ("critical", "high")
#: What people did, and what came of it: all that tonight's acceptances rest on.
OF_PEOPLE = (*ACTS, UNDONE, LAPSED, FELL)
EVENT_COLUMNS = ("id", "exception_id", "night", "event", "value", "reason", "who", "at", "place")


def resting_on(details: pd.Series) -> pd.Series:
    """The short hash of each detail that an acceptance rests on."""
    return details.fillna("").map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def standing(events: pd.DataFrame) -> pd.DataFrame:
    """The people's acts that nobody took back, oldest first. A confirmation falls with the proposal that it confirmed."""
    undone = taken_back(events)
    acts = events[events["event"].isin(ACTS)].sort_values("id")
    confirmed = _terms(acts)["proposal"]
    return acts[~acts["id"].isin(undone) & ~(confirmed.notna() & confirmed.isin(undone))]


def taken_back(events: pd.DataFrame) -> set[int]:
    """The numbers of the events that were taken back. What takes back an undoing brings back what that had taken."""
    undoings = events[events["event"] == UNDONE].sort_values("id", ascending=False)
    gone: set[int] = set()
    # Newest first, as each may take back one before it: a loop over undoings alone.
    for number, value in zip(undoings["id"].tolist(), undoings["value"].astype("int64").tolist(), strict=True):
        if number not in gone:
            gone.add(value)
    return gone


def acceptances(events: pd.DataFrame, event: str = ACCEPTANCE) -> pd.DataFrame:
    """By exception_id, its newest acceptance (or proposal of one) that was neither undone nor has lapsed.

    Columns: act, given_on (the night), until, basis, proposal (the act that it confirmed; missing where one person was enough), who, reason.
    """
    lapsed = events[events["event"] == LAPSED]
    ended = pd.to_numeric(lapsed["value"]).groupby(lapsed["exception_id"]).max()
    acts = standing(events)
    acts = acts[(acts["event"] == event) & (acts["id"] > acts["exception_id"].map(ended).astype("float64").fillna(0))]
    frame = acts.assign(act=acts["id"].astype("Int64"), given_on=acts["night"]).join(_terms(acts))
    frame = frame.drop_duplicates("exception_id", keep="last").set_index("exception_id")
    return frame[["act", "given_on", "until", "basis", "proposal", "who", "reason"]]


def honour(exceptions: pd.DataFrame, events: pd.DataFrame, night: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tonight's exceptions with the acceptances that still hold as status ``accepted``, and the events of those that lapsed tonight.

    An acceptance holds on the nights before its date. It lapses on that date, when what it rested on says something else, when the exception
    resolved and came back, and when it has become one that needs a second person and none has agreed. What happened after `night` is
    left aside, so that an older night can be run again. A resolved exception stays as it is.
    """
    given = acceptances(events[events["night"] <= night])
    if given.empty and not exceptions["status"].eq(ACCEPTED).any():
        return exceptions, pd.DataFrame(columns=["exception_id", "event", "value", "reason"])
    known = given.reindex(exceptions["exception_id"]).set_axis(exceptions.index)
    reasons = (
        (known["until"] <= night, "its date has come"),
        (exceptions["reopened_on"] > known["given_on"], "it was resolved and came back"),
        (known["basis"] != resting_on(exceptions["detail"]), "the value it rested on has changed"),
        (exceptions["severity"].isin(SECONDED) & known["proposal"].isna(), "it now needs a second person"),
    )  # fmt: skip
    why = pd.Series("", index=exceptions.index, dtype="str")
    for holds, reason in reasons:
        why = why.mask(holds.fillna(False) & (why == ""), reason)
    has = known["act"].notna() & (exceptions["status"] != RESOLVED)
    lapses, holds = has & (why != ""), has & (why == "")
    status = exceptions["status"].mask(holds & (exceptions["status"] == OPEN), ACCEPTED)
    status = status.mask(~holds & (status == ACCEPTED), OPEN)
    ended = pd.DataFrame(
        {
            "exception_id": exceptions.loc[lapses, "exception_id"],
            "event": LAPSED,
            "value": known.loc[lapses, "act"].astype("str"),
            "reason": why[lapses],
        }
    ).reset_index(drop=True)
    return exceptions.assign(status=status), ended


def acceptance(exception: pd.Series, events: pd.DataFrame, until: date, who: str, night: date) -> tuple[str, str]:
    """The event and the value with which one person accepts one exception: ``accepted``, or for a critical or high one ``acceptance proposed``
    by the first person and ``accepted`` by a second, different one who gives the same date.

    Raises ConfigurationError for a date that is not after the night, an exception that is resolved, and a second person's other date.
    """
    if until <= night:
        raise ConfigurationError(
            f"An acceptance until {until} would have lapsed already: the newest night is {night}.",
            "Give a later date with --until.",
        )
    if exception["status"] == RESOLVED:
        raise ConfigurationError("This exception is resolved.", "There is nothing to accept; it reopens by itself.")
    basis = resting_on(pd.Series([exception["detail"]], dtype="str")).iloc[0]
    value = f"{until.isoformat()} {basis}"
    if exception["severity"] not in SECONDED:
        return ACCEPTANCE, value
    open_ones = acceptances(events, PROPOSED)
    open_ones = open_ones[
        (open_ones["basis"] == basis) & (open_ones["until"] > pd.Timestamp(night)) & ~same_person(open_ones["who"], who)
    ]
    if open_ones.empty:
        return PROPOSED, value
    proposed = open_ones.iloc[0]
    day = proposed["until"].date()
    if day != until:
        raise ConfigurationError(
            f"The acceptance was proposed until {day}, not until {until}.",
            f"To confirm it give --until {day}; for another date let the one who proposed it undo and propose anew.",
        )
    return ACCEPTANCE, f"{value} {proposed['act']}"


def last_act(events: pd.DataFrame, who: str) -> pd.Series | None:
    """A person's newest act on one exception that was not taken back yet; None where there is none."""
    acts = standing(events)
    mine = acts[same_person(acts["who"], who)]
    return None if mine.empty else mine.iloc[-1]


def same_person(names: pd.Series, who: str) -> pd.Series:
    """Which of the names are this person's; capitals and spaces around do not make another person."""
    return names.str.strip().str.casefold() == who.strip().casefold()


def readable(events: pd.DataFrame) -> pd.DataFrame:
    """The trail for people: of an acceptance its date alone, of an explanation nothing of what it rests on."""
    of_date = events["event"].isin([PROPOSED, ACCEPTANCE])
    value = events["value"].mask(of_date, events["value"].str[:10])
    return events.assign(value=value.mask(events["event"] == EXPLAINED))


def _terms(acts: pd.DataFrame) -> pd.DataFrame:
    """What the value of an acceptance says: ``2026-12-01 hash`` and, of a confirmation, the number of the proposal."""
    of_date = acts["event"].isin([PROPOSED, ACCEPTANCE])
    parts = acts["value"].where(of_date).astype("str").str.split(" ", expand=True).reindex(columns=[0, 1, 2])
    return pd.DataFrame(
        {
            "until": pd.to_datetime(parts[0], format="%Y-%m-%d").astype("datetime64[us]"),
            "basis": parts[1].astype("str"),
            "proposal": pd.to_numeric(parts[2]).astype("Int64"),
        },
        index=acts.index,
    )
