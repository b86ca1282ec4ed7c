"""What people do to exceptions, kept: events are only ever added, and a night that is run again keeps them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from config.errors import ConfigurationError
from outputs.protect import RESTRICTED, mask_restricted, restricted_children
from pipelines import tables as t
from pipelines.acts import (
    ACTS,
    ASSIGNED,
    CLAIMED,
    EVENT_COLUMNS,
    EXPLAINED,
    NOTED,
    PROPOSED,
    UNDONE,
    acceptance,
    acceptances,
    last_act,
    standing,
)
from pipelines.database import read_frame
from pipelines.explain import RULE, explanations, records_of
from pipelines.history import ever_known, read_known, shown
from pipelines.inherit import as_followed
from pipelines.lifecycle import RESOLVED
from pipelines.store import Store


def read_events(
    connection: Connection,
    exception_id: str | None = None,
    kinds: Sequence[str] = (),
    night: date = date.max,
    is_own: bool = False,
    ids: Collection[str] | None = None,
) -> pd.DataFrame:
    """The events of one exception, or of all (of some kinds, of some exceptions), in the order in which they were written.

    What was said of a child who turned out to be another is told under the id that the exception goes on as, as `night` left it (the newest
    unless said); with `is_own` under the one for which it was said.
    """
    events = t.exception_events
    followed = read_known(connection, "followed_exceptions", night)
    query = select(*(events.c[name] for name in EVENT_COLUMNS)).order_by(events.c.id)
    if exception_id is not None:
        former = followed.loc[as_followed(followed["exception_id"], followed) == exception_id, "exception_id"]
        query = query.where(events.c.exception_id.in_([exception_id, *former]))
    if ids is not None:
        query = query.where(events.c.exception_id.in_(ids))
    if kinds:
        query = query.where(events.c.event.in_(kinds))
    frame = read_frame(connection, query, EVENT_COLUMNS)
    texts = ["exception_id", "event", "value", "reason", "who", "place"]
    frame = frame.astype(dict.fromkeys(texts, "str") | {"id": "int64"})
    if not is_own:
        frame["exception_id"] = as_followed(frame["exception_id"], followed)
    return frame.assign(
        night=pd.to_datetime(frame["night"]).astype("datetime64[us]"), at=pd.to_datetime(frame["at"], utc=True)
    )


def assign(store: Store, exception_id: str, to: str, who: str, at: datetime) -> None:
    """Give an exception to a person or a team. Raises ConfigurationError where it does not exist."""
    exception_id = one_exception(store, exception_id)["exception_id"]
    _append(store, exception_id, ASSIGNED, _said(to, "whom to assign it to"), None, who, at)


def note(store: Store, exception_id: str, text: str, who: str, at: datetime) -> None:
    """Put a note on an exception. Raises ConfigurationError where it does not exist."""
    exception_id = one_exception(store, exception_id)["exception_id"]
    _append(store, exception_id, NOTED, _said(text, "the note"), None, who, at)


def claim(store: Store, exception_id: str, reason: str | None, who: str, at: datetime) -> None:
    """Say that an exception was fixed in its source; the data decide. Raises ConfigurationError where it does not exist."""
    exception_id = one_exception(store, exception_id)["exception_id"]
    _append(store, exception_id, CLAIMED, None, reason, who, at)


def explain(store: Store, exception_id: str, reason: str, who: str, at: datetime) -> None:
    """Explain a vanished child: it is no longer ours. Raises ConfigurationError for another rule's exception, and for one that is resolved."""
    exception = one_exception(store, exception_id)
    if exception["rule"] != RULE or exception["status"] == RESOLVED:
        raise ConfigurationError(
            f"Exception {exception_id} is no vanished child ({RULE}) that is still gone.",
            "Put it right in its system, or accept it until a date: ehcp exceptions accept",
        )
    records = records_of(store.register())
    value, reason = records.get(exception["child_id"], ""), _said(reason, "the reason")
    _append(store, exception["exception_id"], EXPLAINED, value, reason, who, at)


