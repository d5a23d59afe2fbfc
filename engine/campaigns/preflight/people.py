"""Who is in the audience, and whom the gate would stop today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import case, false, func, or_, select, text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.campaigns import audience
from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding, Reach
from engine.messages import cap
from engine.messages.limits import Limits
from engine.model import ConsentState, Contact, Message, Topic
from engine.segments import planning
from engine.segments.planning import planned
from engine.signing import Signer
from engine.workspace import Workspace

SAMPLE = 25
ADDRESSES = 20_000
"""An address is suppressed by its HMAC, which only this process can make; of more contacts a part is asked."""
SUPPRESSED = text("""
select count(*) from suppressions where address_hmac = any(cast(:hmacs as bytea[])) and channel = :channel
""")
contact: Any = Contact.__table__
consent: Any = ConsentState.__table__
message: Any = Message.__table__


def reach(
    session: Session, definition: Definition, known: Workspace, signer: Signer, size: int, now: dt.datetime
) -> Reach:
    """The audience of `size` contacts by what would stop them."""
    address = contact.c.email if definition.channel == "email" else contact.c.phone
    ids = audience.contacts(session, definition, now).subquery()
    refused, silent = _said(definition, "unsubscribed"), _silent(session, definition, known)
    begins = "%" if definition.channel == "email" else "+%"  # as the gate has it: without its country it is no number
    present = (func.coalesce(func.btrim(address), "") != "") & func.coalesce(address, "").like(begins)
    columns = [
        func.count().filter(~present),
        func.count().filter(present & refused),
        func.count().filter(present & ~refused & silent),
        func.count().filter(present & ~refused & ~silent & _capped(definition, known, now)),
    ]
    with planned(session, planning.ALL):
        row = session.execute(select(*columns).select_from(ids).join(contact, contact.c.id == ids.c.id)).one()
    suppressed, estimated = _suppressed(session, definition, signer, size, now)
    held = int(size * definition.holdout)
    return Reach(size, held, row[0], row[1], row[2], suppressed, row[3], estimated)


def sample(session: Session, definition: Definition, now: dt.datetime, limit: int = SAMPLE) -> list[Any]:
    """Some contacts, spread over the audience by a hash of their ids."""
    ids = audience.contacts(session, definition, now).subquery()
    spread = select(contact).join(ids, ids.c.id == contact.c.id).order_by(func.hashint8(contact.c.id)).limit(limit)
    with planned(session, planning.ALL):
        return list(session.execute(spread).mappings())


def findings(found: Reach, definition: Definition) -> Iterator[Finding]:
    """About the audience as a whole."""
    if found.audience == 0:
        yield Finding("error", "audience", "Nobody is in the audience.", "Look at the rule, and at whom it leaves out.")
    elif found.likely == 0:
        yield Finding("error", "audience", "Nobody in the audience may get a message.")
    elif not definition.topic and definition.channel == "email":
        hint = "Name a topic, so that people can leave it and stay with the others."
        yield Finding("note", "topic", "The campaign has no topic: who unsubscribes leaves all email.", hint)


def _said(definition: Definition, state: str) -> Any:
    topics = ["", definition.topic] if definition.topic else [""]
    return (
        select(consent.c.contact_id)
        .where(
            consent.c.contact_id == contact.c.id,
            consent.c.channel == definition.channel,
            consent.c.topic.in_(topics),
            consent.c.state == state,
        )
        .exists()
    )


def _silent(session: Session, definition: Definition, known: Workspace) -> Any:
    """No explicit yes where one is wanted: by text message, or for a topic that is off by default."""
    default = session.get(Topic, definition.topic) if definition.topic else None
    wanted = (
        known.sms_needs_consent if definition.channel == "sms" else default and default.default_state != "subscribed"
    )
    return ~_said(definition, "subscribed") if wanted else case((contact.c.id.is_(None), True), else_=False)


def _capped(definition: Definition, known: Workspace, now: dt.datetime) -> Any:
    """Over the campaign's own cap, or one of the workspace's that fit it."""
    limits = Limits.of(known)
    own = cap.parse(definition.cap)
    reached = [_reached(own, now)] if own else []
    if definition.topic not in limits.unlimited:
        counted = [~message.c.transactional, func.coalesce(message.c.topic, "").not_in(limits.unlimited)]
        kinds = {
            "all": [],
            definition.channel: [message.c.channel == definition.channel],
            f"topic:{definition.topic}": [message.c.topic == definition.topic],
        }
        for of, condition in kinds.items():
            if of in limits.caps:
                reached.append(_reached(limits.caps[of], now, *counted, *condition))
    return or_(false(), *reached)


def _reached(limit: cap.Cap, now: dt.datetime, *conditions: Any) -> Any:
    sent = select(func.count()).where(
        message.c.contact_id == contact.c.id, message.c.accepted_at > limit.since(now), *conditions
    )
    return sent.scalar_subquery() >= limit.count


def _suppressed(
    session: Session, definition: Definition, signer: Signer, size: int, now: dt.datetime
) -> tuple[int, bool]:
    """How many, and whether that is an estimate."""
    address = contact.c.email if definition.channel == "email" else contact.c.phone
    ids = audience.contacts(session, definition, now).subquery()
    some = select(address).join(ids, ids.c.id == contact.c.id).where(address.is_not(None))
    if size > ADDRESSES:
        some = some.order_by(func.hashint8(contact.c.id)).limit(ADDRESSES)
    with planned(session, planning.ALL):
        addresses = list(session.execute(some).scalars())
    hmacs = {signer.address_hmac(definition.channel, each) for each in addresses if each}
    count = session.execute(SUPPRESSED, {"hmacs": literal(hmacs), "channel": definition.channel}).scalar_one()
    return (round(count * size / len(addresses)), True) if size > ADDRESSES and addresses else (count, False)
