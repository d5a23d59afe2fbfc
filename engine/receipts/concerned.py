"""The messages that receipts speak of, locked, with what their effects need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.receipts import streams
from engine.tracking.links import MessageKey
from engine.tracking.outcomes import TrackedMessage

# Contacts first, in the order of their ids, as everybody who writes about contacts does.
LOCK_CONTACTS = text("""
select c.id from contacts c where c.id = any(array(
    select m.contact_id from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as wanted(id, origin_at)
    join messages m on m.id = wanted.id and m.origin_at = wanted.origin_at))
order by c.id for no key update
""")
LOCK = text("""
select m.id, m.origin_at, m.contact_id, m.token, m.channel, coalesce(c.slug, '') as content, m.content_version_id,
  m.journey_id, j.slug as journey, m.step_id as step, m.state, m.accepted_at, m.ended_at, m.recipient, m.campaign_id,
  m.delivered_at, m.enrolment_id, m.visit, m.fallback, m.claimed_at,
  coalesce(m.sender, c.sender) as sender
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as wanted(id, origin_at)
join messages m on m.id = wanted.id and m.origin_at = wanted.origin_at
left join contents c on c.id = m.content_id
left join journeys j on j.id = m.journey_id
order by m.id for update of m
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned(TrackedMessage):
    """A message with what receipts ask of it besides: to whom it went, from where, what waits for its fate."""

    recipient: str | None = None
    campaign_id: int | None = None
    delivered_at: dt.datetime | None = None
    enrolment_id: int | None = None
    visit: int | None = None
    fallback: bool = False
    claimed_at: dt.datetime | None = None
    sender: str | None = None

    @property
    def stream(self) -> str | None:
        """The stream of its journey or campaign."""
        return streams.of_origin(self.journey, self.campaign_id)

    @property
    def left_at(self) -> dt.datetime:
        """When it was handed over, or tried to be."""
        return self.accepted_at or self.claimed_at or self.ended_at or self.origin_at


def lock(session: Session, keys: Iterable[MessageKey]) -> dict[MessageKey, Concerned]:
    """The messages that there are, they and their contacts locked until the transaction ends."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    values = {"ids": [key[0] for key in wanted], "origins": [key[1] for key in wanted]}
    session.execute(LOCK_CONTACTS, values)
    rows = session.execute(LOCK, values).all()
    return {(row.id, row.origin_at): Concerned(**row._asdict()) for row in rows}
