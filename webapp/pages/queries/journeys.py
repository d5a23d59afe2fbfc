"""Journeys with their figures, and their versions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.model import Enrolment, EntryRollup, Journey, JourneyVersion, MessageRollup
from webapp.pages.queries import AnyRow


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
