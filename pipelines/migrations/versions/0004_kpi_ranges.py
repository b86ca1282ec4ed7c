"""Figures with their range and rating, and their breakdowns."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; both are filled from the next night on."""
    for name in ("in_doubt", "best_numerator", "worst_numerator"):
        op.add_column("kpi_values", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("best", "worst"):
        op.add_column("kpi_values", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("kpi_values", sa.Column("rag", sa.Text(), nullable=True))
    op.create_table(
        "kpi_breakdowns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("code", "line", "by", "category")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("numerator", "denominator")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kpi_breakdowns_night", "kpi_breakdowns", ["night"], unique=False)
    op.create_index("ix_kpi_breakdowns_run_id", "kpi_breakdowns", ["run_id"], unique=False)
