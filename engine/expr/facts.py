"""All that a rule may look at about one contact, as plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from engine.expr.ast import DEFAULT_ALIASES

NOTHING: Mapping[Any, Any] = MappingProxyType({})


class EventKey(NamedTuple):
    """The order of events: instants in UTC, then the message id."""

    occurred_at: dt.datetime
    received_at: dt.datetime
    message_id: str


class EventFact(NamedTuple):
    """An event of the contact. Properties are JSON values; numbers are int, Decimal or float."""

    name: str
    occurred_at: dt.datetime
    received_at: dt.datetime
    message_id: str
    properties: Mapping[str, Any] = NOTHING

    @property
    def key(self) -> EventKey:
        """Its place in the order of events."""
        return EventKey(self.occurred_at, self.received_at, self.message_id)


class MessageFact(NamedTuple):
    """A message that was accepted for the contact. `content` and `journey` are slugs."""

    accepted_at: dt.datetime
    content: str
    step: str | None = None
    journey: str | None = None


class Facts(NamedTuple):
    """A contact with its history.

    `segments`, `lists` and `journeys` are the slugs it is in at `now`. `consent` maps (channel, topic) to the last
    word, topic "" speaks of the channel; `topics` maps all known topics to their default state. `entry` is the key of
    the trigger. `event` holds the properties of the trigger event (of the goal event in a goal's value); `journey` is
    the slug of the journey at hand.
    """

    email: str | None = None
    phone: str | None = None
    timezone: str | None = None
    locale: str | None = None
    external_id: str | None = None
    created_at: dt.datetime | None = None
    attributes: Mapping[str, Any] = NOTHING
    events: tuple[EventFact, ...] = ()
    messages: tuple[MessageFact, ...] = ()
    segments: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    journeys: frozenset[str] = frozenset()
    consent: Mapping[tuple[str, str], str] = NOTHING
    topics: Mapping[str, str] = NOTHING
    entry: EventKey | tuple[dt.datetime, dt.datetime, str] | None = None
    step_since: dt.datetime | None = None
    event: Mapping[str, Any] | None = None
    journey: str | None = None
    zone: str = "UTC"
    aliases: Mapping[str, str] = MappingProxyType(dict(DEFAULT_ALIASES))


class Verdict(NamedTuple):
    """Whether the rule holds, and the first instant at which that could change with no new fact (None: never)."""

    value: bool
    changes_at: dt.datetime | None


ALWAYS, NEVER = Verdict(True, None), Verdict(False, None)
