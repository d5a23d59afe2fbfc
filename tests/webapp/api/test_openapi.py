"""What `/openapi.json` says is what the server does: every answer has a documented status and the documented form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sqlalchemy import insert

from engine import clock, users
from engine.contacts import lists
from engine.model import Contact
from journeys.publish import publish
from tests.conftest import drop, new_database
from tests.engine.messages.ledger import save
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz
from tests.fuzz.test_calls import as_bytes
from tests.journeys.runtime.world import journey
from tests.webapp.calling import Site, serving
from webapp.api.keys import SCOPES
from webapp.api.openapi import document

DOCUMENT = document()
OPERATIONS = [(path, method) for path, found in DOCUMENT["paths"].items() for method in found]
THERE = {"{token}": "abc", "{id}": "u1"}
GOOD: dict[str, Any] = {
    "/v1/track": {"userId": "u1", "event": "Signed Up"},
    "/v1/page": {"userId": "u1", "name": "Home"},
    "/v1/screen": {"userId": "u1", "name": "Home"},
    "/v1/identify": {"userId": "u1", "traits": {"plan": "pro"}},
    "/v1/group": {"userId": "u1", "groupId": "g1"},
    "/v1/alias": {"userId": "u1", "previousId": "u0"},
    "/v1/batch": {"batch": [{"type": "track", "userId": "u1", "event": "Signed Up"}]},
    "/v1/journeys/{name}/enter": {"userId": "u1"},
    "/v1/journeys/{name}/leave": {"userId": "u1"},
    "/v1/lists/{name}/add": {"contacts": ["u1"]},
    "/v1/lists/{name}/remove": {"contacts": ["u1"]},
    "/v1/consent": {"userId": "u1", "state": "subscribed"},
    "/v1/messages": {"content": "receipt", "to": {"email": "ann@x.example"}},
}
BAD: list[Any] = [
    {},
    [],
    None,
    "x",
    7,
    {"userId": 7},
    {"messageId": "x" * 400},
    {"contacts": "u1", "to": 1, "batch": 1},
]


@pytest.fixture(scope="module")
def site(postgres_url: str) -> Iterator[Site]:
    database = new_database(postgres_url)
    with serving(database) as made:
        with database.transaction() as session:
            made.key = users.create_api_key(session, "all", SCOPES)
            session.execute(insert(Contact), {"external_id": "u1", "email": "u1@x.example"})
            lists.create(session, "orders")
            save(session, "receipt", source="---\nsubject: Receipt\n---\n<html><body><p>Thanks</p></body></html>")
            publish(
                session,
                journey("- wait: 1 day\n  id: rest\n", slug="orders", enter="api: true"),
                clock.now(session),
                "t",
            )
        yield made
    drop(database)


def call(site: Site, path: str, method: str, body: Any, key: str) -> int:
    """Make the call; its status, once the answer was found to be a documented one."""
    address = path.replace("{name}", "orders")
    for name, value in THERE.items():
        address = address.replace(name, value)
    query = {"journey": "orders"} if path.endswith("/explain") else {}
    data = body if isinstance(body, bytes) else as_bytes(body)
    answer = site.client.open(
        address, method=method.upper(), data=data, query_string=query, auth=(key, "") if key else None
    )
    documented = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status_code) in documented, (path, answer.status_code, answer.get_data(as_text=True))
    schema = documented[str(answer.status_code)]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json)
    return answer.status_code


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_answer_is_a_documented_one(site: Site, path: str, method: str) -> None:
    assert call(site, path, method, {}, "") == 401
    assert call(site, path, method, {}, "unknown") == 401
    for body in BAD:
        call(site, path, method, body, site.key)
    call(site, path, method, b"{", site.key)
    if path in GOOD:
        assert call(site, path, method, GOOD[path], site.key) in (200, 202)


def test_a_call_that_can_be_made_stands_in_the_document() -> None:
    assert set(GOOD) == {path for path, method in OPERATIONS if method == "post"} - {"/v1/receipts/raw"}
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@fuzz(60)
@given(st.sampled_from(OPERATIONS), hostile.values)
def test_whatever_is_sent_gets_a_documented_answer(site: Site, operation: tuple[str, str], body: Any) -> None:
    call(site, *operation, body, site.key)
