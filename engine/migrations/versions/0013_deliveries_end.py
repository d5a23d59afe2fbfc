"""Deliveries that ended long ago are found without reading the others."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("create index deliveries_ended_idx on deliveries (ended_at) where ended_at is not null")


def downgrade() -> None:
    op.execute("drop index deliveries_ended_idx")
