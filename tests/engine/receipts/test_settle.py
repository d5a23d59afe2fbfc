"""What receipts do to messages, counters, contacts, addresses and streams, however often and in whatever order."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns import resuming
from engine.receipts import streams
from engine.receipts.settle import apply, settle
from engine.receipts.store import forget, store
from engine.receipts.values import Receipt
from engine.reports import rollup
from engine.signing import Signer
from tests import invariants
from tests.engine.tracking.seeds import Seed, message
from tests.ledger import assert_counters_equal_ledger

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SENT = NOW - dt.timedelta(hours=1)
SIGNER = Signer(b"tests")
numbers = itertools.count()


def sent(session: Session, **more: Any) -> Seed:
    """A message that was accepted an hour ago, counted as such."""
    seed = message(session, SENT, **more)
    count(session, seed, {"sent": 1})
    return seed


def count(session: Session, seed: Seed, metrics: dict[str, Any]) -> None:
    rollup.messages(session, [rollup.MessageDelta(seed.journey_id, "hello", "email", SENT.date(), metrics)])


def receipt(seed: Seed | None, kind: str, **more: Any) -> Receipt:
    values = {"provider": "mail", "provider_id": f"r{next(numbers)}", "occurred_at": NOW} | more
    return Receipt(kind=kind, message=(seed.id, seed.origin_at) if seed else None, **values)


def state(session: Session, seed: Seed) -> tuple[str, str | None]:
    row = session.execute(text("select state, reason from messages where id = :id"), {"id": seed.id}).one()
    return row[0], row[1]


def names(session: Session, seed: Seed) -> list[str]:
    rows = session.execute(
        text("select name from events where contact_id = :id order by name"), {"id": seed.contact_id}
    )
    return list(rows.scalars())


def suppressions(session: Session) -> list[str]:
    return list(session.execute(text("select reason from suppressions order by reason")).scalars())


def backward(session: Session) -> list[str]:
    """Changes of state that the lattice does not have; the seeds begin in the middle of it."""
    return [line for line in invariants.one_state(session) if "went from" in line and "from nothing" not in line]


@pytest.mark.parametrize(
    ("kinds", "end", "reason"),
    [
        (["delivered"], "delivered", None),
        (["hard"], "bounced", "hard_bounce"),
        (["soft"], "bounced", "soft_bounce"),
        (["policy"], "bounced", "policy"),
        (["complaint"], "complained", "complaint"),
        (["delivered", "hard"], "bounced", "hard_bounce"),
        (["hard", "delivered"], "bounced", "hard_bounce"),
        (["complaint", "delivered", "hard"], "complained", "complaint"),
        (["deferred", "replied", "ignored"], "accepted", None),
    ],
)
def test_a_message_only_moves_forward(session: Session, kinds: list[str], end: str, reason: str | None) -> None:
    seed = sent(session)
    for kind in kinds:
        apply(session, [receipt(seed, kind)], NOW, SIGNER)
    assert state(session, seed) == (end, reason)
    assert_counters_equal_ledger(session)


def test_a_receipt_that_comes_twice_changes_nothing_the_second_time(session: Session) -> None:
    seed = sent(session)
    one = receipt(seed, "hard", provider_id="same")
    first = apply(session, [one, one], NOW, SIGNER)
    assert first.receipts == 1
    session.execute(text("delete from suppressions"))
    assert apply(session, [one], NOW, SIGNER).receipts == 0
    assert suppressions(session) == []
    assert names(session, seed) == ["Email Bounced"]
    assert_counters_equal_ledger(session)


def test_any_order_of_the_same_receipts_keeps_counters_and_the_lattice(session: Session) -> None:
    invariants.watch(session)
    for order in range(12):
        seed = sent(session)
        kinds = ["delivered", "soft", "hard", "complaint", "deferred", "delivered"]
        random.Random(order).shuffle(kinds)
        for part in (kinds[:3], kinds[3:]):
            apply(session, [receipt(seed, kind) for kind in part], NOW, SIGNER)
    assert backward(session) == []
    assert_counters_equal_ledger(session)


def test_what_is_said_of_an_unknown_message_proves_that_it_was_sent(session: Session) -> None:
    invariants.watch(session)
    for kind, end in (("delivered", "delivered"), ("soft", "bounced"), ("complaint", "complained")):
        seed = message(session, None, state="unknown")
        session.execute(text("update messages set ended_at = :at where id = :id"), {"at": SENT, "id": seed.id})
        count(session, seed, {"undelivered": 1})
        apply(session, [receipt(seed, kind)], NOW, SIGNER)
        assert state(session, seed)[0] == end
    assert backward(session) == []
    assert_counters_equal_ledger(session)


def test_what_comes_before_the_sender_has_written_its_result_waits_for_it(session: Session) -> None:
    seed = message(session, None, state="sending")
    assert apply(session, [receipt(seed, "delivered")], NOW, SIGNER).receipts == 0
    session.execute(text("update messages set state = 'accepted', accepted_at = :at where id = :id"),
                    {"at": SENT, "id": seed.id})  # fmt: skip
    count(session, seed, {"sent": 1})
    assert settle(session, NOW, SIGNER).receipts == 1
    assert state(session, seed)[0] == "delivered"


def test_a_failed_message_stays_failed_and_its_refusal_still_counts_against_the_address(session: Session) -> None:
    seed = message(session, None, state="failed")
    session.execute(text("update messages set ended_at = :at where id = :id"), {"at": SENT, "id": seed.id})
    apply(session, [receipt(seed, "hard")], NOW, SIGNER)
    assert state(session, seed)[0] == "failed"
    assert suppressions(session) == ["hard_bounce"]


def test_a_hard_bounce_suppresses_the_address_that_was_written_to(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(seed, "hard", recipient="somebody.else@example.com")], NOW, SIGNER)
    address = session.execute(text("select recipient from messages where id = :id"), {"id": seed.id}).scalar_one()
    hmac = session.execute(text("select address_hmac from suppressions")).scalar_one()
    assert bytes(hmac) == SIGNER.address_hmac("email", address)


def test_a_receipt_of_no_known_message_changes_nothing_and_is_kept(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(None, "hard", recipient="person@example.com", payload=b"x" * 100_000)], NOW, SIGNER)
    assert (suppressions(session), state(session, seed)) == ([], ("accepted", None))
    size = session.execute(text("select length(payload) from receipts where message_id is null")).scalar_one()
    assert size == 65536


def test_what_arrived_is_forgotten_after_a_month_however_long_ago(session: Session) -> None:
    apply(session, [receipt(None, "hard", payload=b"what somebody wrote")], NOW, SIGNER)
    forget(session, NOW + dt.timedelta(days=29))
    assert session.execute(text("select count(payload) from receipts")).scalar_one() == 1
    forget(session, NOW + dt.timedelta(days=100))
    assert session.execute(text("select count(payload) from receipts")).scalar_one() == 0


def test_names_of_gateways_are_sorted_by_their_bytes_whatever_the_database_sorts_by(session: Session) -> None:
    query = "select collname from pg_attribute a join pg_collation c on c.oid = a.attcollation "
    query += "where attrelid = 'receipts'::regclass and attname = 'provider_id'"
    assert session.execute(text(query)).scalar_one() == "C"


def soft(session: Session, days_ago: float, address: str = "full@example.com") -> Seed:
    at = NOW - dt.timedelta(days=days_ago)
    seed = message(session, at)
    session.execute(text("update messages set recipient = :to where id = :id"), {"to": address, "id": seed.id})
    apply(session, [receipt(seed, "soft", occurred_at=at)], NOW, SIGNER)
    return seed


def test_the_fifth_soft_bounce_in_14_days_suppresses_the_address(session: Session) -> None:
    for days in (15, 9, 7, 5, 3):
        soft(session, days)
    soft(session, 2, address="other@example.com")
    assert suppressions(session) == []
    soft(session, 1)
    assert suppressions(session) == ["soft_bounce"]


def test_two_soft_bounces_of_one_message_count_once(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(seed, "soft") for _ in range(7)], NOW, SIGNER)
    assert suppressions(session) == []


def test_a_delivery_begins_the_count_of_soft_bounces_anew(session: Session) -> None:
    for days in (9, 8, 7, 6):
        soft(session, days)
    at = NOW - dt.timedelta(days=5)
    arrived = message(session, at)
    session.execute(text("update messages set recipient = 'full@example.com' where id = :id"), {"id": arrived.id})
    apply(session, [receipt(arrived, "delivered", occurred_at=at)], NOW, SIGNER)
    for days in (4, 3, 2, 1):
        soft(session, days)
    assert suppressions(session) == []
    soft(session, 0.5)
    assert suppressions(session) == ["soft_bounce"]


def test_an_open_begins_the_count_of_soft_bounces_anew(session: Session) -> None:
    opened, *_ = [soft(session, days) for days in (9, 8, 7, 6)]
    at = NOW - dt.timedelta(days=5)
    session.execute(text("update messages set first_open_at = :at where id = :id"), {"at": at, "id": opened.id})
    last = soft(session, 4)
    assert suppressions(session) == ["soft_bounce"], "the open was that of another contact"
    session.execute(text("delete from suppressions"))
    session.execute(text("update messages set contact_id = :id"), {"id": last.contact_id})
    apply(session, [receipt(last, "soft")], NOW, SIGNER)
    assert suppressions(session) == []


def test_a_complaint_ends_consent_and_suppresses_the_channel(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(seed, "complaint")], NOW, SIGNER)
    said = session.execute(text("select channel, topic, action, source from consent_events")).all()
    assert [tuple(row) for row in said] == [("email", "", "unsubscribed", "complaint")]
    assert suppressions(session) == ["complaint"]
    assert names(session, seed) == ["Email Complained"]


def test_events_say_what_happened_to_which_message(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(seed, "soft", status="4.2.2", reason="over quota")], NOW, SIGNER)
    said = session.execute(text("select properties from events")).scalar_one()
    assert said["message"] == seed.token
    assert (said["kind"], said["status"], said["reason"], said["step"]) == ("soft", "4.2.2", "over quota", "hello")


def test_a_policy_rejection_pauses_the_stream_never_the_contact_and_tells_a_colleague(session: Session) -> None:
    session.execute(text("insert into users (public_id, email, name, role, password_hash, session_stamp) values "
                         "('u', 'boss@shop.test', 'Boss', 'admin', '', '')"))  # fmt: skip
    seed = sent(session)
    apply(session, [receipt(seed, "policy", status="5.7.1", reason="blocked")], NOW, SIGNER)
    (pause,) = streams.listed(session)
    assert (pause.stream, pause.by) == ("domain:hello@cairn.example>example.com", "breaker")
    assert "5.7.1 blocked" in pause.reason
    assert suppressions(session) == []
    note = session.execute(text("select address, payload ->> 'note' from deliveries")).one()
    assert note[0] == "boss@shop.test"
    assert "mail from hello@cairn.example to example.com" in note[1]
    assert pause.stream in note[1]


def test_a_content_that_is_refused_pauses_the_stream_at_the_third_message(session: Session) -> None:
    seeds = [sent(session) for _ in range(3)]
    for seed in seeds[:2]:
        for _ in range(3):
            apply(session, [receipt(seed, "policy", status="5.6.0", reason="the content is refused")], NOW, SIGNER)
    assert streams.listed(session) == []
    apply(session, [receipt(seeds[2], "policy", status="5.6.0", reason="the content is refused")], NOW, SIGNER)
    assert [pause.stream for pause in streams.listed(session)] == ["domain:hello@cairn.example>example.com"]


def test_word_of_a_message_that_left_before_the_stream_was_resumed_pauses_nothing(session: Session) -> None:
    seed = sent(session)
    apply(session, [receipt(seed, "policy", status="5.7.1")], NOW, SIGNER)
    (pause,) = streams.listed(session)
    resuming.resume(session, pause.stream, "boss", NOW)
    apply(session, [receipt(seed, "policy", status="5.7.1")], NOW, SIGNER)
    assert streams.listed(session) == []
    done = session.execute(text("select actor, action from audit_log order by id")).all()
    assert [tuple(row) for row in done] == [("breaker", "stream paused"), ("boss", "stream resumed")]


def test_three_sites_that_refuse_a_journeys_mail_pause_the_journeys_stream(session: Session) -> None:
    seeds = [sent(session) for _ in range(3)]
    for number, seed in enumerate(seeds):
        session.execute(
            text("update messages set journey_id = :journey, recipient = :to where id = :id"),
            {"journey": seeds[0].journey_id, "to": f"a@site{number}.example", "id": seed.id},
        )
        apply(session, [receipt(seed, "policy", status="5.7.1")], NOW, SIGNER)
    assert sum(pause.stream.startswith("journey:") for pause in streams.listed(session)) == 1
    assert len(streams.listed(session)) == 4


@pytest.mark.parametrize(("messages", "complaints", "paused"), [(498, 20, 0), (999, 3, 0), (999, 4, 1)])
def test_too_many_complaints_pause_the_journey(session: Session, messages: int, complaints: int, paused: int) -> None:
    seed = sent(session)
    count(session, seed, {"sent": messages - complaints + 1, "complained": complaints - 1})
    for _ in range(complaints - 1):
        count(session, seed, {"sent": 1})
    apply(session, [receipt(seed, "complaint")], NOW, SIGNER)
    assert len(streams.listed(session)) == paused


def test_receipts_are_stored_first_and_settled_by_whoever_comes(session: Session) -> None:
    seed = sent(session)
    store(session, [receipt(seed, "delivered")], NOW, SIGNER)
    assert state(session, seed)[0] == "accepted"
    settle(session, NOW, SIGNER)
    assert state(session, seed)[0] == "delivered"
