"""Splits that choose a winner remember it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "split_winners",
        sa.Column("version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("version_id", "step_id", name=op.f("split_winners_pkey")),
    )


def downgrade() -> None:
    op.drop_table("split_winners")
