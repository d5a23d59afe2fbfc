"""`/v1`: bodies of every kind, over WSGI and over a socket. Bound: 250 ms a request, kept or not; memory below."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse

from tests.conftest import drop, new_database
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz, within
from tests.webapp.calling import Site, serving
from webapp.api.body import BATCH_BYTES
from webapp.api.ingest import PATHS

ALLOWED = {200, 204, 400, 401, 405, 413, 415, 429}
TYPES = ("track", "identify", "page", "screen", "group", "alias")
FIELDS = (
    "type", "userId", "anonymousId", "previousId", "groupId", "event", "name", "messageId", "properties", "traits",
    "context", "timestamp", "sentAt", "integrations", "writeKey",
)  # fmt: skip
OTHER = [name for name in FIELDS if name != "userId"]
ordinary = {
    "type": st.sampled_from(TYPES),
    "userId": st.sampled_from(("u1", "u2", 7)),
    "anonymousId": st.sampled_from(("a1", "a2")),
    "previousId": st.sampled_from(("a1", "u2")),
    "groupId": st.just("g1"),
    "event": st.sampled_from(("Order Completed", "A")),
    "messageId": st.uuids().map(str),
    "traits": st.dictionaries(hostile.names, hostile.values, max_size=4),
    "properties": st.dictionaries(hostile.names, hostile.values, max_size=4),
    "timestamp": st.sampled_from(("2026-03-01T12:00:00Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59-23:59")),
    "sentAt": st.sampled_from(("2026-03-01T12:00:01Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z")),
}
ordinary_more = {name: strategy for name, strategy in ordinary.items() if name not in ("type", "userId")}
calls = st.one_of(
    st.fixed_dictionaries({"type": ordinary["type"], "userId": ordinary["userId"]}, optional=ordinary_more),
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, hostile.values) | {"type": ordinary["type"]}),
    st.fixed_dictionaries({"userId": ordinary["userId"]}, optional=dict.fromkeys(OTHER, hostile.scalars)),
)
documents = st.one_of(
    calls,
    st.lists(calls | hostile.values, max_size=5).map(lambda items: {"batch": items}),
    hostile.values,
)


@pytest.fixture(scope="module")
def site(postgres_url: str) -> Iterator[Site]:
    database = new_database(postgres_url)
    with serving(database) as made:
        made.client.get("/healthz")
        yield made
    drop(database)


def judge(answer: TestResponse, sent: object) -> None:
    """An answer that the documentation names, with a reason that names a place."""
    assert answer.status_code in ALLOWED, (answer.status_code, answer.text[:300], str(sent)[:500])
    if answer.status_code == 400:
        assert answer.json is not None and answer.json["message"], answer.text


def as_bytes(document: Any) -> bytes:
    """JSON as the laxest of senders writes it: NaN, halves of surrogate pairs."""
    try:
        return json.dumps(document).encode()
    except ValueError:  # more digits than Python writes
        return b'{"userId": "u", "event": "A", "properties": {"a": ' + b"9" * 4_200 + b"}}"


@fuzz(150)
@given(st.sampled_from(sorted(PATHS)), documents)
@example("/v1/identify", {"userId": "u", "traits": {"a": {hostile._noise(1, 3000): 1}}})
@example("/v1/track", {"userId": 10**600, "event": "A"})
@example("/v1/track", {"userId": "u", "event": "Order Completed", "properties": {"total": 10**4000}})
def test_documents(site: Site, path: str, document: Any) -> None:
    body = as_bytes(document)
    with within(0.25, body):
        judge(site.post(path, body), body)


GOOD = (
    b'{"userId":"u1","event":"A","properties":{"total":12.5,"items":[{"a":"b"}]},"timestamp":"2026-03-01T12:00:00Z"}',
    b'{"batch":[{"type":"identify","userId":"u1","traits":{"email":"a@example.com","plan":"pro"}}],"sentAt":null}',
)
PIECES = (
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"\0", b"NaN", b"1e999", b"-", b"0x1", b"null", b"9" * 5000, b"//", b"\x80", b'"a":' * 9,
    b"[" * 99,
)  # fmt: skip


@fuzz(150)
@given(st.sampled_from(sorted(PATHS)), hostile.mutated_bytes(GOOD, PIECES) | st.binary(max_size=80))
@example("/v1/track", b"[" * 400_000)
@example("/v1/batch", b'{"batch":[' + b"1," * 200_000 + b"1]}")
@example("/v1/batch", b'{"batch":[' + b"[]," * 160_000 + b"1]}")
def test_bytes(site: Site, path: str, body: bytes) -> None:
    with within(0.25, body):
        judge(site.post(path, body), body)


headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_CONTENT_ENCODING": st.sampled_from(("gzip", "GZIP ", "x-gzip", "br", "deflate", "gzip, gzip", "")),
        "CONTENT_LENGTH": st.sampled_from(("", "0", "1", "-1", "abc", "9" * 30, "1_0", "٣", " 5", "+5", "1.0")),
        "CONTENT_TYPE": st.sampled_from(("", "text/plain", "application/xml", "multipart/form-data", "a/b; charset=x")),
        "HTTP_AUTHORIZATION": st.sampled_from(
            (
                "",
                "Basic",
                "Basic !!!",
                "Basic /w==",
                "Bearer",
                "Bearer x",
                "Digest a",
                "Basic " + "A" * 9_000,
                "Bearer \xff",
            )
        ),
        "HTTP_USER_AGENT": st.sampled_from(("", "\xff\xfe", "a" * 9_000)),
        "REQUEST_METHOD": st.sampled_from(("GET", "PUT", "OPTIONS", "HEAD", "DELETE", "BREW", "POST")),
        "wsgi.input_terminated": st.booleans(),
    },
)
bodies = st.one_of(
    st.sampled_from(GOOD),
    st.sampled_from(GOOD).map(gzip.compress),
    st.sampled_from(GOOD).map(lambda data: gzip.compress(data)[:-5]),
    st.sampled_from(GOOD).map(lambda data: gzip.compress(data) + b"more"),
    st.just(gzip.compress(b" " * 50_000_000)),
    st.just(b" " * (BATCH_BYTES + 1)),
    st.binary(max_size=30),
)


@fuzz(120)
@given(st.sampled_from(sorted(PATHS)), headers, bodies)
def test_headers(site: Site, path: str, given_headers: dict[str, Any], body: bytes) -> None:
    """What stands around the body: lengths that lie, encodings, methods, keys."""
    builder = EnvironBuilder(path=path, method="POST", data=body)
    builder.headers["Authorization"] = "Bearer " + site.key
    environ = builder.get_environ() | given_headers
    with within(0.25, (given_headers, body)):
        judge(site.client.open(environ), (given_headers, body))
