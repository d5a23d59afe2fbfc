"""Segments: rules are checked while they are written, and saved only when they read."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from engine.db import Database
from engine.model import Contact, Segment
from tests.webapp.pages.conftest import post, token
from tests.webapp.pages.sample import Shop
from webapp.pages.segments import slug_of


def test_the_list_names_rule_and_size(marketer: FlaskClient) -> None:
    page = marketer.get("/segments").text
    assert "VIP customers" in page
    assert "purchased at least 3 times" in page


def test_a_rule_is_counted_live_with_its_canonical_form(
    marketer: FlaskClient, shop_database: Database, shop: Shop
) -> None:
    with shop_database.transaction() as session:
        expected = session.query(Contact).filter(Contact.attributes["plan"].as_string() == "pro").count()
    page = post(marketer, "/segments/-/check", rule='(plan   is "pro") and created_at is set').text
    assert f">{expected} <" in page
    assert "plan is &#34;pro&#34; and created_at is set" in page


def test_a_wrong_rule_names_line_and_column(marketer: FlaskClient) -> None:
    page = post(marketer, "/segments/-/check", rule='plan is "pro"\nand frob ~ 3').text
    assert "Error, line 2, column 10" in page
    assert 'data-jump-line="2"' in page


def test_a_wrong_rule_is_not_saved_and_not_lost(marketer: FlaskClient, shop_database: Database) -> None:
    answer = post(marketer, "/segments/-/new", name="Broken", rule="plan is is")
    assert answer.status_code == 422
    assert "plan is is</textarea>" in answer.text
    with shop_database.transaction() as session:
        assert session.query(Segment).filter_by(slug="broken").count() == 0


def test_a_saved_segment_asks_for_a_refresh(marketer: FlaskClient, shop_database: Database) -> None:
    assert post(marketer, "/segments/-/new", name="Big spenders", rule="lifetime_value > 600").location
    answer = post(marketer, "/segments/big-spenders", name="Big spenders", rule="lifetime_value > 650")
    assert answer.location == "/segments/big-spenders"
    with shop_database.transaction() as session:
        saved = session.query(Segment).filter_by(slug="big-spenders").one()
        assert (saved.rule, saved.stale) == ("lifetime_value > 650", True)
        session.delete(saved)


def test_two_segments_cannot_be_called_the_same(marketer: FlaskClient) -> None:
    answer = post(marketer, "/segments/-/new", name="Pro Plan!", rule='plan is "pro"')
    assert answer.status_code == 422
    assert "There is already a segment" in answer.text


@pytest.mark.parametrize(
    ("name", "slug"), [("Großkunden EU", "grosskunden-eu"), ("  A/B  ", "a-b"), ("東京", ""), ("x" * 90, "x" * 64)]
)
def test_slugs_are_plain(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_segment_that_reads_itself_is_refused(marketer: FlaskClient, shop_database: Database) -> None:
    post(marketer, "/segments/-/new", name="Loop", rule='plan is "pro"')
    answer = post(marketer, "/segments/loop", name="Loop", rule='not in segment "loop"')
    assert answer.status_code == 422
    assert "the segment reads itself" in answer.text
    with shop_database.transaction() as session:
        assert session.query(Segment).filter(Segment.slug == "loop").one().rule == 'plan is "pro"'


def test_a_count_that_takes_too_long_is_given_up(
    marketer: FlaskClient, shop_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.rule_check.PATIENCE", "50ms")
    form = {"csrf_token": token(marketer), "rule": "purchased at least 1 time"}
    with shop_database.transaction() as session:
        session.execute(text("lock table contacts in access exclusive mode"))
        page = marketer.post("/segments/-/check", data=form).text
    assert "takes longer than two seconds" in page
    assert "purchased at least 1 time" in page
