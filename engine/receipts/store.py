"""Receipts as they come: each is written down once, whatever its effects will be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.receipts.values import LARGEST_PAYLOAD, LONGEST_REASON, Receipt
from engine.signing import Signer

PAYLOADS_KEPT, MOST_FORGOTTEN = dt.timedelta(days=30), 20_000
AHEAD = dt.timedelta(minutes=5)
FORGET = text("""
update receipts set payload = null where id = any(array(
    select id from receipts where received_at < :before and payload is not null
    order by received_at limit :limit for update skip locked))
""")
STORE = text("""
insert into receipts (provider, provider_id, channel, kind, message_id, origin_at, recipient, address_hmac, domain,
    status, reason, payload, occurred_at, received_at)
values (:provider, :provider_id, :channel, :kind, :message_id, :origin_at, :recipient, :address_hmac, :domain,
    :status, :reason, :payload, :occurred_at, :now)
on conflict (provider, provider_id) do nothing
""")


def store(session: Session, receipts: Iterable[Receipt], now: dt.datetime, signer: Signer) -> None:
    """Write down the receipts that were never seen before; `settle` gives them their effects.

    They are taken in the order of their ids, so that two callers with the same ones wait and never deadlock.
    """
    rows = [_row(each, now, signer) for each in sorted(receipts, key=lambda it: (it.provider, it.provider_id))]
    if rows:
        session.execute(STORE, rows)


def forget(session: Session, now: dt.datetime) -> None:
    """Drop the payloads of receipts of over 30 days ago, and with them what people wrote; what they say stays."""
    session.execute(FORGET, {"before": now - PAYLOADS_KEPT, "limit": MOST_FORGOTTEN})


def _row(receipt: Receipt, now: dt.datetime, signer: Signer) -> dict[str, object]:
    message_id, origin_at = receipt.message or (None, None)
    recipient = storable(receipt.recipient or "", 320) or None
    return {
        "provider": receipt.provider,
        "provider_id": storable(receipt.provider_id, 500),
        "channel": receipt.channel,
        "kind": receipt.kind,
        "message_id": message_id,
        "origin_at": origin_at,
        "recipient": recipient,
        "address_hmac": signer.address_hmac(receipt.channel, recipient) if recipient else None,
        "domain": domain_of(recipient) if recipient and receipt.channel == "email" else None,
        "status": storable(receipt.status, 100),
        "reason": storable(receipt.reason, LONGEST_REASON),
        "payload": receipt.payload[:LARGEST_PAYLOAD] if receipt.payload else None,
        "occurred_at": min(receipt.occurred_at or now, now + AHEAD),
        "now": now,
    }


def domain_of(address: str) -> str:
    """The domain of a mail address in lower case, '' for none."""
    return address.rpartition("@")[2].strip(" >.").lower() if "@" in address else ""


def storable(words: str, length: int) -> str:
    """One line that PostgreSQL takes: no NUL, no lone surrogates."""
    return " ".join(words.replace("\0", "").encode("utf-8", "replace").decode().split())[:length]
