"""Workbooks that came back, and the cells of them that were applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "returned_files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False, index=True),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("handout", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("night", sa.Date, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_table(
        "returned_cells",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "file_id", sa.Integer, sa.ForeignKey("returned_files.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("handout", sa.Text, nullable=False, index=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("sheet", sa.Text, nullable=False),
        sa.Column("cell", sa.Text, nullable=False),
        sa.Column("value_hash", sa.Text, nullable=False),
        sa.Column("act", sa.Integer),
    )


def downgrade() -> None:
    op.drop_table("returned_cells")
    op.drop_table("returned_files")
