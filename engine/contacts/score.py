"""Scores: numbers among a contact's attributes that are added to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.contacts import write


def add_points(session: Session, name: str, points: Mapping[int, int], now: dt.datetime) -> None:
    """Add points, by contact id, to the attribute `name` (dotted names reach into objects)."""
    stored = write.read(session, write.lock(session, points.keys(), "no key update"))
    totals = {id_: {name: total(one.attributes, name, points[id_])} for id_, one in stored.items()}
    write.update(session, {id_: write.from_values(values) for id_, values in totals.items()}, now)


def total(attributes: Mapping[str, Any], name: str, points: int) -> int | float:
    """The score `name` with the points added; what is missing or no number counts as 0."""
    value: Any = attributes
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    known = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    return known + points
