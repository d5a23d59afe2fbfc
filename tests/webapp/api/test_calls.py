"""Whatever is sent is read or refused with a reason."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from webapp.api import body, calls
from webapp.api.body import BadBody
from webapp.api.calls import TYPES, BadCalls, Sent

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
instants = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["9999-12-31T23:59:59-23:59", "2026"]
)
fields = (
    "type",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "event",
    "name",
    "messageId",
    "properties",
    "traits",
)
call = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(fields, values)
    | {"context": values, "timestamp": values | instants, "sentAt": values | instants, "type": st.sampled_from(TYPES)},
)


@given(call | values, st.sampled_from([*TYPES, "batch"]))
def test_any_json_is_read_or_refused_with_places(document: object, type_: str) -> None:
    data = json.dumps({"batch": [document]} if type_ == "batch" else document).encode()
    try:
        parsed = body.parse(data)
        read = calls.read_batch(parsed, len(data)) if type_ == "batch" else calls.read_one(type_, parsed)  # type: ignore[arg-type]
    except BadBody as error:
        assert error.status == 400
    except BadCalls as error:
        assert error.errors
        assert all(problem.message for problem in error.errors)
    else:
        assert all(sent.dated(NOW, virtual=False).occurred_at.tzinfo for sent in read)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(body.parse(data), dict)
    except BadBody as error:
        assert error.status == 400


@given(st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(2200, 1, 1)),  # noqa: DTZ001
       st.timedeltas(dt.timedelta(days=-9), dt.timedelta(days=9)))  # fmt: skip
def test_only_the_distance_to_sent_at_counts(sent_at: dt.datetime, distance: dt.timedelta) -> None:
    example = calls.read_one("track", {"userId": "u", "event": "e"})[0].call
    sent = Sent(example, sent_at + distance, sent_at)
    assert sent.dated(NOW, virtual=False).occurred_at == NOW + distance
    assert sent.dated(NOW, virtual=True).occurred_at == sent_at + distance


tracked = st.fixed_dictionaries(
    {"userId": st.text(max_size=3), "event": st.text(max_size=3), "messageId": st.text(max_size=3)},
    optional={name: st.none() | st.text(max_size=3) | st.just({}) for name in ("anonymousId", "properties", "context")}
    | {"traits": st.just({})},
)


@given(tracked | call)
def test_a_plain_track_call_is_read_as_any_other_call(item: dict[str, Any]) -> None:
    plain = calls._plain_track(item)
    errors: list[InvalidInput] = []
    if plain is not None:
        assert plain == calls._any_call(item, "track", "", errors)
        assert errors == []


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25)
documents = st.recursive(
    numbers | st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(documents)
def test_a_body_is_parsed_to_the_exact_values(value: Any) -> None:
    data = json.dumps(value).encode()
    assert repr(body._loaded(data)) == repr(json.loads(data))


@given(st.text(alphabet='0123456789.eE+-"{}[],:\\utrfalsn ', max_size=30))
def test_what_one_parser_refuses_is_refused(text: str) -> None:
    def exact() -> Any:
        return json.loads(text, parse_constant=body._refuse_constant, parse_float=body._finite)

    try:
        expected = repr(exact())
    except ValueError:
        with pytest.raises(BadBody):
            body._loaded(text.encode())
    else:
        assert repr(body._loaded(text.encode())) == expected
