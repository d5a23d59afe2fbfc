"""What is due: one cheap question a job. The scheduler rings for it; an idle worker does it at once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

DUE = {
    "match": "select from event_inbox where available_at <= :now",
    "refresh": "select from change_inbox "
    "union all select from segments where stale "
    "union all select from segment_expiries where at <= :now",
    "advance": "select from journey_versions v join journeys j on j.id = v.journey_id "
    "where j.state in ('live', 'draining') and exists "
    "(select from enrolments e where e.version_id = v.id and e.status = 'active' and e.wake_at <= :now) "
    "union all select from journeys j where j.state = 'live' and exists "
    "(select from entry_inbox i where i.journey_id = j.id and i.error is null and i.available_at <= :now) "
    "union all select from journeys where state = 'live' and next_entry_at <= :now "
    "union all select from journey_versions v join journeys j on j.id = v.journey_id "
    "where j.state = 'stopped' and exists (select from enrolments e where e.version_id = v.id and e.status = 'active')",
    "campaigns": "select from campaigns where next_at <= :now",
    "send": "select from messages where state = 'queued' and claimed_at is null and ended_at is null "
    "and channel in ('email', 'sms') and send_after <= :now",
    "hits": "select from hits where classification is null and at <= :now - interval '3 seconds'",
    "rejudge": "select from workspace_settings where name = 'hits.rejudging'",
    "receipts": "select from receipts r left join messages m on m.id = r.message_id and m.origin_at = r.origin_at "
    "where r.settled_at is null and r.error is null and coalesce(m.state, '') not in ('queued', 'sending') "
    "union all select from receipt_mails where error is null",
    "feeds": "select from feeds where next_at <= :now",
    "sweep": "select from message_claims where claimed_at <= :now - interval '30 seconds'",
    "deliver": "select from webhooks w where not w.gone and coalesce(w.retry_at, '-infinity') <= :now and exists "
    "(select from deliveries d where d.endpoint = w.slug and d.state = 'pending' and d.next_at <= :now) "
    "union all select from deliveries where endpoint = '' and state in ('pending', 'sending') and next_at <= :now",
}
"""By job: rows that it would work on. The first entry of an index answers each, however much the tables hold."""

QUERY = text(" union all ".join(f"select '{job}' where exists ({rows})" for job, rows in DUE.items()))


def due(session: Session, now: dt.datetime) -> list[str]:
    """The names of the jobs that have something to do at `now`, in the order in which work flows through them."""
    found = set(session.execute(QUERY, {"now": now}).scalars())
    return [job for job in DUE if job in found]
