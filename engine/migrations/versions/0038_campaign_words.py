"""What was accepted at a campaign's start, how far it was when it was resumed, and its author's own file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("campaigns", sa.Column("checked", postgresql.JSONB(), nullable=True))
    op.add_column("campaigns", sa.Column("resumed", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaigns", "resumed")
    op.drop_column("campaigns", "checked")
    op.drop_column("campaigns", "source")
