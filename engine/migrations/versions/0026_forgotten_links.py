"""Texts of who is forgotten are found by an index, and what events still told of forgotten people goes."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("create index incoming_texts_contact_idx on incoming_texts (contact_id) where contact_id is not null")
    op.execute("""
        update events set properties = properties - '{link,reason}'::text[]
        where source = 'tracking' and properties ?| '{link,reason}'::text[]
            and contact_id in (select id from contacts where erased_at is not null)
    """)


def downgrade() -> None:
    op.execute("drop index incoming_texts_contact_idx")
