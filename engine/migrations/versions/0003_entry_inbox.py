"""Whom a publish lets in is written down, so that they enter a batch a transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "entry_inbox",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("journey_id", "contact_id", name=op.f("entry_inbox_pkey")),
    )


def downgrade() -> None:
    op.drop_table("entry_inbox")
