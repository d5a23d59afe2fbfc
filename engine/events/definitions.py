"""Which events there are, and the types of their properties, as seen first."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import driver, text_array

KNOWN = "select name, properties from event_definitions where name = any(%s::text[])"
DEFINE = text("""
insert into event_definitions (name, properties, created_at)
select name, properties, :now
from unnest(cast(:names as text[]), cast(:properties as jsonb[])) as seen(name, properties) order by name
on conflict (name) do update set properties = excluded.properties || event_definitions.properties""")


def definitions(session: Session, names: Collection[str]) -> dict[str, dict[str, str]]:
    """The types of properties by event, of those of the events that are known."""
    return dict(driver(session).execute(KNOWN, (text_array(names),)).fetchall())


def define_events(session: Session, seen: Mapping[str, Mapping[str, str]], now: dt.datetime) -> None:
    """Remember names of events and types of properties that were not seen before. Dotted names reach into objects."""
    if not seen:
        return
    known = definitions(session, seen)
    new = {name: types for name, types in seen.items() if name not in known or types.keys() - known[name].keys()}
    if new:
        properties = [json.dumps(types) for types in new.values()]
        session.execute(DEFINE, {"names": list(new), "properties": properties, "now": now})
