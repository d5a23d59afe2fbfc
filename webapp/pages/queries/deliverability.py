"""The figures of the deliverability page: what came back in the last 30 days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.pages.queries import AnyRow

DAYS = dt.timedelta(days=30)
TOTALS = text("""
select coalesce(sum(sent), 0)::int8 as sent, coalesce(sum(delivered), 0)::int8 as delivered,
    coalesce(sum(bounced), 0)::int8 as bounced, coalesce(sum(complained), 0)::int8 as complained
from message_rollups where channel = 'email' and day > :since
""")
DOMAINS = text("""
select domain, count(*) filter (where kind = 'hard') as hard, count(*) filter (where kind = 'soft') as soft,
    count(*) filter (where kind = 'policy') as policy, count(*) filter (where kind = 'complaint') as complaint
from receipts
where kind in ('soft', 'hard', 'policy', 'complaint') and received_at > :since and message_id is not null
    and coalesce(domain, '') <> ''
group by domain order by count(*) desc, domain limit 15
""")
COMPLAINTS = text("""
select j.slug, sum(r.sent)::int8 as sent, sum(r.complained)::int8 as complained
from message_rollups r join journeys j on j.id = r.journey_id
where r.channel = 'email' and r.day > :week and r.sent + r.complained > 0
group by j.slug having sum(r.complained) > :warn * greatest(sum(r.sent), 1) and sum(r.sent) >= :enough
order by sum(r.complained)::float8 / sum(r.sent) desc limit 10
""")
UNKNOWN = text("""
select kind, recipient, status, reason, received_at from receipts
where kind in ('soft', 'hard', 'policy', 'complaint') and received_at > :since and message_id is null
order by received_at desc limit 10
""")
ASIDE = text("""
select (select count(*) from receipt_mails where error is not null) + (
    select count(*) from receipts where settled_at is null and error is not null)
""")


@dataclass(frozen=True, slots=True)
class Deliverability:
    """`complaints` are journeys over the share that mailbox providers want; `unknown` is mail that names no message."""

    totals: AnyRow
    domains: Sequence[AnyRow]
    complaints: Sequence[AnyRow]
    unknown: Sequence[AnyRow]
    aside: int


def read(session: Session, now: dt.datetime, warn: float, enough: int) -> Deliverability:
    """All of it; shares of complaints are those of the last 7 days."""
    since = {"since": now - DAYS}
    week = {"week": (now - dt.timedelta(days=7)).date(), "warn": warn, "enough": enough}
    return Deliverability(
        session.execute(TOTALS, {"since": (now - DAYS).date()}).one(),
        session.execute(DOMAINS, since).all(),
        session.execute(COMPLAINTS, week).all(),
        session.execute(UNKNOWN, since).all(),
        int(session.execute(ASIDE).scalar_one()),
    )
