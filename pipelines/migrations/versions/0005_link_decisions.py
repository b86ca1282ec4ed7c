"""Decisions about links keep what they rest on and can be taken back; what became of whom; the never-link list; why a pair is asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and create the tables with their indexes."""
    for name, kind in (("night", sa.Date()), ("basis", sa.Text()), ("place", sa.Text()), ("undoes", sa.Integer())):
        op.add_column("link_decisions", sa.Column(name, kind, nullable=True))
    op.add_column("review_pairs", sa.Column("asked", sa.Text(), nullable=True))
    op.create_table(
        "link_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_link_events_night", "link_events", ["night"], unique=False)
    op.create_index("ix_link_events_child_id", "link_events", ["child_id"], unique=False)
    op.create_table(
        "never_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.Column("known_to", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=False),
        sa.Column("source_a", sa.Text(), nullable=False),
        sa.Column("source_id_a", sa.Text(), nullable=False),
        sa.Column("source_b", sa.Text(), nullable=False),
        sa.Column("source_id_b", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_never_links_keys", "never_links", ["source_a", "source_id_a", "source_b", "source_id_b"], unique=False
    )
    op.create_index("ix_never_links_known_from", "never_links", ["known_from"], unique=False)
    op.create_index("ix_never_links_known_to", "never_links", ["known_to"], unique=False)


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("never_links")
    op.drop_table("link_events")
    op.drop_column("review_pairs", "asked")
    for name in ("undoes", "place", "basis", "night"):
        op.drop_column("link_decisions", name)
