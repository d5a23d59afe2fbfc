"""Why people unsubscribe, as far as they say so on the page."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "leaving_reasons",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("leaving_reasons_pkey")),
    )
    op.create_index("leaving_reasons_at_idx", "leaving_reasons", ["at"])
    op.create_index("leaving_reasons_contact_idx", "leaving_reasons", ["contact_id"])


def downgrade() -> None:
    op.drop_table("leaving_reasons")
