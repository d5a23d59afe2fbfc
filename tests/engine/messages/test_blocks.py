"""Blocks by rule in what is sent: decided a batch at a time, kept with the message, shown again in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from engine.db import Database
from engine.events.record import NewEvent, record
from engine.expr.load import load as load_schema
from engine.messages import blocks, view
from engine.messages.handed import Candidate
from engine.model import Contact, Enrolment, Message, MessageBlocks
from engine.previews import message as previews
from engine.workspace import Workspace
from tests.engine.channels.servers import scripted
from tests.engine.messages.ledger import Make, now, queue, save, signer, states

DAY = dt.timedelta(days=1)
SOURCE = """---
subject: "{% when purchased at least 2 times in the last 90 days %}Thank you{% else %}Hello{% endwhen %}"
---
<html><body><p>{% when plan is "pro" %}Pro{% else %}Free{% endwhen %}.
{% when event.total >= 100 %}Large{% endwhen %} {% when purchased since entry %}Since{% endwhen %}</p></body></html>"""


def people(session: Session, *attributes: dict[str, Any]) -> list[int]:
    rows = [{"email": f"user{n}@example.com", "attributes": each} for n, each in enumerate(attributes)]
    return list(session.scalars(insert(Contact).returning(Contact.id), rows))


def bought(session: Session, contact: int, *ago: dt.timedelta) -> None:
    record(session, [NewEvent(contact, "Order Completed", now - each, f"{contact} {each}") for each in ago], now)


def bodies(messages: Sequence[bytes]) -> dict[str, tuple[str, str]]:
    """Recipient -> subject and text of what the server got."""
    read = [message_from_bytes(each, policy=default) for each in messages]
    texts = [part.get_content() for each in read if (part := each.get_body(("plain",)))]
    return {str(each["To"]).strip("<>"): (each["Subject"], text) for each, text in zip(read, texts, strict=True)}


def asked_of(contacts: Sequence[int], **more: Any) -> list[Candidate]:
    """Messages as a claim hands them to `blocks`."""
    nothing: Any = [None] * 4
    return [
        Candidate(id_, now, None, None, "email", "", 1, now, id_, *nothing, 0, None, "", None, None, **more)
        for id_ in contacts
    ]


@contextmanager
def counted(database: Database, word: str) -> Iterator[list[str]]:
    """The statements that hold `word`."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.extend([arguments[2]] if word in arguments[2] else [])

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_everybody_gets_the_blocks_that_their_rules_choose_by_one_statement_a_batch(
    database: Database, make: Make
) -> None:
    with database.transaction() as session:
        one, two, three = people(session, {"plan": "pro"}, {"plan": "free"}, {})
        bought(session, one, DAY, 3 * DAY)
        bought(session, two, DAY, 100 * DAY)
        queue(session, [one, two, three], save(session, "by-rule", source=SOURCE), journey_id=None, step_id=None)
    with scripted() as server, counted(database, "events") as statements:
        make(server.url).send(database)
    assert states(database) == {"accepted": 3}
    found = bodies(server.messages)
    assert found["user0@example.com"][0] == "Thank you" and "Pro." in found["user0@example.com"][1]
    assert found["user1@example.com"][0] == "Hello" and "Free." in found["user1@example.com"][1]
    assert found["user2@example.com"][0] == "Hello" and "Free." in found["user2@example.com"][1]
    assert len([each for each in statements if "asked" in each]) == 2  # one a rule that asks for events
    with database.transaction() as session:
        assert sorted(session.scalars(select(MessageBlocks.holds))) == [[], [], [1, 2]]


def test_in_the_browser_a_message_shows_the_blocks_that_were_sent(database: Database, make: Make) -> None:
    with database.transaction() as session:
        [one] = people(session, {"plan": "pro"})
        queue(session, [one], save(session, "by-rule", source=SOURCE), journey_id=None, step_id=None)
    with scripted() as server:
        make(server.url).send(database)
    with database.transaction() as session:
        session.execute(text("update contacts set attributes = '{}'"))
        bought(session, one, DAY, 2 * DAY)
        key = session.execute(select(Message.id, Message.origin_at)).one()
        page = view.page(session, (key[0], key[1]), signer, "https://cairn.example")
    assert page is not None and "Pro." in page


