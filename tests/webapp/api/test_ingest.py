"""The Segment-compatible ingest addresses."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from engine import clock, users
from engine.db import Database
from tests.webapp.calling import Site, serving


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        yield opened


def track(**more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "Order Completed", "messageId": "m1", **more}


def test_success_is_200_and_the_event_is_stored_by_then(site: Site) -> None:
    answer = site.post("/v1/track", track(properties={"revenue": 12.5}))
    assert (answer.status_code, answer.json) == (200, {"success": True})
    assert site.rows("select message_id, name, properties, source from events") == [
        ("m1", "Order Completed", {"revenue": 12.5}, "api")
    ]
    assert site.rows("select name from event_inbox") == [("Order Completed",)]


def test_a_repeated_delivery_succeeds_and_is_stored_once(site: Site) -> None:
    for _ in range(3):
        assert site.post("/v1/batch", {"batch": [track(), track()]}).status_code == 200
    assert site.rows("select count(*) from events") == [(1,)]


def test_identify_writes_the_contact(site: Site) -> None:
    assert (
        site.post("/v1/identify", {"userId": "u1", "traits": {"email": "A@Example.com", "plan": "pro"}}).status_code
        == 200
    )
    assert site.rows("select external_id, lower(email), attributes from contacts") == [
        ("u1", "a@example.com", {"plan": "pro"})
    ]


def test_every_kind_of_call_is_taken_alone_and_in_a_batch(site: Site) -> None:
    calls: list[dict[str, Any]] = [
        {"type": "identify", "userId": "u1", "traits": {}},
        track(),
        {"type": "page", "anonymousId": "a1", "name": "Home"},
        {"type": "screen", "userId": "u1", "name": "Start"},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Acme"}},
        {"type": "alias", "userId": "u1", "previousId": "a1"},
    ]
    for call in calls:
        for path in (f"/v1/{call['type']}", f"/v1/{call['type'][0]}"):
            assert site.post(path, call).status_code == 200, path
    for path in ("/v1/batch", "/v1/b"):
        assert site.post(path, {"batch": calls}).status_code == 200, path
    assert site.rows("select distinct name from events order by 1") == [
        ("Order Completed",), ("Page Viewed",), ("Screen Viewed",),
    ]  # fmt: skip


def test_the_key_may_come_as_basic_user_bearer_or_write_key(site: Site) -> None:
    basic = base64.b64encode(f"{site.key}:".encode()).decode()
    for headers in ({"Authorization": f"Basic {basic}"}, {"Authorization": f"Bearer {site.key}"}):
        assert site.post("/v1/track", track(), auth=None, headers=headers).status_code == 200
    assert site.post("/v1/track", track(writeKey=site.key), auth=None).status_code == 200


BAD_KEYS: list[dict[str, str]] = [
    {}, {"Authorization": "Basic"}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer wrong"},
    {"Authorization": "Basic " + base64.b64encode(b"wrong:").decode()}, {"Authorization": "Digest x"},
    {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
]  # fmt: skip


def test_without_a_good_key_it_is_401_and_nothing_is_stored(site: Site) -> None:
    for headers in BAD_KEYS:
        answer = site.post("/v1/track", track(), auth=None, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Basic"), headers
    assert site.rows("select count(*) from events") == [(0,)]


def test_a_key_without_the_scope_is_refused(site: Site) -> None:
    with site.database.transaction() as session:
        other = users.create_api_key(session, "reader", scopes=("read",))
    assert site.post("/v1/track", track(), auth=(other, "")).status_code == 401


def test_a_revoked_key_is_refused_once_the_memory_of_it_is_three_seconds_old(site: Site) -> None:
    assert site.post("/v1/track", track()).status_code == 200
    with site.database.transaction() as session:
        session.execute(text("update api_keys set revoked_at = now()"))
    site.hot.keys._read_at -= 3.1
    assert site.post("/v1/track", track()).status_code == 401


def test_a_new_key_works_within_a_second(site: Site) -> None:
    assert site.post("/v1/track", track()).status_code == 200
    with site.database.transaction() as session:
        fresh = users.create_api_key(session, "fresh")
    site.hot.keys._read_at -= 0.6
    assert site.post("/v1/track", track(), auth=(fresh, "")).status_code == 200


def test_errors_name_their_place_and_nothing_of_the_request_is_stored(site: Site) -> None:
    batch = [
        track(), {"type": "track", "userId": "u1"}, {"type": "nonsense"}, "text", {"type": "page"},
        track(properties=[1]), track(timestamp="yesterday"), {"type": "group", "userId": "u"},
        {"type": "alias", "userId": "u"}, track(userId=["x"]), track(messageId=7), track(event="x" * 300),
    ]  # fmt: skip
    answer = site.post("/v1/batch", {"batch": batch})
    assert answer.status_code == 400
    assert answer.json is not None
    assert [error["where"] for error in answer.json["errors"]] == [
        "batch[1].event", "batch[2].type", "batch[3]", "batch[4].userId", "batch[5].properties", "batch[6].timestamp",
        "batch[7].groupId", "batch[8].previousId", "batch[9].userId", "batch[10].messageId", "batch[11].event",
    ]  # fmt: skip
    assert site.rows("select count(*) from events") == [(0,)]


BAD_BODIES = [
    b"", b"[]", b"null", b"{", b'{"batch": 1}', b"\xff\xfe", b'{"userId":"u","event":"e","properties":{"a":NaN}}',
    b'{"userId":"u","event":"e","properties":{"a":1e999}}', b'{"userId":"u","event":"e\\u0000"}',
    b'{"userId":"u","event":"e","properties":{"a\\u0000":1}}', b'{"userId":"u","event":"\\ud800"}',
    b'{"userId":"u","event":"e","properties":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}",
    b'{"userId":"u","event":"e","properties":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
    b'{"userId":"u","event":"e","properties":{"a":' + b"9" * 5000 + b"}}", b'{"userId":"","event":"e"}',
    b'{"userId":"u","event":"  "}', b'{"userId":"u","event":"e","timestamp":"0001-01-01T00:00:00+23:59"}',
    b'{"userId":"u","event":"e","timestamp":12}', b'{"userId":true,"event":"e"}',
]  # fmt: skip


def test_a_body_that_cannot_be_stored_is_400(site: Site) -> None:
    for body in BAD_BODIES:
        path = "/v1/batch" if b"batch" in body else "/v1/track"
        assert site.post(path, body).status_code == 400, body[:80]
    assert site.rows("select count(*) from events") == [(0,)]


def test_names_that_no_index_takes_are_stored_and_not_listed(site: Site) -> None:
    name = "".join(chr(0x4E00 + number * number * 7919 % 20_000) for number in range(3_000))
    answer = site.post("/v1/identify", {"userId": "u1", "traits": {"company": {name: 1, "seats": 5}}})
    assert answer.status_code == 200
    assert site.rows("select length(attributes::text) > 3000 from contacts") == [(True,)]
    listed = site.rows("select name from attribute_definitions order by name")
    assert listed == [("company",), ("company.seats",)]


def test_an_escaped_backslash_before_u0000_is_no_nul(site: Site) -> None:
    assert site.post("/v1/track", b'{"userId":"u","event":"e","properties":{"a":"\\\\u0000"}}').status_code == 200
    assert site.rows("select properties from events") == [({"a": "\\u0000"},)]


def test_sizes_are_bounded(site: Site) -> None:
    large = track(properties={"text": "x" * 33_000})
    assert site.post("/v1/track", large).status_code == 413
    answer = site.post("/v1/batch", {"batch": [track(), large]})
    assert answer.status_code == 413
    assert b"batch[1]" in answer.data
    many = [track(messageId=str(n), properties={"text": "x" * 20_000}) for n in range(26)]
    assert site.post("/v1/batch", {"batch": many}).status_code == 413
    assert site.post("/v1/batch", {"batch": many[:20]}).status_code == 200


def test_gzip_is_unpacked_within_bounds(site: Site) -> None:
    headers = {"Content-Encoding": "gzip"}
    good = gzip.compress(json.dumps({"batch": [track()]}).encode())
    assert site.post("/v1/batch", good, headers=headers).status_code == 200
    assert site.post("/v1/batch", gzip.compress(b" " * 100_000_000), headers=headers).status_code == 413
    assert site.post("/v1/batch", good[:-9], headers=headers).status_code == 400
    assert site.post("/v1/batch", b"plain", headers=headers).status_code == 400
    assert site.post("/v1/batch", b"{}", headers={"Content-Encoding": "br"}).status_code == 415


def test_browsers_send_text_and_any_origin_may(site: Site) -> None:
    body = json.dumps(track(writeKey=site.key)).encode()
    answer = site.post("/v1/t", body, auth=None, content_type="text/plain", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    asked = site.client.options("/v1/t", headers={"Origin": "https://shop.example"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Methods"]) == (204, "POST")
    assert site.client.get("/v1/t").status_code == 405


def test_a_wrong_device_clock_does_not_count(site: Site) -> None:
    call = track(timestamp="2019-05-01T10:00:00Z", sentAt="2019-05-01T10:30:00Z")
    assert site.post("/v1/track", call).status_code == 200
    late = "select extract(epoch from received_at - occurred_at)::float from events where message_id = "
    assert site.rows(late + "'m1'") == [(1800.0,)]
    batch = {"batch": [track(messageId="m2", timestamp="2019-05-01T10:00:00+02:00")], "sentAt": "2019-05-01T08:01:00Z"}
    assert site.post("/v1/batch", batch).status_code == 200
    assert site.rows(late + "'m2'") == [(60.0,)]


def test_without_sent_at_the_timestamp_holds_and_without_both_the_receipt(site: Site) -> None:
    site.post("/v1/track", track(timestamp="2024-05-01T10:00:00.123Z"))
    site.post("/v1/track", track(messageId="m2"))
    assert site.rows("select occurred_at = '2024-05-01 10:00:00.123+00' from events where message_id = 'm1'") == [
        (True,)
    ]
    assert site.rows("select occurred_at = received_at from events where message_id = 'm2'") == [(True,)]


def test_on_a_simulated_clock_events_happen_at_its_time(site: Site) -> None:
    moment = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    with site.database.transaction() as session:
        clock.set_virtual(session, moment)
    site.post("/v1/track", track())
    site.post("/v1/track", track(messageId="m2", timestamp="2026-03-01T11:00:00Z", sentAt="2026-11-01T00:00:00Z"))
    assert site.rows("select occurred_at, received_at from events order by message_id") == [
        (moment, moment), (moment - dt.timedelta(hours=1), moment),
    ]  # fmt: skip


def test_a_commit_rings_the_doorbell(site: Site) -> None:
    site.post("/v1/track", track())
    until = time.monotonic() + 5
    while not site.rings and time.monotonic() < until:
        time.sleep(0.01)
    assert site.rings


def test_other_addresses_reach_flask(site: Site) -> None:
    for path in ("/", "/v1", "/v1/contacts", "/v1/tracks", "/v1/track/", "/o", "/u"):
        assert site.client.get(path).headers.get("X-Reached") == "flask", path
