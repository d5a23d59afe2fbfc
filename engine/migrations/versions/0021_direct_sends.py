"""Messages that programs send to one contact."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "direct_sends",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("direct_sends_pkey")),
        sa.UniqueConstraint("key", name=op.f("direct_sends_key_key")),
        sa.UniqueConstraint("token", name=op.f("direct_sends_token_key")),
    )


def downgrade() -> None:
    op.drop_table("direct_sends")
