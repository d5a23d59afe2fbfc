"""What stops a stream: word that a receiving site refuses it, and too many complaints. Never a contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.receipts import streams
from engine.receipts.concerned import Concerned

WARN, TRIP = 0.001, 0.003
"""Shares of complaints: large mailbox providers want less than the first and act at the second."""
ENOUGH = 500
"""Messages of the window below which a share says nothing."""
WINDOW = dt.timedelta(days=7)
SITES, SITES_WITHIN = 3, dt.timedelta(hours=24)
"""So many domains that refuse a journey's or campaign's mail speak of the stream, not of one site's taste."""

DOUBTFUL, DOUBTFUL_WITHIN = 3, dt.timedelta(hours=24)
"""So many messages that a domain refuses for their content, without a 5.7.x, are more than one unlucky message."""

REFUSED_BY = text("""
select r.domain, count(distinct r.message_id) from receipts r
where r.kind = 'policy' and r.received_at > :since and r.error is null and r.domain = any(:domains) group by r.domain
""")
LAST_RESUMED = text("""
select stream, max(resumed_at) from stream_pauses where stream = any(:streams) and resumed_at is not null
group by stream
""")
REFUSING = text("""
select count(distinct r.domain) from receipts r join messages m on m.id = r.message_id and m.origin_at = r.origin_at
where r.kind = 'policy' and r.received_at > :since and r.error is null and coalesce(m.accepted_at, m.ended_at) > :after
  and (m.journey_id = :journey_id or m.campaign_id = :campaign_id)
""")
JOURNEY_SHARE = text("""
select coalesce(sum(sent), 0)::int8, coalesce(sum(complained), 0)::int8 from message_rollups
where journey_id = :journey_id and channel = 'email' and day >= :first_day
""")
ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


class Refusal(NamedTuple):
    """A policy rejection of a message, in the words of the site."""

    message: Concerned
    domain: str
    words: str
    clear: bool = True  # a 5.7.x: delivery not authorised (RFC 3463, section 3.8), whatever the message says


def refused(session: Session, refusals: Sequence[Refusal], now: dt.datetime) -> int:
    """Pause the streams that sites refuse; returns how many are newly paused.

    One 5.7.x is enough; of refusals of a content three, since one may be due to what a single contact's fields hold.
    Word of a message that left before the stream was last resumed is old news and pauses nothing.
    """
    if not refusals:
        return 0
    sender_of = streams.senders_of(session, [each.message for each in refusals])
    found: dict[str, Refusal] = {}
    for each in refusals:
        if each.domain:
            stream = streams.to_domain(sender_of(each.message), each.domain)
            found[stream] = found[stream] if stream in found and found[stream].clear else each
    resumed = _resumed(session, found)
    often = _refused_often(session, [each.domain for each in found.values() if not each.clear], now)
    count = 0
    for stream, refusal in found.items():
        if (refusal.clear or refusal.domain in often) and refusal.message.left_at > resumed.get(stream, ALWAYS):
            reason = f"{refusal.domain} refuses it by policy: {refusal.words[:300] or 'no reason given'}"
            count += streams.pause(session, stream, reason, "breaker", now)
    return count + sum(_refused_widely(session, one, now) for one in _by_origin([it.message for it in refusals]))


def _refused_often(session: Session, domains: Sequence[str], now: dt.datetime) -> set[str]:
    if not domains:
        return set()
    rows = session.execute(REFUSED_BY, {"domains": sorted(set(domains)), "since": now - DOUBTFUL_WITHIN})
    return {domain for domain, count in rows if count >= DOUBTFUL}


def complained(session: Session, messages: Sequence[Concerned], now: dt.datetime) -> int:
    """Pause journeys of which too many recipients complain; returns how many are newly paused.

    Campaigns have a breaker of their own (`engine.campaigns.breaker`).
    """
    count = 0
    for message in _by_origin(messages):
        stream = message.stream
        if stream is None or message.journey_id is None:
            continue
        since = _resumed(session, [stream]).get(stream)
        sent, complaints = _share(session, message.journey_id, since, now)
        if sent >= ENOUGH and complaints > TRIP * sent:
            reason = f"{complaints} of {sent} recipients complained ({complaints / sent:.2%}; the limit is {TRIP:.1%})."
            count += streams.pause(session, stream, reason, "breaker", now)
    return count


def _share(session: Session, journey_id: int, since: dt.datetime | None, now: dt.datetime) -> tuple[int, int]:
    """Messages and complaints; after a resumption those of later days."""
    first_day = (now - WINDOW).date()
    if since is not None:
        first_day = max(first_day, since.date() + dt.timedelta(days=1))
    row = session.execute(JOURNEY_SHARE, {"journey_id": journey_id, "first_day": first_day}).one()
    return int(row[0]), int(row[1])


def _refused_widely(session: Session, message: Concerned, now: dt.datetime) -> bool:
    stream = message.stream
    assert stream is not None
    after = _resumed(session, [stream]).get(stream, ALWAYS)
    values = {"journey_id": message.journey_id, "campaign_id": message.campaign_id, "after": after}
    sites = session.execute(REFUSING, values | {"since": now - SITES_WITHIN}).scalar_one()
    if sites < SITES:
        return False
    return streams.pause(session, stream, f"{sites} sites refused its mail by policy within a day.", "breaker", now)


def _by_origin(messages: Iterable[Concerned]) -> list[Concerned]:
    """One message of each journey and campaign."""
    return list({each.stream: each for each in messages if each.stream is not None}.values())


def _resumed(session: Session, names: Iterable[str]) -> dict[str, dt.datetime]:
    return {row[0]: row[1] for row in session.execute(LAST_RESUMED, {"streams": list(names)})}
