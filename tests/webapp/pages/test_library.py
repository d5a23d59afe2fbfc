"""The library: looking at stock journeys, and using one."""

from __future__ import annotations

from flask.testing import FlaskClient

from engine.db import Database
from engine.model import Content, Journey, Segment
from tests.webapp.pages.conftest import post
from webapp import library


def test_all_twelve_are_shown_with_what_they_send_and_need(marketer: FlaskClient) -> None:
    page = marketer.get("/journeys/-/library").text
    for one in library.stock():
        assert f'href="/journeys/-/library/{one.slug}"' in page and one.audience in page
    assert "3 emails" in page and "1 text message" in page and "events received" in page


def test_every_one_is_shown_with_its_steps_and_messages(marketer: FlaskClient) -> None:
    for one in library.stock():
        page = marketer.get(f"/journeys/-/library/{one.slug}").text
        for message in one.messages:
            assert str(message.source.title) in page.replace("&#39;", "'")
        assert page.count("<iframe") == sum(message.channel == "email" for message in one.messages)
    assert "not received yet" in page or "received" in page


def test_an_email_is_shown_alone_and_without_scripts(marketer: FlaskClient) -> None:
    answer = marketer.get("/journeys/-/library/abandoned-cart/cart-reminder")
    assert "Still here, as you left it." in answer.text and "Kochere, washed" in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for path in ("abandoned-cart/cart-text", "abandoned-cart/welcome", "nothing", "..%2Fwelcome"):
        assert marketer.get(f"/journeys/-/library/{path}").status_code == 404


def test_using_one_makes_a_draft_with_contents_and_segments(marketer: FlaskClient, shop_database: Database) -> None:
    answer = post(marketer, "/journeys/-/library/re-permission", site="https://shop.example", accent="#9a3412")
    assert answer.location == "/journeys/re-permission/text"
    page = marketer.get("/journeys/re-permission/text").text
    assert "Nothing is sent until you publish it" in page and "Error, line" not in page
    with shop_database.transaction() as session:
        assert session.query(Journey).filter_by(slug="re-permission").one().state == "draft"
        assert session.query(Content).filter(Content.slug.like("permission-%")).count() == 3
        assert session.query(Segment).filter_by(slug="asleep").count() == 1
    post(marketer, "/journeys/-/library/re-permission")
    assert "were there already" in marketer.get("/journeys/re-permission/text").text


def test_a_colour_that_cannot_be_read_is_refused_and_kept_in_the_form(marketer: FlaskClient) -> None:
    answer = post(marketer, "/journeys/-/library/nps", site="https://shop.example", accent="#ffcc00")
    assert answer.status_code == 422
    assert "contrast of 1.5 to 1" in answer.text and 'value="#ffcc00"' in answer.text


def test_viewers_look_and_do_not_use(viewer: FlaskClient) -> None:
    assert "Use this journey" not in viewer.get("/journeys/-/library/nps").text
    assert post(viewer, "/journeys/-/library/nps").status_code == 403
