"""What rules may name, read from the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.expr.ast import DEFAULT_ALIASES
from engine.expr.schema import Schema
from engine.model import AttributeDefinition, Content, EventDefinition, Journey, List, Segment, Topic, WorkspaceSetting


def load(session: Session) -> Schema:
    """The names of the workspace. Reads small tables; worth one call per transaction, not one per contact."""
    settings: dict[str, Any] = dict(_pairs(session, WorkspaceSetting.name, WorkspaceSetting.value))
    return Schema(
        attributes=dict(_pairs(session, AttributeDefinition.name, AttributeDefinition.type)),
        events=dict(_pairs(session, EventDefinition.name, EventDefinition.properties)),
        segments=frozenset(session.scalars(select(Segment.slug))),
        lists=frozenset(session.scalars(select(List.slug))),
        topics=dict(_pairs(session, Topic.slug, Topic.default_state)),
        contents=frozenset(session.scalars(select(Content.slug))),
        journeys=frozenset(session.scalars(select(Journey.slug))),
        aliases={**DEFAULT_ALIASES, **(settings.get("event_aliases") or {})},
        zone=settings.get("timezone") or "UTC",
    )


def _pairs(session: Session, key: Any, value: Any) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in session.execute(select(key, value))]
