"""Sign-up forms that ask for a telephone number."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("alter table forms add column channel text not null default 'email'")


def downgrade() -> None:
    op.execute("alter table forms drop column channel")
