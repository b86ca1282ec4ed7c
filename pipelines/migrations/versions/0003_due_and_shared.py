"""Since when the duty of an exception has been overdue, and what it shares with others."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; they are known from the next night on."""
    op.add_column("exceptions", sa.Column("since_on", sa.Date(), nullable=True))
    op.add_column("exceptions", sa.Column("shared", sa.Text(), nullable=True))
