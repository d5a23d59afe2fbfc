"""Limits on pressure that the workspace sets: caps over all journeys and campaigns, and quiet hours by channel.

A cap is of `all` messages, of a channel, or of a topic (`topic:SLUG`); each that fits a message must allow it.
Transactional messages, and those of topics that know no limits, are neither held nor counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.errors import InvalidInput
from engine.messages import cap, gate
from engine.messages.handed import Candidate
from engine.model import AuditLog, Topic
from engine.quiet import Hours, over_at, parse
from engine.zones import zones_of

CHANNELS = ("email", "sms")
# One pass over the messages of a contact for all caps; a cap that is none has no `since`, and counts nothing. What is
# being sent may arrive any moment from now on, however long ago it was claimed.
COUNT = text("""
select u.id, sent.own, sent.every, sent.channel, sent.topic
from unnest(cast(:ids as bigint[]), cast(:contacts as bigint[]), cast(:topics as text[]), cast(:own as timestamptz[]),
    cast(:of_topic as timestamptz[])) as u(id, contact_id, topic, own_since, topic_since)
cross join lateral (
    select count(*) filter (where at > u.own_since) as own,
        count(*) filter (where counted and at > cast(:of_all as timestamptz)) as every,
        count(*) filter (where counted and at > cast(:of_channel as timestamptz) and o.channel = :channel) as channel,
        count(*) filter (where counted and at > u.topic_since and o.topic = u.topic) as topic
    from (
        select m.channel, m.topic,
            coalesce(m.accepted_at, case m.state when 'sending' then 'infinity'
                when 'unknown' then coalesce(m.ended_at, m.claimed_at) end) as at,
            not m.transactional and (m.topic is null or m.topic <> all(cast(:unlimited as text[]))) as counted
        from messages m where m.contact_id = u.contact_id
    ) o
) sent
""")
# Messages of a throttled campaign keep their distance: each is as long after quiet hours as it was after their begin.
HOLD = text("""
update messages m set reason = :reason, send_after = least(m.expires_at, u.until + case when exists (
        select from campaigns c where c.id = m.campaign_id and c.definition ->> 'throttle' is not null)
    then greatest(interval '0', m.send_after - u.until + u.length * interval '1 second') else interval '0' end)
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:until as timestamptz[]),
    cast(:lengths as bigint[])) as u(id, origin_at, until, length)
where m.id = u.id and m.origin_at = u.origin_at and m.state = 'queued'
""")
RELEASE = text("""
update messages set send_after = :now
where channel = :channel and state = 'queued' and claimed_at is null and ended_at is null
  and reason = 'quiet' and send_after > :now and send_after < 'infinity'
""")
UTC = ZoneInfo("UTC")
Count = tuple[int, tuple[gate.Counted, ...]]
"""By the message's own cap, and by each of the workspace's that fit it."""


class Held(NamedTuple):
    """A message that waits for the end of quiet hours, which last for `length`."""

    message: Candidate
    until: dt.datetime
    length: dt.timedelta = dt.timedelta()


@dataclass(frozen=True, slots=True)
class Limits:
    """The workspace's limits, read: caps by what they are of, hours by channel. `zone` is for contacts without one."""

    caps: Mapping[str, cap.Cap] = field(default_factory=dict)
    quiet: Mapping[str, Hours] = field(default_factory=dict)
    unlimited: frozenset[str] = frozenset()
    zone: ZoneInfo = UTC

    @classmethod
    def of(cls, known: workspace.Workspace) -> Limits:
        """Those of a workspace."""
        caps = {name: limit for name, words in known.caps.items() if (limit := cap.parse(words))}
        hours = {channel: parse(words) for channel, words in known.quiet_hours.items() if words}
        return cls(caps, hours, frozenset(known.unlimited_topics), known.zone)

    def caps_of(self, message: Candidate) -> Iterator[tuple[str, cap.Cap]]:
        """The workspace's caps that a message has to pass, with what they are of."""
        if self.caps and not message.transactional:
            yield from self.caps_on(message.channel, message.topic)

    def caps_on(self, channel: str, topic: str | None) -> Iterator[tuple[str, cap.Cap]]:
        """Those of messages of this channel and topic."""
        if topic not in self.unlimited:
            for name in ("all", channel, f"topic:{topic}"):
                if name in self.caps:
                    yield name, self.caps[name]

    def quiet_hours(self, message: Candidate) -> Hours | None:
        """Those that a message keeps, whatever the time."""
        return None if message.transactional else self.hours_of(message.channel, message.topic)

    def hours_of(self, channel: str, topic: str | None) -> Hours | None:
        """Quiet hours of messages of this channel and topic."""
        hours = self.quiet.get(channel) if self.quiet else None
        return None if hours is None or topic in self.unlimited else hours

    def quiet_until(self, message: Candidate, hours: Hours, now: dt.datetime) -> dt.datetime | None:
        """The end of quiet hours that hold at `now` where the contact may be; None if they do not hold."""
        phone = message.recipient if message.channel == "sms" else message.contact.get("phone")
        return self.ends(hours, message.contact.get("timezone"), phone, now)

    def ends(self, hours: Hours, timezone: object, phone: object, now: dt.datetime) -> dt.datetime | None:
        """The same where a contact of this zone, or else of this phone number, may be."""
        zones = zones_of(_text(timezone), _text(phone), self.zone)[:-1]
        return over_at(hours, tuple(dict.fromkeys(zones)), now)


