"""What was not delivered is counted by step, and found among much that was."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("create index deliveries_failed_idx on deliveries (enrolment_id, step_id) where state = 'failed'")


def downgrade() -> None:
    op.execute("drop index deliveries_failed_idx")
