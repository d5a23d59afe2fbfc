"""A second relay takes what the first one cannot, and nothing goes by both."""

from __future__ import annotations

import threading

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine.channels import relays
from engine.channels.relays import Relays
from engine.db import Database
from engine.errors import ConfigurationError
from engine.model import Contact, Content
from engine.settings import settings
from tests.engine.channels.servers import Scripted, close, free_port, scripted, smtp_sink
from tests.engine.messages.ledger import Make, fill, now, queue, states
from tests.smtp import recording_server
from webapp.cli import main

pytestmark = pytest.mark.timeout(60)


def used(database: Database) -> relays.InUse:
    with database.transaction() as session:
        found = relays.in_use(session)
    assert found is not None
    return found


def test_the_second_relay_takes_over_when_nobody_listens_at_the_first(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 5)
    dead = f"127.0.0.1:{free_port()}"
    with smtp_sink() as second:
        assert make(f"smtp://{dead}", second).turns(database)["email"].unreachable == ""
    assert states(database) == {"accepted": 5}
    assert used(database) == relays.InUse(second.removeprefix("smtp://"), now, f"{dead}: connection refused")


def test_a_relay_killed_in_the_middle_of_a_run_costs_nobody_a_mail_and_nobody_gets_two(
    database: Database, make: Make
) -> None:
    """The journal tells of each message whether the dead relay had its data; only the others go on."""

    def dying(server: Scripted, line: str) -> bytes:
        return close if len(server.messages) >= 100 else b"250 2.0.0 ok"

    with database.transaction() as session:
        fill(session, 400)
    with scripted(end=dying, greet=lambda server, _: close if len(server.messages) >= 100 else b"220 test") as first:
        with recording_server(keep=True) as second:
            make(first.url, second.url, batch=150).send(database)
        had = [mail.split(b"\r\nTo: ", 1)[1].split(b"<", 1)[1].split(b">", 1)[0].decode() for mail in first.messages]
    found = states(database)
    assert found["accepted"] + found["unknown:no_reply"] == 400, found
    assert 0 < found["unknown:no_reply"] <= 8, "at most one a connection was in its data phase"
    assert len(first.messages) + second.accepted.total() == found["accepted"]
    assert set(second.accepted.values()) == {1}
    assert not set(had) & set(second.accepted)


@pytest.mark.parametrize(
    "refusal",
    [
        {"greet": b"421 4.3.2 not now"},
        {"greet": b"554 5.7.1 go away"},
        {"mail": b"530 5.7.0 sign in first"},
        {"mail": b"421 4.7.0 too many from you"},
    ],
    ids=["421 at the door", "554 at the door", "sign-in", "421 in between"],
)
def test_a_relay_that_refuses_us_gives_its_messages_to_the_next(
    database: Database, make: Make, refusal: dict[str, bytes]
) -> None:
    with database.transaction() as session:
        fill(session, 20)
    with scripted(**refusal) as first, recording_server() as second:
        make(first.url, second.url).send(database)
    assert states(database) == {"accepted": 20}
    assert set(second.accepted.values()) == {1}
    assert used(database).why.startswith(f"127.0.0.1:{first.port}")


def test_a_relay_that_hangs_up_over_recipients_answers_for_them_and_refuses_nobody_else(
    database: Database, make: Make
) -> None:
    def by_user(server: Scripted, line: str) -> bytes:
        return b"250 ok" if "user5@" in line else b"421 4.7.28 too many for this site"

    with database.transaction() as session:
        fill(session, 6)
    with scripted(rcpt=by_user) as first, recording_server() as second:
        make(first.url, second.url).send(database)
    assert states(database) == {"accepted": 1, "queued:deferred": 5}
    assert len(first.messages) == 1 and not second.accepted


def test_what_a_relay_answered_stays_answered(database: Database, make: Make) -> None:
    def by_user(server: Scripted, line: str) -> bytes:
        return b"550 5.1.1 no such user" if "user1@" in line else b"451 4.3.0 later"

    with database.transaction() as session:
        fill(session, 2)
    with scripted(rcpt=by_user) as first, recording_server() as second:
        make(first.url, second.url).send(database)
    assert states(database) == {"failed:hard_bounce": 1, "queued:deferred": 1}
    assert not second.accepted


def test_while_no_relay_answers_everything_stays_queued(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 3)
    ports = [free_port(), free_port()]
    told = make(*[f"smtp://127.0.0.1:{port}" for port in ports]).turns(database)["email"].unreachable
    assert told == "; ".join(f"127.0.0.1:{port}: connection refused" for port in ports)
    assert states(database) == {"queued": 3}


def test_the_first_relay_is_used_again_after_a_rest(database: Database, make: Make) -> None:
    working = threading.Event()
    with database.transaction() as session:
        fill(session, 2)
    with (
        scripted(greet=lambda server, _: b"220 test" if working.is_set() else b"421 later") as first,
        recording_server() as second,
    ):
        own = make(first.url, second.url)
        chain = own.providers[0]
        assert isinstance(chain, Relays)
        own.send(database)
        working.set()
        with database.transaction() as session:
            fill_again(session)
        own.send(database)
        assert (len(first.messages), second.accepted.total()) == (0, 3), "it rests"
        chain.relays[0].rests_until = 0.0
        with database.transaction() as session:
            fill_again(session)
        own.send(database)
        assert (len(first.messages), second.accepted.total()) == (1, 3)
        assert used(database).why == ""
        assert used(database).relay == f"127.0.0.1:{first.port}"


def fill_again(session: Session) -> None:
    """One more queued message, to somebody new."""
    contact = session.scalars(insert(Contact).values(email="late@example.com").returning(Contact.id)).one()
    queue(session, [contact], session.scalars(select(Content.id)).one())


def test_a_vendor_and_a_server_stand_in_for_each_other(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 12)
    with recording_server() as second:
        make(f"postmark+http://TOKEN@127.0.0.1:{free_port()}", second.url).send(database)
    assert states(database) == {"accepted": 12}
    assert set(second.accepted.values()) == {1}
    assert "TOKEN" not in used(database).why


@pytest.mark.parametrize("setting", ["  ", "smtp://127.0.0.1:1 smtp://127.0.0.1:1", "smtp://127.0.0.1:1 ftp://x"])
def test_a_wrong_list_of_relays_is_refused(make: Make, setting: str) -> None:
    with pytest.raises(ConfigurationError):
        make(setting)


def test_the_command_says_which_relay_is_used_and_why(
    database: Database, make: Make, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        fill(session, 1)
    dead = f"127.0.0.1:{free_port()}"
    with recording_server() as second:
        make(f"smtp://{dead}", second.url).send(database)
        monkeypatch.setenv("CAIRN_SMTP_URL", f"smtp://name:secret@{dead} {second.url}")
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr("engine.settings.Settings.workspace_schema", database.workspace)
    settings.cache_clear()
    try:
        said = CliRunner().invoke(main, ["email"]).output
    finally:
        settings.cache_clear()
    assert f"email goes to  {dead}\nor else to     127.0.0.1:{second.port}\n" in said
    assert f"in use         127.0.0.1:{second.port} since {now:%Y-%m-%d %H:%M} UTC" in said
    assert f"because        {dead}: connection refused" in said
    assert "secret" not in said
