"""Which events there are, and the types of their properties, as seen first."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

KNOWN = text("select name, properties from event_definitions where name = any(:names)")
DEFINE = text("""
insert into event_definitions (name, properties, created_at)
select name, properties, :now
from unnest(cast(:names as text[]), cast(:properties as jsonb[])) as seen(name, properties) order by name
on conflict (name) do update set properties = excluded.properties || event_definitions.properties""")


def define_events(session: Session, seen: Mapping[str, Mapping[str, str]], now: dt.datetime) -> None:
    """Remember names of events and types of properties that were not seen before. Dotted names reach into objects."""
    if not seen:
        return
    known = {row.name: row.properties for row in session.execute(KNOWN, {"names": sorted(seen)})}
    new = {name: types for name, types in seen.items() if name not in known or types.keys() - known[name].keys()}
    if new:
        properties = [json.dumps(types) for types in new.values()]
        session.execute(DEFINE, {"names": list(new), "properties": properties, "now": now})
