"""Snippets, and which of them each version of a content holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"


def created_at() -> sa.Column:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "snippets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.BigInteger(), nullable=True),
        created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("snippets_pkey")),
        sa.UniqueConstraint("slug", name=op.f("snippets_slug_key")),
    )
    op.create_table(
        "snippet_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("snippet_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sources", postgresql.JSONB(), nullable=False),
        created_at(),
        sa.ForeignKeyConstraint(
            ["snippet_id"], ["snippets.id"], name=op.f("snippet_versions_snippet_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("snippet_versions_pkey")),
        sa.UniqueConstraint("snippet_id", "number", name=op.f("snippet_versions_snippet_id_number_key")),
    )
    empty = sa.text("'{}'::jsonb")
    op.add_column("content_versions", sa.Column("snippets", postgresql.JSONB(), server_default=empty, nullable=False))


def downgrade() -> None:
    op.drop_column("content_versions", "snippets")
    op.drop_table("snippet_versions")
    op.drop_table("snippets")
