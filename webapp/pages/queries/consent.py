"""The figures of the consent page: topics with their people, addresses left alone, what was done with people's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.pages.queries import AnyRow

# One pass over all last words; of a million it takes some tenths of a second.
COUNTS = text("""
select topic, channel || ' ' || state as what, count(*) as people from consent_states
where channel in ('email', 'sms') group by 1, 2""")
SUPPRESSED = text("""
select left(encode(address_hmac, 'hex'), 12) as hash, channel, reason, created_at from suppressions
order by created_at desc limit 10""")
REQUESTS = text("""
select at, actor, action, object from audit_log where action in ('erased', 'exported') order by id desc limit 20""")
PEOPLE = text("""
select public_id, external_id, email, phone, attributes, created_at from contacts
where id = any(:ids) and erased_at is null order by id limit 20""")


def topic_counts(session: Session) -> Mapping[str, Mapping[str, int]]:
    """Contacts by topic and what they said, such as `email subscribed`; topic "" is the whole channel."""
    found: dict[str, dict[str, int]] = {}
    for topic, what, people in session.execute(COUNTS):
        found.setdefault(topic, {})[what] = people
    return found


def latest_suppressed(session: Session) -> Sequence[AnyRow]:
    """The last ten addresses that were suppressed, by the beginnings of their hashes."""
    return session.execute(SUPPRESSED).all()


def data_requests(session: Session) -> Sequence[AnyRow]:
    """Who exported or erased whose data, the last twenty, newest first."""
    return session.execute(REQUESTS).all()


def people(session: Session, ids: Sequence[int]) -> Sequence[AnyRow]:
    """Contacts that a request may be about, at most twenty."""
    return session.execute(PEOPLE, {"ids": list(ids)}).all() if ids else ()
