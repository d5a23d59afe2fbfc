"""A person is forgotten: nothing of them is left in any table, and every counter still equals its ledger."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

from sqlalchemy import insert, text

from engine import clock
from engine.contacts.consent import suppress
from engine.contacts.everything import PARTS, collect
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.messages.direct import Order, send
from engine.model import Base, ConsentPause, Import, ReceiptMail
from engine.signing import signer
from engine.tracking import hits
from journeys import erasing
from journeys.erasing import scrub_late
from tests.journeys.runtime.world import HOUR, World, journey
from tests.ledger import assert_counters_equal_ledger
from webapp.forgetting import forget

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ANN = ("ann.secret@x.example", "+14155550123", "Annabella", "A-SECRET-1", "198.51.100.77")
ERASING = ("LOCK", "EMPTY", "TEXTS", "PIECES", "MAILS", "RECEIPTS", "COPIES")
TABLES = (
    "select tablename from pg_tables where schemaname = current_schema() and tablename !~ '_[0-9]{4}|_p[0-9]|_default'"
)
STORY = journey(
    """
    - email: hello
      id: hello
    - wait: 2 days
      id: rest
    - email: again
      id: again
    """,
    'goal: {when: did "Paid", value: event.total}\n',
    slug="story",
)


def meet(world: World) -> int:
    """Ann, who bought something after a mail that she opened and clicked; and Bob, who did the same."""
    world.publish(STORY)
    world.segment("all", "external_id is set")
    ann = world.contact("ann", email=ANN[0], phone=ANN[1], first_name=ANN[2])
    bob = world.contact("bob")
    for contact, order in ((ann, ANN[3]), (bob, "B-1")):
        world.event(contact, "Signed Up", order=order, by=ANN[0] if contact == ann else "bob")
    world.live(HOUR)
    with world.database.transaction() as session:
        now = clock.now(session)
        rows = session.execute(text("select id, origin_at, contact_id = :ann from messages"), {"ann": ann}).all()
        seen = [
            hits.Hit(
                now, kind, id_, origin, 1 if kind == "click" else None, ip=ANN[4] if hers else "::1", user_agent=BROWSER
            )
            for id_, origin, hers in rows
            for kind in ("open", "click")
        ]
        hits.store(session, seen)
    world.live(HOUR)
    for contact, order in ((ann, ANN[3]), (bob, "B-1")):
        world.event(contact, "Paid", total=20, order=order)
    world.live(HOUR)
    world.consent(ann, "unsubscribed", channel="sms")
    with world.database.transaction() as session:
        session.execute(insert(ConsentPause), {"contact_id": ann, "channel": "email", "until": now})
        send(session, Order("hello", f"receipt {ANN[3]}", email=ANN[0], properties={"to": ANN[0]}), now)
    return ann


def bob(world: World) -> int:
    """His id."""
    [(id_,)] = world.execute("select id from contacts where external_id = 'bob'")
    return int(id_)


def remains(world: World) -> list[str]:
    """Where any of Ann's words still stand."""
    found = []
    for (table,) in world.execute(TABLES):
        for (row,) in world.execute(f'select to_jsonb(t)::text from "{table}" t'):
            found += [f"{table}: {row[:300]}" for word in ANN if word.lower() in row.lower()]
    return found


