"""A content may have variants in several languages, each a row beside the default one, saved together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("contents", sa.Column("variants", postgresql.JSONB(), nullable=True))
    op.add_column("content_versions", sa.Column("language", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.drop_constraint(op.f("content_versions_content_id_number_key"), "content_versions", type_="unique")
    op.create_unique_constraint(
        op.f("content_versions_content_id_number_language_key"),
        "content_versions",
        ["content_id", "number", "language"],
    )


def downgrade() -> None:
    op.execute(
        "delete from content_versions v using contents c where c.id = v.content_id and v.id not in "
        "(select min(id) from content_versions group by content_id, number)"
    )
    op.drop_constraint(op.f("content_versions_content_id_number_language_key"), "content_versions", type_="unique")
    op.create_unique_constraint(
        op.f("content_versions_content_id_number_key"), "content_versions", ["content_id", "number"]
    )
    op.drop_column("content_versions", "language")
    op.drop_column("contents", "variants")
