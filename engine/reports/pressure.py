"""What limits hold back now, and what they dropped: counted, with where to read on."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

PERIOD = dt.timedelta(days=30)
HELD = text("""
select channel, reason, count(*) as messages, min(send_after) as first, max(send_after) as last from messages
where state = 'queued' and claimed_at is null and ended_at is null and channel in ('email', 'sms')
    and reason in ('quiet', 'rate') and send_after > :now and send_after < 'infinity'
group by 1, 2 order by 1, 2
""")
# The ledger has campaigns under journey 0 with the step ID:VARIANT; what is neither was sent by a call.
DROPPED = text("""
select r.reason, case when j.id is not null then 'journey' when c.id is not null then 'campaign' else 'message' end,
    coalesce(j.slug, c.slug, ''), sum(r.messages)::int8
from withheld_rollups r left join journeys j on j.id = r.journey_id
left join campaigns c on r.journey_id = 0 and cast(c.id as text) = split_part(r.step_id, ':', 1)
where r.day >= :since group by 1, 2, 3 having sum(r.messages) > 0 order by 4 desc, 1, 3 limit 100
""")
THROTTLED = text("""
select slug, name, state, definition ->> 'throttle', message_count, audience_count from campaigns
where state in ('scheduled', 'sending', 'paused') and definition ->> 'throttle' is not null order by slug
""")


class Held(NamedTuple):
    """Messages that wait for the end of quiet hours (`quiet`), or for their turn at a domain or relay (`rate`)."""

    channel: str
    reason: str
    messages: int
    first: dt.datetime
    last: dt.datetime


class Dropped(NamedTuple):
    """Messages that the gate dropped, by reason and what sent them: a journey, a campaign, or a call (`message`)."""

    reason: str
    kind: str
    slug: str
    messages: int


class Throttled(NamedTuple):
    """A campaign that goes no faster than `throttle`; `queued` of its `audience` have been queued so far."""

    slug: str
    name: str
    state: str
    throttle: str
    queued: int
    audience: int


class Pressure(NamedTuple):
    """`dropped` since the UTC day 30 days ago."""

    held: list[Held]
    dropped: list[Dropped]
    throttled: list[Throttled]


def report(session: Session, now: dt.datetime) -> Pressure:
    """As of now."""
    held = [Held(*row) for row in session.execute(HELD, {"now": now})]
    dropped = [Dropped(*row) for row in session.execute(DROPPED, {"since": (now - PERIOD).date()})]
    return Pressure(held, dropped, [Throttled(*row) for row in session.execute(THROTTLED)])
