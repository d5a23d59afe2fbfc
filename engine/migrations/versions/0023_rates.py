"""How fast messages may go to a domain or through a relay."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tail_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slow", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("measured", sa.Float(), nullable=True),
        sa.Column("slowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("rates_pkey")),
    )


def downgrade() -> None:
    op.drop_table("rates")
