"""Which blocks of its content a message has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "message_blocks",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holds", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("message_blocks_pkey")),
    )


def downgrade() -> None:
    op.drop_table("message_blocks")
