"""What is kept, and for how long."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from engine import partitions, retention
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.model import DirectSend, Hit, IncomingText, ReceiptMail
from tests.webapp.cli.test_data_commands import Cairn, cairn

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
AGES = (1, 20, 100, 400)

__all__ = ["cairn"]


def fill(session: Session) -> None:
    """Of each kind a row of each age, and one that must not go whatever its age."""
    for table in ("events", "hits"):
        partitions.ensure(session, table, [NOW - age * DAY for age in AGES])
    event = text("insert into events values (:id, :at, :at, 1, 'Paid', '{}', null, 'api')")
    for age in AGES:
        at = NOW - age * DAY
        session.execute(event, {"id": f"e{age}", "at": at})
        hit = {"at": at, "kind": "open", "message_id": age, "origin_at": at, "method": "GET"}
        session.execute(insert(Hit), {**hit, "classification": "human"})
        mail = {"door": "pipe", "recipients": [], "raw": b"x", "received_at": at}
        session.execute(insert(ReceiptMail), {**mail, "error": "unreadable"})
        incoming = {"gateway": "g", "reference": f"r{age}", "sender": "+1", "recipient": "S", "body": "hi"}
        session.execute(insert(IncomingText), {**incoming, "received_at": at})
        made = {"message_id": age, "origin_at": at, "key": f"k{age}", "token": f"t{age}", "event": {"a": 1}}
        session.execute(insert(DirectSend), made)
    session.execute(insert(Hit), {**hit, "message_id": 7, "classification": None})
    session.execute(insert(ReceiptMail), {**mail, "error": None})


def left(session: Session) -> dict[str, int]:
    counted = {
        "events": "events", "hits": "hits", "bounce-mails": "receipt_mails", "texts": "incoming_texts",
        "sends": "direct_sends where event <> '{}'",
    }  # fmt: skip
    return {name: session.execute(text(f"select count(*) from {rows}")).scalar_one() for name, rows in counted.items()}


def test_without_a_word_everything_is_kept_but_mails_that_nobody_could_read(session: Session) -> None:
    fill(session)
    assert retention.due(session, NOW) == {"bounce-mails": 2}
    assert retention.apply(session, NOW) == {"bounce-mails": 2}
    assert left(session) == {"events": 4, "hits": 5, "bounce-mails": 3, "texts": 4, "sends": 4}


def test_each_kind_goes_when_its_days_are_over_and_what_still_has_work_stays(session: Session) -> None:
    fill(session)
    for name in retention.KINDS:
        retention.put(session, name, 50, "boss", NOW)
    assert retention.due(session, NOW) == dict.fromkeys(retention.KINDS, 2)
    while any(retention.apply(session, NOW, limit=1).values()):
        pass
    assert left(session) == {"events": 2, "hits": 3, "bounce-mails": 3, "texts": 2, "sends": 2}
    assert retention.due(session, NOW) == dict.fromkeys(retention.KINDS, 0)
    assert session.execute(text("select count(*) from direct_sends")).scalar() == 4


def test_a_month_goes_at_once_and_others_may_still_write_into_it(session: Session) -> None:
    at = NOW - 400 * DAY
    partitions.ensure(session, "events", [at])
    rows = [{"id": f"e{number}", "at": at} for number in range(30)]
    event = text("insert into events values (:id, :at, :at, 1, 'Paid', '{}', null, 'api')")
    session.execute(event, rows)
    retention.put(session, "events", 100, "boss", NOW)
    assert retention.apply(session, NOW, limit=1) == {"events": 1, "bounce-mails": 0}
    assert session.execute(text("select count(*) from events")).scalar() == 0
    session.execute(event, rows[:1])


def test_a_month_that_somebody_reads_for_long_waits(database: Database) -> None:
    at = NOW - 400 * DAY
    with database.transaction() as session:
        partitions.ensure(session, "hits", [at])
        for number in range(3):
            hit = {"at": at, "kind": "open", "message_id": number, "origin_at": at, "method": "GET"}
            session.execute(insert(Hit), {**hit, "classification": "human"})
        retention.put(session, "hits", 100, "boss", NOW)
    with database.transaction() as reader:
        assert reader.execute(text("select count(*) from hits")).scalar() == 3
        with database.transaction() as session:
            assert retention.apply(session, NOW, limit=1)["hits"] == 1
    with database.transaction() as session:
        assert session.execute(text("select count(*) from hits")).scalar() == 2


def test_what_cannot_be_is_refused(session: Session) -> None:
    with pytest.raises(NotFound, match="events, hits"):
        retention.put(session, "messages", 100, "boss", NOW)
    with pytest.raises(InvalidInput, match="From 7 to"):
        retention.put(session, "hits", 1, "boss", NOW)


def test_the_command_shows_sets_counts_and_runs(cairn: Cairn) -> None:
    assert "90 days" in cairn("retention", "show").output and "for ever" in cairn("retention", "show").output
    assert "for 400 days" in cairn("retention", "set", "hits", "400").output
    assert "0 rows would go" in cairn("retention", "run", "--dry-run").output
    assert "0 rows are gone" in cairn("retention", "run").output
    assert "for ever" in cairn("retention", "set", "hits", "forever").output
