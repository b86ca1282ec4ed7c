"""How many exceptions left the counts of a night, as their rule went into shadow."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count; earlier nights have none."""
    op.add_column("exception_volume", sa.Column("to_shadow", sa.Integer(), nullable=True))
