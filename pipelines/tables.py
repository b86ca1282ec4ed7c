"""The tables of the store, once for SQLite and PostgreSQL.

Three kinds of table:

- **history**: a row is valid for the nights from `known_from` up to, not including, `known_to` (null: still). Nights that
  change nothing write nothing.
- **per night**: what one night counted, with its `night`.
- **facts about running**: runs, what people decided. Never rewound.

No name, date of birth, UPN or address is in any of them: children are `child_id`, records are `source` and `source_id`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

#: The newest migration, which this program was written for.
SCHEMA = "0001"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _history(name: str, keys: list[Column], *values: Column, more: bool = False) -> Table:
    """A history table: its keys and `known_from` are the primary key. `more` holds columns beyond those named, as JSON."""
    table = Table(
        name,
        metadata,
        *keys,
        Column("known_from", Date, primary_key=True),
        Column("known_to", Date),
        *values,
        *([Column("more", Text)] if more else []),
        info={"kind": "history", "keys": [column.name for column in keys]},
    )
    Index(f"ix_{name}_known_from", table.c.known_from)
    Index(f"ix_{name}_known_to", table.c.known_to)
    return table


def _per_night(name: str, *columns: Column) -> Table:
    """What one night counted, in the order in which it was given."""
    return Table(
        name,
        metadata,
        Column("night", Date, primary_key=True),
        Column("position", Integer, primary_key=True),
        *columns,
        Column("more", Text),
        info={"kind": "night"},
    )


def _key(name: str, length: int = 200) -> Column:
    return Column(name, String(length), primary_key=True)


runs = Table(
    "runs",
    metadata,
    _key("run_id", 20),
    Column("as_of", Date, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    #: complete; replaced (the same night was run again); rewound (an older night was run: to be replayed)
    Column("status", String(20), nullable=False),
    Column("exit_code", Integer),
    Column("counts", JSON),
    Column("seconds", JSON),
    Column("versions", JSON),
    #: the types of the columns that are kept as JSON text, by table
    Column("shapes", JSON),
)

run_feeds = _per_night(
    "run_feeds",
    Column("system", String(60)),
    Column("feed", String(120)),
    Column("file", Text),
    Column("sha256", String(64)),
    Column("modified_at", DateTime),
    Column("rows", Integer),
    Column("accepted", Integer),
    Column("set_aside", Integer),
    Column("repeated", Integer),
    Column("newest_on", Date),
    Column("previous_rows", Integer),
    Column("change_percent", Float),
    Column("status", String(20)),
    Column("is_accepted", Boolean),
    Column("is_stale", Boolean),
    Column("reason", Text),
    Column("tables", Text),
    #: the last accepted copy as that night left it
    Column("accepted_on", Date),
    Column("accepted_rows", Integer),
    Column("accepted_sha256", String(64)),
)

feed_acceptances = Table(
    "feed_acceptances",
    metadata,
    _key("system", 60),
    _key("feed", 120),
    _key("sha256", 64),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("at", DateTime, nullable=False),
)

links = _history(
    "links", [_key("source", 60), _key("source_id")], Column("child_id", String(60), nullable=False), Column("how", Text)
)

link_decisions = Table(
    "link_decisions",
    metadata,
    _key("source_a", 60),
    _key("source_id_a"),
    _key("source_b", 60),
    _key("source_id_b"),
    Column("at", DateTime, primary_key=True),
    Column("answer", String(20), nullable=False),
    Column("reason", Text),
    Column("who", String(200), nullable=False),
)

link_reviews = _per_night("link_reviews")

register = _history("register", [_key("child_id", 60)], more=True)

exceptions = _history(
    "exceptions",
    [_key("exception_id", 60)],
    Column("rule", String(20)),
    Column("child_id", String(60)),
    Column("source", String(60)),
    Column("source_id", Text),
    Column("row_id", Text),
    Column("thing", Text),
    Column("field", Text),
    Column("detail", Text),
    Column("severity", String(20)),
    Column("kind", String(20)),
    Column("owner", Text),
    Column("status", String(20)),
    Column("on_old_data", Boolean),
    Column("first_seen_on", Date),
    Column("since_on", Date),
    Column("resolved_on", Date),
    more=True,
)

exception_events = _per_night(
    "exception_events",
    Column("exception_id", String(60), index=True),
    #: raised, resolved, reopened, not_evaluated by data; assigned, noted, accepted by people
    Column("kind", String(20)),
    Column("rule", String(20)),
    Column("child_id", String(60)),
    Column("detail", Text),
    Column("who", String(200)),
    Column("at", DateTime),
    Column("file", Text),
    Column("sheet", Text),
    Column("cell", String(40)),
)

kpi_values = _per_night(
    "kpi_values",
    Column("code", String(20), index=True),
    Column("line", Text),
    Column("title", Text),
    Column("numerator", Float),
    Column("denominator", Float),
    Column("value", Float),
    Column("not_judged", Float),
    Column("target", Float),
    Column("definition", Text),
)

kpi_members = _history(
    "kpi_members", [_key("code", 20), _key("line"), _key("child_id", 60)], Column("in_numerator", Boolean)
)

rule_results = _per_night(
    "rule_results",
    Column("rule", String(20)),
    Column("looked_at", Integer),
    Column("found", Integer),
    Column("not_judged", Integer),
    Column("state", String(20)),
    Column("reason", Text),
)

expectation_results = _per_night("expectation_results")

HISTORY = tuple(table for table in metadata.sorted_tables if table.info.get("kind") == "history")
PER_NIGHT = tuple(table for table in metadata.sorted_tables if table.info.get("kind") == "night")