def accept(store: Store, exception_id: str, until: date, reason: str, who: str, at: datetime) -> str:
    """Accept an exception until a date, or propose to, or confirm a proposal; gives the event. See `acts.acceptance` for the two persons."""
    exception = one_exception(store, exception_id)
    reason, who = _said(reason, "the reason"), _said(who, "your name")
    exception_id = exception["exception_id"]
    event, value = acceptance(exception, events_of(store, exception_id), until, who, store.night_of())
    _append(store, exception_id, event, value, reason, who, at)
    return event


def undo(store: Store, exception_id: str, who: str, at: datetime) -> str:
    """Take back a person's last act on an exception, as a new event; gives the event that is taken back."""
    exception_id = one_exception(store, exception_id)["exception_id"]
    act = last_act(events_of(store, exception_id), who)
    if act is None:
        raise ConfigurationError(
            f"There is nothing of {who} on this exception to take back.",
            f"See what was done: ehcp exceptions show {exception_id}",
        )
    with store.reading() as connection:
        own = said_under(connection, [int(act["id"])])[int(act["id"])]
    _append(store, own, UNDONE, str(act["id"]), str(act["event"]), who, at)
    return str(act["event"])


def said_under(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The exceptions for which some events were written, by the events' numbers: what takes one back stays with it, whichever child that is."""
    events = t.exception_events.c
    rows = connection.execute(select(events.id, events.exception_id).where(events.id.in_(numbers)))
    return {int(row.id): str(row.exception_id) for row in rows}


def first_seen(store: Store, ids: Sequence[str]) -> pd.Series:
    """The night that first raised each of these exceptions, by exception_id, by what is known last."""
    exceptions = t.history_tables["exceptions"].c
    parts = []
    with store.reading() as connection:
        for start in range(0, max(len(ids), 1), _AT_ONCE):
            asked = exceptions.exception_id.in_(ids[start : start + _AT_ONCE])
            newest = select(func.max(exceptions.id)).where(asked).group_by(exceptions.exception_id)
            query = select(exceptions.exception_id, exceptions.first_seen_on).where(exceptions.id.in_(newest))
            parts.append(read_frame(connection, query, ["exception_id", "on"]))
    frame = pd.concat(parts, ignore_index=True)
    return pd.to_datetime(frame.set_index("exception_id")["on"])


#: How many ids are asked for in one query: databases take some thousands.
_AT_ONCE = 5000


def records_ever(store: Store, child_id: str) -> pd.DataFrame:
    """The records that are or were a child's, oldest first: source, source_id, how, known_from, known_to (missing: still so)."""
    links = t.history_tables["links"].c
    columns = ["source", "source_id", "child_id", "how", "known_from", "known_to"]
    query = select(*(links[name] for name in columns)).where(links.child_id == child_id)
    with store.reading() as connection:
        query = query.order_by(links.known_from, links.source, links.source_id)
        frame = shown(connection, read_frame(connection, query, columns))
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("known_from", "known_to")})


def one_exception(store: Store, exception_id: str) -> pd.Series:
    """One exception as the newest night left it, resolved or not; of a child who turned out to be another, that child's.

    Raises ConfigurationError where there is none of that id.
    """
    frame = store.exceptions(include_resolved=True)
    [now] = as_followed(pd.Series([exception_id]), store.history("followed_exceptions"))
    frame = frame[frame["exception_id"] == now]
    if frame.empty:
        raise ConfigurationError(
            f"There is no exception {exception_id}.", "The ids are in: ehcp exceptions list --format csv"
        )
    return frame.iloc[0]


def events_of(store: Store, exception_id: str) -> pd.DataFrame:
    """Everything that happened to one exception."""
    with store.reading() as connection:
        return read_events(connection, exception_id)


