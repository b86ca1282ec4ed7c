"""Samples of the audit of plans and case files, what is looked at of each child, and what was found."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables, empty until the first sample is drawn."""
    op.create_table(
        "audit_samples",
        sa.Column("sample_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sample_id"),
    )
    texts = {
        "audit_items": ("child_id", "field", "system"),
        "audit_results": ("child_id", "field", "system", "entry", "value", "who"),
    }
    more = {
        "audit_items": (),
        "audit_results": (
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("file", sa.Text(), nullable=False),
        ),
    }
    for table, names in texts.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("sample_id", sa.Text(), nullable=False),
            *(sa.Column(name, sa.Text(), nullable=False) for name in names),
            *more[table],
            sa.ForeignKeyConstraint(["sample_id"], ["audit_samples.sample_id"]),
            sa.PrimaryKeyConstraint("id"),
        )
        op.create_index(f"ix_{table}_sample_id", table, ["sample_id"], unique=False)
