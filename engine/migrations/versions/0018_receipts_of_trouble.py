"""Bounces and complaints are found among many deliveries."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute(
        "create index receipts_trouble_idx on receipts (received_at, domain) "
        "where kind in ('soft', 'hard', 'policy', 'complaint')"
    )


def downgrade() -> None:
    op.execute("drop index receipts_trouble_idx")