def trail(
    store: Store, exception_id: str | None = None, child_id: str | None = None, month: str | None = None
) -> pd.DataFrame:
    """The events with rule and child_id, of one exception, one child (under any of its exceptions) or the nights of one month ``2026-10``."""
    with store.reading() as connection:
        followed = read_known(connection, "followed_exceptions", date.max)
        ids = None if child_id is None else _ever_of(connection, child_id, followed)
        own = read_events(connection, exception_id, is_own=True, ids=ids)
        ever = ever_known(connection, "exceptions", ids=ids)
        ever = ever[["exception_id", "rule", "child_id", "source", "source_id"]]
        known = shown(connection, ever)
    hidden = set(ever["exception_id"]) - set(known["exception_id"])
    events = own.assign(exception_id=as_followed(own["exception_id"], followed))
    events = events[~events["exception_id"].isin(hidden) & ~own["exception_id"].isin(hidden)]
    if child_id is not None:
        theirs = known.loc[known["child_id"] == child_id, "exception_id"]
        events = events[events["exception_id"].isin(theirs) | own["exception_id"].isin(theirs)]
    if month is not None:
        events = events[events["night"].dt.strftime("%Y-%m") == month]
    known = known.drop(columns=["source", "source_id"]).drop_duplicates("exception_id")
    return _masked(events.merge(known, on="exception_id", how="left"), store.register())


def _ever_of(connection: Connection, child_id: str, followed: pd.DataFrame) -> set[str]:
    """The exceptions that were a child's on any night, those that they were before and those that they go on as."""
    exceptions = t.history_tables["exceptions"].c
    query = select(exceptions.exception_id).where(exceptions.child_id == child_id).distinct()
    theirs = set(connection.scalars(query))
    former = followed["exception_id"]
    theirs |= set(former[as_followed(former, followed).isin(theirs)])
    return theirs | set(as_followed(pd.Series(sorted(theirs), dtype="str"), followed))


def _masked(told: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """What people wrote about a restricted child may say where the child is, and so may the rule's name: both are withheld."""
    restricted = told["child_id"].isin(register.loc[restricted_children(register), "child_id"])
    masked = mask_restricted(told.drop(columns="value"), register)
    masked["value"] = told["value"].mask(restricted & told["event"].eq(NOTED), RESTRICTED)
    masked["reason"] = masked["reason"].mask(restricted & told["event"].isin(ACTS), RESTRICTED)
    return masked[told.columns]


def _append(
    store: Store, exception_id: str, event: str, value: str | None, reason: str | None, who: str, at: datetime
) -> None:
    row = {
        "exception_id": exception_id,
        "night": store.night_of(),
        "event": event,
        "value": value,
        "reason": reason,
        "who": _said(who, "your name"),
        "at": at.astimezone(UTC),
        "place": "command",
    }
    with store.writing() as connection:
        connection.execute(insert(t.exception_events), row)


def _said(text: str, what: str) -> str:
    """The text without spaces around it. Raises ConfigurationError where nothing is left."""
    if not text.strip():
        raise ConfigurationError(f"There is nothing in {what}.", "Say it in a few words, without names of children.")
    return text.strip()


def standing_of(store: Store, exception_id: str) -> list[str]:
    """What people's acts on one exception come to, a sentence each: assigned, proposed, accepted."""
    events = events_of(store, exception_id)
    acts, lines = standing(events), []
    assigned = acts.loc[acts["event"] == ASSIGNED, "value"]
    if len(assigned):
        lines.append(f"Assigned to {assigned.iloc[-1]}.")
    given, proposed = acceptances(events), acceptances(events, PROPOSED)
    if len(given):
        lines.append(f"Accepted until {given['until'].iloc[0]:%Y-%m-%d} by {given['who'].iloc[0]}.")
    if len(proposed) and not (len(given) and given["act"].iloc[0] > proposed["act"].iloc[0]):
        day, who = proposed[["until", "who"]].iloc[0]
        lines.append(f"{who} proposed to accept it until {day:%Y-%m-%d}; a second person has to confirm.")
    explained = explanations(events)
    if len(explained):
        lines.append(
            f"Explained by {explained['who'].iloc[0]} on the night of {explained['given_on'].iloc[0]:%Y-%m-%d}."
        )
    return lines
