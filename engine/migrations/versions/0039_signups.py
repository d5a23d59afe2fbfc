"""How many texts asked for a confirmation lately is read from an index."""

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.execute("create index consent_requests_texts_idx on consent_requests (requested_at) where channel = 'sms'")


def downgrade() -> None:
    op.execute("drop index consent_requests_texts_idx")
