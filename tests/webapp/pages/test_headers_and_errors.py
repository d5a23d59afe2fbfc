"""Security headers, and errors that say what happened and what to do."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.db import Database
from engine.model import Webhook
from engine.settings import Settings
from engine.webhooks import endpoints
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post
from tests.webapp.pages.sample import Shop
from webapp.app import create_app


def directives(policy: str) -> dict[str, str]:
    """A Content-Security-Policy by directive."""
    return {name: value for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))}


def test_every_script_and_style_of_a_page_carries_the_nonce_of_its_answer(marketer: FlaskClient) -> None:
    answer = marketer.get("/")
    policy = directives(answer.headers["Content-Security-Policy"])
    nonce = re.search(r"'nonce-([^']+)'", policy["script-src"])
    assert nonce
    for tag in re.findall(r"<script[^>]*>|<link rel=\"stylesheet\"[^>]*>", answer.text):
        assert f'nonce="{nonce[1]}"' in tag
    assert nonce[1] not in marketer.get("/").text


def test_the_policy_lets_nothing_in_that_is_not_ours(marketer: FlaskClient) -> None:
    policy = directives(marketer.get("/").headers["Content-Security-Policy"])
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in str(policy)
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'self'")


def test_the_settings_tell_which_webhooks_fail_and_since_when(marketer: FlaskClient, shop_database: Database) -> None:
    with shop_database.transaction() as session:
        endpoints.add(session, "crm/task", "https://crm.example/", (b"key",))
    assert ">Works<" in marketer.get("/settings").text
    with shop_database.transaction() as session:
        failing = session.get_one(Webhook, "crm/task")
        failing.failing_since, failing.error = dt.datetime(2026, 3, 2, tzinfo=dt.UTC), "the receiver answered 503"
    page = marketer.get("/settings").text
    assert "Fails" in page and "the receiver answered 503" in page and ">Works<" not in page


@pytest.mark.parametrize("path", ["/", "/contacts", "/journeys/welcome", "/reports/roi", "/mailbox", "/settings"])
def test_pages_have_no_inline_styles_and_handlers(marketer: FlaskClient, path: str) -> None:
    page = marketer.get(path).text
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)


def test_answers_are_not_guessed_framed_or_kept(marketer: FlaskClient) -> None:
    headers = marketer.get("/contacts").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"
    assert "Strict-Transport-Security" not in headers
    secure = marketer.get("/contacts", base_url="https://localhost").headers
    assert "max-age=31536000" in secure["Strict-Transport-Security"]


def test_a_mail_is_shown_in_a_sandbox_where_no_script_runs(marketer: FlaskClient, shop: Shop) -> None:
    answer = marketer.get(f"/mailbox/{shop.email}/body")
    policy = directives(answer.headers["Content-Security-Policy"])
    assert "allow-scripts" not in policy["sandbox"] and "allow-same-origin" not in policy["sandbox"]
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert 'sandbox="allow-popups' in marketer.get(f"/mailbox/{shop.email}").text


def test_built_files_are_kept_for_good(marketer: FlaskClient) -> None:
    style = re.search(r'href="(/static/dist/assets/[^"]+)"', marketer.get("/").text)
    assert style
    answer = marketer.get(style[1])
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/nobody", "/journeys/none", "/segments/none", "/mailbox/none"])
def test_what_is_not_there_is_explained_with_a_reference(marketer: FlaskClient, path: str) -> None:
    answer = marketer.get(path)
    assert answer.status_code == 404
    assert answer.headers["X-Request-ID"] in answer.text


def test_programs_get_problem_json(marketer: FlaskClient) -> None:
    answer = marketer.get("/segments/none", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 404
    assert answer.json["instance"] == answer.headers["X-Request-ID"]
    assert "“none”" in answer.json["detail"]


def test_a_broken_cursor_is_the_callers_mistake(marketer: FlaskClient, shop: Shop) -> None:
    assert marketer.get("/contacts?after=x").status_code == 422
    assert marketer.get(f"/contacts/{shop.contact}/timeline?before=yesterday").status_code == 422


def test_a_fault_of_ours_shows_no_trace(app: Flask, marketer: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.view_functions, "pages.settings", lambda: 1 / 0)
    answer = marketer.get("/settings")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_site_that_writes_to_few_people_only_says_so_on_its_pages(shop_database: Database, shop: Shop) -> None:
    app = create_app(shop_database, None, Settings(allowed_recipients="@cairn.example"))
    client = at_work(app, shop_database, sample.MARKETER)
    for path in ("/", "/contacts", f"/contacts/{shop.contact}", "/settings", "/journeys"):
        assert "This site writes to @cairn.example only." in client.get(path).text


def test_without_the_database_pages_say_so_and_ask_to_come_back(postgres_url: str) -> None:
    gone = Database(re.sub(r"host=[^&]+", "host=/nowhere", postgres_url), workspace="gone")
    answer = create_app(gone, None, Settings()).test_client().get("/sign-in?next=/")
    assert answer.status_code == 200
    client = create_app(gone, None, Settings()).test_client()
    found = re.search(r'csrf-token" content="([^"]+)"', client.get("/sign-in").text)
    assert found
    answer = client.post("/sign-in", data={"csrf_token": found[1], "email": "a@b.example", "password": "x"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database is away" in answer.text


@pytest.mark.parametrize("folder", ["contacts", "journeys", "segments", "mailbox"])
def test_nothing_has_a_name_with_nul(marketer: FlaskClient, folder: str) -> None:
    assert marketer.get(f"/{folder}/a%00b").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/revenue.json?journey=%00", 200),
        ("/sign-in?next=//[", 302),
        ("/contacts/HERO/timeline?before=2026-01-01T00:00:00%2B23:59", 200),
        ("/contacts/HERO/timeline?before=2026-01-01T00:00:00%2B00:00:00.000001", 200),
        ("/contacts/HERO/timeline?before=0001-01-01T00:00:00%2B14:00", 422),
    ],
)
def test_values_that_the_database_or_the_library_refuses(
    marketer: FlaskClient, shop: Shop, path: str, status: int
) -> None:
    assert marketer.get(path.replace("HERO", shop.contact)).status_code == status


def test_forms_with_nul_are_read_without_it(marketer: FlaskClient, visitor: FlaskClient) -> None:
    assert post(visitor, "/sign-in", email="a\0b", password="x").status_code == 401
    answer = post(marketer, "/segments/-/new", name="With\0 nul", rule='plan is "pro"')
    assert answer.status_code == 302 and answer.location.endswith("/segments/with-nul")
