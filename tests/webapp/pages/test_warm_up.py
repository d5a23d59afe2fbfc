"""The page of warm-ups."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from engine.db import Database
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post

PATH = "/settings/senders/-/warm-up"
PLAN = {"of": "workspace", "first": "50", "growth": "2", "until": "50000"}


def test_a_warm_up_is_begun_seen_and_ended(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    assert "Nothing is warmed up" in admin.get(PATH).text
    assert post(admin, PATH, **PLAN).status_code == 302
    assert post(admin, PATH, **PLAN | {"domain": "gmail.com", "first": "20", "growth": "1,5"}).status_code == 302
    page = admin.get(PATH).text.replace("&nbsp;", " ")
    assert "0 of 50" in page and "0 of 20" in page and "gmail.com" in page and "1 of 10" in page
    assert "day 1 of 10" in admin.get("/settings/senders/workspace").text
    assert "0 of 50" in admin.get("/settings/senders").text
    assert post(admin, f"{PATH}/end", name="workspace").status_code == 302
    assert post(admin, f"{PATH}/end", name="workspace/gmail.com").status_code == 302
    assert post(admin, f"{PATH}/end", name="workspace").status_code == 404
    assert "Nothing is warmed up" in admin.get(PATH).text


def test_a_plan_that_is_none_is_refused_and_stays_in_the_form(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    refused = post(admin, PATH, **PLAN | {"growth": "1"})
    assert refused.status_code == 422 and "does not grow" in refused.text and 'value="50000"' in refused.text
    assert post(admin, PATH, **PLAN | {"of": "nobody"}).status_code == 422
    assert post(admin, PATH, **PLAN | {"of": ""}).status_code == 422


def test_only_administrators_change_it(marketer: FlaskClient, viewer: FlaskClient) -> None:
    for client in (marketer, viewer):
        assert "Save plan" not in client.get(PATH).text
        assert post(client, PATH, **PLAN).status_code == 403
        assert post(client, f"{PATH}/end", name="workspace").status_code == 403
