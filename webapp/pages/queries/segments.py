"""Saved segments."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.model import Segment


def listing(session: Session) -> Sequence[Segment]:
    """All segments by name."""
    return session.execute(select(Segment).order_by(Segment.name)).scalars().all()


def by_slug(session: Session, slug: str) -> Segment | None:
    """One segment."""
    return session.execute(select(Segment).where(Segment.slug == slug)).scalar_one_or_none()
