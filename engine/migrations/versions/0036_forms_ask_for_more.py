"""Sign-up forms on which people choose topics, and which lead to a page of one's own afterwards."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.execute(
        "alter table forms add column choose_topics boolean not null default false, "
        "add column redirect text not null default ''"
    )


def downgrade() -> None:
    op.execute("alter table forms drop column choose_topics, drop column redirect")
