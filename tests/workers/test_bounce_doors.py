"""Doors for mail that came back, each on a real socket, pipe or server: stored first, then acknowledged."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from engine import bounces, clock
from engine.bounces import Report
from engine.db import Database
from engine.errors import ConfigurationError, ProviderError
from engine.identities import store as identities
from engine.identities.values import House
from engine.messages import status
from engine.receipts import mail
from engine.receipts.verp import return_path
from engine.settings import Settings
from tests.dovecot import Dovecot, running_dovecot
from tests.engine.channels.servers import free_port, listening
from tests.engine.receipts.mails import dsn
from webapp.cli._bounce_doors import take
from workers import bouncing, pipeline, polling

pytestmark = pytest.mark.timeout(60)
PATH = return_path("bounces.shop.example")
HERE = "b-x@bounces.shop.example"
OVER = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@bounces.shop.example"
PIPE = [sys.executable, "-c", "from webapp.cli import main; main(prog_name='cairn')", "bounces", "pipe"]


def waiting(database: Database) -> list[tuple[str, list[str], bytes]]:
    with database.transaction() as session:
        rows = session.execute(text("select door, recipients, raw from receipt_mails order by id")).all()
    return [(door, list(recipients), bytes(raw)) for door, recipients, raw in rows]


@contextmanager
def away(database: Database) -> Iterator[None]:
    """Nothing can be stored meanwhile."""
    with database.transaction() as session:
        session.execute(text("alter table receipt_mails rename to elsewhere"))
    yield
    with database.transaction() as session:
        session.execute(text("alter table elsewhere rename to receipt_mails"))


@pytest.fixture
def dovecot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    """A mail store of the test's own."""
    with running_dovecot() as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.home / "cert.pem"))
        yield server


# LMTP and SMTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def port(database: Database) -> Iterator[int]:
    """A running listener."""
    with listening(lambda port, stop: bouncing.listen(database, f"lmtp://127.0.0.1:{port}", PATH, stop)) as chosen:
        yield chosen


