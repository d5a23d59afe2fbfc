"""What a workspace knows: the names that rules may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.expr.ast import DEFAULT_ALIASES

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "email": "text", "phone": "text", "timezone": "text", "locale": "text", "external_id": "text",
        "created_at": "datetime", "last_seen_at": "datetime",
    }
)  # fmt: skip
"""Fields that every contact has, with their types."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Names and types. `topics` maps a slug to its default state; `aliases` maps a word to an event's name.

    Types are text, number, boolean, date, datetime, list and object. `steps` are the step ids of the journey at hand.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    topics: Mapping[str, str] = field(default_factory=dict)
    contents: frozenset[str] = frozenset()
    journeys: frozenset[str] = frozenset()
    steps: frozenset[str] | None = None
    aliases: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_ALIASES))
    zone: str = "UTC"


@lru_cache(maxsize=256)
def zone_info(name: str) -> ZoneInfo:
    """The zone of that name; UTC if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
