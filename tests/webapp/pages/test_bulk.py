"""Lists and journeys for everybody in a segment: first how many, then done."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from engine import clock, segments
from engine.contacts import lists
from engine.db import Database
from engine.model import Contact
from engine.segments.refresh import refresh
from journeys.publish import publish
from tests.journeys.runtime.world import journey
from tests.webapp.pages.conftest import post
from workers import pipeline

RULE = 'crowd is "bulk"'
STEPS = """
- wait: 1 day
  id: rest
"""


@pytest.fixture(scope="module")
def crowd(shop_database: Database, shop: object) -> str:
    """A segment of three, one of whom is on the list `bulk-list`, and a journey."""
    with shop_database.transaction() as session:
        people = [{"external_id": f"bulk-{number}", "attributes": {"crowd": "bulk"}} for number in range(3)]
        ids = list(session.execute(insert(Contact).returning(Contact.id), people).scalars())
        segments.save(session, "bulk", RULE, "Bulk")
        lists.create(session, "bulk-list")
        lists.put_on(session, ["bulk-list"], ids[:1], clock.now(session))
        publish(session, journey(STEPS, slug="bulk-journey", enter="api: true"), clock.now(session), "test")
    with shop_database.transaction() as session:
        refresh(session, "bulk", clock.now)
    return "bulk"


def test_the_count_comes_before_the_deed(marketer: FlaskClient, shop_database: Database, crowd: str) -> None:
    assert "Put on…" in marketer.get("/segments/bulk").text
    before = marketer.get("/segments/bulk/people?what=on&target=bulk-list").text
    assert "Put on the list: 2" in before
    post(marketer, "/segments/bulk/people", what="on", target="bulk-list")
    assert "3 on it" in marketer.get("/lists/bulk-list").text
    assert "There is nobody to do it with" in marketer.get("/segments/bulk/people?what=on&target=bulk-list").text
    post(marketer, "/segments/bulk/people", what="off", target="bulk-list")
    assert "Nobody is on it" in marketer.get("/lists/bulk-list").text
    with shop_database.transaction() as session:
        noted = "select action, detail from audit_log where object = 'list bulk-list' order by id"
        assert [tuple(row) for row in session.execute(text(noted))] == [
            ("put on", {"segment": "bulk", "contacts": 2}),
            ("taken off", {"segment": "bulk", "contacts": 3}),
        ]


def test_a_segment_enters_a_journey_once_and_leaves_it(
    marketer: FlaskClient, shop_database: Database, crowd: str
) -> None:
    assert "Let into the journey: 3" in marketer.get("/segments/bulk/people?what=enter&target=bulk-journey").text
    for _ in range(2):
        post(marketer, "/segments/bulk/people", what="enter", target="bulk-journey", key="pressed twice")
    pipeline.advance(shop_database)
    entered = """select e.status, count(*) from enrolments e join journeys j on j.id = e.journey_id
        where j.slug = 'bulk-journey' group by 1"""
    with shop_database.transaction() as session:
        assert [tuple(row) for row in session.execute(text(entered))] == [("active", 3)]
    assert "Take out of the journey: 3" in marketer.get("/segments/bulk/people?what=leave&target=bulk-journey").text
    post(marketer, "/segments/bulk/people", what="leave", target="bulk-journey")
    with shop_database.transaction() as session:
        assert [tuple(row) for row in session.execute(text(entered))] == [("exited", 3)]
    again = marketer.get("/segments/bulk/people?what=enter&target=bulk-journey").text
    assert "Who was in it before does not enter again" in again and "There is nobody to do it with" in again


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("what=on&target=nothing", 404),
        ("what=enter&target=nothing", 404),
        ("what=drop&target=bulk-list", 422),
        ("what=on&target=", 422),
    ],
)
def test_what_is_not_there_is_said(marketer: FlaskClient, crowd: str, query: str, status: int) -> None:
    assert marketer.get(f"/segments/bulk/people?{query}").status_code == status
    assert (
        post(marketer, "/segments/bulk/people", **dict(part.split("=") for part in query.split("&"))).status_code
        == status
    )


def test_who_may_only_look_does_nothing(viewer: FlaskClient, crowd: str) -> None:
    assert "Put on…" not in viewer.get("/segments/bulk").text
    assert post(viewer, "/segments/bulk/people", what="on", target="bulk-list").status_code == 403
