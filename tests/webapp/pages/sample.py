"""A small shop with everything that pages show: people, a live journey, messages, hits, credit, a mailbox."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session

from engine import partitions, users, workspace
from engine.campaigns import definition
from engine.campaigns import store as campaigns
from engine.content import replacing
from engine.content import store as contents
from engine.db import Database
from engine.model import (
    ConsentEvent,
    ConsentState,
    Contact,
    Content,
    Conversion,
    Enrolment,
    EntryRollup,
    Event,
    Hit,
    Journey,
    JourneyVersion,
    LocalMessage,
    Message,
    MessageRollup,
    Segment,
    SegmentMembership,
    StepLog,
    StepRollup,
)
from tests.engine.content.samples import content, mjml

PASSWORD = "correct horse battery"
ADMIN, MARKETER, VIEWER = "admin@cairn.example", "mara@cairn.example", "vera@cairn.example"
FIRST = tuple("Ada Ben Chloe Dario Elif Farid Greta Hugo Ines Jonas Kaya Lars Mina Noor Olga Pablo".split())  # noqa: SIM905
LAST = ("Moreau", "Lindqvist", "Okafor", "Tanaka", "Silva", "Novak", "Haas", "Rossi", "Meyer", "Dubois")
TEXT = (Path(__file__).parent / "welcome.yaml").read_text()
HTML = (Path(__file__).parent / "mail.html").read_text()
DARK = "<mj-head><mj-style>@media (prefers-color-scheme: dark) { p { color: #fff } }</mj-style></mj-head>"
BODY = mjml("<p>Hi {{ first_name }} {{ score }}</p>").replace("<mj-body>", DARK + "<mj-body>")
LETTER = content(BODY, "subject: Hello {{ first_name }}")
STEPS = (("hello-a", "email"), ("hello-b", "email"), ("nudge", "email"), ("nudge-sms", "sms"))
DAYS = 60


@dataclass(frozen=True)
class Shop:
    """What tests ask for by name. `contact` is the one with a long timeline."""

    now: dt.datetime
    contact: str
    email: str
    sms: str
    slug: str = "welcome"


GREETINGS = (
    ("language: en\nsubject: Good day", 'Welcome {% snippet "farewell" who="Ann" %}'),
    ("subject: Guten Tag", "Willkommen"),
)


def build(database: Database, now: dt.datetime) -> Shop:
    """Fill an empty workspace; the same every time."""
    draw = random.Random(7)
    with database.transaction() as session:
        _partitions(session, now)
        _people(session)
        contacts = _contacts(session, now, draw)
        journey = _journey(session, now)
        _rollups(session, journey, now, draw)
        hero = contacts[-1]
        enrolment = _enrolment(session, journey, hero, now)
        _events(session, hero, now, draw)
        _facts(session, hero, enrolment, now)
        mails = _mailbox(session, enrolment, contacts, now)
        _segments(session, hero, now)
        _campaign(session, now)
        _contents(session, now)
        return Shop(now, hero.public_id, mails["email"], mails["sms"])


def _contents(session: Session, now: dt.datetime) -> None:
    """A letter with dark colours, variables and warnings, and a text message."""
    contents.save(session, LETTER, "letter", "email", now, ours=True)
    contents.save(session, "Hi {{ first_name }}", "note", "sms", now, ours=True)
    farewell = {
        "": "---\nlanguage: en\nparams: {who: }\n---\n<b>Bye, {{ param.who }}</b>",
        "de": "Tschüs, {{ param.who }}",
    }
    replacing.save(session, farewell, "farewell", "email", now)
    english, german = (f"---\n{front}\n---\n<p>{said}</p>" for front, said in GREETINGS)
    contents.save(session, english, "greeting", "email", now, ours=True, others={"de": german})


def _campaign(session: Session, now: dt.datetime) -> None:
    given = {"campaign": "sample", "name": "Winter news", "audience": 'plan is "pro"', "content": "hello-a"}
    campaigns.save(session, definition.read(given), now, ADMIN)


def _partitions(session: Session, now: dt.datetime) -> None:
    moments = [now - dt.timedelta(days=30 * months) for months in range(4)]
    for table in ("events", "step_log", "messages", "hits"):
        partitions.ensure(session, table, moments)


def _people(session: Session) -> None:
    users.create(session, ADMIN, PASSWORD, name="Ada Admin")
    users.create(session, MARKETER, PASSWORD, name="Mara Marketer", role="marketer")
    users.create(session, VIEWER, PASSWORD, name="Vera Viewer", role="viewer")
    users.create_api_key(session, "Shop backend")
    workspace.save(session, name="Fjord Outfitters", sender_name="Fjord Outfitters", sender_address="hi@fjord.example")


def _contacts(session: Session, now: dt.datetime, draw: random.Random) -> list[Contact]:
    found = []
    for index in range(140):
        first, last = draw.choice(FIRST), draw.choice(LAST)
        address = f"{first}.{last}{index}@shop.example".lower()
        named = {
            "first_name": first,
            "last_name": last,
            "plan": draw.choice(["free", "pro"]),
            "lifetime_value": index * 5,
        }
        found.append(
            Contact(
                external_id=f"cus_{1000 + index}",
                email=None if index % 9 == 0 else address,
                phone=f"+4915{draw.randrange(10**8, 10**9)}" if index % 3 == 0 else None,
                timezone="Europe/Berlin",
                attributes=named if index % 7 else {},
                created_at=now - dt.timedelta(days=draw.random() * 90),
            )
        )
    session.add_all(found)
    session.flush()
    return found


def _journey(session: Session, now: dt.datetime) -> Journey:
    for slug, channel in (
        ("welcome-short", "email"),
        ("welcome-story", "email"),
        ("nudge", "email"),
        ("nudge-sms", "sms"),
    ):
        session.add(Content(slug=slug, channel=channel))
    journey = Journey(slug="welcome", state="live", draft=TEXT, published_at=now - dt.timedelta(days=DAYS))
    session.add_all([journey, Journey(slug="birthday", draft=TEXT.replace("journey: welcome", "journey: birthday"))])
    session.flush()
    for number in (1, 2):
        at = now - dt.timedelta(days=DAYS - 20 * number)
        version = JourneyVersion(journey_id=journey.id, number=number, source=TEXT, published_by=ADMIN, published_at=at)
        session.add(version)
        session.flush()
        journey.live_version_id = version.id
    return journey


def _rollups(session: Session, journey: Journey, now: dt.datetime, draw: random.Random) -> None:
    for back in range(DAYS):
        day = (now - dt.timedelta(days=back)).date()
        for split, arm, entries, rate in (
            ("", "", 40, 0.2),
            ("", "holdout", 6, 0.1),
            ("hello-ab", "a", 20, 0.24),
            ("hello-ab", "b", 20, 0.17),
        ):
            goals = sum(draw.random() < rate for _ in range(entries))
            row = EntryRollup(
                journey_id=journey.id, split_id=split, arm=arm, day=day, entries=entries, contacts=entries
            )
            row.goals = row.conversions = goals
            row.value, row.value_squared = Decimal(goals * 40), Decimal(goals * 1600)
            session.add(row)
        for step, channel in STEPS:
            session.add(_messages_of_day(journey.id, step, channel, day, draw.randrange(8, 24)))
    outcomes = {"": {"entered": 2400, "completed": 1310, "converted": 470}, "hello-ab": {"split": 2400}}
    outcomes |= {"hello-a": {"queued": 1200}, "opened": {"met": 904, "timed_out": 611}, "size": {"branched": 1500}}
    for step, counts in outcomes.items():
        for outcome, count in counts.items():
            session.add(StepRollup(journey_id=journey.id, step_id=step, outcome=outcome, day=now.date(), count=count))


def _messages_of_day(journey_id: int, step: str, channel: str, day: dt.date, sent: int) -> MessageRollup:
    price = Decimal("0.0004") if channel == "email" else Decimal("0.0079")
    row = MessageRollup(journey_id=journey_id, step_id=step, channel=channel, day=day, sent=sent, cost=sent * price)
    row.conversions, row.revenue = Decimal(sent // 12), Decimal(sent // 12 * 61) + Decimal("0.40")
    row.human_clicks, row.raw_clicks, row.undelivered = sent // 9, sent // 4, sent % 2
    if channel == "email":
        row.human_opens, row.raw_opens = sent * 2 // 5, sent * 7 // 10
    return row


def _enrolment(session: Session, journey: Journey, contact: Contact, now: dt.datetime) -> Enrolment:
    start = now - dt.timedelta(days=4)
    enrolment = Enrolment(
        journey_id=journey.id,
        version_id=journey.live_version_id,
        contact_id=contact.id,
        status="active",
        phase="waiting",
        step_id="opened",
        wake_at=now + dt.timedelta(days=1),
        entered_at=start,
        trigger_occurred_at=start,
        trigger_received_at=start,
    )
    session.add(enrolment)
    session.flush()
    path = (
        ("entered", ""),
        ("split", "hello-ab"),
        ("queued", "hello-a"),
        ("waiting", "opened"),
        ("timed_out", "opened"),
    )
    for index, (outcome, step) in enumerate(path):
        session.add(
            StepLog(
                at=start + dt.timedelta(hours=7 * index),
                enrolment_id=enrolment.id,
                contact_id=contact.id,
                version_id=enrolment.version_id,
                step_id=step,
                visit=1,
                outcome=outcome,
                detail={"arm": "a"} if outcome == "split" else None,
            )
        )
    return enrolment


def _events(session: Session, contact: Contact, now: dt.datetime, draw: random.Random) -> None:
    kinds = (
        ("Order Completed", {"revenue": 84, "quantity": 2}, "api"),
        ("Product Viewed", {"sku": "axe-4"}, "import"),
        ("Email Opened", {"content": "welcome-short", "step": "hello-a", "journey": "welcome"}, "tracking"),
        ("Email Link Clicked", {"content": "welcome-short", "link": "https://shop.example/new"}, "tracking"),
    )
    for index in range(70):
        at = now - dt.timedelta(hours=index * 9.3 + draw.random() * 4)
        name, properties, source = draw.choice(kinds)
        session.add(
            Event(
                message_id=f"m{index}",
                received_at=at,
                occurred_at=at,
                contact_id=contact.id,
                name=name,
                properties=properties,
                source=source,
            )
        )


def _facts(session: Session, contact: Contact, enrolment: Enrolment, now: dt.datetime) -> None:
    who = {"contact_id": contact.id, "channel": "email", "topic": "product"}
    session.add(ConsentEvent(**who, action="subscribed", source="form", occurred_at=now - dt.timedelta(days=3)))
    session.add(ConsentState(**who, state="subscribed", changed_at=now - dt.timedelta(days=3)))
    session.add(
        Conversion(
            kind="goal",
            contact_id=contact.id,
            enrolment_id=enrolment.id,
            journey_id=enrolment.journey_id,
            event_name="Order Completed",
            event_message_id="m1",
            occurred_at=now - dt.timedelta(hours=30),
            value=Decimal("84.5"),
        )
    )


def _mailbox(session: Session, enrolment: Enrolment, contacts: list[Contact], now: dt.datetime) -> dict[str, str]:
    newest: dict[str, str] = {}
    contents = {row.slug: row.id for row in session.query(Content)}
    for index in reversed(range(64)):
        contact = contacts[-1 - index]
        channel = "sms" if index % 6 == 5 else "email"
        at = now - dt.timedelta(hours=5 * index + 1)
        message = Message(
            origin_at=at if index else enrolment.entered_at,
            enrolment_id=enrolment.id if index == 0 else 10_000 + index,
            step_id="hello-a",
            visit=1,
            contact_id=contact.id,
            journey_id=enrolment.journey_id,
            version_id=enrolment.version_id,
            content_id=contents["nudge-sms" if channel == "sms" else "welcome-short"],
            channel=channel,
            state="accepted" if index % 5 else "delivered",
            token=f"token{index}",
            queued_at=at,
            send_after=at,
            accepted_at=at,
            first_open_at=at if index % 3 == 0 else None,
        )
        local = _local(contact, channel, message.token, at)
        session.add_all([message, local])
        session.flush()
        newest[channel] = local.public_id
        if index == 0:
            _scanner(session, message, at)
    return newest


def _local(contact: Contact, channel: str, token: str, at: dt.datetime) -> LocalMessage:
    if channel == "sms":
        text = "Hi! You left a tent in your cart: https://fjord.example/c/abc  Reply STOP to end."
        return LocalMessage(
            channel="sms",
            sender="Fjord",
            recipient="+4915112345678",
            message_token=token,
            raw=text.encode(),
            received_at=at,
        )
    address = contact.email or "x@shop.example"
    return LocalMessage(
        channel="email",
        sender="hi@fjord.example",
        recipient=address,
        subject="Your first night out, packed",
        message_token=token,
        raw=mail(address, token),
        received_at=at,
    )


def mail(address: str, token: str) -> bytes:
    """A multipart email."""
    lines = (
        "From: Fjord Outfitters <hi@fjord.example>",
        f"To: {address}",
        "Subject: Your first night out, packed",
        f"Message-ID: <{token}@fjord.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "Hello, here is what to pack for the first night out.",
        "--b",
        "Content-Type: text/html; charset=utf-8",
        "",
        HTML,
        "--b--",
        "",
    )
    return "\r\n".join(lines).encode()


def _scanner(session: Session, message: Message, at: dt.datetime) -> None:
    session.add(
        Hit(
            at=at + dt.timedelta(seconds=1),
            kind="click",
            message_id=message.id,
            origin_at=message.origin_at,
            method="HEAD",
            user_agent="BarracudaSentinel (EE)",
            classification="scanner",
        )
    )


def _segments(session: Session, contact: Contact, now: dt.datetime) -> None:
    rules = (
        ("VIP customers", "purchased at least 3 times and lifetime_value > 500"),
        ("Lapsed", "last_seen_at more than 60 days ago"),
        ("Pro plan", 'plan is "pro"'),
    )
    for name, rule in rules:
        slug = name.lower().replace(" ", "-")
        segment = Segment(slug=slug, name=name, rule=rule, contact_count=12, refreshed_at=now, stale=False)
        session.add(segment)
        session.flush()
        entered = now - dt.timedelta(days=3)
        session.add(SegmentMembership(segment_id=segment.id, contact_id=contact.id, entered_at=entered))
