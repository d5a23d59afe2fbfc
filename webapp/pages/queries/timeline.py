"""What happened to one contact, newest first: one bounded statement for each kind of thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from engine.model import (
    Campaign,
    ConsentEvent,
    Content,
    Conversion,
    Enrolment,
    Event,
    Hit,
    Journey,
    LocalMessage,
    Message,
    Segment,
    SegmentMembership,
    StepLog,
)
from webapp.pages.queries import AnyRow, AnySelect

PAGE_SIZE = 40
READ_SIZE = 80
HITS_AS_EVENTS = ("human", "proxy_open")
QUIET_OUTCOMES = ("passed", "queued")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the timeline. `kind` chooses icon and wording; `data` are that kind's own columns."""

    kind: str
    at: dt.datetime
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Items, newest first, and where older ones begin."""

    items: list[Item]
    before: dt.datetime | None


def read(session: Session, contact_id: int, before: dt.datetime | None) -> Timeline:
    """The next page of the timeline, strictly older than `before`. Items of one instant are never split over pages."""
    found: list[Item] = []
    for kind, query in QUERIES.items():
        statement, moment = query(contact_id)
        if before is not None:
            statement = statement.where(moment < before)
        rows = session.execute(statement.order_by(moment.desc()).limit(READ_SIZE)).all()
        found += _items(kind, rows)
    found.sort(key=lambda item: item.at, reverse=True)
    return _cut(found)


def _items(kind: str, rows: Sequence[AnyRow]) -> list[Item]:
    if kind == "step":
        rows = _told_once(rows)
    return [Item(kind, row.at, dict(row._mapping)) for row in rows]


def _told_once(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """A step at which an entry ends is logged, and so is the end of the entry: the step tells more."""
    left = {(row.at, row.enrolment_id) for row in rows if row.outcome == "exited" and row.step_id}
    return [row for row in rows if row.step_id or row.outcome != "exited" or (row.at, row.enrolment_id) not in left]


def _cut(items: list[Item]) -> Timeline:
    if len(items) <= PAGE_SIZE:
        return Timeline(items, None)
    last = items[PAGE_SIZE - 1].at
    page = [item for item in items if item.at >= last]
    return Timeline(page, last if len(page) < len(items) else None)


Query = tuple[AnySelect, ColumnElement[dt.datetime]]


def _events(contact_id: int) -> Query:
    columns = (Event.occurred_at.label("at"), Event.name, Event.properties, Event.source)
    return select(*columns).where(Event.contact_id == contact_id), Event.occurred_at.expression


def _messages(contact_id: int) -> Query:
    at = func.coalesce(Message.accepted_at, Message.ended_at, Message.queued_at)
    local = select(LocalMessage.public_id).where(LocalMessage.message_token == Message.token).limit(1)
    statement = (
        select(
            at.label("at"),
            Message.channel,
            Message.state,
            Message.reason,
            Message.step_id,
            Message.reply,
            Message.first_open_at,
            Message.first_click_at,
            Content.slug.label("content"),
            Journey.slug.label("journey"),
            Campaign.slug.label("campaign"),
            Campaign.name.label("campaign_name"),
            local.scalar_subquery().label("mailbox_id"),
        )
        .join(Content, Content.id == Message.content_id, isouter=True)
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Campaign, Campaign.id == Message.campaign_id, isouter=True)
        .where(Message.contact_id == contact_id)
    )
    return statement, at


def _steps(contact_id: int) -> Query:
    statement = (
        select(
            *(StepLog.at, StepLog.enrolment_id, StepLog.step_id, StepLog.visit, StepLog.outcome, StepLog.detail),
            Journey.slug.label("journey"),
        )
        .join(Enrolment, Enrolment.id == StepLog.enrolment_id)
        .join(Journey, Journey.id == Enrolment.journey_id)
        .where(Enrolment.contact_id == contact_id, StepLog.outcome.not_in(QUIET_OUTCOMES))
    )
    return statement, StepLog.at.expression


def _consents(contact_id: int) -> Query:
    columns = (
        *(ConsentEvent.channel, ConsentEvent.topic, ConsentEvent.action, ConsentEvent.source),
        *(ConsentEvent.lawful_basis, ConsentEvent.wording, ConsentEvent.wording_hash, ConsentEvent.expires_at),
        *(ConsentEvent.ip, ConsentEvent.user_agent, ConsentEvent.proof),
    )
    statement = select(ConsentEvent.occurred_at.label("at"), *columns).where(ConsentEvent.contact_id == contact_id)
    return statement, ConsentEvent.occurred_at.expression


def _machine_hits(contact_id: int) -> Query:
    """Hits that count for nothing; those of people are events already."""
    statement = (
        select(Hit.at, Hit.kind.label("hit"), Hit.classification, Hit.user_agent, Content.slug.label("content"))
        .join(Message, (Message.id == Hit.message_id) & (Message.origin_at == Hit.origin_at))
        .join(Content, Content.id == Message.content_id, isouter=True)
        .where(
            Message.contact_id == contact_id,
            or_(Hit.classification.is_(None), Hit.classification.not_in(HITS_AS_EVENTS)),
        )
    )
    return statement, Hit.at.expression


def _conversions(contact_id: int) -> Query:
    statement = (
        select(
            Conversion.occurred_at.label("at"),
            Conversion.kind.label("conversion"),
            Conversion.event_name,
            Conversion.value,
            Journey.slug.label("journey"),
        )
        .join(Journey, Journey.id == Conversion.journey_id, isouter=True)
        .where(Conversion.contact_id == contact_id, Conversion.kind == "goal")
    )
    return statement, Conversion.occurred_at.expression


def _segments(contact_id: int, moment: Any) -> Query:
    statement = (
        select(moment.label("at"), Segment.slug, Segment.name)
        .join(Segment, Segment.id == SegmentMembership.segment_id)
        .where(SegmentMembership.contact_id == contact_id, moment.is_not(None))
    )
    return statement, moment.expression


QUERIES: dict[str, Callable[[int], Query]] = {
    "event": _events,
    "message": _messages,
    "step": _steps,
    "consent": _consents,
    "hit": _machine_hits,
    "conversion": _conversions,
    "segment_entered": lambda contact_id: _segments(contact_id, SegmentMembership.entered_at),
    "segment_left": lambda contact_id: _segments(contact_id, SegmentMembership.left_at),
}
