"""Rates of recipient domains and relays, shared by all senders."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.messages import rates
from engine.model import Message
from engine.settings import settings
from tests.engine.channels.servers import Scripted, scripted
from tests.engine.messages.ledger import Make, fill, now, states
from tests.smtp import Receiver, recording_server
from webapp.cli import main

pytestmark = pytest.mark.timeout(60)


def second(number: float) -> dt.datetime:
    return now + dt.timedelta(seconds=number)


def two_domains(session: Session, slow: int, fast: int) -> None:
    """So many messages to slow.example, and so many to example.com behind them in the queue."""
    fill(session, slow + fast)
    moved = "update contacts set email = 'u' || id || '@Slow.example' where id in "
    session.execute(text(f"{moved} (select id from contacts order by id limit :n)"), {"n": slow})


def by_domain(receiver: Receiver) -> tuple[int, int]:
    slow = sum(count for address, count in receiver.accepted.items() if address.lower().endswith("@slow.example"))
    return slow, receiver.accepted.total() - slow


def test_a_domain_gets_its_rate_and_others_go_on_at_full_speed(database: Database, make: Make) -> None:
    with database.transaction() as session:
        two_domains(session, 30, 40)
        rates.put(session, "SLOW.example", "5/s")
    at = [0.0]
    with recording_server() as server:
        own = make(server.url, batch=20, clock=lambda _: second(at[0]))
        own.send(database)
        assert by_domain(server) == (10, 40), "two seconds' worth go at once"
        with database.transaction() as session:
            waiting = session.scalars(select(Message.send_after).where(Message.state == "queued")).all()
        assert sorted(waiting) == [second(n / 5) for n in range(1, 21)], "each has a moment of its own"
        for at[0] in (1.0, 2.0, 3.0, 4.0):
            own.send(database)
            assert by_domain(server)[0] == 10 + 5 * at[0]
    assert states(database) == {"accepted": 70}


def test_senders_share_a_rate(database: Database, make: Make) -> None:
    with database.transaction() as session:
        two_domains(session, 60, 0)
        rates.put(session, "slow.example", "5/s")
    with recording_server() as server:
        threads = [threading.Thread(target=make(server.url, batch=7).send, args=(database,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert by_domain(server) == (10, 0)
    assert states(database) == {"accepted": 10, "queued:rate": 50}


def test_a_relay_has_a_rate_whatever_the_domain(database: Database, make: Make) -> None:
    with database.transaction() as session:
        two_domains(session, 10, 10)
    with recording_server() as server:
        with database.transaction() as session:
            rates.put(session, f"127.0.0.1:{server.port}", "120/min")
        make(server.url).send(database)
        assert server.accepted.total() == 4
    assert states(database) == {"accepted": 4, "queued:rate": 16}


def test_few_an_hour_are_spread_over_it_and_nobody_plans_further_than_half_of_one(
    database: Database, make: Make
) -> None:
    with database.transaction() as session:
        two_domains(session, 10, 0)
        rates.put(session, "slow.example", "6/h")
    with recording_server() as server:
        make(server.url).send(database)
        assert by_domain(server) == (1, 0)
    with database.transaction() as session:
        waiting = sorted(session.scalars(select(Message.send_after).where(Message.state == "queued")))
    assert waiting == [second(600), second(1200), *[second(1800)] * 7]


def test_a_domain_that_says_too_fast_is_halved_and_recovers_while_others_go_on(database: Database, make: Make) -> None:
    def refuse(server: Scripted, line: str) -> bytes:
        return b"451 4.7.0 too many messages" if "@slow.example" in line.lower() else b"250 2.1.5 ok"

    with database.transaction() as session:
        two_domains(session, 20, 30)
        rates.put(session, "slow.example", "8/s")
    at = [0.0]
    with scripted(rcpt=refuse) as server:
        own = make(server.url, clock=lambda _: second(at[0]))
        own.send(database)
        assert len(server.messages) == 30

        def pace(after: float) -> float | None:
            with database.transaction() as session:
                return rates.current(rates.listed(session)[0], second(after))

        assert pace(1) == 4
        at[0] = 30.0
        own.send(database)
        assert [pace(31), pace(331), pace(631)] == [2, 4, 8]


def test_a_domain_without_a_rate_is_slowed_down_too_and_free_again_later(database: Database, make: Make) -> None:
    with database.transaction() as session:
        two_domains(session, 40, 0)
    with scripted(rcpt=b"421 4.7.28 unusual rate") as server:
        make(server.url).send(database)
    with scripted(rcpt=b"450 4.7.1 later") as server:
        make(server.url, clock=lambda _: second(90)).send(database)
    with database.transaction() as session:
        (row,) = rates.listed(session)
        assert (row.name, row.per_second) == ("slow.example", None)
        assert 0 < (rates.current(row, second(91)) or 0) <= 20
        assert rates.current(row, second(90 + 601)) is None


def test_without_rates_nothing_is_asked() -> None:
    nobody: Any = None
    assert rates.keep_pace(nobody, [], rates.Pace(frozenset()), now) == ([], [])
    assert rates.keep_pace(nobody, [], None, now) == ([], [])


@pytest.mark.parametrize(("words", "a_second"), [("20/s", 20), (" 90 / min ", 1.5), ("5000/h", 5000 / 3600)])
def test_rates_are_read_and_spelled(words: str, a_second: float) -> None:
    assert rates.parse(words) == pytest.approx(a_second)
    assert rates.parse(rates.spell(a_second)) == pytest.approx(a_second, rel=1e-3)


@pytest.mark.parametrize("words", ["", "0/s", "-1/s", "20", "20/day", "1e9/s"])
def test_what_is_no_rate_is_refused(words: str) -> None:
    with pytest.raises(InvalidInput):
        rates.parse(words)


def test_the_commands_set_show_and_lift_rates(
    database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr("engine.settings.Settings.workspace_schema", database.workspace)
    settings.cache_clear()

    def run(*arguments: str) -> str:
        return CliRunner().invoke(main, ["rates", *arguments]).output

    try:
        assert run("list") == "No rate is set, and no domain is slowed down.\n"
        assert run("set", "Gmail.com", "20/s") == "gmail.com gets at most 20/s.\n"
        with database.transaction() as session:
            instant = session.execute(text("select now()")).scalar_one()
            rates.slow_down(session, {"gmail.com", "free.example"}, [], 1, instant)
        said = run("list").splitlines()
        assert said[0].split()[0] == "free.example"
        assert said[1].split()[:2] == ["gmail.com", "10/s"] and said[1].endswith("UTC; 20/s is set")
        assert run("remove", "gmail.com") == "gmail.com has no rate.\n"
        assert len(run("list").splitlines()) == 1
        with database.transaction() as session, pytest.raises(NotFound):
            rates.remove(session, "gmail.com")
    finally:
        settings.cache_clear()
