"""Journeys with their figures, their versions, and the people in them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.model import Contact, Enrolment, EntryInbox, EntryRollup, Journey, JourneyVersion, Message, MessageRollup
from webapp.pages.paging import Page, cut
from webapp.pages.queries import AnyRow, contacts

PAGE_SIZE = 50


def overview(session: Session) -> Sequence[AnyRow]:
    """Every journey with people inside, entries and goals of the treated, messages and revenue, from the rollups."""
    entries = (
        select(
            EntryRollup.journey_id,
            func.sum(EntryRollup.entries).label("entries"),
            func.sum(EntryRollup.goals).label("goals"),
        )
        .where(EntryRollup.split_id == "", EntryRollup.arm == "")
        .group_by(EntryRollup.journey_id)
        .subquery()
    )
    messages = (
        select(
            MessageRollup.journey_id,
            func.sum(MessageRollup.sent).label("sent"),
            func.sum(MessageRollup.revenue).label("revenue"),
        )
        .group_by(MessageRollup.journey_id)
        .subquery()
    )
    inside = (
        select(Enrolment.journey_id, func.count().label("inside"))
        .where(Enrolment.status == "active")
        .group_by(Enrolment.journey_id)
        .subquery()
    )
    query = (
        select(
            Journey.slug,
            Journey.state,
            Journey.published_at,
            Journey.created_at,
            func.coalesce(inside.c.inside, 0).label("inside"),
            func.coalesce(entries.c.entries, 0).label("entries"),
            func.coalesce(entries.c.goals, 0).label("goals"),
            func.coalesce(messages.c.sent, 0).label("sent"),
            func.coalesce(messages.c.revenue, 0).label("revenue"),
        )
        .join(inside, inside.c.journey_id == Journey.id, isouter=True)
        .join(entries, entries.c.journey_id == Journey.id, isouter=True)
        .join(messages, messages.c.journey_id == Journey.id, isouter=True)
        .order_by(Journey.state != "live", Journey.slug)
    )
    return session.execute(query).all()


def by_slug(session: Session, slug: str) -> Journey | None:
    """One journey."""
    return session.execute(select(Journey).where(Journey.slug == slug)).scalar_one_or_none()


def versions(session: Session, journey_id: int) -> Sequence[AnyRow]:
    """All versions, newest first, each with the number of people who are still on it."""
    inside = (
        select(func.count())
        .where(Enrolment.version_id == JourneyVersion.id, Enrolment.status == "active")
        .correlate(JourneyVersion)
        .scalar_subquery()
    )
    columns = (JourneyVersion.id, JourneyVersion.number, JourneyVersion.source, JourneyVersion.published_by)
    query = select(*columns, JourneyVersion.published_at, inside.label("inside"))
    return session.execute(
        query.where(JourneyVersion.journey_id == journey_id).order_by(JourneyVersion.number.desc())
    ).all()


def source_of(session: Session, version_id: int) -> str | None:
    """The text of a version."""
    return session.execute(select(JourneyVersion.source).where(JourneyVersion.id == version_id)).scalar()


def people(session: Session, journey_id: int, step_id: str, number: int | None, after: int | None) -> Page:
    """Entries that are at a step now, with their contacts, newest first; no step or no `number` means every one."""
    query = (
        select(*contacts.COLUMNS[1:], Enrolment.id, Enrolment.arrived_at, Enrolment.entered_at, JourneyVersion.number)
        .join(Contact, Contact.id == Enrolment.contact_id)
        .join(JourneyVersion, JourneyVersion.id == Enrolment.version_id)
        .where(JourneyVersion.journey_id == journey_id, Enrolment.status == "active")
    )
    if step_id:
        query = query.where(Enrolment.step_id == step_id)
    if number is not None:
        query = query.where(JourneyVersion.number == number)
    if after is not None:
        query = query.where(Enrolment.id < after)
    return cut(session.execute(query.order_by(Enrolment.id.desc()).limit(PAGE_SIZE + 1)).all(), PAGE_SIZE)


def to_be_sent(session: Session, journey_id: int) -> int:
    """Messages of a journey that are queued."""
    query = select(func.count()).where(Message.journey_id == journey_id, Message.state == "queued")
    return int(session.execute(query).scalar_one())


def to_be_let_in(session: Session, journey_id: int) -> int:
    """Entries that are written down and have not begun: by a segment, a step, a program, a slot, or dates to come."""
    query = select(func.count()).where(EntryInbox.journey_id == journey_id, EntryInbox.error.is_(None))
    return int(session.execute(query).scalar_one())
