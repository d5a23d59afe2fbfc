"""Filling and reading the message ledger in tests."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from engine.content.compile import compile_source
from engine.db import Database
from engine.messages.sending import Sender
from engine.model import Contact, Content, ContentVersion, Message
from engine.signing import Signer

Make = Callable[..., Sender]
now = dt.datetime.now(dt.UTC).replace(microsecond=0)
signer = Signer(b"tests")
hello = '---\nsubject: "Hello {{ first_name | default(\'you\') }}"\n---\n<html><body><p>Hi, <a href="https://shop.example/">shop</a></p></body></html>'
short = "Hello {{ first_name | default('you') }}"


def fill(session: Session, count: int, *, channel: str = "email", slug: str = "hello", **values: Any) -> list[int]:
    """`count` contacts, each with a queued message of a content; gives the ids of the contacts."""
    content = save(session, slug, channel)
    rows = [
        {"email": f"user{n}@example.com", "phone": f"+1202555{n:04}", "attributes": {"first_name": f"N{n}"}}
        for n in range(count)
    ]
    contacts = list(session.scalars(insert(Contact).returning(Contact.id), rows))
    queue(session, contacts, content, channel=channel, **values)
    return contacts


def save(session: Session, slug: str = "hello", channel: str = "email", source: str | None = None) -> int:
    """A content; gives its id."""
    source = source or (hello if channel == "email" else short)
    if (known := session.scalars(select(Content.id).where(Content.slug == slug)).one_or_none()) is not None:
        return known
    content = Content(slug=slug, channel=channel)
    session.add(content)
    session.flush()
    compiled = compile_source(source, channel).data
    version = ContentVersion(content_id=content.id, number=1, source=source, compiled=compiled, warnings=[])
    session.add(version)
    session.flush()
    content.current_version_id = version.id
    session.flush()
    return content.id


def queue(session: Session, contacts: list[int], content: int, **values: Any) -> None:
    """A queued message for each of the contacts."""
    row = {
        "channel": "email",
        "journey_id": 1,
        "step_id": "a",
        "origin_at": now,
        "queued_at": now,
        "send_after": now,
        **values,
    }
    session.execute(insert(Message), [{**row, "contact_id": contact, "content_id": content} for contact in contacts])


def begin(session: Session, journal: str | None, attempt: int = 1) -> None:
    """All messages become `sending`, as by a claim."""
    values = {"journal": journal, "now": now, "attempt": attempt}
    session.execute(text(SENDING), values)
    session.execute(text(CLAIM), values)


SENDING = "update messages set state = 'sending', journal = :journal, claimed_at = :now, attempts = :attempt"
CLAIM = """
    insert into message_claims (journal, claimed_at, ids, origins)
    select :journal, :now, array_agg(id), array_agg(origin_at) from messages
"""


def sender(home: Path, url: str, **options: Any) -> Sender:
    """A sender whose clock stands at `now`."""
    options = {"site": "https://cairn.example", "signer": signer, "clock": lambda _: now} | options
    return Sender(home, url, **options)


def states(database: Database) -> dict[str, int]:
    """Messages by state, with the reason behind a colon."""
    with database.transaction() as session:
        rows = session.execute(select(Message.state, Message.reason)).all()
    return dict(Counter(f"{state}:{reason}" if reason else state for state, reason in rows))


def one(database: Database) -> Message:
    """The only message."""
    with database.transaction() as session:
        return session.scalars(select(Message)).one()


def rollup(database: Database) -> tuple[int, int]:
    """Sent and undelivered, as the counters have it."""
    with database.transaction() as session:
        row = session.execute(
            text("select coalesce(sum(sent), 0), coalesce(sum(undelivered), 0) from message_rollups")
        ).one()
    return int(row[0]), int(row[1])
