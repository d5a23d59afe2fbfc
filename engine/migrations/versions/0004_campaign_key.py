"""The key of campaign messages holds campaign messages only: each change of state writes into every index of a row."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

OLD = "messages_origin_at_campaign_id_contact_id_key"
NEW = "messages_campaign_key"
COLUMNS = ["origin_at", "campaign_id", "contact_id"]


def upgrade() -> None:
    op.create_index(NEW, "messages", COLUMNS, unique=True, postgresql_where=sa.text("campaign_id IS NOT NULL"))
    op.drop_constraint(OLD, "messages", type_="unique")


def downgrade() -> None:
    op.create_unique_constraint(OLD, "messages", COLUMNS)
    op.drop_index(NEW, table_name="messages")
