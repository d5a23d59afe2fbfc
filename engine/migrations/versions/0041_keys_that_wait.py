"""New signing keys of an identity wait until they are published; an identity may have return paths of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.add_column("identities", sa.Column("dkim_next", sa.LargeBinary(), nullable=True))
    op.add_column("identities", sa.Column("return_path", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("identities", "return_path")
    op.drop_column("identities", "dkim_next")
