"""Apply calls of the Segment spec: who, what they did, and what is known of them, for many requests at once.

https://segment.com/docs/connections/spec/ describes the calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from sqlalchemy.orm import Session

from engine.contacts.identify import identify
from engine.contacts.profile import COLUMNS, RESERVED, Problem, Profile, clean
from engine.errors import InvalidInput
from engine.events.record import NewEvent, Status, record

CallType = Literal["track", "identify", "page", "screen", "group", "alias"]
VIEWS = {"page": "Page Viewed", "screen": "Screen Viewed"}
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Call(NamedTuple):
    """One call. `name` is the event of a track, the name of a page or screen. `occurred_at` is aware, by our clock.

    `traits` are of the contact; of the company, for `group`. An alias says that `previous_id` is `user_id`.
    """

    type: CallType
    message_id: str
    occurred_at: dt.datetime
    user_id: str | None = None
    anonymous_id: str | None = None
    name: str = ""
    properties: Mapping[str, Any] = NOTHING
    traits: Mapping[str, Any] = NOTHING
    context: Mapping[str, Any] | None = None
    group_id: str | None = None
    previous_id: str | None = None


class Outcome(NamedTuple):
    """What became of a call: its contact, or the reason why it was refused; traits that were left out or doubtful."""

    status: Status
    contact_id: int | None = None
    reason: str = ""
    problems: tuple[Problem, ...] = ()


def apply(session: Session, calls: Sequence[Call], now: dt.datetime, *, source: str = "api") -> list[Outcome]:
    """Write the calls in order, one outcome for each. A refused call spoils no other.

    Contacts are found or made together, then events are recorded together. Call it once in a transaction.
    """
    outcomes: dict[int, Outcome] = {}
    profiles: dict[int, tuple[Profile, tuple[Problem, ...]]] = {}
    for index, call in enumerate(calls):
        try:
            profiles[index] = clean(_profile(call))
        except InvalidInput as error:
            outcomes[index] = Outcome("refused", reason=str(error))
    ids = dict(zip(profiles, identify(session, [profile for profile, _ in profiles.values()], now), strict=True))
    for index, contact_id in ids.items():
        outcomes[index] = Outcome("recorded", contact_id, problems=profiles[index][1])
    events = {index: _event(calls[index], ids[index], source) for index in ids if _is_event(calls[index])}
    result = record(session, list(events.values()), now)
    for position, (index, status) in enumerate(zip(events, result.statuses, strict=True)):
        if status != "recorded":
            outcomes[index] = Outcome(status, ids[index], result.reasons.get(position, ""))
    return [outcomes[index] for index in range(len(calls))]


def _is_event(call: Call) -> bool:
    return call.type == "track" or call.type in VIEWS


def _event(call: Call, contact_id: int, source: str) -> NewEvent:
    """Views carry their page's or screen's name as the property `name`."""
    name, properties = call.name, call.properties
    if call.type in VIEWS:
        name = VIEWS[call.type]
        properties = {"name": call.name, **properties} if call.name else properties
    return NewEvent(contact_id, name, call.occurred_at, call.message_id, properties, call.context, source)


def _profile(call: Call) -> Profile:
    """Who the call speaks of, and what it says of them."""
    if call.type == "track" and call.anonymous_id is None:
        return Profile(call.user_id)
    anonymous_id = call.previous_id if call.type == "alias" else call.anonymous_id
    if call.type == "group":
        company = {"id": call.group_id, **call.traits} if call.group_id else dict(call.traits)
        return Profile(call.user_id, anonymous_id=anonymous_id, attributes={"company": company})
    if call.type != "identify" or not call.traits:
        return Profile(call.user_id, anonymous_id=anonymous_id)
    return _with_traits(call.user_id, anonymous_id, call.traits)


def _with_traits(user_id: str | None, anonymous_id: str | None, traits: Mapping[str, Any]) -> Profile:
    """Traits email, phone, timezone and locale are columns; `id` and other reserved names say nothing new."""
    columns = {name: traits[name] for name in COLUMNS if name in traits}
    return Profile(
        user_id,
        anonymous_id=anonymous_id,
        attributes={name: value for name, value in traits.items() if name not in RESERVED},
        removed=frozenset(name for name, value in columns.items() if value in (None, "")),
        **{name: str(value) for name, value in columns.items() if value not in (None, "")},
    )
