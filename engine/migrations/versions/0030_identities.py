"""Identities: who mail comes from; which one a message, and a content, asks for; how an identity is warmed up.

The columns take no default and are empty, so that adding them rewrites nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("relays", sa.LargeBinary(), nullable=True),
        sa.Column("dkim", sa.LargeBinary(), nullable=True),
        sa.Column("tracking_domain", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("postal_address", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("unverified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("identities_pkey")),
    )
    op.create_table(
        "warm_ups",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("growth", sa.Float(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("sent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tail_day", sa.Date(), nullable=True),
        sa.Column("tail", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("identity", "domain", name=op.f("warm_ups_pkey")),
    )
    op.add_column("messages", sa.Column("sender", sa.Text(), nullable=True))
    op.add_column("contents", sa.Column("sender", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("contents", "sender")
    op.drop_column("messages", "sender")
    op.drop_table("warm_ups")
    op.drop_table("identities")
