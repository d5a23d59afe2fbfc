"""What `set` does to contacts."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

READ = text("select id, attributes from contacts where id = any(:ids) order by id for no key update")
WRITE = text("""
with changed as (
    update contacts c set attributes = u.attributes::jsonb, updated_at = :now
    from unnest(cast(:ids as bigint[]), cast(:attributes as text[])) as u(id, attributes)
    where c.id = u.id returning c.id)
insert into change_inbox (contact_id, kind, names, created_at) select id, 'attribute', :names, :now from changed
""")


def set_attributes(session: Session, contact_ids: Sequence[int], values: Mapping[str, Any], now: dt.datetime) -> None:
    """Set attributes of many contacts to the same literals; a dotted name reaches into an object, null removes.

    Who has the values already is left alone, so nothing listens in vain.
    """
    changed = []
    for id_, attributes in session.execute(READ, {"ids": sorted(set(contact_ids))}).all():
        merged = _merged(attributes, values)
        if merged != attributes:
            changed.append((id_, json.dumps(merged)))
    if changed:
        ids, documents = zip(*changed, strict=True)
        names = sorted({name.split(".")[0] for name in values})
        session.execute(WRITE, {"ids": list(ids), "attributes": list(documents), "names": names, "now": now})


def _merged(attributes: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(dict(attributes))
    for name, value in values.items():
        *parents, last = name.split(".")
        inner = document
        for parent in parents:
            if not isinstance(inner.get(parent), dict):
                inner[parent] = {}
            inner = inner[parent]
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return document
