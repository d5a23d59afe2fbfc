"""Streams whose messages wait: by sending address and recipient's domain, or all messages of a journey or campaign.

Their messages stay `queued`; what is set is `send_after`, to infinity, by the claim that meets them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.errors import InvalidInput, NotFound
from engine.model import AuditLog
from engine.receipts.store import domain_of
from engine.receipts.tell import tell_colleagues

# Who resumes a stream waits for these locks, and then finds what was put aside.
OPEN = text("select stream from stream_pauses where resumed_at is null order by id for share")
SENDERS = text("""
select id, lower(compiled #>> '{from,address}') from content_versions where id = any(cast(:ids as bigint[]))
""")
IDENTITIES = text("select slug, lower(address) from identities")
PARK = text("""
update messages m set send_after = 'infinity'
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as u(id, origin_at)
where m.id = u.id and m.origin_at = u.origin_at and m.state = 'queued'
""")
PAUSE = text("""
insert into stream_pauses (stream, reason, by, paused_at) values (:stream, :reason, :by, :now)
on conflict (stream) where resumed_at is null do nothing returning id
""")
RESUME = text("""
update stream_pauses set resumed_at = :now, resumed_by = :by where stream = :stream and resumed_at is null returning id
""")
# Those of other paused streams are put aside again by the next claim; a paused journey keeps its own.
RELEASE = text("""
update messages m set send_after = :now
where m.state = 'queued' and m.claimed_at is null and m.ended_at is null and m.send_after = 'infinity'
  and m.campaign_id is null
  and not exists (select from journeys j where j.id = m.journey_id and j.state = 'paused')
""")
LISTED = text("""
select stream, reason, by, paused_at, resumed_at, resumed_by from stream_pauses
where resumed_at is null or :all order by resumed_at is not null, paused_at desc, id desc limit 200
""")


class Written(Protocol):
    """A message, as far as its sender goes."""

    @property
    def content_version_id(self) -> int | None:
        """Which version of its content it is made of."""

    @property
    def sender(self) -> str | None:
        """The identity that it, or its content, names."""


class Leaving(Written, Protocol):
    """A claimed message (`engine.messages.handed.Candidate`), as far as streams go."""

    id: int
    origin_at: dt.datetime
    channel: str
    recipient: str
    sender: str | None
    journey_slug: str | None
    campaign_id: int | None


class Pause(NamedTuple):
    """A pause, and who ended it if somebody has."""

    stream: str
    reason: str
    by: str
    paused_at: dt.datetime
    resumed_at: dt.datetime | None
    resumed_by: str | None

    @property
    def words(self) -> str:
        """The stream as people read it."""
        return described(self.stream)


def to_domain(sender: str, domain: str) -> str:
    """The stream of mail from an address to a domain."""
    return f"domain:{sender.strip().lower()}>{domain}"


def of_origin(journey: str | None, campaign_id: int | None) -> str | None:
    """The stream of all messages of a journey or campaign."""
    if journey is not None:
        return f"journey:{journey}"
    return f"campaign:{campaign_id}" if campaign_id is not None else None


def checked(stream: str) -> str:
    """The stream, if it is one. Raises InvalidInput."""
    kind, _, rest = stream.partition(":")
    sender, _, domain = rest.rpartition(">")
    if (kind == "domain" and "@" in sender and domain) or (kind in ("journey", "campaign") and rest):
        return to_domain(sender, domain.lower()) if kind == "domain" else stream
    hint = "Use domain:SENDER>DOMAIN, journey:SLUG or campaign:ID."
    raise InvalidInput("is no stream", where=stream, hint=hint)


def described(stream: str) -> str:
    """A stream in words."""
    kind, _, rest = stream.partition(":")
    if kind != "domain":
        return f"all messages of the {kind} {rest}"
    sender, _, domain = rest.rpartition(">")
    return f"mail from {sender} to {domain}"


def pause(session: Session, stream: str, reason: str, by: str, now: dt.datetime) -> bool:
    """Hold a stream and tell the administrators; False if it is held already."""
    values = {"stream": stream, "reason": reason, "by": by, "now": now}
    if session.execute(PAUSE, values).first() is None:
        return False
    session.add(AuditLog(actor=by, action="stream paused", object=stream, detail={"reason": reason}, at=now))
    note = (
        f"Cairn has paused {described(stream)}\n\n{reason}\n\nIts messages wait and nothing is lost. When the cause is "
        f"gone, resume it on the page Deliverability or with:\n\n    cairn streams resume '{stream}'\n"
    )
    tell_colleagues(session, note, now)
    return True


def end(session: Session, stream: str, by: str, now: dt.datetime) -> None:
    """End a pause; what waits is due now, but for campaigns, whose distances `engine.campaigns.resuming` keeps.

    Raises NotFound when it is not paused.
    """
    if session.execute(RESUME, {"stream": stream, "by": by, "now": now}).first() is None:
        raise NotFound("paused stream", stream, "`cairn streams list` shows those that are paused.")
    session.execute(RELEASE, {"now": now})
    session.add(AuditLog(actor=by, action="stream resumed", object=stream, at=now))


def listed(session: Session, *, all_: bool = False) -> list[Pause]:
    """The streams that are paused, or all pauses there ever were, the newest first."""
    return [Pause(*row) for row in session.execute(LISTED, {"all": all_})]


def put_aside(session: Session, messages: Sequence[Leaving]) -> set[int]:
    """Of claimed candidates, those of paused streams: they wait until somebody resumes it. Returns their ids."""
    streams = set(session.execute(OPEN).scalars())
    if not streams:
        return set()
    by_sender = any(each.startswith("domain:") for each in streams)
    sender_of = senders_of(session, messages) if by_sender else lambda _: ""
    waiting = [each for each in messages if not streams.isdisjoint(_streams(each, sender_of(each)))]
    ids, origins = literal([each.id for each in waiting]), literal([each.origin_at for each in waiting])
    session.execute(PARK, {"ids": ids, "origins": origins})
    return {each.id for each in waiting}


def senders_of(session: Session, messages: Sequence[Written]) -> Callable[[Written], str]:
    """Tells the sending address of these messages: of their identity, else their content's, else the default's."""
    known = workspace.load(session)
    identities: dict[str, str] = dict(session.execute(IDENTITIES).all())
    own = identities.get(known.identity, known.sender_address.lower())
    ids = {each.content_version_id for each in messages if each.content_version_id is not None}
    named = session.execute(SENDERS, {"ids": literal(ids)}).all()
    by_content: dict[int, str | None] = dict(named)

    def of(message: Written) -> str:
        named_by_it = identities.get(message.sender or "")
        return named_by_it or by_content.get(message.content_version_id or 0) or own

    return of


def _streams(message: Leaving, sender: str) -> set[str | None]:
    domain = domain_of(message.recipient) if message.channel == "email" else ""
    return {to_domain(sender, domain), of_origin(message.journey_slug, message.campaign_id)}
