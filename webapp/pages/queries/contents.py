"""The list of contents."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from engine.model import Content, ContentVersion
from webapp.pages.queries import AnyRow

MOST = 1000


def by_slug(session: Session, slug: str) -> Content | None:
    """One content."""
    return session.scalars(select(Content).where(Content.slug == slug)).one_or_none()


def listing(session: Session, words: str = "") -> Sequence[AnyRow]:
    """Contents by name, each with its current version, its subject as it was written and how many warnings that has.

    With `words` those alone that have them in their name or subject.
    """
    compiled = ContentVersion.compiled
    subject = cast(func.coalesce(compiled["written"].astext, compiled["subject"].astext), Text)
    query = (
        select(
            Content.slug,
            Content.channel,
            Content.variants,
            ContentVersion.number,
            ContentVersion.created_at,
            subject.label("subject"),
            func.jsonb_array_length(ContentVersion.warnings).label("warnings"),
        )
        .outerjoin(ContentVersion, ContentVersion.id == Content.current_version_id)
        .order_by(Content.slug)
        .limit(MOST)
    )
    if words:
        query = query.where(
            or_(Content.slug.icontains(words, autoescape=True), subject.icontains(words, autoescape=True))
        )
    return session.execute(query).all()
