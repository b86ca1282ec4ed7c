"""Why an exception has its owner, what is backlog, what rules in shadow found, and how many came and went each night."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNTS = ("open", "accepted", "not_evaluated", "new", "backlog", "reopened", "resolved", "overdue", "newly_overdue")


def upgrade() -> None:
    """Add the columns and the tables; they are filled from the next night on."""
    op.add_column("exceptions", sa.Column("owner_why", sa.Text(), nullable=True))
    op.add_column("exceptions", sa.Column("is_backlog", sa.Boolean(), nullable=True))
    op.add_column("rule_results", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("rule_results", sa.Column("is_shadow", sa.Boolean(), nullable=True))
    op.create_table(
        "shadow_findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("exception_id", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=True)
            for name in ("rule", "child_id", "source", "source_id", "row_id", "field", "detail", "severity", "owner")
        ),
        sa.Column("first_seen_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_shadow_findings_keys", "shadow_findings", ["exception_id"], unique=False)
    op.create_index("ix_shadow_findings_known_from", "shadow_findings", ["known_from"], unique=False)
    op.create_index("ix_shadow_findings_known_to", "shadow_findings", ["known_to"], unique=False)
    op.create_table(
        "exception_volume",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("rule", "severity", "owner")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in _COUNTS),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exception_volume_night", "exception_volume", ["night"], unique=False)
    op.create_index("ix_exception_volume_run_id", "exception_volume", ["run_id"], unique=False)
