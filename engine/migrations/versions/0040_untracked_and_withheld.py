"""Messages that left without tracking, and what the gate withheld by reason."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

KEY = ("journey_id", "step_id", "channel", "day", "reason")
# Before the columns are added: counting may take long, and holds up nobody who sends.
COUNT = """
insert into withheld_rollups (journey_id, step_id, channel, day, reason, messages)
select coalesce(journey_id, 0), coalesce(step_id, ''), channel, (ended_at at time zone 'UTC')::date, reason, count(*)
from messages where state in ('suppressed', 'expired') and ended_at is not null and reason is not null
group by 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    op.create_table(
        "withheld_rollups",
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("withheld_rollups_pkey")),
    )
    op.execute(COUNT)
    zero = sa.text("0")
    op.add_column("message_rollups", sa.Column("untracked", sa.BigInteger(), server_default=zero, nullable=False))
    op.add_column("messages", sa.Column("untracked", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "untracked")
    op.drop_column("message_rollups", "untracked")
    op.drop_table("withheld_rollups")
