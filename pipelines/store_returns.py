"""Workbooks of exceptions that came back, applied: every edit becomes an event with its file, sheet and cell, once, or is refused by cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from config.errors import ConfigurationError
from outputs.exceptions_workbook import COLUMNS
from outputs.protect import RESTRICTED, TELLING_RULES, restricted_children
from pipelines import tables as t
from pipelines.acts import OF_PEOPLE, UNDONE, taken_back
from pipelines.database import lock, read_frame
from pipelines.handed_out import read_back
from pipelines.history import read_known, shown
from pipelines.inherit import as_followed
from pipelines.returns import APPLY, HandedIn, value_hash, weigh
from pipelines.store import Store
from pipelines.store_people import read_events, said_under
from pipelines.worked import FIELDS, REASON, acts_of, contest, what_stands

KIND = "exceptions"
_KEY_TITLE = COLUMNS[0].title


def hand_in(
    store: Store, paths: Sequence[Path], at: datetime, who: str | None = None, dry_run: bool = False
) -> list[HandedIn]:
    """Apply the workbooks of one sitting, in this order, in one transaction; with `dry_run` only say what would come of them.

    `who` stands over the name in the file. A file that cannot be read is given back with its refusal, and the others are applied.
    """
    night = store.night_of()
    files = [read_back(store.settings.private_dir, path, who, _KEY_TITLE, FIELDS) for path in paths]
    with store.reading() as connection:  # a reader until it commits
        lock(connection)
        exceptions = shown(connection, read_known(connection, "exceptions", night))
        followed = read_known(connection, "followed_exceptions", night)
        for file in files:
            file.edits["key"] = as_followed(file.edits["key"], followed)
        readable = [file for file in files if file.refusal is None]
        contest(readable, exceptions, *_standing(connection, exceptions, night))
        for file in readable:
            _apply(connection, file, exceptions, night, at)
        if not dry_run:
            connection.commit()
    children = exceptions.set_index("exception_id")[["child_id", "rule"]]
    register = store.register()
    for file in files:
        file.edits = _masked(file.edits.join(children, on="key"), register)
    return files


def _standing(connection: Connection, exceptions: pd.DataFrame, night: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What stands now, cell by cell, and which edits of workbooks were applied and not taken back."""
    events = read_events(connection, kinds=OF_PEOPLE)
    cells, files = t.returned_cells.c, t.returned_files.c
    query = select(cells.handout, cells.key, cells.field, cells.value_hash, files.who, cells.act).join(
        t.returned_files, files.id == cells.file_id
    )
    names = ["handout", "key", "field", "value_hash", "who", "act"]
    taken = read_frame(connection, query, names)
    taken = taken[~taken["act"].isin(taken_back(events))]
    taken = taken.assign(key=as_followed(taken["key"], read_known(connection, "followed_exceptions", night)))
    return what_stands(events, exceptions, pd.Timestamp(night)), taken


def _apply(connection: Connection, file: HandedIn, exceptions: pd.DataFrame, night: date, at: datetime) -> None:
    """One file: its edits as events, and what came of each cell kept."""
    stands, taken = _standing(connection, exceptions, night)
    acts, edits = acts_of(weigh(file.edits, stands, taken), exceptions, stands, pd.Timestamp(night))
    told = acts.drop(columns="edit").astype(object)
    undoes = acts["event"] == UNDONE
    own = said_under(connection, acts.loc[undoes, "value"].astype("int64").tolist())
    told.loc[undoes, "exception_id"] = acts.loc[undoes, "value"].astype("int64").map(own)
    rows = told.where(told.notna(), None).assign(night=night, at=at.astimezone(UTC)).to_dict("records")
    numbers: list[int] = []
    if rows:
        query = insert(t.exception_events).returning(t.exception_events.c.id, sort_by_parameter_order=True)
        numbers = list(connection.scalars(query, rows))
    file.edits = edits
    record = connection.scalar(
        insert(t.returned_files).returning(t.returned_files.c.id),
        {
            "sha256": file.sha256, "file": file.path.name, "kind": KIND, "handout": file.handout, "who": file.who, "night": night,
            "at": at.astimezone(UTC), "counts": file.counts,
        },
    )  # fmt: skip
    applied = edits[edits["outcome"] == APPLY]
    act = pd.Series(numbers, index=pd.Index(acts["edit"]), dtype="Int64").reindex(applied.index)
    # A reason is part of the act of its date.
    dates = act[applied["field"] == "accept_until"].groupby(applied["key"]).first()
    act = act.fillna(applied["key"].map(dates).astype("Int64")).astype(object)
    cells = applied[["handout", "key", "field", "sheet", "cell"]].assign(
        file_id=record, value_hash=value_hash(applied["new"]), act=act.where(act.notna(), None)
    )
    if len(cells):
        connection.execute(insert(t.returned_cells), cells.to_dict("records"))


def _masked(edits: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """The edits as a receipt may show them: what is written about a restricted child is withheld there too."""
    restricted = edits["child_id"].isin(register.loc[restricted_children(register), "child_id"])
    written = restricted & edits["field"].isin(["note", REASON])
    hidden = edits.assign(**{name: edits[name].mask(written, RESTRICTED) for name in ("old", "was", "new")})
    quotes = restricted & edits["why"].str.contains("‘")
    hidden["why"] = edits["why"].mask(quotes, "what was written is withheld: the child is restricted")
    telling = restricted & edits["rule"].isin(TELLING_RULES)
    hidden["rule"] = edits["rule"].mask(telling, RESTRICTED)
    return hidden


def take_back_file(store: Store, file: str, who: str, at: datetime) -> int:
    """Take back everything that a returned workbook did and that still stands, as new events; gives how many acts.

    `file` is the name under which it came back, the newest of that name. Raises ConfigurationError where nothing of it stands.
    """
    night = store.night_of()
    files, cells = t.returned_files, t.returned_cells
    with store.writing() as connection:
        lock(connection)
        newest = select(func.max(files.c.id)).where(files.c.file == file, files.c.id.in_(select(cells.c.file_id)))
        acts = read_frame(
            connection,
            select(cells.c.act, cells.c.key).where(
                cells.c.file_id == newest.scalar_subquery(), cells.c.act.is_not(None)
            ),
            ["act", "key"],
        ).drop_duplicates("act")
        acts = acts[~acts["act"].isin(taken_back(read_events(connection, kinds=OF_PEOPLE)))]
        if acts.empty:
            raise ConfigurationError(
                f"Nothing that came from a file {file} stands.",
                "The names of the files are in: ehcp exceptions history --format csv, column place.",
            )
        rows = [
            {
                "exception_id": key, "night": night, "event": UNDONE, "value": str(act), "reason": f"all of {file}", "who": who.strip(),
                "at": at.astimezone(UTC), "place": "command",
            }
            for act, key in acts.sort_values("act", ascending=False).to_numpy().tolist()
        ]  # fmt: skip
        connection.execute(insert(t.exception_events), rows)
    return len(rows)
