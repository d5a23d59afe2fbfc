"""Segments, lists, journeys and consent as SQL. Memberships are read from their history, as of `now`."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Text, and_, func, literal, or_, select
from sqlalchemy.sql import Select

from engine.expr import ast
from engine.expr.compile_sql.scope import Condition, Context
from engine.model import ConsentState, Enrolment, Journey, List, ListMembership, Segment, SegmentMembership, Topic


def member(node: ast.Membership, context: Context) -> Condition:
    """Whether the contact is in a segment, list or journey at `now`."""
    table, conditions = _stays(node, context)
    if context.mode == "set":
        joined = context.join(select(table.c.contact_id).where(*conditions).distinct())
        return cast(Condition, joined.c.contact_id.is_not(None))
    found = select(literal(1)).where(table.c.contact_id == context.scope.contact.c.id, *conditions)
    return found.correlate_except(table).exists()


def _stays(node: ast.Membership, context: Context) -> tuple[Any, list[Any]]:
    now = context.scope.now
    if node.kind == "segment":
        stay = SegmentMembership.__table__.alias()
        return stay, [stay.c.segment_id == _id(Segment, node.slug), *_open(stay.c.entered_at, stay.c.left_at, now)]
    if node.kind == "list":
        stay = ListMembership.__table__.alias()
        return stay, [stay.c.list_id == _id(List, node.slug), *_open(stay.c.added_at, stay.c.removed_at, now)]
    entry = Enrolment.__table__.alias()
    under_way = or_(entry.c.status == "active", entry.c.ended_at > now)
    return entry, [
        entry.c.journey_id == _id(Journey, node.slug),
        entry.c.entered_at <= now,
        under_way,
        entry.c.held_out.is_(False),
    ]  # fmt: skip


def _id(table: Any, slug: str) -> Any:
    return select(table.id).where(table.slug == literal(slug, Text)).scalar_subquery()


def _open(start: Any, end: Any, now: Any) -> list[Any]:
    return [start <= now, or_(end.is_(None), end > now)]


def subscribed(node: ast.Subscribed, context: Context) -> Condition:
    """Nothing but `subscribed` was said of the channel, and so says the topic's own word, or its default on email."""
    known = select(Topic.default_state).where(Topic.slug == literal(node.topic, Text)).scalar_subquery()
    silent = known if node.channel == "email" else literal("unsubscribed", Text)
    channel = func.coalesce(_state(node.channel, "", context), "subscribed")
    topic = func.coalesce(_state(node.channel, node.topic, context), silent)
    return and_(known.is_not(None), channel == "subscribed", func.coalesce(topic, "") == "subscribed")


def consents(node: ast.Consents, context: Context) -> Condition:
    """The last word on the channel; in silence only an email address speaks."""
    state = _state(node.channel, "", context)
    said = func.coalesce(state, "") == "subscribed"
    if node.channel != "email":
        return said
    return or_(said, and_(state.is_(None), context.scope.contact.c.email.is_not(None)))


def _state(channel: str, topic: str, context: Context) -> Any:
    states = ConsentState.__table__.alias()
    chosen = and_(states.c.channel == literal(channel, Text), states.c.topic == literal(topic, Text))
    if context.mode == "set":
        return context.join(select(states.c.contact_id, states.c.state).where(chosen)).c.state
    found: Select[Any] = select(states.c.state).where(states.c.contact_id == context.scope.contact.c.id, chosen)
    return found.correlate_except(states).scalar_subquery()
