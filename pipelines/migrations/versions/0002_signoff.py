"""The month's sign-off: journal, frozen rows, and what proves a signatory."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "signoff_journal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "signoff_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signoff_rows_period", "signoff_rows", ["period", "version"], unique=False)
    op.create_table(
        "signoff_passphrases",
        sa.Column("signatory", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("signatory"),
    )
    op.create_table(
        "signoff_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("signatory", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signoff_codes_signatory", "signoff_codes", ["signatory"], unique=False)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_signoff_codes_signatory", table_name="signoff_codes")
    op.drop_table("signoff_codes")
    op.drop_table("signoff_passphrases")
    op.drop_index("ix_signoff_rows_period", table_name="signoff_rows")
    op.drop_table("signoff_rows")
    op.drop_table("signoff_journal")
