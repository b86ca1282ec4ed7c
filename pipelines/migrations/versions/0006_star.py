"""The star for business intelligence: tables that hold the newest night, and views over them; see `outputs.star`."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: Figures of every night, and counts for wider use: no child ids in them.
VIEWS = {
    "bi_kpi_values": """
        SELECT night AS as_of, code, coalesce(line, '') AS line, numerator, denominator, value FROM kpi_values
    """,
    "bi_wide_children": """
        SELECT c.as_of, c.age_band, c.need_code, coalesce(s.setting_type, 'none or not shown') AS setting_type, c.in_authority,
               c.care_status, c.whereabouts_grade, count(*) AS children
        FROM bi_children c LEFT JOIN bi_settings s ON s.setting_key = c.setting_key
        WHERE c.has_active_plan
        GROUP BY c.as_of, c.age_band, c.need_code, coalesce(s.setting_type, 'none or not shown'), c.in_authority, c.care_status,
                 c.whereabouts_grade
    """,
    "bi_wide_reviews": """
        SELECT c.as_of, d.year, d.month, c.is_review_overdue, count(*) AS children
        FROM bi_children c JOIN bi_dates d ON d.date_on = c.next_review_due_on
        WHERE c.has_active_plan
        GROUP BY c.as_of, d.year, d.month, c.is_review_overdue
    """,
    "bi_wide_exceptions": """
        SELECT as_of, rule, owner, severity, status, count(*) AS exceptions
        FROM bi_exceptions GROUP BY as_of, rule, owner, severity, status
    """,
}


def upgrade() -> None:
    """Create the tables, then the views over them."""
    op.create_table(
        "bi_children",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("has_active_plan", sa.Boolean(), nullable=True),
        sa.Column("is_in_assessment", sa.Boolean(), nullable=True),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("age_band", sa.Text(), nullable=True),
        sa.Column("need_code", sa.Text(), nullable=True),
        sa.Column("care_status", sa.Text(), nullable=True),
        sa.Column("is_restricted", sa.Boolean(), nullable=True),
        sa.Column("setting_key", sa.Text(), nullable=True),
        sa.Column("in_authority", sa.Text(), nullable=True),
        sa.Column("next_review_due_on", sa.Date(), nullable=True),
        sa.Column("is_review_overdue", sa.Boolean(), nullable=True),
        sa.Column("visit_due_on", sa.Date(), nullable=True),
        sa.Column("is_visit_overdue", sa.Boolean(), nullable=True),
        sa.Column("awaiting", sa.Text(), nullable=True),
        sa.Column("waiting_days", sa.Integer(), nullable=True),
        sa.Column("whereabouts_grade", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("child_id"),
    )
    op.create_table(
        "bi_dates",
        sa.Column("date_on", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.Column("quarter", sa.Text(), nullable=True),
        sa.Column("financial_year", sa.Text(), nullable=True),
        sa.Column("academic_year", sa.Text(), nullable=True),
        sa.Column("is_month_end", sa.Boolean(), nullable=True),
        sa.Column("is_weekend", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("date_on"),
    )
    op.create_table(
        "bi_exceptions",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("on_old_data", sa.Boolean(), nullable=True),
        sa.Column("first_seen_on", sa.Date(), nullable=True),
        sa.Column("age_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("exception_id"),
    )
    op.create_table(
        "bi_owners",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("open_exceptions", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.create_table(
        "bi_placements",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("placement_key", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("setting_key", sa.Text(), nullable=True),
        sa.Column("provision_type", sa.Text(), nullable=True),
        sa.Column("residential_code", sa.Text(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("placement_key"),
    )
    op.create_table(
        "bi_plans",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("plan_key", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ceased_on", sa.Date(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.Column("is_maintained", sa.Boolean(), nullable=True),
        sa.Column("need_code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("plan_key"),
    )
    op.create_table(
        "bi_reviews",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("review_key", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("report_sent_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("outcome_code", sa.Text(), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("review_key"),
    )
    op.create_table(
        "bi_rules",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("fix_in", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("rule"),
    )
    op.create_table(
        "bi_settings",
        sa.Column("setting_key", sa.Text(), nullable=False),
        sa.Column("setting_name", sa.Text(), nullable=True),
        sa.Column("setting_type", sa.Text(), nullable=True),
        sa.Column("setting_la_code", sa.Text(), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("setting_key"),
    )
    op.create_table(
        "bi_visits",
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("visit_key", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("kind_code", sa.Text(), nullable=True),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("is_seen", sa.Boolean(), nullable=True),
        sa.Column("is_seen_alone", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("visit_key"),
    )
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
