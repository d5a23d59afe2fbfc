"""A sender is killed with SIGKILL at each instant; then the ledger must say what the server knows (I1, I3)."""

from __future__ import annotations

import multiprocessing
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.channels import journal as journals
from engine.channels.journal import Journal, Try
from engine.channels.provider import Result
from engine.db import Database
from engine.messages.reaper import reap
from tests.engine.channels.servers import scripted
from tests.engine.messages import victim
from tests.engine.messages.ledger import begin, fill, now, rollup, save, sender, signer, states

pytestmark = pytest.mark.timeout(60)
processes = multiprocessing.get_context("forkserver")  # a clean process each, that need not import everything anew
processes.set_forkserver_preload(["tests.engine.messages.victim"])


def kill_at(instant: str, database: Database, home: Path, smtp_url: str) -> None:
    """Run a sender that dies at the instant."""
    arguments = (database.url, database.workspace, str(home), smtp_url, instant)
    process = processes.Process(target=victim.main, args=arguments)
    process.start()
    process.join(40)
    assert process.exitcode == -signal.SIGKILL


def reaped(database: Database, home: Path) -> dict[str, int]:
    """What the reaper does, once PostgreSQL has noticed that the client is gone."""
    others = "select from pg_stat_activity where state like 'idle in transaction%' and pid <> pg_backend_pid()"
    for _ in range(100):
        with database.transaction() as session:
            if not session.execute(text(f"select exists ({others})")).scalar():
                break
        time.sleep(0.05)
    return dict(reap(database, home / "journal", lambda _: now, signer))


@pytest.mark.parametrize(
    ("instant", "accepted", "unknown"),
    [
        ("before the claim", 0, {0}),
        ("after the claim", 0, {0}),
        ("while rendering", 0, {0}),
        ("before the try", 0, {0}),
        ("after the try", 0, {1}),
        ("after the data", 0, {1}),
        ("after the reply", 0, {1}),
        ("after the reply is journalled", 1, {0, 1}),  # the next try may have been in the same append
        ("before the results", 4, {0}),
        ("inside the results", 4, {0}),
    ],
)
def test_the_ledger_is_right_after_a_kill(
    database: Database, tmp_path: Path, instant: str, accepted: int, unknown: set[int]
) -> None:
    with database.transaction() as session:
        fill(session, 4)
    with scripted() as server:
        kill_at(instant, database, tmp_path, server.url)
        reaped(database, tmp_path)
        lost = states(database).get("unknown:no_reply", 0)
        assert lost in unknown
        assert states(database) == counted(accepted, 4 - accepted - lost, lost)
        assert accepted <= len(server.messages) <= accepted + lost
        assert rollup(database) == (accepted, lost)
        survivor = sender(tmp_path, server.url)
        survivor.send(database)
        survivor.close()
        mails = [mail.partition(b"Message-ID")[2][:60] for mail in server.messages]
    assert states(database) == counted(4 - lost, 0, lost)
    assert len(mails) == len(set(mails))


@pytest.mark.parametrize("instant", ["after the try", "before the results"])
def test_what_rendering_decided_for_a_contact_survives_a_kill(database: Database, tmp_path: Path, instant: str) -> None:
    own = "---\nsubject: Yours\n---\n<html><body><p>Your <a href='{{ shop }}'>shop</a></p></body></html>"
    with database.transaction() as session:
        save(session, "own", source=own)
        fill(session, 1, slug="own")
        session.execute(
            text("""update contacts set attributes = '{"shop": "https://shop.example/\U0001f6b2?a=1 2"}'""")
        )
    with scripted() as server:
        kill_at(instant, database, tmp_path, server.url)
    reaped(database, tmp_path)
    with database.transaction() as session:
        links = session.execute(text("select links from messages where state in ('accepted', 'unknown')")).scalar()
    assert list(links.values()) == ["https://shop.example/%F0%9F%9A%B2?a=1%202"]


def counted(accepted: int, queued: int, unknown: int) -> dict[str, int]:
    """As `states` gives it."""
    found = {"accepted": accepted, "queued": queued, "unknown:no_reply": unknown}
    return {state: count for state, count in found.items() if count}


def test_a_reaped_message_that_was_not_tried_counts_no_attempt(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        fill(session, 2)
    with scripted() as server:
        kill_at("before the try", database, tmp_path, server.url)
    reaped(database, tmp_path)
    with database.transaction() as session:
        rows = session.execute(text("select attempts, journal, claimed_at from messages")).all()
    assert [tuple(row) for row in rows] == [(0, None, None)] * 2


def sending(database: Database, journal: str | None) -> None:
    with database.transaction() as session:
        begin(session, journal)


def test_a_living_senders_messages_are_left_alone(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        fill(session, 2)
    journal = Journal(tmp_path / "journal")
    sending(database, journal.name)
    assert reaped(database, tmp_path) == {}
    journal.close()
    assert reaped(database, tmp_path) == {"not_tried": 2}


def test_without_a_journal_nothing_is_known(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        fill(session, 2)
    sending(database, None)
    assert reaped(database, tmp_path) == {"unknown": 2}
    with database.transaction() as session:
        fill(session, 1)
        session.execute(text("delete from messages where state = 'unknown'"))
    sending(database, f"{journals.home_id(tmp_path / 'journal')}-1-gone")
    assert reaped(database, tmp_path) == {"unknown": 1}


def test_another_hosts_journal_is_left_to_it_for_a_day(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        fill(session, 1)
    sending(database, "another-1-host")
    assert reaped(database, tmp_path) == {}
    with database.transaction() as session:
        session.execute(text("update message_claims set claimed_at = claimed_at - interval '25 hours'"))
    assert reaped(database, tmp_path) == {"unknown": 1}


def test_after_a_restart_of_the_machine_an_untold_message_is_unknown(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        fill(session, 2)
    journal = Journal(tmp_path / "journal")
    sending(database, journal.name)
    with database.transaction() as session:
        first = session.execute(text("select min(id) from messages")).scalar()
    journal.append([Try(first, 1)])
    journal.note_reply(first, 1, Result(first, "accepted", 250, "", "ok", "dot"))
    journal.append()
    journal.close()
    monkeypatch.setattr(journals, "boot", lambda: "another")
    assert reaped(database, tmp_path) == {"accepted": 1, "unknown": 1}