def test_smtp_stores_a_mail_before_250_and_keeps_its_envelope(database: Database, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("", [HERE], dsn(HERE))
        assert waiting(database) == [("lmtp", [HERE], dsn(HERE))]


def test_lmtp_answers_for_each_recipient(database: Database, port: int) -> None:
    with smtplib.LMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo()
        client.mail("")
        assert [client.rcpt(to)[0] for to in (HERE, "someone@else.example", OVER)] == [250, 550, 250]
        assert client.data(dsn(HERE))[0] == 250
        assert client.getreply()[0] == 250
        assert client.noop()[0] == 250
    assert [recipients for _, recipients, _ in waiting(database)] == [[HERE, OVER]]


def test_bounces_of_an_identity_with_return_paths_of_its_own_are_taken(database: Database) -> None:
    with database.transaction() as session:
        form = identities.Form(slug="shop", name="", address="a@shop.io", return_path="bounces.shop.io")
        identities.put(session, form, House("https://x"), "ann", clock.now(session))
    with (
        listening(lambda port, stop: bouncing.listen(database, f"lmtp://127.0.0.1:{port}", PATH, stop)) as port,
        smtplib.SMTP("127.0.0.1", port, timeout=10) as client,
    ):
        client.helo()
        client.mail("")
        taken = [client.rcpt(to)[0] for to in ("b-x@bounces.shop.io", HERE, "b-x@shop.io")]
    assert taken == [250, 250, 550]


def test_while_nothing_can_be_stored_the_mail_server_is_told_to_come_again(database: Database, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        with away(database), pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("", [HERE], dsn(HERE))
        assert refused.value.smtp_code == 451
        client.sendmail("", [HERE], dsn(HERE))
    assert len(waiting(database)) == 1


@pytest.mark.parametrize("setting", ["8024", "http://127.0.0.1:80", "lmtp://", "smtp://host:port"])
def test_a_place_to_listen_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="CAIRN_BOUNCE_LISTEN"):
        bouncing.address(setting)


# Pipe -----------------------------------------------------------------------------------------------------------------


def pipe(database: Database, raw: bytes, home: Path, url: str | None = None) -> int:
    """The command as a mail server runs it."""
    own = {"DATABASE_URL": url or database.url, "CAIRN_HOME": str(home), "ORIGINAL_RECIPIENT": HERE}
    own["CAIRN_WORKSPACE"] = database.workspace.removeprefix("cairn_")
    done = subprocess.run(PIPE, input=raw, env=os.environ | own, capture_output=True, timeout=50, check=False)
    return done.returncode


def test_the_pipe_stores_a_mail_and_tells_what_to_do_by_sysexits(postgres_url: str, tmp_path: Path) -> None:
    database = Database(postgres_url, workspace="cairn_pipe")
    database.migrate()
    assert pipe(database, dsn(HERE), tmp_path) == 0
    assert waiting(database) == [("pipe", [HERE], dsn(HERE))]
    assert pipe(database, dsn(HERE), tmp_path, f"postgresql://127.0.0.1:{free_port()}/none") == 75
    assert take(b" \n", (), Settings()) == 65
    with database.transaction() as session:
        session.execute(text("drop schema cairn_pipe cascade"))
    database.close()


# IMAP and POP3 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
def test_a_mailbox_is_emptied_once_its_mails_are_stored(database: Database, dovecot: Dovecot, scheme: str) -> None:
    raws = [dsn(HERE, id_=str(number)) for number in range(3)]
    dovecot.deliver(*raws)
    with away(database), pytest.raises(ProgrammingError):
        polling.poll(database, dovecot.settings(scheme))
    assert dovecot.inbox() == 3
    assert polling.poll(database, dovecot.settings(scheme)) == 3
    assert sorted(raw for _, _, raw in waiting(database)) == sorted(raws)
    assert (dovecot.inbox(), dovecot.processed()) == (0, 3 if scheme == "imaps" else 0)
    assert polling.poll(database, dovecot.settings(scheme)) == 0
    pipeline.receipts(database)
    dovecot.deliver(*raws)  # the mailbox was restored from a copy
    polling.poll(database, dovecot.settings(scheme))
    pipeline.receipts(database)
    with database.transaction() as session:
        assert session.execute(text("select count(*) from receipts")).scalar_one() == 3


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
def test_a_mailbox_with_more_than_a_turn_takes_is_emptied_turn_by_turn(
    database: Database, dovecot: Dovecot, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST", 2)
    dovecot.deliver(*[dsn(HERE, id_=str(number)) for number in range(5)])
    mailbox = polling.Mailbox.parse(dovecot.url(scheme))
    assert (polling.fetch(database, mailbox), polling.fetch_all(database, mailbox)) == (2, 3)
    assert dovecot.inbox() == 0


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
def test_a_mail_with_a_line_that_is_far_too_long_does_not_bar_the_mailbox(
    database: Database, dovecot: Dovecot, scheme: str
) -> None:
    long = dsn(HERE, id_="1") + b"x" * 200_000 + b"\r\n"
    dovecot.deliver(long, dsn(HERE, id_="2"))
    assert polling.poll(database, dovecot.settings(scheme)) == 2
    assert sorted(raw for _, _, raw in waiting(database)) == sorted([long, dsn(HERE, id_="2")])
    assert dovecot.inbox() == 0


def test_what_is_wrong_with_the_mailbox_is_noted_and_ends_with_the_next_success(
    database: Database, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted() -> str:
        with database.transaction() as session:
            seen = status.read(session, "bounces")
        return seen.error if seen else "never asked"

    assert polling.poll(database, dovecot.settings("imaps", password="wrong")) == 0
    assert "Authentication failed" in noted() and "b'" not in noted()
    polling.poll(database, dovecot.settings("imaps"))
    assert noted() == ""
    monkeypatch.delenv("SSL_CERT_FILE")
    for scheme in ("imaps", "pop3s"):
        with pytest.raises(ProviderError, match="certificate"):
            polling.fetch(database, polling.Mailbox.parse(str(dovecot.url(scheme))))


@pytest.mark.parametrize(
    "url", ["imap.example.com", "http://a:b@c", "imaps://host", "imaps://u@host", "pop3s://u:p@h:x"]
)
def test_a_mailbox_that_is_none_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CAIRN_BOUNCE_MAILBOX") as refused:
        polling.Mailbox.parse(url)
    assert url not in str(refused.value)


# What is behind the doors ---------------------------------------------------------------------------------------------


def test_a_mail_that_cannot_be_read_is_set_aside_with_its_error_and_the_others_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def classify(raw: bytes) -> Report:
        if b"poison" in raw:
            raise ValueError("no reader reads this")
        return bounces.classify(raw)

    monkeypatch.setattr(mail, "classify", classify)
    raws = [dsn(HERE, id_="poison" if number == 7 else str(number)) for number in range(12)]
    with database.transaction() as session:
        mail.put(session, "pipe", [mail.Arrived(raw) for raw in raws], clock.now(session))
    pipeline.receipts(database)
    with database.transaction() as session:
        assert session.execute(text("select count(*) from receipts")).scalar_one() == 11
        errors = session.execute(text("select error from receipt_mails")).scalars().all()
    assert errors == ["ValueError: no reader reads this"]
