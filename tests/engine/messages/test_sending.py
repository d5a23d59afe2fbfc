"""Sending from the ledger over real SMTP."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, text, update

from engine import workspace
from engine.channels import dkim
from engine.channels.smtp import Timeouts
from engine.db import Database
from engine.messages import status
from engine.model import ConsentState, Contact, Content, Journey, LocalMessage, Message, Suppression, Topic
from tests.engine.channels.servers import Scripted, close, free_port, hang, scripted
from tests.engine.messages.ledger import Make, fill, now, one, queue, rollup, save, signer, states
from tests.ledger import assert_counters_equal_ledger

pytestmark = pytest.mark.timeout(60)


def test_a_queue_is_sent_and_accounted_for(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 60)
    with scripted() as server:
        assert make(server.url, batch=25).send(database) == 60
    assert states(database) == {"accepted": 60}
    assert rollup(database) == (60, 0)
    assert len(server.messages) == 60
    with database.transaction() as session:
        message = session.scalars(select(Message).order_by(Message.id)).first()
        assert message is not None
        assert (message.accepted_at, message.attempts, message.recipient) == (now, 1, "user0@example.com")
        assert message.reply == "250 2.0.0 ok"
        assert message.cost == Decimal("0.0004")
        assert session.execute(text("select sum(cost) from message_rollups")).scalar() == Decimal("0.0240")
    mail = next(each for each in server.messages if message.token.encode() in each)
    assert b"Subject: Hello N0\r\n" in mail
    assert f"Message-ID: <{message.token}@cairn.example>\r\n".encode() in mail
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail


def test_what_is_not_due_waits(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 2, send_after=now + dt.timedelta(seconds=1))
    with scripted() as server:
        assert make(server.url).send(database) == 0
    assert states(database) == {"queued": 2}
    assert server.connections == 0


def test_an_sms_appears_on_the_local_phone_in_the_commit_that_accepts_it(database: Database, make: Make) -> None:
    with database.transaction() as session:
        contacts = fill(session, 2, channel="sms", slug="text")
        session.execute(
            insert(ConsentState).values(
                contact_id=contacts[0], channel="sms", topic="", state="subscribed", changed_at=now
            )
        )
    make("smtp://127.0.0.1:1").send(database)
    assert states(database) == {"accepted": 1, "suppressed:no_consent": 1}
    with database.transaction() as session:
        mail = session.scalars(select(LocalMessage)).one()
        assert (mail.channel, mail.raw, mail.recipient) == ("sms", b"Hello N0", "+12025550000")
        assert mail.message_token == session.scalars(select(Message.token).where(Message.state == "accepted")).one()


def test_a_number_without_its_country_is_no_address(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 2, channel="sms", slug="text")
        session.execute(text("update contacts set phone = '0171 5551234' where id = (select max(id) from contacts)"))
        workspace.save(session, sms_needs_consent=False)
    make("smtp://127.0.0.1:1").send(database)
    assert states(database) == {"accepted": 1, "suppressed:no_address": 1}


def test_a_text_costs_what_its_country_costs(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 3, channel="sms", slug="text")
        session.execute(text("update contacts set phone = '+4915112345678' where id = (select max(id) from contacts)"))
        workspace.save(session, sms_needs_consent=False, sms_prices={"+49": "0.07", "+4915": "0.075", "+491": "1"})
    make("smtp://127.0.0.1:1").send(database)
    costs = "select cost, count(*) from messages group by 1 order by 1"
    with database.transaction() as session:
        assert session.execute(text(costs)).all() == [(Decimal("0.0079"), 2), (Decimal("0.075"), 1)]
        assert session.execute(text("select sum(cost) from message_rollups")).scalar() == Decimal("0.0908")


def test_the_gate_reads_consent_topics_and_suppressions(database: Database, make: Make) -> None:
    def consent(contact: int, topic: str, state: str) -> dict[str, Any]:
        return {"contact_id": contact, "channel": "email", "topic": topic, "state": state, "changed_at": now}

    with database.transaction() as session:
        ids = fill(session, 7, topic="news")
        session.add(Topic(slug="news", name="News", default_state="subscribed"))
        session.add(Topic(slug="quiet", name="Quiet", default_state="unsubscribed"))
        session.execute(
            insert(ConsentState), [consent(ids[1], "", "unsubscribed"), consent(ids[2], "news", "unsubscribed")]
        )
        session.execute(
            insert(Suppression).values(
                address_hmac=signer.address_hmac("email", "USER3@example.com"), channel="email", reason="manual"
            )
        )
        session.execute(update(Contact).where(Contact.id == ids[4]).values(email=None))
        session.execute(update(Message).where(Message.contact_id == ids[5]).values(topic="quiet"))
        session.execute(update(Message).where(Message.contact_id == ids[6]).values(expires_at=now))
    with scripted() as server:
        make(server.url).send(database)
    assert states(database) == {
        "accepted": 1,
        "suppressed:unsubscribed": 2,
        "suppressed:suppressed": 1,
        "suppressed:no_address": 1,
        "suppressed:no_consent": 1,
        "expired:expired": 1,
    }
    assert rollup(database) == (1, 6)
    assert len(server.messages) == 1


def test_a_paused_journey_holds_its_messages_and_does_not_block_others(database: Database, make: Make) -> None:
    with database.transaction() as session:
        journeys = [
            Journey(slug=slug, state=state) for slug, state in (("p", "paused"), ("s", "stopped"), ("l", "live"))
        ]
        session.add_all(journeys)
        session.flush()
        paused, stopped, live = (journey.id for journey in journeys)
        fill(session, 30, journey_id=paused)
        fill(session, 3, journey_id=stopped)
        fill(session, 4, journey_id=live, send_after=now)
    with scripted() as server:
        make(server.url, batch=5).send(database)
    assert states(database) == {"queued": 30, "cancelled:stopped": 3, "accepted": 4}


def test_an_entry_that_must_exit_is_not_sent_to(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 3)
    with scripted() as server:
        make(server.url).send(database, exit_check=lambda session, candidates, at: {candidates[0].id})
    assert states(database) == {"accepted": 2, "cancelled:exit": 1}


def test_two_senders_never_overrun_a_cap(database: Database, make: Make) -> None:
    with database.transaction() as session:
        contacts = fill(session, 10, cap="3 per week")
        content = session.scalars(select(Content.id)).one()
        for day in range(1, 8):
            queue(session, contacts, content, cap="3 per week", send_after=now - dt.timedelta(days=day))
    with scripted() as server:
        senders = [make(server.url, batch=7) for _ in range(2)]
        threads = [threading.Thread(target=each.send, args=(database,)) for each in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        senders[0].send(database)
    assert states(database) == {"accepted": 30, "suppressed:cap": 50}
    with database.transaction() as session:
        most = (
            session.execute(text("select count(*) from messages where state = 'accepted' group by contact_id"))
            .scalars()
            .all()
        )
    assert most == [3] * 10
    assert len(server.messages) == 30


def test_a_cap_counts_what_may_have_arrived_and_forgets_what_is_old(database: Database, make: Make) -> None:
    week = dt.timedelta(days=7)
    with database.transaction() as session:
        first, second, third = fill(session, 3, cap="1 per week")
        content = session.scalars(select(Content.id)).one()
        queue(session, [first], content, state="unknown", claimed_at=now - dt.timedelta(days=1))
        queue(session, [second], content, state="accepted", claimed_at=now - week, accepted_at=now - week)
        queue(session, [third], content, state="delivered", accepted_at=now - week + dt.timedelta(seconds=1))
    with scripted() as server:
        make(server.url).send(database)
    with database.transaction() as session:
        of = dict(session.execute(select(Message.contact_id, Message.state).where(Message.cap.is_not(None))).all())
    assert of == {first: "suppressed", second: "accepted", third: "suppressed"}


def test_while_the_server_is_down_everything_stays_queued_and_the_status_says_so(
    database: Database, make: Make
) -> None:
    port = free_port()
    with database.transaction() as session:
        fill(session, 20)
    down = make(f"smtp://127.0.0.1:{port}")
    assert down.turns(database)["email"].unreachable.endswith("connection refused")
    assert states(database) == {"queued": 20}
    with database.transaction() as session:
        assert session.scalars(select(Message.attempts).distinct()).all() == [0]
        seen = status.read(session, "email")
    assert seen is not None
    assert (seen.ok, seen.since) == (False, now)
    assert seen.error == f"127.0.0.1:{port}: connection refused"
    with scripted() as server:
        make(server.url).send(database)
    assert states(database) == {"accepted": 20}
    with database.transaction() as session:
        assert status.read(session, "email") == status.Status(True, now)


def test_a_server_that_goes_away_in_between_leaves_the_rest_untouched(database: Database, make: Make) -> None:
    def first_ten(server: Scripted, line: str) -> bytes:
        return close if len(server.messages) >= 10 else b"250 ok"

    with database.transaction() as session:
        fill(session, 40)
    with scripted(mail=first_ten) as server:
        make(server.url, batch=20, connections=1).send(database)
    found = states(database)
    assert found["accepted"] == len(server.messages) == 10
    assert sum(found.values()) == 40
    assert set(found) <= {"accepted", "queued", "queued:deferred"}


def test_a_4xx_waits_and_counts_a_5xx_fails_and_a_missing_user_is_suppressed(database: Database, make: Make) -> None:
    def by_user(server: Scripted, line: str) -> bytes:
        if "user1@" in line:
            return b"451 4.3.0 later"
        if "user2@" in line:
            return b"550 5.1.1 no such user"
        return b"550 5.7.1 blocked" if "user3@" in line else b"250 ok"

    with database.transaction() as session:
        contacts = fill(session, 4)
    with scripted(rcpt=by_user) as server:
        make(server.url).send(database)
    assert states(database) == {"accepted": 1, "queued:deferred": 1, "failed:hard_bounce": 1, "failed:policy": 1}
    assert rollup(database) == (1, 2)
    with database.transaction() as session:
        deferred = session.scalars(select(Message).where(Message.state == "queued")).one()
        assert (deferred.attempts, deferred.send_after) == (1, now + dt.timedelta(minutes=1))
        assert deferred.reply == "451 4.3.0 later"
        suppressed = session.scalars(select(Suppression)).one()
        assert (suppressed.address_hmac, suppressed.reason) == (
            signer.address_hmac("email", "user2@example.com"),
            "hard_bounce",
        )
        queue(session, [contacts[2]], session.scalars(select(Content.id)).one())
    with scripted() as server:
        make(server.url).send(database)
    assert states(database)["suppressed:suppressed"] == 1


def test_a_poison_template_fails_its_own_messages_and_is_never_sent_empty(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 3)
        empty = "---\nsubject: '{{ nothing }}'\ndefaults: {nothing: ''}\n---\n<html><body><p>Hi</p></body></html>"
        poisoned = save(session, "poison", source=empty)
        broken = save(session, "broken", source="---\nsubject: Fine\n---\n<html><body><p>Fine</p></body></html>")
        session.execute(
            text('update content_versions set compiled = \'{"channel": "email"}\' where content_id = :id'),
            {"id": broken},
        )
        contacts = session.scalars(select(Contact.id)).all()
        queue(session, list(contacts), poisoned, step_id="b")
        queue(session, list(contacts), broken, step_id="c")
    with scripted() as server:
        make(server.url).send(database)
    found = states(database)
    assert found.pop("accepted") == 3
    assert sum(found.values()) == 6
    assert all(state.startswith("failed:render:") for state in found)
    assert len(server.messages) == 3


def test_no_reply_is_unknown_and_not_sent_again(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 1)
    with scripted(end=close) as server:
        made = make(server.url, timeouts=Timeouts(dot=1))
        made.send(database)
        made.send(database)
        assert server.lines.count("DATA") == 1
    assert states(database) == {"unknown:no_reply": 1}
    assert rollup(database) == (0, 1)
    assert one(database).ended_at == now


@pytest.mark.parametrize("found_by", ["reap", "send"])
def test_results_that_could_not_be_written_are_found_in_the_journal(
    database: Database, make: Make, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    with database.transaction() as session:
        fill(session, 5)
    with scripted() as server:
        made = make(server.url)
        with monkeypatch.context() as broken:
            broken.setattr("engine.messages.turn.write_results", lambda *args, **options: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                made.send(database)
        assert states(database) == {"sending": 5}
        getattr(made, found_by)(database)
        assert len(server.messages) == 5
    assert states(database) == {"accepted": 5}


def test_a_server_that_hangs_holds_up_no_turn(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 3)
    with scripted(end=hang) as server:
        made = make(server.url, timeouts=Timeouts(dot=4))
        for longest in (3.5, 1.5):
            started = time.monotonic()
            made.turns(database, seconds=0.1)
            assert time.monotonic() - started < longest
        assert states(database) == {"sending": 3}
        with database.transaction() as session:
            fill(session, 1)
        until = time.monotonic() + 20
        while states(database).get("sending") and time.monotonic() < until:
            made.reap(database)
    assert states(database) == {"unknown:no_reply": 3, "queued": 1}


def test_a_server_that_does_not_greet_holds_up_no_turn(
    database: Database, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.channels.smtp.transmitter.patience", 0.5)
    with database.transaction() as session:
        fill(session, 1)
    with scripted(greet=hang) as server:
        made = make(server.url)
        for _ in range(2):
            assert made.turns(database)["email"].unreachable.endswith("no answer yet")
        assert server.connections == 1
    assert states(database) == {"queued": 1}


def test_a_turn_ends_when_the_process_is_asked_to_stop(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 30)
    with scripted() as server:
        make(server.url, batch=10, stopping=lambda: len(server.messages) > 0).send(database)
        assert 10 <= len(server.messages) <= 20
    assert states(database) == {"accepted": len(server.messages), "queued": 30 - len(server.messages)}


def test_every_sms_of_many_batches_appears_on_the_local_phone(database: Database, make: Make) -> None:
    with database.transaction() as session:
        contacts = fill(session, 9, channel="sms", slug="text")
        rows = [{"contact_id": each, "channel": "sms", "topic": "", "state": "subscribed"} for each in contacts]
        session.execute(insert(ConsentState).values(changed_at=now), rows)
    make("smtp://127.0.0.1:1", batch=2).send(database)
    with database.transaction() as session:
        assert len(set(session.scalars(select(LocalMessage.recipient)))) == 9


def test_email_is_signed_where_there_are_keys(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 1)
    keys = [dkim.Key("s", Ed25519PrivateKey.generate())]
    with scripted() as server:
        make(server.url, dkim=dkim.Dkim("cairn.example", keys)).send(database)
    (mail,) = server.messages
    assert mail.startswith(b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=cairn.example; s=s;")
    signature, _, message = mail.partition(b"\r\nFrom:")
    assert dkim.Dkim("cairn.example", keys).sign(b"From:" + message).startswith(signature)


def test_who_is_not_tracked_gets_plain_links_and_no_pixel_and_reports_say_so(database: Database, make: Make) -> None:
    with database.transaction() as session:
        workspace.save(session, untracked_countries=["FR"])
        there, _, refused, agreed, unreachable = fill(session, 5)
        session.execute(update(Contact).where(Contact.id.in_([there, agreed])).values(attributes={"country": " fr"}))
        said = {refused: "unsubscribed", agreed: "subscribed"}
        rows = [
            {"contact_id": id_, "channel": "tracking", "topic": "", "state": state, "changed_at": now}
            for id_, state in said.items()
        ]
        session.execute(insert(ConsentState), rows)
        session.execute(update(Contact).where(Contact.id == unreachable).values(email=None))
    with scripted() as server:
        make(server.url).send(database)
    plain = sorted(b"/o/" not in mail and b"/c/" not in mail for mail in server.messages)
    assert plain == [False, False, True, True]
    with database.transaction() as session:
        untracked = session.scalars(select(Message.contact_id).where(Message.untracked)).all()
        assert sorted(untracked) == [there, refused]
        assert session.execute(text("select sum(sent), sum(untracked) from message_rollups")).one() == (4, 2)
        assert session.execute(text("select reason, messages from withheld_rollups")).all() == [("no_address", 1)]
        assert_counters_equal_ledger(session)
