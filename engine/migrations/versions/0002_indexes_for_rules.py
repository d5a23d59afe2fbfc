"""Indexes of events hold what a window looks at, and an index tells who is erased, so that segments read no rows."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("events_contact_idx", table_name="events")
    op.drop_index("events_name_idx", table_name="events")
    op.execute("create index events_contact_idx on events (contact_id, name, occurred_at) include (received_at)")
    op.execute("create index events_name_idx on events (name, occurred_at) include (contact_id, received_at)")
    op.execute("create index contacts_erased_idx on contacts (id) where erased_at is not null")


def downgrade() -> None:
    op.drop_index("contacts_erased_idx", table_name="contacts")
    op.drop_index("events_name_idx", table_name="events")
    op.drop_index("events_contact_idx", table_name="events")
    op.execute("create index events_contact_idx on events (contact_id, name, occurred_at)")
    op.execute("create index events_name_idx on events (name, occurred_at) include (contact_id)")