NO_LIMITS = Limits()


def _text(value: Any) -> str | None:
    """An attribute may have any type where the contact's own field is not set."""
    return value if isinstance(value, str) else None


def count(
    session: Session, channel: str, messages: Sequence[Candidate], now: dt.datetime, limits: Limits
) -> dict[int, Count]:
    """Of locked messages that a cap is about, what was sent in its window. No statement without a cap."""
    fitting = {each.id: tuple(limits.caps_of(each)) for each in messages} if limits.caps else {}
    asked = [each for each in messages if each.cap or fitting.get(each.id)]
    if not asked:
        return {}
    since = {name: limit.since(now) for name, limit in limits.caps.items()}
    own = {each.id: cap.parse(each.cap) for each in asked}
    values = {
        "ids": literal([each.id for each in asked]),
        "contacts": literal([each.contact_id for each in asked]),
        "topics": literal([each.topic for each in asked]),
        "own": literal([limit.since(now) if (limit := own[each.id]) else None for each in asked]),
        "of_topic": literal([since.get(f"topic:{each.topic}") for each in asked]),
        "of_all": since.get("all"),
        "of_channel": since.get(channel),
        "unlimited": literal(limits.unlimited),
        "channel": channel,
    }
    found: dict[int, Count] = {}
    for id_, by_own, by_all, by_channel, by_topic in session.execute(COUNT, values):
        counted = {"all": by_all, channel: by_channel}
        of = fitting.get(id_, ())
        found[id_] = by_own, tuple(gate.Counted(name, limit, counted.get(name, by_topic)) for name, limit in of)
    return found


def hold(session: Session, held: Sequence[Held], reason: str = "quiet") -> None:
    """Let messages come due when quiet hours are over, or when they expire, if that is sooner.

    `rate` is another reason: they are too many for their domain or relay.
    """
    if not held:
        return
    values = {
        "reason": reason,
        "ids": literal([each.message.id for each in held]),
        "origins": literal([each.message.origin_at for each in held]),
        "until": literal([each.until for each in held]),
        "lengths": literal([int(each.length.total_seconds()) for each in held]),
    }
    session.execute(HOLD, values)


def set_cap(session: Session, of: str, words: str, actor: str, now: dt.datetime) -> None:
    """Cap `all`, a channel or `topic:SLUG` (`3 per week`); an empty text lifts it. Raises InvalidInput."""
    kind, _, slug = of.partition(":")
    if of not in ("all", *CHANNELS) and not (kind == "topic" and session.get(Topic, slug) is not None):
        raise InvalidInput("is nothing to cap", of, "Say all, email, sms, or topic:SLUG of a topic that there is.")
    words = " ".join(words.split())
    if words and not cap.pattern.match(words):
        raise InvalidInput(f"“{words}” is no cap", of, "Write 3 per week.")
    caps = {name: one for name, one in workspace.load(session).caps.items() if name != of}
    _save(session, actor, now, of, words, caps=caps | ({of: words} if words else {}))


def set_quiet(session: Session, channel: str, words: str, actor: str, now: dt.datetime) -> None:
    """Set quiet hours of a channel (`21:00-08:00`); an empty text lifts them. What they held is looked at anew."""
    if channel not in CHANNELS:
        raise InvalidInput("is no channel", channel, "Say email or sms.")
    hours = str(parse(words)) if words.strip() else ""
    _save(
        session, actor, now, f"quiet {channel}", hours,
        quiet_hours={**workspace.load(session).quiet_hours, channel: hours},
    )  # fmt: skip
    session.execute(RELEASE, {"channel": channel, "now": now})


def set_unlimited(session: Session, topic: str, free: bool, actor: str, now: dt.datetime) -> None:
    """Say whether messages of a topic know limits. Raises InvalidInput."""
    if session.get(Topic, topic) is None:
        raise InvalidInput("is no topic", topic, "`cairn topics list` shows those that there are.")
    others = [one for one in workspace.load(session).unlimited_topics if one != topic]
    words = "no limits" if free else "limits hold"
    _save(session, actor, now, f"topic {topic}", words, unlimited_topics=others + [topic] * free)
    for channel in CHANNELS if free else ():
        session.execute(RELEASE, {"channel": channel, "now": now})


def _save(session: Session, actor: str, now: dt.datetime, of: str, words: str, **values: Any) -> None:
    workspace.save(session, **values)
    session.add(AuditLog(actor=actor, action="limit set", object=of, detail={"limit": words}, at=now))
