"""Journeys that people enter by a schedule know their next slot."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("alter table journeys add column next_entry_at timestamptz")


def downgrade() -> None:
    op.execute("alter table journeys drop column next_entry_at")
