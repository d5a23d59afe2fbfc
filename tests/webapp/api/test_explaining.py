"""Programs that ask why a contact got something or not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from engine import clock, users
from engine.contacts.find import find
from engine.db import Database
from engine.settings import Settings
from journeys.explain import as_json, explain_journey
from journeys.publish import publish
from tests.journeys.runtime.world import journey
from tests.webapp.calling import SIGNER, Site, serving
from webapp.api.openapi import document
from webapp.app import create_app


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        with database.transaction() as session:
            publish(session, journey("- wait: 1 day\n  id: rest", slug="hello"), clock.now(session), "test")
            opened.key = users.create_api_key(session, "reader", ("read",))
            opened.writing = users.create_api_key(session, "writer")  # type: ignore[attr-defined]
        opened.post("/v1/identify", {"userId": "anna/ü"}, auth=(opened.writing, ""))  # type: ignore[attr-defined]
        yield opened


def get(site: Site, path: str, key: str | None = None) -> TestResponse:
    return site.client.get(path, headers={"Authorization": f"Bearer {key or site.key}"})


def test_the_answer_is_what_the_command_line_prints(site: Site) -> None:
    answer = get(site, "/v1/contacts/anna%2F%C3%BC/explain?journey=hello")
    with site.database.transaction() as session:
        found = find(session, "anna/ü")
        told = as_json(explain_journey(session, "hello", found.id, found.name, SIGNER, clock.now(session)))
    assert answer.status_code == 200 and answer.json == json.loads(json.dumps(told))
    assert answer.json["verdict"] == "Never entered. “Signed Up” never happened to this contact."


def test_a_key_that_may_only_write_is_told_what_to_do_and_one_that_reads_does_not_write(site: Site) -> None:
    refused = get(site, "/v1/contacts/anna/explain?journey=hello", site.writing)  # type: ignore[attr-defined]
    assert refused.status_code == 403 and "cairn keys create NAME --for read" in refused.json["message"]
    assert get(site, "/v1/contacts/anna/explain?journey=hello", "ck_unknown").status_code == 401
    assert site.post("/v1/identify", {"userId": "ben"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/contacts/nobody/explain?journey=hello", 404),
        ("/v1/contacts/anna%2F%C3%BC/explain?journey=nothing", 404),
        ("/v1/contacts/anna%2F%C3%BC/explain?journey=%00", 404),
        ("/v1/contacts/%FF%00/explain?journey=hello", 404),
        ("/v1/contacts/anna%2F%C3%BC/explain", 400),
    ],
)
def test_what_is_missing_has_a_reason(site: Site, path: str, status: int) -> None:
    answer = get(site, path)
    assert answer.status_code == status and answer.json["message"]


def test_nothing_can_be_posted(site: Site) -> None:
    assert site.post("/v1/contacts/anna/explain", {}).status_code == 405


def test_the_openapi_document_has_every_address_and_its_references_lead_somewhere(database: Database) -> None:
    app: Flask = create_app(database, None, Settings())
    served = app.test_client().get("/openapi.json").json
    assert served == json.loads(json.dumps(document())) and served["openapi"].startswith("3.1")
    assert {"/v1/track", "/v1/batch", "/v1/journeys/{name}/enter", "/v1/contacts/{id}/explain"} <= served[
        "paths"
    ].keys()
    for part in json.dumps(served).split('"$ref": "')[1:]:
        *_, kind, name = part.split('"')[0].split("/")
        assert name in served["components"][kind]
