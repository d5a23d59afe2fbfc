"""From a message that leaves to what comes back of it, over real SMTP."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import text

from engine.campaigns import resuming
from engine.db import Database
from engine.receipts import mail, streams
from engine.receipts.settle import settle
from engine.receipts.verp import return_path
from tests.engine.channels.servers import Scripted, scripted
from tests.engine.messages.ledger import fill, now, sender, signer, states
from tests.engine.receipts.mails import dsn
from tests.ledger import assert_counters_equal_ledger

MAIL_FROM = re.compile(r"MAIL FROM:<([^>]*)>")


def test_each_message_leaves_with_a_return_path_of_its_own_that_brings_its_bounce_back(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        fill(session, 3, journey_id=None)
    with scripted() as server:
        sending = sender(tmp_path, server.url, bounces=return_path("bounces.shop.example"))
        sending.send(database)
        sending.close()
    paths = [found[1] for line in server.lines if (found := MAIL_FROM.match(line))]
    assert len(set(paths)) == 3
    assert all(path.endswith("@bounces.shop.example") for path in paths)
    with database.transaction() as session:
        mail.put(session, "lmtp", [mail.Arrived(dsn("undisclosed", "user9@example.com"), (paths[0],))], now)
        mail.process(session, now, signer)
        settle(session, now, signer)
        assert_counters_equal_ledger(session)
    assert states(database) == {"accepted": 2, "bounced:hard_bounce": 1}


def test_a_policy_refusal_in_the_dialogue_pauses_the_stream_as_a_bounce(database: Database, tmp_path: Path) -> None:
    def by_user(_: Scripted, line: str) -> bytes:
        answers = {"user1@": b"550 5.7.1 blocked", "user2@": b"550 5.1.1 no such user", "user3@": b"550 5.5.0 no"}
        return next((answer for user, answer in answers.items() if user in line), b"250 ok")

    with database.transaction() as session:
        fill(session, 4, journey_id=None)
    with scripted(rcpt=by_user) as server:
        sending = sender(tmp_path, server.url)
        sending.send(database)
        _settle(database)
        assert _kinds(database) == ["hard", "policy"]
        with database.transaction() as session:
            (pause,) = streams.listed(session)
            assert pause.stream == "domain:hello@cairn.example>example.com"
            fill(session, 1, journey_id=None)
        before = len(server.messages)
        sending.send(database)
        assert len(server.messages) == before
        with database.transaction() as session:
            resuming.resume(session, pause.stream, "boss", now)
        sending.send(database)
        sending.close()
    assert len(server.messages) == before + 1
    with database.transaction() as session:
        assert_counters_equal_ledger(session)


def _settle(database: Database) -> None:
    with database.transaction() as session:
        settle(session, now, signer)


def _kinds(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.execute(text("select kind from receipts order by kind")).scalars())
