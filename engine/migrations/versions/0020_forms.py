"""Sign-up forms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    texts = postgresql.ARRAY(sa.Text())
    none = sa.text("'{}'::text[]")
    op.create_table(
        "forms",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("intro", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("thanks", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("fields", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        *(sa.Column(name, texts, server_default=none, nullable=False) for name in ("topics", "lists", "origins")),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("double_opt_in", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("forms_pkey")),
    )


def downgrade() -> None:
    op.drop_table("forms")
