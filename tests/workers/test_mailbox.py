"""The local mailbox over its real socket."""

from __future__ import annotations

import datetime as dt
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine import clock
from engine.channels.journal import Journal
from engine.channels.smtp import Transmitter
from engine.db import Database
from engine.model import LocalMessage
from tests.engine.channels.servers import letters, listening
from workers.mailbox import Store, serve, subject_of

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def port(database: Database) -> Iterator[int]:
    """A running mailbox."""
    with listening(lambda port, stop: serve(Store(database), "127.0.0.1", port, stop)) as chosen:
        yield chosen


def kept(database: Database) -> list[LocalMessage]:
    with database.transaction() as session:
        return list(session.scalars(select(LocalMessage).order_by(LocalMessage.id)))


def test_a_message_is_there_when_250_has_been_said(database: Database, port: int) -> None:
    raw = (
        b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n =?utf-8?b?IQ==?=\r\nX-Cairn-Message: 0123abc\r\n\r\n"
        b".leading dot\r\n..two\r\n\r\nX-Cairn-Message: not-this\r\n"
    )
    moment = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    with database.transaction() as session:
        clock.set_virtual(session, moment)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("news@example.com", ["a@b.example", "c@d.example"], raw)
        first, second = kept(database)
    assert (first.recipient, second.recipient) == ("a@b.example", "c@d.example")
    assert (first.channel, first.sender, first.subject) == ("email", "news@example.com", "Grüße!")
    assert (first.message_token, first.raw, first.received_at) == ("0123abc", raw, moment)


def test_pipelined_messages_are_all_kept_and_quickly(database: Database, port: int, tmp_path: Path) -> None:
    transmitter = Transmitter(f"smtp://127.0.0.1:{port}", Journal(tmp_path))
    began = time.monotonic()
    results = transmitter.transmit(letters(2000, b"Subject: hello\r\n\r\n" + b"line of the message\r\n" * 200))
    took = time.monotonic() - began
    transmitter.close()
    assert {result.outcome for result in results} == {"accepted"}
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(LocalMessage)) == 2000
    assert took < 10


def test_wrong_commands_are_answered_and_harmless(database: Database, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        assert client.docmd("DATA")[0] == 503
        assert client.docmd("RCPT", "TO:<a@b.example>")[0] == 503
        assert client.docmd("MAIL", "FROM:nobody")[0] == 501
        assert client.docmd("MAIL", "FROM:<>")[0] == 250
        assert client.docmd("MAIL", "FROM:<>")[0] == 503
        assert client.docmd("RCPT", "TO:<nobody>")[0] == 501
        assert client.docmd("RSET")[0] == 250
        assert client.docmd("VRFY", "x")[0] == 502
        assert client.docmd("NOOP")[0] == 250
        client.sendmail("a@b.example", ["c@d.example"], b".")
    assert [mail.raw for mail in kept(database)] == [b".\r\n"]


def test_while_the_database_refuses_the_sender_is_told_to_come_again(
    database: Database, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        with monkeypatch.context() as broken:
            broken.setattr("workers.mailbox.columns", "no_such_table(a)")
            with pytest.raises(smtplib.SMTPDataError, match="451"):
                client.sendmail("a@b.example", ["c@d.example"], b"Subject: x\r\n\r\nx\r\n")
        client.sendmail("a@b.example", ["c@d.example"], b"Subject: y\r\n\r\ny\r\n")
    assert [mail.subject for mail in kept(database)] == ["y"]


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b"From: a\r\n", None),
        (b"subject: plain\r\n", "plain"),
        (b"Subject: a\r\n folded one\r\nTo: x\r\n", "a folded one"),
        (b"Subject: =?no-such-charset?b?eA==?=\r\n", "=?no-such-charset?b?eA==?="),
        (b"Subject: \xff\x00\r\n", "\ufffd"),
        (b"Subject: =?utf-8?b?a?=\r\n", "=?utf-8?b?a?="),
        (b"Subject: =?utf-7?q?+2AA-?=\r\n", "?"),
    ],
)
def test_subjects(head: bytes, subject: str | None) -> None:
    assert subject_of(head) == subject
