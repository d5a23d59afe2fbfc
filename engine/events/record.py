"""Record events of known contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from sqlalchemy.orm import Session

from engine.contacts.definitions import types_of
from engine.contacts.profile import KEY_LENGTH, NAME_LENGTH, unstorable
from engine.errors import InvalidInput
from engine.events.definitions import define_events
from engine.events.encoding import encode
from engine.events.store import Encoded, store

AHEAD = dt.timedelta(minutes=5)  # how far a sender's clock may run ahead
LATE = dt.timedelta(hours=24)
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NOTHING: Mapping[str, Any] = MappingProxyType({})

Status = Literal["recorded", "duplicate", "refused"]


class NewEvent(NamedTuple):
    """Something that a contact did. `message_id` makes it one however often it is delivered.

    `occurred_at` is aware. source: api, import, tracking, journey.
    """

    contact_id: int
    name: str
    occurred_at: dt.datetime
    message_id: str
    properties: Mapping[str, Any] = NOTHING
    context: Mapping[str, Any] | None = None
    source: str = "api"


@dataclass(frozen=True, slots=True)
class RecordResult:
    """`statuses[i]` is what became of event i; `reasons` says why, for those refused."""

    statuses: tuple[Status, ...]
    reasons: Mapping[int, str]

    @property
    def recorded(self) -> int:
        """How many events are new."""
        return self.statuses.count("recorded")


def record(session: Session, events: Sequence[NewEvent], now: dt.datetime) -> RecordResult:
    """Store each event once, with its inbox row, in a few statements for all of them.

    `occurred_at` may be at most five minutes after `now`, the instant of receipt, and is put there if it is later. What
    is received more than 24 hours late refreshes segments but triggers nothing. An event that cannot be stored is
    refused with a reason; the others are stored.
    """
    reasons: dict[int, str] = {}
    usable: dict[str, tuple[int, Encoded]] = {}
    for index, event in enumerate(events):
        try:
            encoded = _encode(event, now)
        except InvalidInput as error:
            reasons[index] = str(error)
        else:
            usable.setdefault(encoded.message_id, (index, encoded))
    repeated = store(session, [encoded for _, encoded in usable.values()])
    recorded = [index for message_id, (index, _) in usable.items() if message_id not in repeated]
    define_events(session, _seen(events, recorded), now)
    statuses: list[Status] = ["duplicate"] * len(events)
    for index in recorded:
        statuses[index] = "recorded"
    for index in reasons:
        statuses[index] = "refused"
    return RecordResult(tuple(statuses), reasons)


def _encode(event: NewEvent, now: dt.datetime) -> Encoded:
    contact_id, name, occurred_at, message_id, properties, context, source = event
    _check_text("message_id", message_id, KEY_LENGTH)
    _check_text("name", name, NAME_LENGTH)
    occurred_at = clamp(occurred_at, now)
    document = encode(context, "context") if context is not None else None
    triggers = now - occurred_at <= LATE
    return Encoded(
        message_id, now, occurred_at, contact_id, name, encode(properties, "properties"), document, source, triggers
    )


def clamp(occurred_at: dt.datetime, received_at: dt.datetime) -> dt.datetime:
    """Not later than five minutes after receipt. Raises InvalidInput for a time before 1970."""
    if occurred_at < EARLIEST:
        raise InvalidInput("is before 1970", where="occurred_at", hint="Check the year, and that it is in seconds.")
    return min(occurred_at, received_at + AHEAD)


def _check_text(where: str, value: str, length: int) -> None:
    if not value.strip():
        raise InvalidInput("is empty", where=where, hint="Give it a value.")
    if len(value) > length or unstorable(value):
        raise InvalidInput(f"is longer than {length} characters or holds NUL", where=where, hint="Use plain text.")


def _seen(events: Sequence[NewEvent], indexes: Sequence[int]) -> dict[str, dict[str, str]]:
    """Types of properties by event name; an event that shows nothing new costs one comparison of keys."""
    seen: dict[str, dict[str, str]] = {}
    for index in indexes:
        event = events[index]
        types = seen.setdefault(event.name, {})
        if not types.keys() >= event.properties.keys():
            seen[event.name] = types_of(event.properties) | types
    return seen
