"""The rule that judged each hit, and how many hits each rule judged by day."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

KEY = ("day", "kind", "classification", "rule", "version")
# Before the column is added: counting may take long, and holds up nobody who writes hits.
COUNT = """
insert into hit_rollups (day, kind, classification, rule, version, hits)
select (at at time zone 'UTC')::date, kind, classification, '', coalesce(classifier_version, 0), count(*)
from hits where classification is not null group by 1, 2, 3, 5
"""


def upgrade() -> None:
    op.create_table(
        "hit_rollups",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("hit_rollups_pkey")),
    )
    op.execute(COUNT)
    op.add_column("hits", sa.Column("rule", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("hits", "rule")
    op.drop_table("hit_rollups")
