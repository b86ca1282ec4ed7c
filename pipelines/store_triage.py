"""What the store knows of rules, volumes and claims over all nights."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from pipelines import tables as t
from pipelines.acts import ACTS, CLAIMED, UNDONE, standing
from pipelines.claims import told
from pipelines.database import read_frame
from pipelines.history import typed
from pipelines.store import Store
from pipelines.store_people import read_events


def rules_before(connection: Connection, night: date) -> pd.DataFrame:
    """Of each rule the last night before this one on which it was evaluated: rule, version, is_shadow, state."""
    results = t.nightly_tables["rule_results"]
    names = ["rule", "version", "is_shadow", "state"]
    evaluated = (results.c.night < night) & (results.c.state != "not_evaluated")
    last = select(results.c.rule, func.max(results.c.night).label("night")).where(evaluated).group_by("rule").subquery()
    query = select(*(results.c[name] for name in names)).join(
        last, (last.c.rule == results.c.rule) & (last.c.night == results.c.night)
    )
    frame = read_frame(connection, query, names)
    return typed(frame, {name: t.NIGHTLY["rule_results"][name] for name in names})


def volumes(store: Store) -> pd.DataFrame:
    """Every night's counts of exceptions by rule, severity and owner, oldest night first."""
    table, columns = t.nightly_tables["exception_volume"], {"night": "date", **t.NIGHTLY["exception_volume"]}
    with store.reading() as connection:
        query = select(*(table.c[name] for name in columns)).order_by(table.c.night, table.c.id)
        return typed(read_frame(connection, query, columns), columns)


def with_acts(connection: Connection, exceptions: pd.DataFrame, night: date) -> pd.DataFrame:
    """Exceptions with whose they are and what is claimed of them, by the people's acts until a night: see `claims.told`."""
    events = read_events(connection, kinds=(*ACTS, UNDONE), night=night)
    acts = standing(events[events["night"] <= pd.Timestamp(night)])
    claimed = sorted(set(acts.loc[acts["event"] == CLAIMED, "exception_id"]))
    spell = t.history_tables["exceptions"].c
    columns = {
        "exception_id": "text",
        "status": "text",
        "on_old_data": "flag",
        "known_from": "date",
        "known_to": "date",
    }
    rows: list[Any] = []
    for start in range(0, len(claimed), _AT_ONCE):
        query = select(*(spell[name] for name in columns)).where(
            spell.exception_id.in_(claimed[start : start + _AT_ONCE])
        )
        rows += map(tuple, connection.execute(query))
    spells = typed(pd.DataFrame(rows, columns=list(columns)), columns)
    complete = select(t.runs.c.as_of).where(t.runs.c.status == "complete", t.runs.c.as_of <= night)
    nights = pd.to_datetime(pd.Series(connection.scalars(complete).all(), dtype="datetime64[us]"))
    return told(exceptions, acts, spells, nights)


#: How many ids are asked for in one query.
_AT_ONCE = 500
