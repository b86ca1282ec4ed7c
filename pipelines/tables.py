"""The tables of the store. History is kept as changes: a row is valid from the night that first knew it to the night that knew better.

Names, dates of birth and addresses are in none of these tables: they speak of `child_id` and of record numbers. Personal data stays in the
private store (raw extracts and snapshots), so that erasing it touches one place.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from outputs.star import STAR

metadata = MetaData()
_STAR_TYPES = {"text": Text, "date": Date, "flag": Boolean, "whole": Integer, "number": Float}
_TYPES = {"text": Text, "date": Date, "flag": Boolean, "number": Integer, "share": Float}

#: Columns of a history table that, on a night, are often that very night; see `store.FAR`.
TONIGHT: dict[str, tuple[str, ...]] = {
    "register": ("seen_on", "corroborated_on", "recorded_on", "last_statutory_visit_on", "last_monitoring_visit_on"),
}

#: History tables: their keys, and their columns with the kind of each.
HISTORY: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "links": (("source", "source_id"), {"source": "text", "source_id": "text", "child_id": "text", "how": "text"}),
    "sealed_records": (("source", "source_id"), {"source": "text", "source_id": "text"}),
    "never_links": (
        ("source_a", "source_id_a", "source_b", "source_id_b"),
        {"source_a": "text", "source_id_a": "text", "source_b": "text", "source_id_b": "text", "why": "text", "basis": "text"},
    ),
    "register": (
        ("child_id",),
        {
            "child_id": "text", "active_plan": "text", "in_assessment": "text", "setting_urn": "text", "setting_code": "text", "setting_name": "text",
            "provision_type": "text", "in_authority": "text", "residential": "text", "plan_started_on": "date", "last_completed_review_on": "date",
            "next_review_due_on": "date", "cohorts": "text", "last_statutory_visit_on": "date", "last_monitoring_visit_on": "date",
            "visit_due_on": "date", "awaiting": "text", "awaiting_since": "date", "whereabouts_grade": "text", "seen_on": "date", "seen_by": "text",
            "corroborated_on": "date", "corroborated_by": "text", "recorded_on": "date", "vanished": "text", "is_restricted": "flag", "age": "number",
            "need_code": "text", "synergy_id": "text", "liquidlogic_id": "text", "capita_id": "text", "plan_from": "text", "placement_from": "text",
            "review_from": "text", "visit_from": "text", "waiting_from": "text", "born_from": "text", "setting_type": "text",
        },
    ),
    "exceptions": (
        ("exception_id",),
        {
            "exception_id": "text", "rule": "text", "child_id": "text", "source": "text", "source_id": "text", "row_id": "text", "thing": "text",
            "field": "text", "detail": "text", "severity": "text", "kind": "text", "owner": "text", "status": "text", "on_old_data": "flag",
            "first_seen_on": "date", "reopened_on": "date", "resolved_on": "date", "since_on": "date", "shared": "text",
            "owner_why": "text", "is_backlog": "flag",
        },
    ),
    "followed_exceptions": (
        ("exception_id",),
        {"exception_id": "text", "child_id": "text", "followed_by": "text"},
    ),
    "shadow_findings": (
        ("exception_id",),
        {
            "exception_id": "text", "rule": "text", "child_id": "text", "source": "text", "source_id": "text", "row_id": "text", "thing": "text",
            "field": "text", "detail": "text", "severity": "text", "owner": "text", "first_seen_on": "date",
        },
    ),
    "kpi_members": (("code", "line", "child_id"), {"code": "text", "line": "text", "child_id": "text", "in_numerator": "flag"}),
}  # fmt: skip

#: Tables whose rows belong to one night and are written whole each time it runs.
NIGHTLY: dict[str, dict[str, str]] = {
    "run_feeds": {
        "system": "text", "feed": "text", "file": "text", "sha256": "text", "modified_on": "date", "rows": "number", "accepted": "number", "set_aside": "number",
        "repeated": "number", "left_out": "number", "newest_on": "date", "previous_rows": "number", "status": "text", "is_accepted": "flag",
        "is_expected": "flag", "is_stale": "flag", "is_volume_moved": "flag", "old_copy_of": "date", "reason": "text", "tables": "text",
    },
    "kpi_values": {
        "code": "text", "line": "text", "title": "text", "numerator": "number", "denominator": "number", "value": "share", "not_judged": "number",
        "target": "share", "definition": "text", "in_doubt": "number", "best_numerator": "number", "worst_numerator": "number", "best": "share",
        "worst": "share", "rag": "text",
    },
    "kpi_breakdowns": {"code": "text", "line": "text", "by": "text", "category": "text", "numerator": "number", "denominator": "number"},
    "rule_results": {"rule": "text", "looked_at": "number", "found": "number", "not_judged": "number", "state": "text", "reason": "text",
        "version": "number", "is_shadow": "flag"},
    "exception_volume": {
        "rule": "text", "severity": "text", "owner": "text", "open": "number", "accepted": "number", "not_evaluated": "number", "new": "number", "backlog": "number",
        "reopened": "number", "resolved": "number", "overdue": "number", "newly_overdue": "number",
        "to_shadow": "number", "relinked": "number",
    },
    "expectation_results": {
        "system": "text", "feed": "text", "table": "text", "column": "text", "expectation": "text", "title": "text", "observed": "text", "wanted": "text",
        "is_met": "flag", "severity": "text", "value": "share",
    },
    "link_quality": {"measure": "text", "group": "text", "count": "number", "of": "number", "rate": "share"},
    "review_pairs": {"source_a": "text", "source_id_a": "text", "source_b": "text", "source_id_b": "text", "weight": "share", "agrees": "text", "differs": "text", "asked": "text"},
}  # fmt: skip

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("as_of", Date, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("exit_code", Integer, nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("seconds", JSON, nullable=False),
    Column("versions", JSON, nullable=False),
)
exception_events = Table(
    "exception_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("exception_id", Text, nullable=False, index=True),
    Column("night", Date, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("value", Text),
    Column("reason", Text),
    Column("who", Text),
    Column("at", DateTime(timezone=True)),
    Column("place", Text),
)
feed_acceptances = Table(
    "feed_acceptances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("system", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
link_decisions = Table(
    "link_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_a", Text, nullable=False),
    Column("source_id_a", Text, nullable=False),
    Column("source_b", Text, nullable=False),
    Column("source_id_b", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("reason", Text),
    Column("who", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("night", Date),
    Column("basis", Text),
    Column("place", Text),
    Column("undoes", Integer),
)
link_events = Table(
    "link_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("night", Date, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("child_id", Text, nullable=False, index=True),
    Column("before", Text),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("why", Text),
    Column("who", Text),
    Column("decision_id", Integer),
)
#: The month's sign-off. The journal is a chain: a record holds the hash of the one before it, and receipts of it are kept outside.
signoff_journal = Table(
    "signoff_journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
#: Frozen rows as canonical JSON. A row that was erased keeps its hash alone.
signoff_rows = Table(
    "signoff_rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("period", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("part", Text, nullable=False),
    Column("key", Text),
    Column("content", Text),
    Column("hash", Text, nullable=False),
    Index("ix_signoff_rows_period", "period", "version"),
)
#: What proves a signatory: a passphrase (scrypt) and its wrong attempts, and one-time codes (scrypt as well).
signoff_passphrases = Table(
    "signoff_passphrases",
    metadata,
    Column("signatory", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", DateTime(timezone=True)),
)
signoff_codes = Table(
    "signoff_codes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signatory", Text, nullable=False, index=True),
    Column("period", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("secret", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("used_at", DateTime(timezone=True)),
)


#: Tables for business intelligence: the newest night's, written anew each time. The figures of all nights are a view, `bi_kpi_values`.
star_tables = {
    name: Table(
        f"bi_{name}",
        metadata,
        *(
            Column(column, _STAR_TYPES[kind], primary_key=column in table.key, nullable=column not in table.key)
            for column, (kind, _) in table.columns.items()
        ),
    )
    for name, table in STAR.items()
    if name != "kpi_values"
}

#: Workbooks that came back, and the cells of them that were applied: by a hash of the value, as the value itself is in the act.
returned_files = Table(
    "returned_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("handout", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("night", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("counts", JSON, nullable=False),
)
returned_cells = Table(
    "returned_cells",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("returned_files.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("handout", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Column("value_hash", Text, nullable=False),
    Column("act", Integer),
)


def _history_table(name: str, keys: tuple[str, ...], columns: dict[str, str]) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("known_from", Date, nullable=False, index=True),
        Column("known_to", Date, index=True),
        Column("row_hash", BigInteger, nullable=False),
        *(Column(column, _TYPES[kind], nullable=column not in keys) for column, kind in columns.items()),
        Index(f"ix_{name}_keys", *keys),
    )


def _nightly_table(name: str, columns: dict[str, str]) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False, index=True),
        Column("night", Date, nullable=False, index=True),
        *(Column(column, _TYPES[kind]) for column, kind in columns.items()),
    )


history_tables = {name: _history_table(name, keys, columns) for name, (keys, columns) in HISTORY.items()}
nightly_tables = {name: _nightly_table(name, columns) for name, columns in NIGHTLY.items()}


audit_samples = Table(
    "audit_samples",
    metadata,
    Column("sample_id", Text, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("size", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("stratum", Text),
    Column("who", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
audit_items = Table(
    "audit_items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sample_id", Text, ForeignKey("audit_samples.sample_id"), nullable=False, index=True),
    *(Column(name, Text, nullable=False) for name in ("child_id", "field", "system")),
)
audit_results = Table(
    "audit_results",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sample_id", Text, ForeignKey("audit_samples.sample_id"), nullable=False, index=True),
    *(Column(name, Text, nullable=False) for name in ("child_id", "field", "system", "entry", "value", "who")),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("file", Text, nullable=False),
)
