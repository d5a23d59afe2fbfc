"""Programs that let contacts into a journey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from engine import clock
from engine.db import Database
from journeys.publish import publish
from journeys.runtime import states
from tests.journeys.runtime.test_races import Thread
from tests.journeys.runtime.world import journey
from tests.webapp.calling import Site, serving
from webapp.api import enter
from workers import pipeline

STEPS = """
- branch: kind
  id: kind
  paths:
    - when: event.order is "A-1"
      do: [{set: {first: true}, id: first}]
- wait: 1 day
  id: rest
"""


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        yield opened


def make(site: Site, enter: str) -> None:
    with site.database.transaction() as session:
        publish(session, journey(STEPS, slug="orders", enter=enter), clock.now(session), "test")


def post(site: Site, key: str = "k1", slug: str = "orders", **more: Any) -> tuple[int, Any]:
    document = {"userId": "u1", "messageId": key, "properties": {"order": "A-1"}, **more}
    answer = site.post(f"/v1/journeys/{slug}/enter", document)
    return answer.status_code, answer.json


def test_a_call_enters_its_contact_once_with_its_properties(site: Site) -> None:
    make(site, "api: true, again: per event.order")
    assert post(site) == (200, {"success": True, "duplicate": False})
    assert post(site) == (200, {"success": True, "duplicate": True})
    assert post(site, "k2") == (200, {"success": True, "duplicate": False})  # another call for the same order
    assert post(site, "k3", properties={"order": "A-2"})[0] == 200
    pipeline.advance(site.database)
    assert post(site) == (200, {"success": True, "duplicate": True})
    pipeline.advance(site.database)
    entries = """
    select e.entry_key, e.trigger_message_id, c.external_id, c.attributes
    from enrolments e join contacts c on c.id = e.contact_id order by e.id
    """
    assert site.rows(entries) == [
        ("A-1", "api:orders:k1", "u1", {"first": True}),
        ("A-2", "api:orders:k3", "u1", {"first": True}),
    ]


def test_the_key_may_stand_in_the_header(site: Site) -> None:
    make(site, "api: true")
    for duplicate in (False, True):
        answer = site.post("/v1/journeys/orders/enter", {"userId": "u1"}, headers={"Idempotency-Key": "x"})
        assert answer.json == {"success": True, "duplicate": duplicate}


def test_what_cannot_be_is_refused_with_the_reason(site: Site) -> None:
    make(site, "on: Signed Up")
    status, said = post(site)
    assert (status, said["message"][:38]) == (409, "People do not enter `orders` by call. ")
    assert post(site, slug="other")[0] == 404
    make(site, "api: true")
    assert post(site, userId=7)[0] == 400
    assert post(site, userId=None)[0] == 400
    assert post(site, properties=[1])[0] == 400
    assert post(site, "k" * 151)[0] == 400
    assert site.client.post("/v1/journeys/orders/enter", data=b"{}").status_code == 401
    assert site.client.get("/v1/journeys/orders/enter").status_code == 405
    assert site.rows("select count(*) from entry_inbox") == [(0,)]
    with site.database.transaction() as session:
        session.connection().exec_driver_sql("update journeys set state = 'paused'")
    assert post(site)[0] == 409


def test_a_call_that_meets_a_pause_is_refused_and_may_be_made_again(site: Site) -> None:
    make(site, "api: true")

    def change(verb: str) -> Thread:
        """Done by somebody else; the call comes before it is committed."""
        with site.database.transaction() as session:
            states.change(session, "orders", verb, clock.now(session), "test")
            thread = Thread(post_it)
            thread.join(0.5)
            assert thread.is_alive()
        return thread

    def post_it() -> int:
        return post(site)[0]

    assert change("pause").finish() == 409
    assert change("resume").finish() == 200
    pipeline.advance(site.database)
    assert site.rows("select status from enrolments") == [("active",)]


def test_a_call_takes_a_contact_out_once(site: Site) -> None:
    make(site, "api: true")
    assert post(site)[0] == 200
    pipeline.advance(site.database)

    def leave(slug: str = "orders", **document: Any) -> tuple[int, Any]:
        answer = site.post(f"/v1/journeys/{slug}/leave", document)
        return answer.status_code, answer.json

    assert leave(userId="u1") == (200, {"success": True, "left": True})
    assert site.rows("select status, reason from enrolments") == [("exited", "removed")]
    assert leave(userId="u1") == (200, {"success": True, "left": False})
    assert [leave(userId="u2")[0], leave("nothing", userId="u1")[0], leave()[0], leave(email=7)[0]] == [
        404,
        404,
        400,
        400,
    ]
    assert site.rows("select count(*) from contacts") == [(1,)]  # nobody is made in order to leave
    assert site.client.get("/v1/journeys/orders/leave").status_code == 405
    assert site.post("/v1/journeys/orders/leave", {"userId": "u1"}, auth=("no", "")).status_code == 401


def test_a_call_that_meets_a_publish_enters_the_new_version(site: Site) -> None:
    make(site, "api: true")
    with site.database.transaction() as session:
        publish(
            session, journey("- wait: 9 days\n  id: rest", slug="orders", enter="api: true"), clock.now(session), "me"
        )
        thread = Thread(lambda: post(site)[0])
        thread.join(0.5)
        assert thread.is_alive()
    assert thread.finish() == 200


def lose_races(site: Site, times: int) -> None:
    """The first entries that are written down, so many, fail as the loser of a deadlock does."""
    with site.database.transaction() as session:
        session.execute(text("create sequence losses"))
        session.execute(
            text(
                "create function lose() returns trigger language plpgsql as $$ begin "
                f"if nextval('losses') <= {times} then raise exception 'lost' using errcode = '40P01'; end if; "
                "return new; end $$; "
                "create trigger lose before insert on entry_inbox for each row execute function lose()"
            )
        )


def test_a_call_that_loses_a_deadlock_is_made_again_and_given_up_with_503(site: Site) -> None:
    make(site, "api: true")
    lose_races(site, 3)
    assert post(site) == (200, {"success": True, "duplicate": False})
    with site.database.transaction() as session:
        session.execute(text("alter sequence losses minvalue -10 restart -10"))
    answer = site.post("/v1/journeys/orders/enter", {"userId": "u2"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert site.rows("select count(*) from entry_inbox") == [(1,)]


def test_while_the_database_is_away_the_call_is_to_come_back(site: Site) -> None:
    make(site, "api: true")
    environ = EnvironBuilder(method="POST", json={"userId": "u1"}, auth=(site.key, "")).get_environ()
    away = Database("postgresql://nobody@127.0.0.1:1/nowhere")
    answer = enter.answer(environ, "orders", site.hot.keys, away)
    assert answer.status == 503 and ("Retry-After", "5") in answer.headers


def test_a_number_names_the_contact_who_enters_and_leaves(site: Site) -> None:
    make(site, "api: true")
    assert post(site, userId=None, phone="+49 170 1234567")[0] == 200
    assert post(site, "k2", userId=None, phone="+491701234567")[0] == 200
    assert post(site, "k3", userId=None, phone="12")[0] == 400
    pipeline.advance(site.database)
    assert site.rows("select phone, status from enrolments e join contacts c on c.id = e.contact_id") == [
        ("+491701234567", "active")
    ]
    left = site.post("/v1/journeys/orders/leave", {"phone": "+491701234567"})
    assert left.json == {"success": True, "left": True}
