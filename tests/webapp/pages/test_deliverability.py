"""Deliverability: what came back, streams that wait, addresses that are left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from engine.db import Database
from engine.receipts import streams
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.signing import signer
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post

NOW = dt.datetime.now(dt.UTC)
STREAM = "domain:hello@cairn.example>gmail.example"


@pytest.fixture
def paused(shop_database: Database) -> Iterator[str]:
    with shop_database.transaction() as session:
        streams.pause(session, STREAM, "gmail.example refuses it by policy: <b>5.7.1</b> blocked", "breaker", NOW)
        unknown = Receipt("mail", "u", "hard", recipient="<i>x</i>@example.net", reason="no <such> user")
        store(session, [unknown], NOW, signer())
    yield STREAM
    with shop_database.transaction() as session:
        session.execute(text("delete from stream_pauses"))


@pytest.mark.parametrize("page", ["/", "/deliverability"])
def test_a_paused_stream_is_shown_with_its_reason_and_goes_on_by_one_click(
    marketer: FlaskClient, shop_database: Database, paused: str, page: str
) -> None:
    shown = marketer.get(page).text
    assert "Paused: mail from hello@cairn.example to gmail.example" in shown
    assert "&lt;b&gt;5.7.1&lt;/b&gt; blocked" in shown
    assert post(marketer, "/deliverability/resume", stream=paused).status_code == 302
    assert "Paused:" not in marketer.get(page).text
    with shop_database.transaction() as session:
        assert streams.listed(session) == []
    assert post(marketer, "/deliverability/resume", stream=paused).status_code == 404


def test_viewers_see_it_and_cannot_resume(viewer: FlaskClient, paused: str) -> None:
    shown = viewer.get("/deliverability").text
    assert "Paused:" in shown
    assert "Resume" not in shown
    assert post(viewer, "/deliverability/resume", stream=paused).status_code == 403


def test_what_names_no_message_is_shown_as_text(marketer: FlaskClient, paused: str) -> None:
    shown = marketer.get("/deliverability").text
    assert "&lt;i&gt;x&lt;/i&gt;@example.net" in shown
    assert "no &lt;such&gt; user" in shown


def test_an_address_is_looked_up_and_an_administrator_allows_it_again_with_a_reason(
    app: Flask, marketer: FlaskClient, shop_database: Database
) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    key = signer().address_hmac("email", "Gone@example.net")
    with shop_database.transaction() as session:
        session.execute(text("insert into suppressions values (:key, 'email', 'soft_bounce', now())"), {"key": key})
    asked = "/deliverability?address=gone@EXAMPLE.net"
    assert "left alone on email: soft bounce" in marketer.get(asked).text
    assert "is not suppressed" in marketer.get("/deliverability?address=else@example.net").text
    form = {"address": "gone@example.net", "channel": "email", "reason": "they called us"}
    path = "/deliverability/suppressions"
    assert post(marketer, path, **form).status_code == 403
    assert post(admin, path, **(form | {"reason": " "})).status_code == 422
    assert post(admin, path, **form).status_code == 302
    assert "is not suppressed" in admin.get(asked).text
    assert post(admin, path, **form).status_code == 404
    with shop_database.transaction() as session:
        detail = session.execute(text("select detail from audit_log where action = 'suppression removed'")).scalar_one()
    assert (detail["was"], detail["why"]) == ("soft_bounce", "they called us")
