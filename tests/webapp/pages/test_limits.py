"""Limits on the settings page."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from engine import workspace
from engine.db import Database
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post


def test_administrators_set_caps_and_quiet_hours(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    given = {"cap email": " 3 per  week", "quiet email": "22:00-7:00"}
    assert post(admin, "/settings/limits", **given).status_code == 302
    with shop_database.transaction() as session:
        known = workspace.load(session)
    assert (known.caps["email"], known.quiet_hours["email"]) == ("3 per week", "22:00-07:00")
    assert 'value="22:00-07:00"' in admin.get("/settings").text
    refused = post(admin, "/settings/limits", **{"cap email": "", "quiet email": "at night"})
    assert refused.status_code == 422
    assert "at night" in refused.text
    with shop_database.transaction() as session:
        assert workspace.load(session).caps["email"] == "3 per week"
    assert post(admin, "/settings/limits", **{"cap email": "", "quiet email": ""}).status_code == 302
    with shop_database.transaction() as session:
        assert "email" not in workspace.load(session).caps


def test_others_only_see_them(marketer: FlaskClient, viewer: FlaskClient) -> None:
    for client in (marketer, viewer):
        assert post(client, "/settings/limits", **{"cap email": "1 per day"}).status_code == 403
        assert "Save limits" not in client.get("/settings").text


def test_countries_without_tracking_are_set_and_what_is_held_back_is_shown(
    app: Flask, shop_database: Database, viewer: FlaskClient
) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    assert post(admin, "/settings/limits", untracked="Germany").status_code == 422
    assert post(admin, "/settings/limits", untracked="de, fr de").status_code == 302
    row = "(0, '', 'email', current_date, 'cap', 4321)"
    with shop_database.transaction() as session:
        assert workspace.load(session).untracked_countries == ("DE", "FR")
        columns = "journey_id, step_id, channel, day, reason, messages"
        session.execute(text(f"insert into withheld_rollups ({columns}) values {row}"))
    page = viewer.get("/reports/limits").text
    assert "4,321" in page and "Over a cap" in page and "DE, FR" in page and "Change them" not in page
    assert post(admin, "/settings/limits", untracked="").status_code == 302
    with shop_database.transaction() as session:
        assert workspace.load(session).untracked_countries == ()
