"""The first tables of the store, as they were then: a later change of `pipelines.tables` comes with a migration of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "exception_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exception_events_exception_id", "exception_events", ["exception_id"], unique=False)
    op.create_index("ix_exception_events_night", "exception_events", ["night"], unique=False)
    op.create_table(
        "exceptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("row_id", sa.Text(), nullable=True),
        sa.Column("thing", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("on_old_data", sa.Boolean(), nullable=True),
        sa.Column("first_seen_on", sa.Date(), nullable=True),
        sa.Column("reopened_on", sa.Date(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exceptions_keys", "exceptions", ["exception_id"], unique=False)
    op.create_index("ix_exceptions_known_from", "exceptions", ["known_from"], unique=False)
    op.create_index("ix_exceptions_known_to", "exceptions", ["known_to"], unique=False)
    op.create_table(
        "feed_acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "kpi_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("in_numerator", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kpi_members_keys", "kpi_members", ["code", "line", "child_id"], unique=False)
    op.create_index("ix_kpi_members_known_from", "kpi_members", ["known_from"], unique=False)
    op.create_index("ix_kpi_members_known_to", "kpi_members", ["known_to"], unique=False)
    op.create_table(
        "link_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_a", sa.Text(), nullable=False),
        sa.Column("source_id_a", sa.Text(), nullable=False),
        sa.Column("source_b", sa.Text(), nullable=False),
        sa.Column("source_id_b", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("how", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_links_keys", "links", ["source", "source_id"], unique=False)
    op.create_index("ix_links_known_from", "links", ["known_from"], unique=False)
    op.create_index("ix_links_known_to", "links", ["known_to"], unique=False)
    op.create_table(
        "register",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("active_plan", sa.Text(), nullable=True),
        sa.Column("in_assessment", sa.Text(), nullable=True),
        sa.Column("setting_urn", sa.Text(), nullable=True),
        sa.Column("setting_code", sa.Text(), nullable=True),
        sa.Column("setting_name", sa.Text(), nullable=True),
        sa.Column("provision_type", sa.Text(), nullable=True),
        sa.Column("in_authority", sa.Text(), nullable=True),
        sa.Column("residential", sa.Text(), nullable=True),
        sa.Column("plan_started_on", sa.Date(), nullable=True),
        sa.Column("last_completed_review_on", sa.Date(), nullable=True),
        sa.Column("next_review_due_on", sa.Date(), nullable=True),
        sa.Column("cohorts", sa.Text(), nullable=True),
        sa.Column("last_statutory_visit_on", sa.Date(), nullable=True),
        sa.Column("last_monitoring_visit_on", sa.Date(), nullable=True),
        sa.Column("visit_due_on", sa.Date(), nullable=True),
        sa.Column("awaiting", sa.Text(), nullable=True),
        sa.Column("awaiting_since", sa.Date(), nullable=True),
        sa.Column("whereabouts_grade", sa.Text(), nullable=True),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("corroborated_on", sa.Date(), nullable=True),
        sa.Column("corroborated_by", sa.Text(), nullable=True),
        sa.Column("recorded_on", sa.Date(), nullable=True),
        sa.Column("vanished", sa.Text(), nullable=True),
        sa.Column("is_restricted", sa.Boolean(), nullable=True),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("need_code", sa.Text(), nullable=True),
        sa.Column("synergy_id", sa.Text(), nullable=True),
        sa.Column("liquidlogic_id", sa.Text(), nullable=True),
        sa.Column("capita_id", sa.Text(), nullable=True),
        sa.Column("plan_from", sa.Text(), nullable=True),
        sa.Column("placement_from", sa.Text(), nullable=True),
        sa.Column("review_from", sa.Text(), nullable=True),
        sa.Column("visit_from", sa.Text(), nullable=True),
        sa.Column("waiting_from", sa.Text(), nullable=True),
        sa.Column("born_from", sa.Text(), nullable=True),
        sa.Column("setting_type", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_register_keys", "register", ["child_id"], unique=False)
    op.create_index("ix_register_known_from", "register", ["known_from"], unique=False)
    op.create_index("ix_register_known_to", "register", ["known_to"], unique=False)
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("ix_runs_as_of", "runs", ["as_of"], unique=False)
    op.create_table(
        "sealed_records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sealed_records_keys", "sealed_records", ["source", "source_id"], unique=False)
    op.create_index("ix_sealed_records_known_from", "sealed_records", ["known_from"], unique=False)
    op.create_index("ix_sealed_records_known_to", "sealed_records", ["known_to"], unique=False)
    op.create_table(
        "expectation_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("table", sa.Text(), nullable=True),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("expectation", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("observed", sa.Text(), nullable=True),
        sa.Column("wanted", sa.Text(), nullable=True),
        sa.Column("is_met", sa.Boolean(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_expectation_results_night", "expectation_results", ["night"], unique=False)
    op.create_index("ix_expectation_results_run_id", "expectation_results", ["run_id"], unique=False)
    op.create_table(
        "kpi_values",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("numerator", sa.Integer(), nullable=True),
        sa.Column("denominator", sa.Integer(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("not_judged", sa.Integer(), nullable=True),
        sa.Column("target", sa.Float(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kpi_values_night", "kpi_values", ["night"], unique=False)
    op.create_index("ix_kpi_values_run_id", "kpi_values", ["run_id"], unique=False)
    op.create_table(
        "review_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("source_a", sa.Text(), nullable=True),
        sa.Column("source_id_a", sa.Text(), nullable=True),
        sa.Column("source_b", sa.Text(), nullable=True),
        sa.Column("source_id_b", sa.Text(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("agrees", sa.Text(), nullable=True),
        sa.Column("differs", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_pairs_night", "review_pairs", ["night"], unique=False)
    op.create_index("ix_review_pairs_run_id", "review_pairs", ["run_id"], unique=False)
    op.create_table(
        "rule_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("looked_at", sa.Integer(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=True),
        sa.Column("not_judged", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rule_results_night", "rule_results", ["night"], unique=False)
    op.create_index("ix_rule_results_run_id", "rule_results", ["run_id"], unique=False)
    op.create_table(
        "run_feeds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("modified_on", sa.Date(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=True),
        sa.Column("set_aside", sa.Integer(), nullable=True),
        sa.Column("repeated", sa.Integer(), nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=True),
        sa.Column("newest_on", sa.Date(), nullable=True),
        sa.Column("previous_rows", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("is_accepted", sa.Boolean(), nullable=True),
        sa.Column("is_expected", sa.Boolean(), nullable=True),
        sa.Column("is_stale", sa.Boolean(), nullable=True),
        sa.Column("is_volume_moved", sa.Boolean(), nullable=True),
        sa.Column("old_copy_of", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("tables", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_feeds_night", "run_feeds", ["night"], unique=False)
    op.create_index("ix_run_feeds_run_id", "run_feeds", ["run_id"], unique=False)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_run_feeds_run_id", table_name="run_feeds")
    op.drop_index("ix_run_feeds_night", table_name="run_feeds")
    op.drop_table("run_feeds")
    op.drop_index("ix_rule_results_run_id", table_name="rule_results")
    op.drop_index("ix_rule_results_night", table_name="rule_results")
    op.drop_table("rule_results")
    op.drop_index("ix_review_pairs_run_id", table_name="review_pairs")
    op.drop_index("ix_review_pairs_night", table_name="review_pairs")
    op.drop_table("review_pairs")
    op.drop_index("ix_kpi_values_run_id", table_name="kpi_values")
    op.drop_index("ix_kpi_values_night", table_name="kpi_values")
    op.drop_table("kpi_values")
    op.drop_index("ix_expectation_results_run_id", table_name="expectation_results")
    op.drop_index("ix_expectation_results_night", table_name="expectation_results")
    op.drop_table("expectation_results")
    op.drop_index("ix_sealed_records_known_to", table_name="sealed_records")
    op.drop_index("ix_sealed_records_known_from", table_name="sealed_records")
    op.drop_index("ix_sealed_records_keys", table_name="sealed_records")
    op.drop_table("sealed_records")
    op.drop_index("ix_runs_as_of", table_name="runs")
    op.drop_table("runs")
    op.drop_index("ix_register_known_to", table_name="register")
    op.drop_index("ix_register_known_from", table_name="register")
    op.drop_index("ix_register_keys", table_name="register")
    op.drop_table("register")
    op.drop_index("ix_links_known_to", table_name="links")
    op.drop_index("ix_links_known_from", table_name="links")
    op.drop_index("ix_links_keys", table_name="links")
    op.drop_table("links")
    op.drop_table("link_decisions")
    op.drop_index("ix_kpi_members_known_to", table_name="kpi_members")
    op.drop_index("ix_kpi_members_known_from", table_name="kpi_members")
    op.drop_index("ix_kpi_members_keys", table_name="kpi_members")
    op.drop_table("kpi_members")
    op.drop_table("feed_acceptances")
    op.drop_index("ix_exceptions_known_to", table_name="exceptions")
    op.drop_index("ix_exceptions_known_from", table_name="exceptions")
    op.drop_index("ix_exceptions_keys", table_name="exceptions")
    op.drop_table("exceptions")
    op.drop_index("ix_exception_events_night", table_name="exception_events")
    op.drop_index("ix_exception_events_exception_id", table_name="exception_events")
    op.drop_table("exception_events")
