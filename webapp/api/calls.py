"""Calls of the Segment spec, checked field by field and read into values.

https://segment.com/docs/connections/spec/common/ names the fields that all calls share.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from engine.errors import CairnError, InvalidInput
from engine.events.ingest import Call, CallType
from engine.events.record import EARLIEST
from webapp.api.body import EVENT_BYTES, too_large

TYPES: tuple[CallType, ...] = get_args(CallType)
ID_LENGTH = 512
NAME_LENGTH = 200
MESSAGE_ID_LENGTH = 200
MAX_ERRORS = 20
NOTHING: Mapping[str, Any] = {}
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


class BadCalls(CairnError):
    """Calls that cannot be taken; `errors` say which field of which, as `batch[3].event`, and why."""

    def __init__(self, errors: list[InvalidInput]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


class Sent(NamedTuple):
    """A call as it was sent, with the sender's instants; the call's own `occurred_at` is not settled before `dated`."""

    call: Call
    timestamp: dt.datetime | None = None
    sent_at: dt.datetime | None = None

    def dated(self, received_at: dt.datetime, *, virtual: bool) -> Call:
        """The call by our clock: timestamp - sentAt + receivedAt, so that a wrong device clock does not count.

        On a simulated clock the sender's real `sentAt` says nothing, and the timestamp holds as it is.
        """
        call = self.call
        return Call._make((call.type, call.message_id, self._moment(received_at, virtual), *call[3:]))

    def _moment(self, received_at: dt.datetime, virtual: bool) -> dt.datetime:
        if self.timestamp is None:
            return received_at
        if self.sent_at is None or virtual:
            return self.timestamp
        return max(received_at - (self.sent_at - self.timestamp), EARLIEST)


def read_one(type_: CallType, body: Mapping[str, Any]) -> list[Sent]:
    """The call in the body of `/v1/TYPE`. Raises BadCalls."""
    errors: list[InvalidInput] = []
    call = _call(body, type_, "", errors, _instant(body, "sentAt", "", errors))
    if errors or call is None:
        raise BadCalls(errors)
    return [call]


def read_batch(body: Mapping[str, Any], size: int) -> list[Sent]:
    """The calls in the body of `/v1/batch`, `size` bytes long. Raises BadCalls, or BadBody (413) for a large one."""
    items = body.get("batch")
    if not isinstance(items, list):
        raise BadCalls([InvalidInput("is a list of calls", where="batch")])
    errors: list[InvalidInput] = []
    sent_at = _instant(body, "sentAt", "", errors)
    shared = body.get("context") if isinstance(body.get("context"), dict) else None
    calls = []
    for index, item in enumerate(items):
        where = f"batch[{index}]"
        if size > EVENT_BYTES and len(json.dumps(item)) > EVENT_BYTES:
            raise too_large(where, EVENT_BYTES)
        calls.append(_item(item, where, errors, sent_at, shared))
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        raise BadCalls(errors)
    return [call for call in calls if call is not None]


def _item(
    item: Any, where: str, errors: list[InvalidInput], sent_at: dt.datetime | None, shared: dict[str, Any] | None
) -> Sent | None:
    if not isinstance(item, dict):
        errors.append(InvalidInput("is an object", where=where))
        return None
    type_ = item.get("type")
    if type_ not in TYPES:
        errors.append(InvalidInput(f"is one of {', '.join(TYPES)}", where=f"{where}.type"))
        return None
    if shared and "context" not in item:
        item = {**item, "context": shared}
    own = _instant(item, "sentAt", where, errors) if "sentAt" in item else sent_at
    return _call(item, type_, where, errors, own)


def _call(
    item: Mapping[str, Any], type_: CallType, where: str, errors: list[InvalidInput], sent_at: dt.datetime | None
) -> Sent | None:
    before = len(errors)
    call = (_plain_track(item) if type_ == "track" else None) or _any_call(item, type_, where, errors)
    timestamp = _instant(item, "timestamp", where, errors) if "timestamp" in item else None
    return Sent(call, timestamp, sent_at) if len(errors) == before else None


def _plain_track(item: Mapping[str, Any]) -> Call | None:
    """What `_any_call` makes of a track call that has nothing unusual, as most are, in one look at each field."""
    get = item.get
    message_id, user_id, name, anonymous_id = get("messageId"), get("userId"), get("event"), get("anonymousId")
    properties, context = get("properties", NOTHING), get("context")
    if not (
        (type(message_id) is str and len(message_id) <= MESSAGE_ID_LENGTH)
        and (type(user_id) is str and len(user_id) <= ID_LENGTH)
        and (type(name) is str and len(name) <= NAME_LENGTH)
        and (anonymous_id is None or (type(anonymous_id) is str and len(anonymous_id) <= ID_LENGTH))
        and (type(properties) is dict and (context is None or type(context) is dict) and "traits" not in item)
    ):
        return None
    message_id, user_id, name = message_id.strip(), user_id.strip(), name.strip()
    if not (message_id and user_id and name):
        return None
    anonymous_id = (anonymous_id.strip() or None) if anonymous_id else None
    return Call("track", message_id, EARLIEST, user_id, anonymous_id, name, properties, NOTHING, context or None)


def _any_call(item: Mapping[str, Any], type_: CallType, where: str, errors: list[InvalidInput]) -> Call:
    """The call; it is to be used only if no error was added."""
    before = len(errors)
    reader = _Reader(item, where, errors)
    user_id, anonymous_id = reader.identifier("userId"), reader.identifier("anonymousId")
    previous_id = reader.identifier("previousId") if type_ == "alias" else None
    if len(errors) == before:
        reader.require_person(type_, user_id, anonymous_id, previous_id)
    return Call(
        type=type_,
        message_id=(reader.text("messageId", MESSAGE_ID_LENGTH) or "").strip() or f"auto-{uuid.uuid4().hex}",
        occurred_at=EARLIEST,
        user_id=user_id,
        anonymous_id=anonymous_id,
        name=reader.name(type_),
        properties=reader.mapping("properties"),
        traits=reader.mapping("traits"),
        context=reader.mapping("context") or None,
        group_id=reader.group(type_),
        previous_id=previous_id,
    )


class _Reader:
    """Reads the fields of one call and notes what is wrong with them."""

    def __init__(self, item: Mapping[str, Any], where: str, errors: list[InvalidInput]) -> None:
        self._item = item
        self._where = where
        self._errors = errors

    def refuse(self, name: str, message: str) -> None:
        self._errors.append(InvalidInput(message, where=at(self._where, name)))

    def identifier(self, name: str) -> str | None:
        """Libraries send numbers too."""
        value = self._item.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return (self.text(name, ID_LENGTH) or "").strip() or None

    def text(self, name: str, length: int) -> str | None:
        value = self._item.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(name, "is a text")
        elif len(value) > length:
            self.refuse(name, f"is longer than {length} characters")
        else:
            return value
        return None

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._item.get(name)
        if value is None:
            return NOTHING
        if not isinstance(value, dict):
            self.refuse(name, "is an object")
            return NOTHING
        return value

    def name(self, type_: str) -> str:
        if type_ not in ("track", "page", "screen"):
            return ""
        field_name = "event" if type_ == "track" else "name"
        before = len(self._errors)
        value = (self.text(field_name, NAME_LENGTH) or "").strip()
        if type_ == "track" and not value and len(self._errors) == before:
            self.refuse(field_name, "is missing or empty: it names what happened")
        return value

    def group(self, type_: str) -> str | None:
        value = self.identifier("groupId") if type_ == "group" else None
        if type_ == "group" and value is None:
            self.refuse("groupId", "is missing")
        return value

    def require_person(self, type_: str, user_id: str | None, anonymous_id: str | None, previous: str | None) -> None:
        if type_ == "alias":
            if previous is None:
                self.refuse("previousId", "is missing: it names who becomes userId")
            if user_id is None:
                self.refuse("userId", "is missing")
        elif user_id is None and anonymous_id is None:
            self.refuse("userId", "is missing, and so is anonymousId: one of them is needed")


def at(where: str, name: str) -> str:
    """The path of a field, as `batch[3].event`."""
    return f"{where}.{name}" if where else name


def _instant(item: Mapping[str, Any], name: str, where: str, errors: list[InvalidInput]) -> dt.datetime | None:
    """ISO 8601; without an offset it is UTC."""
    value = item.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value.strip())
            moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        except (ValueError, OverflowError):
            pass
        else:
            if EARLIEST <= moment <= LATEST:
                return moment
    errors.append(InvalidInput("is an ISO 8601 instant from 1970 on, as 2026-01-31T12:00:00Z", where=at(where, name)))
    return None
