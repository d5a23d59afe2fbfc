"""Receipts are found by what is still kept of them, and by ranges of a gateway's names.

Such a range means the same in every database only by the order of bytes: by that of many languages `;` is before `:`.
"""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("drop index receipts_received_idx")
    op.execute("create index receipts_payload_idx on receipts (received_at) where payload is not null")
    op.execute('alter table receipts alter column provider_id type text collate "C"')


def downgrade() -> None:
    op.execute('alter table receipts alter column provider_id type text collate "default"')
    op.execute("drop index receipts_payload_idx")
    op.execute("create index receipts_received_idx on receipts (received_at)")
