"""Exceptions that followed their child under another id."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "followed_exceptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("followed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_followed_exceptions_keys", "followed_exceptions", ["exception_id"], unique=False)
    op.create_index("ix_followed_exceptions_known_from", "followed_exceptions", ["known_from"], unique=False)
    op.create_index("ix_followed_exceptions_known_to", "followed_exceptions", ["known_to"], unique=False)
