"""The history of consent cannot be rewritten; what retention looks for in single messages has an index.

The trigger is made at once whatever the table holds, and what is added costs nothing more. The index holds only
messages that still have what they were filled with; none is sent by a call while it is built, about a second for a
million.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

# Merging moves a word to the contact that is kept; erasing takes off what tells who it was.
KEEP = """
create function consent_events_keep() returns trigger language plpgsql as $$
declare
    kept consent_events := old;
begin
    if tg_op = 'UPDATE' then
        kept.contact_id := new.contact_id;
        if exists (select from contacts where id = old.contact_id and erased_at is not null) then
            kept.ip := case when new.ip is not null then old.ip end;
            kept.user_agent := case when new.user_agent is not null then old.user_agent end;
            kept.proof := case when new.proof is not null then old.proof end;
        end if;
        if new is not distinct from kept then
            return new;
        end if;
    end if;
    raise exception 'consent_events is append-only: what was said cannot be changed or deleted'
        using errcode = 'restrict_violation', hint = 'Write down a new word instead.';
end $$"""
TRIGGER = """
create trigger consent_events_append_only before update or delete on consent_events
    for each row execute function consent_events_keep()"""


def upgrade() -> None:
    op.execute(KEEP)
    op.execute(TRIGGER)
    op.create_index(
        "direct_sends_filled_idx", "direct_sends", ["origin_at"], postgresql_where=sa.text("event <> '{}'::jsonb")
    )


def downgrade() -> None:
    op.drop_index("direct_sends_filled_idx", "direct_sends")
    op.execute("drop trigger consent_events_append_only on consent_events")
    op.execute("drop function consent_events_keep()")