def test_rules_ask_for_the_event_and_the_entry_behind_the_message(session: Session) -> None:
    one, two = people(session, {}, {})
    schema = load_schema(session)
    entries = []
    for contact, total in ((one, 150), (two, 50)):
        values = {
            "journey_id": 1, "version_id": 1, "contact_id": contact, "status": "completed", "entered_at": now - DAY,
            "trigger_occurred_at": now - DAY, "trigger_received_at": now - DAY, "trigger_message_id": "m",
            "trigger_event": {"total": total},
        }  # fmt: skip
        entries.append(session.scalars(insert(Enrolment).returning(Enrolment.id), values).one())
    bought(session, one, 2 * DAY)
    bought(session, two, DAY / 2)
    messages = asked_of([one, two])
    for message, entry, total in zip(messages, entries, (150, 50), strict=True):
        message.enrolment_id, message.event = entry, {"total": total}

    def true_of(rule: str) -> set[int]:
        return blocks.true_of(session, rule, schema, messages, now)

    assert true_of("event.total >= 100") == {one}
    assert true_of("event.total >= 100 or purchased in the last 20 hours") == {one, two}
    assert true_of("purchased since entry") == {two} and true_of("purchased") == {one, two}


def test_a_message_by_a_call_reads_what_the_call_gave(session: Session) -> None:
    [one] = people(session, {})
    [message] = asked_of([one], event={"properties": {"total": 120}})
    assert blocks.true_of(session, "event.total > 100 and not purchased", load_schema(session), [message], now) == {one}


@pytest.mark.parametrize(
    "rule",
    [
        "plan is “pro”",
        "score > 3 or city in [“Lyon”]",
        "trial_ends_at is within the next 3 days",
        "email ends with “1@EXAMPLE.com”",
        "created_at is set and last_seen_at is not set",
    ],
)
def test_in_memory_and_by_statement_the_verdicts_are_the_same(session: Session, rule: str) -> None:
    given = [{"plan": "pro"}, {"score": 4.5}, {"city": "Lyon"}, {"trial_ends_at": (now + DAY).isoformat()}, {}]
    contacts, schema = people(session, *given), load_schema(session)
    messages = asked_of(contacts)
    for message, attributes, n in zip(messages, given, range(9), strict=False):
        message.contact = {**attributes, "email": f"user{n}@example.com"}
    node = blocks.parse(rule, schema.aliases)
    by_statement = blocks._by_statement(session, rule, node, schema, messages, now)
    assert blocks.true_of(session, rule, schema, messages, now) == by_statement


def test_a_preview_as_a_contact_shows_the_verdicts_and_samples_show_every_block(session: Session) -> None:
    save(session, "by-rule", source=SOURCE)
    [one] = people(session, {"plan": "free"})
    bought(session, one, DAY, 2 * DAY)
    found, shop = previews.find(session, "by-rule"), Workspace(name="Shop", sender_address="hi@shop.example")
    shown = previews.render(session, found, previews.contact(session, one), shop, "https://c.example", now)
    assert shown.rules == (
        ("purchased at least 2 times in the last 90 days", True),
        ('plan is "pro"', False),
        ("event.total >= 100", False),
        ("purchased since entry", False),
    )
    assert shown.subject == "Thank you" and "Free." in shown.text and "Free." in shown.html
    sample = previews.render(session, found, previews.nobody(found), shop, "https://c.example", now)
    assert "Pro." in sample.text and "Large" in sample.text and all(holds for _, holds in sample.rules)


def test_a_stored_rule_that_does_not_read_fails_its_own_messages_alone(database: Database, make: Make) -> None:
    with database.transaction() as session:
        one, two = people(session, {}, {})
        source = "---\nsubject: Hi\n---\n<html><body><p>{% when plan is set %}x{% endwhen %} text</p></body></html>"
        queue(session, [one], save(session, "broken", source=source), journey_id=None, step_id=None)
        queue(session, [two], save(session, "hello"), journey_id=None, step_id=None)
        session.execute(
            text("update content_versions set compiled = replace(compiled::text, 'is set', 'is is')::jsonb")
        )
    with scripted() as server:
        make(server.url).send(database)
    assert {state.partition(":")[0]: n for state, n in states(database).items()} == {"accepted": 1, "failed": 1}
    with database.transaction() as session:
        reply = session.scalars(select(Message.reply).where(Message.state == "failed")).one()
    assert reply is not None and "plan is is" in reply


def test_contents_without_rules_ask_and_keep_nothing(database: Database, make: Make) -> None:
    with database.transaction() as session:
        queue(session, people(session, {}, {}), save(session), journey_id=None, step_id=None)
    with scripted() as server, counted(database, "blocks") as kept, counted(database, "attribute_definitions") as asked:
        make(server.url).send(database)
    assert states(database) == {"accepted": 2} and kept == asked == []
