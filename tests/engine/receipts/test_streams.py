"""Messages of a paused stream wait, all others go."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns import resuming
from engine.contacts.consent import suppressed
from engine.errors import NotFound
from engine.messages.claim import claim
from engine.model import Journey
from engine.receipts import streams
from tests.engine.messages.ledger import fill, now, save, signer

OWN = '---\nsubject: "Hi"\nfrom: "Shop <shop@own.example>"\n---\n<html><body>Hi</body></html>'


def claimed(session: Session) -> int:
    """How many messages a claim takes; they are put back."""
    found = claim(session, "email", now, limit=100, journal="j", signer=signer, needs_consent=False)
    session.execute(
        text("update messages set state = 'queued', claimed_at = null, journal = null where state = 'sending'")
    )
    return len(found.messages)


@pytest.mark.parametrize(
    ("stream", "goes"),
    [
        ("domain:hello@cairn.example>example.com", 1),
        ("domain:shop@own.example>example.com", 3),
        ("domain:hello@cairn.example>other.example", 4),
        ("journey:welcome", 2),
        ("campaign:7", 4),
    ],
)
def test_messages_of_a_paused_stream_stay_queued_until_it_is_resumed(session: Session, stream: str, goes: int) -> None:
    journeys = [Journey(slug="welcome", state="live"), Journey(slug="other", state="live")]
    session.add_all(journeys)
    session.flush()
    fill(session, 2, journey_id=journeys[0].id)
    session.execute(text("update contacts set email = 'a' || email"))
    fill(session, 1, journey_id=journeys[1].id)
    session.execute(text("update contacts set email = 'b' || email"))
    save(session, "own", source=OWN)
    fill(session, 1, slug="own", journey_id=journeys[1].id)
    streams.pause(session, stream, "test", "boss", now)
    assert claimed(session) == goes
    assert claimed(session) == goes
    resuming.resume(session, stream, "boss", now)
    assert claimed(session) == 4
    assert not suppressed(session, "email", ["auser0@example.com"])


def test_a_stream_is_paused_once_and_resumed_once(session: Session) -> None:
    assert streams.pause(session, "journey:j", "first", "boss", now)
    assert not streams.pause(session, "journey:j", "again", "boss", now)
    resuming.resume(session, "journey:j", "boss", now)
    with pytest.raises(NotFound, match="cairn streams list"):
        resuming.resume(session, "journey:j", "boss", now)
    assert streams.pause(session, "journey:j", "again", "boss", now)
    assert [pause.reason for pause in streams.listed(session)] == ["again"]
    assert len(streams.listed(session, all_=True)) == 2
