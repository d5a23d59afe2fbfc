"""Campaigns with their frozen audiences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        *(
            sa.Column(name, INSTANT, nullable=True)
            for name in ("start_at", "origin_at", "tail_at", "next_at", "winner_at", "goals_until", "ended_at")
        ),
        sa.Column("winner", sa.Text(), nullable=True),
        sa.Column("winner_note", postgresql.JSONB(), nullable=True),
        sa.Column("audience_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("changed_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("campaigns_pkey")),
        sa.UniqueConstraint("public_id", name=op.f("campaigns_public_id_key")),
        sa.UniqueConstraint("slug", name=op.f("campaigns_slug_key")),
    )
    op.create_index("campaigns_next_idx", "campaigns", ["next_at"], postgresql_where=sa.text("next_at is not null"))
    op.create_table(
        "campaign_arms",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("contacts", "conversions")
        ),
        *(
            sa.Column(name, sa.Numeric(), server_default=sa.text("0"), nullable=False)
            for name in ("value", "value_squared")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("campaign_arms_campaign_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "arm", name=op.f("campaign_arms_pkey")),
    )
    op.create_table(
        "campaign_waves",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("cursor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("contacts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("campaign_waves_campaign_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "wave", name=op.f("campaign_waves_pkey")),
    )
    op.create_table(
        "campaign_contacts",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wave", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("converted_at", INSTANT, nullable=True),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", "wave", "contact_id", name=op.f("campaign_contacts_pkey")),
    )
    op.create_index("campaign_contacts_contact_idx", "campaign_contacts", ["contact_id"], postgresql_using="hash")


def downgrade() -> None:
    for table in ("campaign_contacts", "campaign_waves", "campaign_arms", "campaigns"):
        op.drop_table(table)
