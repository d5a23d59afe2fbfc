"""Versions whose entries are over, but may still see their goal, are found by an index."""

from alembic import op

revision = "0005"
down_revision = "0004"

HOPING = "status <> 'active' and goal_at is null and goal_until is not null"


def upgrade() -> None:
    op.execute(f"create index enrolments_hoping_idx on enrolments (version_id, goal_until) where {HOPING}")


def downgrade() -> None:
    op.execute("drop index enrolments_hoping_idx")
