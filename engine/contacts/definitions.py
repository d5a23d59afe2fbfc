"""Which attributes contacts have, and of what type, as seen first."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.profile import NAME_LENGTH

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
NESTING = 4
DEFINED = text("select name, type from attribute_definitions where name = any(:names)")
DEFINE = text("""
insert into attribute_definitions (name, type, created_at)
select name, type, :now from unnest(cast(:names as text[]), cast(:types as text[])) as seen(name, type) order by name
on conflict do nothing""")


def type_of(value: Any) -> str:
    """text, number, boolean, date, datetime, list or object."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return _type_of_text(value) if value[:2].isdigit() else "text"
    if isinstance(value, Mapping):
        return "object"
    return "list" if isinstance(value, list | tuple) else "number"


@functools.lru_cache(maxsize=4096)
def _type_of_text(value: str) -> str:
    if DATE.fullmatch(value):
        return "date" if _reads(dt.date.fromisoformat, value) else "text"
    if DATETIME.match(value):
        return "datetime" if _reads(dt.datetime.fromisoformat, value) else "text"
    return "text"


def _reads(read: Any, value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def types_of(values: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Types by dotted name; objects are listed and entered four levels deep. Longer names than an index takes are not
    listed: their values are kept all the same."""
    types: dict[str, str] = {}
    for name, value in values.items():
        if value is None or len(prefix) + len(name) > NAME_LENGTH:
            continue
        types[prefix + name] = type_of(value)
        if isinstance(value, Mapping) and depth < NESTING:
            types |= types_of(value, f"{prefix}{name}.", depth + 1)
    return types


def known_types(session: Session, names: Iterable[str]) -> dict[str, str]:
    """Types of those of `names` that have been seen."""
    rows = session.execute(DEFINED, {"names": sorted(names)})
    return {row.name: row.type for row in rows}


def define(session: Session, types: Mapping[str, str], now: dt.datetime) -> None:
    """Remember the type of every attribute that has not been seen before."""
    missing = sorted(types.keys() - known_types(session, types).keys()) if types else []
    if missing:
        session.execute(DEFINE, {"names": missing, "types": [types[name] for name in missing], "now": now})
