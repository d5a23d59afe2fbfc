"""Memberships expire at a stored instant, segments know whether anybody listens; all ask for a refresh that finds out.

Nothing is rewritten: the columns have constant defaults, and the column that goes was never written.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        create table segment_expiries (
            contact_id bigint not null,
            segment_id bigint not null,
            at timestamptz not null,
            constraint segment_expiries_pkey primary key (contact_id, segment_id))""")
    op.execute("create index segment_expiries_due_idx on segment_expiries (at)")
    op.execute("drop index segment_memberships_expiry_idx")
    op.execute("alter table segment_memberships drop column expires_at")
    op.execute("alter table segments add column heard boolean not null default true")
    op.execute("alter table segments alter column heard set default false")
    op.execute("alter table segments add column asks bigint not null default 0")
    op.execute("alter table segments add column periodic boolean not null default false")
    op.execute("update segments set stale = true")
    op.execute("""
        insert into workspace_settings (name, value) select 'segments_read_messages', 'true'
        where exists (select from segments where rule ilike '%received%')""")


def downgrade() -> None:
    op.execute("delete from workspace_settings where name = 'segments_read_messages'")
    op.execute("alter table segments drop column periodic, drop column heard, drop column asks")
    op.execute("alter table segment_memberships add column expires_at timestamptz")
    op.execute("""
        create index segment_memberships_expiry_idx on segment_memberships (expires_at)
        where left_at is null and expires_at is not null""")
    op.execute("drop table segment_expiries")
