"""The list of contents."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from engine.model import Content, ContentVersion
from webapp.pages.queries import AnyRow

MOST = 1000


def by_slug(session: Session, slug: str) -> Content | None:
    """One content."""
    return session.scalars(select(Content).where(Content.slug == slug)).one_or_none()


def listing(session: Session) -> Sequence[AnyRow]:
    """Contents by name, each with its current version, its subject as it was written and how many warnings that has."""
    compiled = ContentVersion.compiled
    query = (
        select(
            Content.slug,
            Content.channel,
            Content.variants,
            ContentVersion.number,
            ContentVersion.created_at,
            cast(func.coalesce(compiled["written"].astext, compiled["subject"].astext), Text).label("subject"),
            func.jsonb_array_length(ContentVersion.warnings).label("warnings"),
        )
        .outerjoin(ContentVersion, ContentVersion.id == Content.current_version_id)
        .order_by(Content.slug)
        .limit(MOST)
    )
    return session.execute(query).all()
