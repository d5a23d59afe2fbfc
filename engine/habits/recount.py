"""Counting the hours of all contacts anew from the ledger: after an upgrade, or when many zones have become known."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

LOCK = text("lock table contact_hours in share row exclusive mode")
CLEAR = text("delete from contact_hours")
# A zone that PostgreSQL does not know counts as the workspace's. The second grouping is everybody's, contact 0.
COUNT = text("""
with zones as materialized (select name from pg_timezone_names),
touched as (
    select m.id, m.contact_id, m.first_open_at, m.first_click_at, coalesce(z.name, :zone) as zone
    from messages m join contacts c on c.id = m.contact_id and c.erased_at is null
    left join zones z on z.name = c.timezone
    where m.first_open_at is not null or m.first_click_at is not null),
counted as (
    select distinct t.id, t.contact_id,
        24 * (extract(isodow from at at time zone t.zone) - 1) + extract(hour from at at time zone t.zone) as slot
    from touched t cross join lateral (values (t.first_open_at), (t.first_click_at)) as v(at)
    where at is not null)
insert into contact_hours (contact_id, slot, messages)
select coalesce(contact_id, 0), slot, count(*) from counted group by grouping sets ((contact_id, slot), (slot))
""")


def recount(session: Session, zone: ZoneInfo) -> None:
    """Replace the counts. What is classified meanwhile waits for the caller's commit."""
    session.execute(LOCK)
    session.execute(CLEAR)
    session.execute(COUNT, {"zone": zone.key})
