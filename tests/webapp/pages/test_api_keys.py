"""API keys on the settings page."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from engine import clock, users
from engine.db import Database
from engine.model import ApiFailure, ApiKey
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post


def test_an_administrator_makes_a_key_sees_it_once_and_revokes_it(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    made = re.search(r"ck_[\w-]{20,}", post(admin, "/settings/keys", name="Helpdesk", scope="read").text)
    assert made and made[0] not in admin.get("/settings").text
    with shop_database.transaction() as session:
        assert users.api_keys(session)[users.key_hash(made[0])] == {"read"}
        key_id = session.query(ApiKey).filter_by(name="Helpdesk").one().id
    assert post(admin, f"/settings/keys/{key_id}/revoke").status_code == 302
    assert "Helpdesk" not in admin.get("/settings").text
    assert post(admin, f"/settings/keys/{key_id}/revoke").status_code == 404
    assert post(admin, "/settings/keys", name="x", scope="everything").status_code == 422
    assert post(admin, "/settings/keys", name=" ", scope="read").status_code == 422


def test_nobody_else_makes_or_revokes_keys(marketer: FlaskClient, viewer: FlaskClient) -> None:
    for client in (marketer, viewer):
        assert post(client, "/settings/keys", name="Mine", scope="read").status_code == 403
        assert post(client, "/settings/keys/1/revoke").status_code == 403
        assert "Make key" not in client.get("/settings").text


def test_calls_that_failed_are_shown(marketer: FlaskClient, shop_database: Database) -> None:
    assert "No call has failed" in marketer.get("/settings/calls").text
    with shop_database.transaction() as session:
        row = {
            "at": clock.now(session),
            "key_prefix": "ck_gone1",
            "method": "POST",
            "path": "/v1/<track>",
            "status": 400,
        }
        session.execute(insert(ApiFailure), row | {"message": "userId: is missing"})
    page = marketer.get("/settings/calls").text
    assert "POST /v1/&lt;track&gt;" in page and "ck_gone1…" in page and "userId: is missing" in page
