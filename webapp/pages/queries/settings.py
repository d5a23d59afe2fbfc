"""What the settings page lists."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.model import ApiKey, Delivery, User, Webhook
from webapp.pages.queries import AnyRow


def people(session: Session) -> Sequence[AnyRow]:
    """Everybody who can sign in."""
    return session.execute(select(User.email, User.name, User.role).order_by(User.email)).all()


def keys(session: Session) -> Sequence[AnyRow]:
    """API keys in force; only their first characters are known."""
    query = select(ApiKey.id, ApiKey.prefix, ApiKey.name, ApiKey.scopes, ApiKey.created_at)
    return session.execute(query.where(ApiKey.revoked_at.is_(None)).order_by(ApiKey.created_at.desc())).all()


def webhooks(session: Session) -> Sequence[AnyRow]:
    """Endpoints that journeys call, whether they work, and how much waits for each."""
    waits = select(func.count()).where(Delivery.endpoint == Webhook.slug, Delivery.state == "pending")
    columns = (Webhook.slug, Webhook.url, Webhook.failing_since, Webhook.gone, Webhook.error)
    return session.execute(select(*columns, waits.scalar_subquery().label("pending")).order_by(Webhook.slug)).all()