def test_nothing_of_the_person_is_left_and_the_numbers_stay(world: World, tmp_path: Path) -> None:
    ann = meet(world)
    assert {line.split(":")[0] for line in remains(world)} >= {"contacts", "events", "enrolments", "messages", "hits"}
    errors = tmp_path / "errors.csv"
    errors.write_text(f"row,column,value\n2,email,{ANN[0].upper()}\n3,email,bob\n")
    with world.database.transaction() as session:
        row = {
            "kind": "contacts",
            "filename": "c.csv",
            "error_file": str(errors),
            "started_at": dt.datetime.now(dt.UTC),
        }
        session.execute(insert(Import), row | dict.fromkeys(("rows", "accepted", "unchanged", "refused"), 1))
        before = session.execute(text("select sum(sent), sum(human_clicks), sum(revenue) from message_rollups")).one()
    assert forget(world.database, [ANN[0], "nobody"], signer(), "test") == 1
    assert remains(world) == []
    assert {row[0] for row in world.execute("select contact_id from contact_hours")} == {0, bob(world)}
    assert errors.read_text() == "row,column,value\n3,email,bob\n"
    with world.database.transaction() as session:
        assert_counters_equal_ledger(session)
        after = session.execute(text("select sum(sent), sum(human_clicks), sum(revenue) from message_rollups")).one()
        assert session.execute(text("select contact_count from segments")).scalar() == 1
    assert after == before
    assert world.statuses(ann)[0] in ("stopped", "converted")
    assert world.execute("select action, object from audit_log where action = 'erased'") == [
        ("erased", f"contact {ann}")
    ]
    assert forget(world.database, [ANN[0]], signer(), "test") == 0
    world.live(72 * HOUR)
    assert world.execute("select 1 from contact_hours where contact_id = :id", id=ann) == []
    assert remains(world) == []


def test_where_a_link_of_their_own_led_and_what_servers_said_of_them_is_forgotten(world: World) -> None:
    ann = meet(world)
    own = """{"1": "https://x.example/?to=ann.secret@x.example"}"""
    world.execute("update messages set links = cast(:own as jsonb) where contact_id = :ann", own=own, ann=ann)
    with world.database.transaction() as session:
        [row] = session.execute(
            text("select id, origin_at from messages where contact_id = :ann limit 1"), {"ann": ann}
        )
        hits.store(session, [hits.Hit(clock.now(session), "click", *row, 1, user_agent=BROWSER)])
    world.live(HOUR)
    told = """{"kind": "hard", "status": "5.1.1", "reason": "550 <ann.secret@x.example> is nobody"}"""
    world.execute(
        "update events set properties = properties || cast(:told as jsonb) "
        "where contact_id = :ann and name = 'Email Opened'",
        told=told,
        ann=ann,
    )
    assert {"?to=ann" in line for line in remains(world) if line.startswith("events")} == {False, True}
    forget(world.database, [ANN[0]], signer(), "test")
    assert remains(world) == []
    [(kept,)] = world.execute("select properties from events where contact_id = :ann and properties ? 'kind'", ann=ann)
    assert (kept["kind"], kept["status"], "reason" in kept) == ("hard", "5.1.1", False)


def test_what_is_scrubbed_is_not_written_again_by_the_later_looks(world: World) -> None:
    meet(world)
    forget(world.database, [ANN[0]], signer(), "test")
    tables = ("messages", "hits", "events", "consent_events", "deliveries", "direct_sends", "step_log")
    before = [world.execute(f"select ctid::text, xmin::text from {table} order by 1") for table in tables]
    assert all(before[:4])
    with world.database.transaction() as session:
        scrub_late(session, clock.now(session))
    assert [world.execute(f"select ctid::text, xmin::text from {table} order by 1") for table in tables] == before


def test_what_waits_is_cancelled_and_counted(world: World) -> None:
    world.publish(STORY)
    ann = world.contact("ann", email=ANN[0])
    world.event(ann, "Signed Up")
    with world.database.transaction() as session:
        world.match(session)
    world.execute(
        "insert into messages (origin_at, contact_id, content_id, channel, queued_at, send_after) "
        "select :now, :id, id, 'email', :now, :now from contents limit 1",
        now=world.now, id=ann,
    )  # fmt: skip
    forget(world.database, ["ann"], signer(), "test")
    assert {state for _, state in world.messages(ann)} == {"cancelled"}
    assert world.statuses(ann) == ["stopped"]
    with world.database.transaction() as session:
        assert_counters_equal_ledger(session)
    world.live(72 * HOUR)
    assert {state for _, state in world.messages(ann)} == {"cancelled"}


