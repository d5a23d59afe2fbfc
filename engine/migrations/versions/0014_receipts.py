"""Receipts: what comes back about messages, counted beside what was sent.

New columns have constant defaults and new tables are empty, so nothing is rewritten and no lock is held for long.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

COUNTERS = ("delivered", "bounced", "complained")
moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in COUNTERS:
        op.add_column("message_rollups", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.alter_column("deliveries", "enrolment_id", nullable=True)
    op.create_table(
        "receipts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("origin_at", moment),
        sa.Column("recipient", sa.Text()),
        sa.Column("address_hmac", sa.LargeBinary()),
        sa.Column("domain", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.Column("occurred_at", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("settled_at", moment),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("provider", "provider_id", name="receipts_provider_provider_id_key"),
    )
    op.execute("create index receipts_open_idx on receipts (id) where settled_at is null and error is null")
    op.execute("create index receipts_message_idx on receipts (message_id) where message_id is not null")
    op.execute(
        "create index receipts_address_idx on receipts (address_hmac, occurred_at) where address_hmac is not null"
    )
    op.create_index("receipts_received_idx", "receipts", ["received_at"])
    op.create_table(
        "receipt_mails",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("error", sa.Text()),
    )
    op.execute("create index receipt_mails_due_idx on receipt_mails (id) where error is null")
    op.create_table(
        "stream_pauses",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("paused_at", moment, nullable=False),
        sa.Column("resumed_at", moment),
        sa.Column("resumed_by", sa.Text()),
    )
    op.execute("create unique index stream_pauses_open_key on stream_pauses (stream) where resumed_at is null")


def downgrade() -> None:
    op.execute("delete from deliveries where enrolment_id is null")
    op.alter_column("deliveries", "enrolment_id", nullable=False)
    for table in ("stream_pauses", "receipt_mails", "receipts"):
        op.drop_table(table)
    for name in COUNTERS:
        op.drop_column("message_rollups", name)
