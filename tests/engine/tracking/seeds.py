"""Messages to be tracked, with what hangs on them."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import partitions
from engine.model import Contact, Content, ContentLink, ContentVersion, Journey, Message, Topic

numbers = itertools.count(1)


@dataclass(frozen=True)
class Seed:
    """A stored message and whom it went to."""

    id: int
    origin_at: dt.datetime
    contact_id: int
    token: str
    journey_id: int
    version_id: int


def message(
    session: Session,
    accepted_at: dt.datetime | None,
    *,
    links: tuple[str, ...] = (),
    own_links: dict[str, str] | None = None,
    topic: str | None = None,
    state: str = "accepted",
    channel: str = "email",
) -> Seed:
    """A message of the step `hello` of a journey; static links take positions from 0 on."""
    n = next(numbers)
    moment = accepted_at or dt.datetime.now(dt.UTC)
    partitions.ensure(session, "messages", [moment])
    contact = Contact(external_id=f"c{n}", email=f"person{n}@example.com")
    content, journey = Content(slug=f"welcome-{n}", channel=channel), Journey(slug=f"trial-{n}", state="live")
    session.add_all([contact, content, journey])
    session.flush()
    version = ContentVersion(content_id=content.id, number=1, source="", compiled={})
    session.add(version)
    if topic:
        session.merge(Topic(slug=topic, name=topic.title()))
    session.flush()
    for position, url in enumerate(links):
        session.add(ContentLink(content_version_id=version.id, position=position, url=url))
    for position in own_links or {}:
        session.add(ContentLink(content_version_id=version.id, position=int(position), url="{{ it }}", dynamic=True))
    row = Message(
        origin_at=moment, enrolment_id=n, step_id="hello", visit=1, contact_id=contact.id, journey_id=journey.id,
        content_id=content.id, content_version_id=version.id, channel=channel, topic=topic, state=state,
        recipient=contact.email, links=own_links, queued_at=moment, send_after=moment, accepted_at=accepted_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.refresh(row)
    return Seed(row.id, row.origin_at, contact.id, row.token, journey.id, version.id)