def test_a_later_contact_with_the_address_is_new_and_as_unreachable(world: World) -> None:
    world.publish(STORY)
    ann, bob = world.contact("ann", email=ANN[0]), world.contact("bob")
    carl = world.contact("carl")
    world.consent(ann, "unsubscribed")
    with world.database.transaction() as session:
        suppress(session, "email", ["bob@x.example"], "complaint", clock.now(session))
    forget(world.database, ["ann", "bob", "carl"], signer(), "test")
    with world.database.transaction() as session:
        people = [Profile("ann", ANN[0]), Profile("bob", "bob@x.example"), Profile("carl", "Carl@x.example")]
        again = identify(session, people, clock.now(session))
    assert not {ann, bob, carl} & set(again)
    for contact in again:
        world.event(contact, "Signed Up")
    world.live(HOUR)
    assert [world.messages(contact) for contact in again] == [[("hello", "suppressed")]] * 3


def test_an_address_that_somebody_else_has_too_is_left_to_them(world: World) -> None:
    world.publish(STORY)
    world.contact("ann", email=ANN[0])
    other = world.contact("ben", email=ANN[0])
    forget(world.database, ["ann"], signer(), "test")
    assert world.execute("select 1 from suppressions") == []
    forget(world.database, ["ben"], signer(), "test")
    assert world.execute("select reason from suppressions") == [("unsubscribed",)]
    assert world.execute("select email from contacts where id = :id", id=other) == [(None,)]


def test_mail_that_nobody_could_read_is_forgotten_too(world: World) -> None:
    world.contact("ann", email=ANN[0])
    with world.database.transaction() as session:
        now = clock.now(session)
        mails = [([], b"From: x\n\nno Ann.Secret@X.example here"), ([ANN[0]], b"?"), (["bob@x.example"], b"of Bob")]
        for recipients, raw in mails:
            row = {"door": "pipe", "recipients": recipients, "raw": raw, "received_at": now, "error": "unreadable"}
            session.execute(insert(ReceiptMail), row)
    forget(world.database, [ANN[0]], signer(), "test")
    assert world.execute("select recipients from receipt_mails") == [(["bob@x.example"],)]


KEYS = {"contact_id", "enrolment_id", "message_id", "message_token", "recipient", "sender", "address_hmac"}
NOT_EXPORTED = {
    "change_inbox": "names of what changed, for a second",
    "segment_expiries": "when a rule is judged again",
    "event_keys": "ids of calls", "gateway_references": "ids of a gateway", "credits": "of conversions",
    "text_parts": "pieces of texts, for minutes",
}  # fmt: skip
NOT_SCRUBBED = {
    "conversions": "numbers", "credits": "numbers", "campaign_contacts": "numbers", "event_keys": "ids of calls",
    "gateway_references": "ids of a gateway, for days", "contents": "sender of all mails",
    "suppressions": "the HMAC that keeps them unreachable",
}  # fmt: skip


def test_no_table_that_knows_people_is_left_out() -> None:
    tables = {name for name, table in Base.metadata.tables.items() if KEYS & set(table.columns.keys())}
    exported, scrubbed = " ".join(PARTS.values()), " ".join(str(vars(erasing)[name]) for name in ERASING)
    scrubbed += " ".join(str(one) for one in (*erasing.FORGET, *erasing.SCRUB))
    assert {name for name in tables if not re.search(rf"\b{name}\b", exported)} == set(NOT_EXPORTED)
    assert {name for name in tables if not re.search(rf"\b{name}\b", scrubbed)} == set(NOT_SCRUBBED)


def test_all_that_is_known_comes_out_as_json(world: World) -> None:
    ann = meet(world)
    with world.database.transaction() as session:
        found = json.loads(json.dumps(collect(session, ann, signer())))
    assert set(found) == set(PARTS)
    assert found["profile"][0]["email"] == ANN[0]
    assert {event["name"] for event in found["events"]} >= {"Signed Up", "Paid", "Email Opened"}
    assert "mj-text" in found["messages"][0]["content_source"]
    assert found["messages"][0]["recipient"] == ANN[0]
    assert {hit["ip"] for hit in found["hits"]} == {ANN[4]}
    assert found["consent_history"][0]["action"] == "unsubscribed"
    assert found["segments"][0]["segment"] == "all"
    assert found["journeys"][0]["journey"] == "story"
    assert found["conversions"][0]["value"] == 20
    assert "bob" not in json.dumps(found)
