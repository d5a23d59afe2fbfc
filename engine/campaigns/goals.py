"""Who met a campaign's goal: contacts of the audience, also those held back, after their wave's instant.

Only contacts who did something that the goal reads since the last look are asked, so that the cost is that of the
events, not of the audience. A goal counts once a contact; its value is what the contact has bought since.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, Text, cast, func, literal, select, text, update
from sqlalchemy.orm import Session

from engine.campaigns import audience
from engine.campaigns.definition import Definition, Goal
from engine.expr.ast import Node
from engine.expr.compile_sql import Entry, Scope, condition
from engine.expr.dependencies import dependencies
from engine.expr.load import load as load_schema
from engine.model import Campaign, CampaignContact, CampaignWave, Contact, Conversion, Event

SETTLES = dt.timedelta(seconds=5)
"""What an event earned is known so long after it came in."""
OVERLAP = dt.timedelta(minutes=1)
"""A transaction that stores events may take so long to become visible; to ask somebody twice does no harm."""
PATIENCE, SOONEST, LATEST = 20, dt.timedelta(minutes=1), dt.timedelta(hours=1)
LAST_NAME = "\U0010ffff"
INSTANT = DateTime(timezone=True)
COUNTED = text("""
update campaign_arms set conversions = conversions + :count, value = value + :value,
    value_squared = value_squared + :squared
where campaign_id = :id and arm = :arm
""")
END = text("select max(at) from campaign_waves where campaign_id = :id")
people: Any = CampaignContact.__table__
waves: Any = CampaignWave.__table__
contact: Any = Contact.__table__


def count(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> dt.datetime | None:
    """Count who met the goal since the last look. Returns when to look again; None when the goal's time is over.

    The caller has locked the campaign, which is frozen.
    """
    goal = definition.goal
    if goal is None or campaign.origin_at is None:
        return None
    end: dt.datetime = session.execute(END, {"id": campaign.id}).scalar_one() + goal.within + SETTLES
    since = campaign.goals_until or campaign.origin_at
    if now - since < SOONEST and now < end:
        return min(since + _pause(campaign, since), end)
    if since >= end:
        return None
    _count(session, campaign, goal, since - OVERLAP, now - SETTLES)
    campaign.goals_until = now
    return min(now + _pause(campaign, now), end) if now < end else None


def _pause(campaign: Campaign, now: dt.datetime) -> dt.timedelta:
    """The longer ago it began, the longer until the next look."""
    assert campaign.origin_at is not None
    return min(max((now - campaign.origin_at) / PATIENCE, SOONEST), LATEST)


def _count(session: Session, campaign: Campaign, goal: Goal, since: dt.datetime, until: dt.datetime) -> None:
    met = _met(session, campaign, goal, since, until).cte("met")
    same = [people.c.campaign_id == campaign.id, people.c.wave == met.c.wave, people.c.contact_id == met.c.contact_id]
    changed = update(people).where(*same, people.c.converted_at.is_(None))
    written = changed.values(converted_at=met.c.at, value=met.c.value).returning(people.c.arm, people.c.value)
    done = written.cte("done")
    sums = select(done.c.arm, func.count(), func.sum(done.c.value), func.sum(done.c.value * done.c.value))
    for arm, number, value, squared in session.execute(sums.group_by(done.c.arm)).all():
        values = {"id": campaign.id, "arm": arm, "count": number, "value": value, "squared": squared}
        session.execute(COUNTED, values)


def _met(session: Session, campaign: Campaign, goal: Goal, since: dt.datetime, until: dt.datetime) -> Any:
    """(wave, contact_id, at, value) of those who did something between and for whom the goal holds."""
    schema = load_schema(session)
    node = audience.goal_of(session, goal)
    recent = _recent(node, schema.aliases, campaign, since, until)
    last = func.least(literal(until, INSTANT), waves.c.at + goal.within)
    entry = Entry(
        waves.c.at, waves.c.at, cast(literal(LAST_NAME), Text)
    )  # what happened at that very instant is before
    holds = condition(node, schema, Scope(contact=contact, now=last, entry=entry))
    return (
        select(people.c.wave, people.c.contact_id, recent.c.at, _bought(last).label("value"))
        .join_from(recent, people, people.c.contact_id == recent.c.contact_id)
        .join(waves, (waves.c.campaign_id == people.c.campaign_id) & (waves.c.wave == people.c.wave))
        .join(contact, contact.c.id == people.c.contact_id)
        .where(people.c.campaign_id == campaign.id, people.c.converted_at.is_(None), recent.c.at > waves.c.at, holds)
    )


def _recent(node: Node, aliases: Any, campaign: Campaign, since: dt.datetime, until: dt.datetime) -> Any:
    """Who did what the goal reads, and when last."""
    event = Event.__table__.alias()
    names = sorted(dependencies(node, aliases).events)
    return (
        select(event.c.contact_id, func.max(event.c.occurred_at).label("at"))
        .where(
            event.c.name.in_(names),
            event.c.occurred_at >= campaign.origin_at,
            event.c.received_at > since,
            event.c.received_at <= until,
        )
        .group_by(event.c.contact_id)
        .cte("recent")
        .prefix_with("materialized")
    )


def _bought(last: Any) -> Any:
    """What the contact bought between its wave's instant and `last`."""
    sale: Any = Conversion.__table__
    sum_ = select(func.coalesce(func.sum(sale.c.value), 0)).where(
        sale.c.kind == "revenue",
        sale.c.contact_id == people.c.contact_id,
        sale.c.occurred_at > waves.c.at,
        sale.c.occurred_at <= last,
    )
    return sum_.scalar_subquery()
