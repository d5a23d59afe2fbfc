"""Receipts take effect: on their messages, counters, contacts' events, addresses, consent and streams."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.events.record import NewEvent, record
from engine.receipts import addresses, breaker, states
from engine.receipts.concerned import Concerned, lock
from engine.receipts.store import domain_of, store
from engine.receipts.values import Receipt
from engine.signing import Signer
from engine.tracking.links import MessageKey

BATCH = 1000
NOT_AUTHORISED = re.compile(r"(?<![\d.])5\.7\.\d")
EVENTS = {
    **dict.fromkeys(("soft", "hard", "policy"), "Bounced"),
    "delivered": "Delivered",
    "complaint": "Complained",
    "replied": "Replied",
}
CHANNELS = {"email": "Email", "sms": "SMS"}
FALLS_BACK_WITHIN = dt.timedelta(hours=24)

# What is said of a message that is still on its way waits for the sender's own word.
CLAIM = text("""
select r.id, r.provider, r.kind, r.channel, r.message_id, r.origin_at, r.status, r.reason, r.occurred_at
from receipts r left join messages m on m.id = r.message_id and m.origin_at = r.origin_at
where r.settled_at is null and r.error is null and coalesce(m.state, '') not in ('queued', 'sending')
order by r.id limit :limit for update of r skip locked
""")
SETTLED = text("""
update receipts r set settled_at = :now, recipient = coalesce(u.recipient, r.recipient),
    address_hmac = coalesce(u.hmac, r.address_hmac), domain = coalesce(u.domain, r.domain)
from unnest(cast(:ids as bigint[]), cast(:recipients as text[]), cast(:hmacs as bytea[]), cast(:domains as text[]))
    as u(id, recipient, hmac, domain)
where r.id = u.id
""")
ASIDE = text("update receipts set error = :error where id = :id")


class Open(NamedTuple):
    """A stored receipt that has had no effect yet."""

    id: int
    provider: str
    kind: str
    channel: str
    message_id: int | None
    origin_at: dt.datetime | None
    status: str
    reason: str
    occurred_at: dt.datetime

    @property
    def key(self) -> MessageKey | None:
        """The message, if it is known."""
        return (self.message_id, self.origin_at) if self.message_id is not None and self.origin_at else None


class Settled(NamedTuple):
    """How many receipts took effect, and the messages that bounced hard while their step's fallback may still run."""

    receipts: int
    fallen: list[Concerned]


def apply(session: Session, receipts: Iterable[Receipt], now: dt.datetime, signer: Signer) -> Settled:
    """Store receipts and settle what is open. A receipt that was seen before changes nothing."""
    store(session, receipts, now, signer)
    return settle(session, now, signer)


def settle(
    session: Session, now: dt.datetime, signer: Signer, limit: int = BATCH, taken: list[int] | None = None
) -> Settled:
    """Give at most `limit` stored receipts their effects. Safe to run in several processes.

    A receipt without a message that is known changes nothing and is kept for the operator. `taken` is given the ids.
    """
    rows = [Open(*row) for row in session.execute(CLAIM, {"limit": limit})]
    if taken is not None:
        taken += [row.id for row in rows]
    if not rows:
        return Settled(0, [])
    messages = lock(session, {row.key for row in rows if row.key is not None})
    about = [(row, messages[row.key]) for row in rows if row.key in messages]
    _mark(session, rows, messages, signer, now)
    bounced = states.write(session, _by_message(about), now)
    _tell(session, about, now)
    _protect(session, about, now, signer)
    return Settled(len(rows), [each for each in bounced if _may_fall_back(each, about)])


def set_aside(session: Session, receipt_id: int, error: str) -> None:
    """Keep a receipt whose effects fail, with the reason; the others go on."""
    session.execute(ASIDE, {"id": receipt_id, "error": error.replace("\0", "")[:1000]})


def _by_message(about: Sequence[tuple[Open, Concerned]]) -> list[tuple[Concerned, list[Open]]]:
    """Messages with what is said of them, in the order in which it happened."""
    found: dict[MessageKey, tuple[Concerned, list[Open]]] = {}
    for row, message in sorted(about, key=lambda pair: (pair[0].occurred_at, pair[0].id)):
        found.setdefault((message.id, message.origin_at), (message, []))[1].append(row)
    return [found[key] for key in sorted(found)]


def _mark(
    session: Session, rows: Sequence[Open], messages: Mapping[MessageKey, Concerned], signer: Signer, now: dt.datetime
) -> None:
    """They are settled; those that only named a message learn to whom it went."""
    known = [messages[row.key].recipient if row.key is not None and row.key in messages else None for row in rows]
    addressed = list(zip(rows, known, strict=True))
    values = {
        "ids": literal([row.id for row in rows]),
        "recipients": literal(known),
        "hmacs": literal([signer.address_hmac(row.channel, it) if it else None for row, it in addressed]),
        "domains": literal([domain_of(it) if it and row.channel == "email" else None for row, it in addressed]),
        "now": now,
    }
    session.execute(SETTLED, values)


def _tell(session: Session, about: Sequence[tuple[Open, Concerned]], now: dt.datetime) -> None:
    """One event of a name for each message, however often it is said; never before the message was accepted."""
    events = []
    for row, message in about:
        if (name := EVENTS.get(row.kind)) is None:
            continue
        said = {"kind": row.kind, "status": row.status, "reason": row.reason}
        at = max(row.occurred_at, message.accepted_at or row.occurred_at)
        full = f"{CHANNELS.get(message.channel, message.channel)} {name}"
        id_ = f"receipt-{message.id}-{name.lower()}"
        events.append(NewEvent(message.contact_id, full, at, id_, message.properties | said, source="tracking"))
    record(session, events, now)


def _protect(session: Session, about: Sequence[tuple[Open, Concerned]], now: dt.datetime, signer: Signer) -> None:
    """Addresses that do not exist, people who complain, sites that refuse: each is left alone, in its own way."""
    kinds: dict[str, list[tuple[Open, Concerned]]] = defaultdict(list)
    for row, message in about:
        kinds[row.kind].append((row, message))
    addresses.dead(session, [message for _, message in kinds["hard"]], now, signer)
    addresses.worn_out(session, [message for _, message in kinds["soft"]], now, signer)
    addresses.complained(session, [message for _, message in kinds["complaint"]], now, signer)
    breaker.refused(session, [_refusal(row, message) for row, message in kinds["policy"]], now)
    breaker.complained(session, [message for _, message in kinds["complaint"]], now)


def _refusal(row: Open, message: Concerned) -> breaker.Refusal:
    domain = domain_of(message.recipient or "") if message.channel == "email" else ""
    status, reason = row.status or "", row.reason or ""
    words = reason if status in reason else f"{status} {reason}".strip()
    return breaker.Refusal(message, domain, words, NOT_AUTHORISED.search(words) is not None)


def _may_fall_back(message: Concerned, about: Sequence[tuple[Open, Concerned]]) -> bool:
    """A step's fallback runs on a hard bounce within 24 hours."""
    if not message.fallback or message.enrolment_id is None:
        return False
    said = [row.occurred_at for row, it in about if it.id == message.id and row.kind == "hard"]
    return bool(said) and min(said) - message.left_at <= FALLS_BACK_WITHIN
