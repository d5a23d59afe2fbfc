"""The figures of the dashboard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.model import Contact, Journey, MessageRollup
from webapp.pages.queries import AnyRow


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts as of now; days are UTC days, `revenue` is what is credited to messages of the last 30 days."""

    contacts: int
    live_journeys: int
    sent_today: int
    sent_month: int
    human_opens: int
    revenue: Decimal


def figures(session: Session, now: dt.datetime) -> Figures:
    """All figures in one statement."""
    today = now.date()
    month = MessageRollup.day > today - dt.timedelta(days=30)
    contacts = select(func.count(Contact.id)).where(Contact.erased_at.is_(None)).scalar_subquery()
    live = select(func.count(Journey.id)).where(Journey.state == "live").scalar_subquery()
    row = session.execute(
        select(
            contacts,
            live,
            func.coalesce(func.sum(MessageRollup.sent).filter(MessageRollup.day == today), 0),
            func.coalesce(func.sum(MessageRollup.sent).filter(month), 0),
            func.coalesce(func.sum(MessageRollup.human_opens).filter(month), 0),
            func.coalesce(func.sum(MessageRollup.revenue).filter(month), 0),
        )
    ).one()
    return Figures(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), Decimal(row[5]))


def weekly_revenue(session: Session, journey_slug: str | None = None) -> Sequence[AnyRow]:
    """Rows (slug, week, revenue, cost) of all time, by Monday; few rows, because they come from the daily rollup."""
    week = func.date_trunc("week", MessageRollup.day)
    query = (
        select(
            Journey.slug,
            week.label("week"),
            func.sum(MessageRollup.revenue).label("revenue"),
            func.sum(MessageRollup.cost).label("cost"),
        )
        .join(Journey, Journey.id == MessageRollup.journey_id)
        .group_by(Journey.slug, week)
        .order_by(week, Journey.slug)
    )
    return session.execute(query.where(Journey.slug == journey_slug) if journey_slug else query).all()
