"""A sender that is warmed up: so many a day, the rest on later days, those who read first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.identities import store
from engine.identities.values import House
from engine.messages import warmup_plans
from engine.messages.sending import Sender
from tests.engine.channels.servers import Scripted, scripted
from tests.engine.messages.ledger import fill, now, sender, states
from tests.smtp import Receiver, recording_server

pytestmark = pytest.mark.timeout(60)
UTC = ZoneInfo("UTC")
TODAY = now.date()
DAY = dt.timedelta(days=1)


class Days:
    """A sender whose clock a test moves."""

    def __init__(self, database: Database, home: Path, receiver: Receiver) -> None:
        self.database, self.receiver, self.at = database, receiver, now
        self.sender: Sender = sender(home, receiver.url, clock=lambda _: self.at)

    def pass_(self, days: int = 1) -> int:
        """Let the next day begin; how many messages go on it."""
        began = self.at.replace(hour=0, minute=0, second=0) + days * DAY
        self.at, before = began + dt.timedelta(hours=1), self.receiver.accepted.total()
        self.sender.send(self.database)
        return self.receiver.accepted.total() - before


@pytest.fixture
def days(database: Database, tmp_path: Path) -> Iterator[Days]:
    with recording_server() as receiver:
        made = Days(database, tmp_path, receiver)
        yield made
        made.sender.close()


def begin(database: Database, plan: str, name: str = "workspace") -> None:
    with database.transaction() as session:
        warmup_plans.put(session, name, plan, TODAY)


def test_each_day_more_may_go_and_the_rest_waits_for_its_day(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 100)
    begin(database, "10, x2, 1000")
    days.sender.send(database)
    assert days.receiver.accepted.total() == 10
    assert states(database) == {"accepted": 10, "queued:warm_up": 90}
    with database.transaction() as session:
        [standing] = warmup_plans.listed(session, UTC, now)
    assert str(standing) == "day 1 of 7: 10 of 10 messages today (10, x2, 1000)"
    assert [days.pass_() for _ in range(3)] == [20, 40, 30]
    assert states(database) == {"accepted": 100}


def test_those_who_read_get_it_first(database: Database, days: Days) -> None:
    with database.transaction() as session:
        people = fill(session, 20)
        session.execute(text("""
            insert into messages (origin_at, contact_id, content_id, channel, state, queued_at, send_after,
                first_open_at, claimed_at)
            select queued_at - interval '1 day', contact_id, content_id, 'email', 'delivered', queued_at, send_after,
                queued_at - interval '1 day', queued_at from messages where contact_id = any(:who)"""),
            {"who": people[15:]})  # fmt: skip
    begin(database, "5, x2, 1000")
    days.sender.send(database)
    assert sorted(days.receiver.accepted) == sorted(f"user{n}@example.com" for n in range(15, 20))


def test_what_a_program_asks_for_counts_and_does_not_wait(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 10)
        session.execute(text("update messages set transactional = true where id % 2 = 0"))
    begin(database, "2, x2, 1000")
    days.sender.send(database)
    assert states(database) == {"accepted": 5, "queued:warm_up": 5}


def test_a_warm_up_may_be_of_one_recipient_domain_only(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 10)
        session.execute(text("update contacts set email = 'x' || id || '@big.example' where id % 2 = 0"))
    begin(database, "2, x2, 1000", "workspace/big.example")
    days.sender.send(database)
    assert states(database) == {"accepted": 7, "queued:warm_up": 3}
    with database.transaction() as session:
        warmup_plans.remove(session, "workspace/big.example", now)
    days.sender.send(database)
    assert states(database) == {"accepted": 10}


def test_others_do_not_wait_for_an_identity_that_is_warmed_up(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 10)
        form = store.Form(slug="shop", name="Shop", address="a@shop.example")
        store.put(session, form, House("https://x"), "ann", now)
        session.execute(text("update messages set sender = 'shop' where id % 2 = 0"))
    begin(database, "1, x2, 1000", "shop")
    days.sender.send(database)
    assert states(database) == {"accepted": 6, "queued:warm_up": 4}


@pytest.mark.parametrize("words", ["50", "0, x2, 100", "50, x1, 100", "50, x11, 100", "50, x2, 50", "a, xb, c"])
def test_a_plan_that_is_none_is_refused(database: Database, words: str) -> None:
    with database.transaction() as session, pytest.raises(InvalidInput):
        warmup_plans.put(session, "workspace", words, TODAY)


def test_a_plan_ends_and_a_sender_that_is_none_has_none(database: Database) -> None:
    plan = warmup_plans.parse("")
    assert (plan.days(), plan.allowance(9), plan.allowance(10)) == (10, 25_600, None)
    with database.transaction() as session, pytest.raises(NotFound):
        warmup_plans.put(session, "nobody", "", TODAY)


def test_what_no_relay_took_does_not_count(database: Database, tmp_path: Path) -> None:
    def refusing(server: Scripted, line: str) -> bytes:
        return b"421 4.3.2 not now"

    with database.transaction() as session:
        fill(session, 10)
    begin(database, "5, x2, 1000")
    with scripted(mail=refusing) as away:
        own = sender(tmp_path, away.url)
        own.send(database)
        own.close()
    with database.transaction() as session:
        [standing] = warmup_plans.listed(session, UTC, now)
    assert standing.sent == 0


def test_a_relay_is_warmed_up_whatever_identity_sends_through_it(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 10)
        form = store.Form(slug="shop", name="Shop", address="a@shop.example")
        store.put(session, form, House("https://x"), "ann", now)
        session.execute(text("update messages set sender = 'shop' where id % 2 = 0"))
    relay = days.receiver.url.removeprefix("smtp://")
    begin(database, "3, x2, 1000", relay)
    begin(database, "1, x2, 1000", f"{relay}/example.com")
    days.sender.send(database)
    assert states(database) == {"accepted": 1, "queued:warm_up": 9}
    assert [days.pass_() for _ in range(3)] == [2, 4, 3]
    with database.transaction() as session:
        warmup_plans.remove(session, relay, days.at)
        assert [one.name for one in warmup_plans.listed(session, UTC, days.at)] == [f"{relay}/example.com"]


def test_another_relay_does_not_count(database: Database, days: Days) -> None:
    with database.transaction() as session:
        fill(session, 4)
    begin(database, "1, x2, 1000", "mx9.example.com:587")
    days.sender.send(database)
    assert states(database) == {"accepted": 4}
