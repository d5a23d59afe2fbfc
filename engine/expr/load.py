"""What rules may name, read from the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.expr.ast import DEFAULT_ALIASES
from engine.expr.schema import Schema

NAMES = text("""
select
    (select jsonb_object_agg(name, type) from attribute_definitions) as attributes,
    (select jsonb_object_agg(name, properties) from event_definitions) as events,
    (select array_agg(slug) from segments) as segments,
    (select array_agg(slug) from lists) as lists,
    (select jsonb_object_agg(slug, default_state) from topics) as topics,
    (select array_agg(slug) from contents) as contents,
    (select array_agg(slug) from journeys) as journeys,
    (select value from workspace_settings where name = 'event_aliases') as aliases,
    (select value from workspace_settings where name = 'timezone') as zone
""")


def load(session: Session) -> Schema:
    """The names of the workspace, by one statement over small tables."""
    row = session.execute(NAMES).one()
    return Schema(
        attributes=row.attributes or {},
        events=row.events or {},
        segments=frozenset(row.segments or ()),
        lists=frozenset(row.lists or ()),
        topics=row.topics or {},
        contents=frozenset(row.contents or ()),
        journeys=frozenset(row.journeys or ()),
        aliases={**DEFAULT_ALIASES, **(row.aliases or {})},
        zone=row.zone or "UTC",
    )
