"""Signing in, and what is closed to those who have not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import users
from engine.db import Database
from engine.settings import Settings
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import post, token
from tests.webapp.pages.sample import Shop
from webapp.app import create_app
from webapp.auth import limits
from webapp.auth.limits import storage

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "\t//evil.example",
    "/\n/evil.example",
    "evil.example",
    "",
)


@pytest.mark.parametrize(
    "path", ["/", "/contacts", "/journeys", "/segments", "/reports/roi.csv", "/mailbox", "/settings"]
)
def test_pages_ask_for_sign_in_and_remember_where_one_wanted_to_go(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 302
    assert answer.location == f"/sign-in?next={path}"


def test_htmx_is_told_to_move_the_whole_page_to_the_sign_in(visitor: FlaskClient) -> None:
    answer = visitor.get("/contacts", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_the_right_password_leads_where_one_wanted_to_go(visitor: FlaskClient) -> None:
    answer = post(visitor, "/sign-in", email=sample.ADMIN, password=sample.PASSWORD, next="/contacts?q=ada")
    assert answer.location == "/contacts?q=ada"
    assert visitor.get("/contacts").status_code == 200


@pytest.mark.parametrize("target", ELSEWHERE)
def test_next_never_leads_to_another_site(visitor: FlaskClient, target: str) -> None:
    answer = post(visitor, "/sign-in", email=sample.ADMIN, password=sample.PASSWORD, next=target)
    assert answer.location == "/"


@pytest.mark.parametrize("email", [sample.ADMIN, "nobody@cairn.example"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_words(visitor: FlaskClient, email: str) -> None:
    answer = post(visitor, "/sign-in", email=email, password="wrong wrong wrong")
    assert answer.status_code == 401
    assert "That address and password do not match." in answer.text


def test_wrong_passwords_are_put_off_after_a_few_and_right_ones_count_for_nothing(
    shop_database: Database, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ATTEMPTS_BY_ACCOUNT", "2 per 5 minutes")
    client = create_app(shop_database, None, Settings()).test_client()

    def attempt(password: str) -> int:
        return post(client, "/sign-in", email=sample.VIEWER, password=password).status_code

    for _ in range(3):
        assert attempt(sample.PASSWORD) == 302
        post(client, "/sign-out")
    assert [attempt("wrong") for _ in range(3)] == [401, 401, 429]


def test_a_form_without_the_token_is_refused(visitor: FlaskClient) -> None:
    answer = visitor.post("/sign-in", data={"email": sample.ADMIN, "password": sample.PASSWORD})
    assert answer.status_code == 400
    assert "This page is out of date" in answer.text


def test_the_token_may_come_as_a_header(marketer: FlaskClient) -> None:
    headers = {"X-CSRFToken": token(marketer), "HX-Request": "true"}
    assert marketer.post("/segments/-/check", data={"rule": 'plan is "pro"'}, headers=headers).status_code == 200


def test_signing_out_ends_the_session(marketer: FlaskClient) -> None:
    assert post(marketer, "/sign-out").location == "/sign-in"
    assert marketer.get("/contacts").status_code == 302


def test_a_new_password_ends_all_other_sessions(
    shop_database: Database, sign_in: Callable[..., FlaskClient], app: Flask
) -> None:
    with shop_database.transaction() as session:
        users.create(session, "pia@cairn.example", sample.PASSWORD)
    here, there = sign_in("pia@cairn.example"), sign_in("pia@cairn.example")
    assert post(here, "/password", current=sample.PASSWORD, new="another long password").status_code == 302
    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302


def test_the_own_password_needs_the_current_one(marketer: FlaskClient) -> None:
    answer = post(marketer, "/password", current="wrong", new="another long password")
    assert answer.status_code == 422
    assert "the current password is not right" in answer.text


def test_viewers_see_everything_and_change_nothing(viewer: FlaskClient) -> None:
    assert viewer.get("/segments/pro-plan").status_code == 200
    answer = post(viewer, "/segments/-/new", name="Mine", rule='plan is "pro"')
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.text
    assert viewer.get("/segments/mine").status_code == 404


def test_the_cookie_is_kept_from_scripts_and_other_sites(visitor: FlaskClient) -> None:
    answer = post(visitor, "/sign-in", email=sample.ADMIN, password=sample.PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("cairn_")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_limits_are_kept_in_redis_also_behind_a_socket() -> None:
    assert storage(None) == "memory://"
    assert storage("redis://localhost:6379/0") == "redis://localhost:6379/0"
    assert storage("unix:///tmp/redis.sock?db=0") == "redis+unix:///tmp/redis.sock?db=0"
