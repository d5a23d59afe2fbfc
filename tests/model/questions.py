"""What the model asks the database."""

from __future__ import annotations

from sqlalchemy import text

SENT = text("select id, origin_at, token from messages where accepted_at is not null order by id")
HANDED_OVER = text("select id, origin_at, token from messages where state not in ('queued', 'suppressed') order by id")
UNDER_WAY = text("""
select 'message', state, reason, send_after::text, claimed_at::text, journal, step_id from messages
where state in ('sending', 'queued')
union all select 'event', name, error, available_at::text, null, null, null from event_inbox
union all select 'campaign', state, slug, next_at::text, null, null, null from campaigns where next_at is not null
union all select 'entry', e.status, e.phase, e.wake_at::text, e.deadline::text, j.state, e.step_id
from enrolments e join journeys j on j.id = e.journey_id where e.status = 'active'
""")
ARRIVED = text("select id, origin_at from messages where contact_id = :id and accepted_at is not null limit 1")
ORDERS = text("""
select e.contact_id, e.entry_key from enrolments e join journeys j on j.id = e.journey_id where j.slug = 'order'
""")
LEFT_OUT = text("""
select a.campaign_id, a.contact_id from campaign_contacts a join campaigns c on c.id = a.campaign_id
join contacts p on p.id = a.contact_id
where c.state <> 'cancelled' and a.arm <> 'holdout' and p.erased_at is null and not exists (select from messages m
    where m.origin_at = c.origin_at and m.campaign_id = c.id and m.contact_id = a.contact_id)
""")
SLOTS = text("select (select count(*) from slot_tally) - (select count(distinct (schedule, slot)) from schedule_slots)")
