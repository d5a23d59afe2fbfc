"""What the gate looks at beyond the locked rows themselves, read by statements that begin after the locks are held.

Their snapshots are later than the locks, so what was committed between is seen: a suppression, another message under
the same cap. The locked rows' own fields need no second look: PostgreSQL gives them as they are when it locks them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.channels.allowed import Allowed
from engine.content.variants import Variants
from engine.messages import cap, gate
from engine.messages.handed import Candidate
from engine.messages.limits import Limits, count
from engine.signing import Signer

named = text("""
    select 'journey', id, slug, state, null::bigint, null::jsonb from journeys
    where id = any(cast(:journeys as bigint[]))
    union all
    select 'content', id, slug, sender, current_version_id, variants from contents
    where id = any(cast(:contents as bigint[]))
    union all
    select 'campaign', id, slug, state, null, null from campaigns where id = any(cast(:campaigns as bigint[]))
    union all
    select 'topic', 0, slug, default_state, null, null from topics where slug = any(cast(:topics as text[]))
""")
consents = text("""
    select contact_id, channel, topic, case when expires_at <= :now then 'expired' else state end from consent_states
    where contact_id = any(cast(:contacts as bigint[])) and channel in (:channel, 'tracking')
      and (topic = '' or topic = any(cast(:topics as text[])))
    union all
    select contact_id, 'snoozed', '', '' from consent_pauses
    where contact_id = any(cast(:contacts as bigint[])) and channel = :channel and until > :now
""")
suppressions = text("""
    select address_hmac, reason from suppressions
    where address_hmac = any(cast(:hmacs as bytea[])) and channel = :channel
""")


nothing = ("", None, None, None)


@dataclass(slots=True)
class Known:
    """A batch: journeys, campaigns and contents by id, topics by slug, consent by (contact, topic), caps by message.

    `suppressed` are messages, `snoozed` contacts. What `limits` say holds at `now`. `allowed` is
    whom the installation writes to, None for everybody.
    """

    now: dt.datetime
    limits: Limits
    journeys: dict[int, tuple[str, str]] = field(default_factory=dict)
    campaigns: dict[int, tuple[str, str]] = field(default_factory=dict)
    contents: dict[int, tuple[str, int | None, Variants | None, str | None]] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    consents: dict[tuple[int, str], str] = field(default_factory=dict)
    suppressed: set[int] = field(default_factory=set)
    snoozed: set[int] = field(default_factory=set)
    counts: dict[int, tuple[int, tuple[gate.Counted, ...]]] = field(default_factory=dict)
    allowed: Allowed | None = None

    def of(self, message: Candidate, *, leaving: bool, needs_consent: bool) -> gate.Facts:
        """What the gate asks about one message."""
        topic = message.topic or ""
        own, counted = self.counts.get(message.id, (0, ()))
        quiet = self.limits.quiet_hours(message)
        return gate.Facts(
            message.channel,
            message.recipient,
            self.consents.get((message.contact_id, "")),
            self.consents.get((message.contact_id, topic)) if topic else None,
            self.topics.get(topic),
            message.id in self.suppressed,
            needs_consent,
            self._source(message)[1],
            leaving,
            message.expires_at,
            cap.parse(message.cap),
            own,
            message.contact_id in self.snoozed,
            message.transactional,
            counted,
            quiet,
            self.limits.quiet_until(message, quiet, self.now) if quiet else None,
            self.allowed is None or self.allowed.lets(message.recipient),
        )

    def _source(self, message: Candidate) -> tuple[str | None, str | None]:
        """Slug and state of the journey or campaign that a message is of."""
        if message.campaign_id is not None:
            return self.campaigns.get(message.campaign_id, (None, None))
        return self.journeys.get(message.journey_id or 0, (None, None))

    def name(self, message: Candidate) -> None:
        """Fill in the names that rendering needs, and the version in the contact's language."""
        message.content_slug, version, variants, sender = self.contents.get(message.content_id, nothing)
        message.content_version_id = version if variants is None else variants.of(message.contact)
        message.sender = message.sender or sender
        slug = self._source(message)[0]
        message.journey_slug, message.campaign_slug = (slug, None) if message.campaign_id is None else (None, slug)


def read(
    session: Session, channel: str, messages: Sequence[Candidate], now: dt.datetime, signer: Signer, limits: Limits
) -> Known:
    """Read what is known about locked messages of a channel, and fill in the names that rendering needs."""
    known = Known(now, limits)
    _names(session, messages, known)
    _consents(session, channel, messages, known, now)
    hmacs = {each.id: signer.address_hmac(channel, each.recipient) for each in messages if each.recipient}
    found = session.execute(suppressions, {"hmacs": literal(hmacs.values()), "channel": channel})
    if suppressed := {row[0]: row[1] for row in found}:
        known.suppressed = {each.id for each in messages if _is_barred(each, suppressed.get(hmacs.get(each.id, b"")))}
    known.counts = count(session, channel, messages, now, limits)
    return known


def _is_barred(message: Candidate, reason: str | None) -> bool:
    """Whoever unsubscribed by an address may be asked to confirm that they are back; nothing else reaches them."""
    return reason is not None and not (message.transactional and reason == "unsubscribed")


def _consents(session: Session, channel: str, messages: Sequence[Candidate], known: Known, now: dt.datetime) -> None:
    values = {
        "contacts": literal([each.contact_id for each in messages]),
        "topics": literal({each.topic for each in messages if each.topic}),
        "channel": channel,
        "now": now,
    }
    tracking: dict[int, str] = {}
    for contact_id, of, topic, state in session.execute(consents, values):
        if of == channel:
            known.consents[contact_id, topic] = state
        elif of == "snoozed":
            known.snoozed.add(contact_id)
        else:
            tracking[contact_id] = state
    for each in messages if tracking else ():
        each.tracking = tracking.get(each.contact_id)


def _names(session: Session, messages: Sequence[Candidate], known: Known) -> None:
    values = {
        "journeys": literal({each.journey_id for each in messages}),
        "campaigns": literal({each.campaign_id for each in messages}),
        "contents": literal({each.content_id for each in messages}),
        "topics": literal({each.topic for each in messages if each.topic}),
    }
    for kind, id_, slug, state, version, variants in session.execute(named, values):
        if kind == "journey":
            known.journeys[id_] = (slug, state)
        elif kind == "campaign":
            known.campaigns[id_] = (slug, state)
        elif kind == "content":
            known.contents[id_] = (slug, version, Variants(variants, version) if variants else None, state)
        else:
            known.topics[slug] = state
    for each in messages:
        known.name(each)
