"""Campaigns for pages: the list with its figures, waves, and the contacts behind a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.model import Campaign, Content, Segment, Topic
from webapp.pages.paging import Page, cut

SIZE = 50
SUGGESTED = 20
LISTING = text("""
select c.slug, c.name, c.channel, c.state, c.reason, c.start_at, c.audience_count, c.created_at,
    coalesce(sum(r.sent), 0)::int8 as sent, coalesce(sum(r.human_opens), 0)::int8 as opens,
    coalesce(sum(r.human_clicks), 0)::int8 as clicks, coalesce(sum(r.revenue), 0) as revenue
from campaigns c left join campaign_arms a on a.campaign_id = c.id
left join message_rollups r on r.journey_id = 0 and r.step_id = c.id || ':' || a.arm
group by c.id order by c.created_at desc, c.id desc limit 500
""")
BEHIND = {
    "audience": "true",
    "waiting": "m.state in ('queued', 'sending')",
    "sent": "m.accepted_at is not null",
    "undelivered": "m.accepted_at is null and m.ended_at is not null",
    "bounced": "m.state = 'bounced' or m.reason = 'hard_bounce'",
    "complained": "m.state = 'complained'",
    "opened": "m.first_open_at is not null",
    "clicked": "m.first_click_at is not null",
    "unsubscribed": "exists (select from events e where e.contact_id = a.contact_id and e.name = 'Unsubscribed' "
    "and e.properties ->> 'message' = m.token)",
    "converted": "a.converted_at is not null",
    "credited": "exists (select from credits k where k.message_id = m.id and k.origin_at = m.origin_at)",
}
"""What a number counts, as a condition on a contact of the audience and their message."""
CONTACTS = """
select a.contact_id as id, p.public_id, coalesce(p.email, p.phone, p.external_id, 'Contact ' || p.id) as title,
    case when a.arm = 'rest' then coalesce(c.winner, a.arm) else a.arm end as arm, m.state, m.reason, m.accepted_at,
    m.id as message_id, m.token
from campaign_contacts a join campaigns c on c.id = a.campaign_id join contacts p on p.id = a.contact_id
left join messages m on m.campaign_id = c.id and m.origin_at = c.origin_at and m.contact_id = a.contact_id
where a.campaign_id = :id and a.contact_id > :after and (:arm = '' or a.arm = :arm
    or (a.arm = 'rest' and c.winner = :arm)) and ({what})
order by a.contact_id limit :limit
"""


def listing(session: Session) -> Sequence[Any]:
    """All campaigns, the newest first."""
    return session.execute(LISTING).all()


def taken(session: Session, slug: str) -> bool:
    """Whether a campaign has this name."""
    return session.execute(select(Campaign.id).where(Campaign.slug == slug)).first() is not None


def contents(session: Session) -> Sequence[Any]:
    """Contents that can be sent, by name."""
    saved = select(Content.slug, Content.channel).where(Content.current_version_id.is_not(None))
    return session.execute(saved.order_by(Content.channel, Content.slug)).all()


def segments(session: Session) -> Sequence[str]:
    """The slugs of the first segments, for somebody who writes an audience."""
    return session.execute(select(Segment.slug).order_by(Segment.slug).limit(SUGGESTED)).scalars().all()


def topics(session: Session) -> Sequence[Topic]:
    """All topics, by name."""
    return session.execute(select(Topic).order_by(Topic.name)).scalars().all()


def contacts(session: Session, campaign: Campaign, what: str, arm: str, after: int | None) -> Page:
    """The contacts behind a number, in the order of their ids."""
    values = {"id": campaign.id, "arm": arm, "after": after or 0, "limit": SIZE + 1}
    return cut(session.execute(text(CONTACTS.format(what=BEHIND[what])), values).all(), SIZE)
