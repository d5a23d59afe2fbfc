"""Of a message that is refused at the gate, the values that decided are kept: they explain it later."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("alter table messages add column seen jsonb")


def downgrade() -> None:
    op.execute("alter table messages drop column seen")
