"""What a call that sent a message asked for, so that its key cannot stand for another one."""

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.execute("alter table direct_sends add column fingerprint bytea")


def downgrade() -> None:
    op.execute("alter table direct_sends drop column fingerprint")
