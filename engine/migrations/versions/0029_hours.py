"""At which hours contacts open and click; `cairn hours recount` counts what is in the ledger already."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "contact_hours",
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "slot", name=op.f("contact_hours_pkey")),
    )


def downgrade() -> None:
    op.drop_table("contact_hours")
