"""How many exceptions a night has more or fewer as records were linked otherwise, and the thing of what a rule in shadow found."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; earlier nights have neither."""
    op.add_column("exception_volume", sa.Column("relinked", sa.Integer(), nullable=True))
    op.add_column("shadow_findings", sa.Column("thing", sa.Text(), nullable=True))
