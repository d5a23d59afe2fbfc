"""Addresses that are never written to: looked for, added, taken away by a colleague, carried to another site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts import normal
from engine.contacts.consent import SUPPRESS
from engine.errors import InvalidInput, NotFound
from engine.model import AuditLog
from engine.signing import Signer

CHANNELS = ("email", "sms")
REASONS = ("unsubscribed", "hard_bounce", "soft_bounce", "complaint", "manual")
FOUND = text("""
select channel, reason, created_at from suppressions where address_hmac = any(:keys) order by channel
""")
REMOVE = text("delete from suppressions where channel = :channel and address_hmac = :key returning reason")
COUNTS = text("select channel, reason, count(*) from suppressions group by 1, 2 order by 1, 3 desc")
ALL = text("select encode(address_hmac, 'hex'), channel, reason, created_at from suppressions order by created_at")


KEY = "key"
"""The column of exported lists that tells with which secret their hashes were made."""


class Suppressed(NamedTuple):
    """Why and since when an address is left alone on a channel."""

    channel: str
    reason: str
    since: dt.datetime


def key_of(channel: str, address: str, signer: Signer) -> bytes:
    """The HMAC of an address as contacts have it: a number with its country, a domain in Unicode.

    Raises InvalidInput for what is no address, and for a number without its country, which would match nobody.
    """
    return signer.address_hmac(channel, normal.phone(address) if channel == "sms" else normal.email(address))


def _key_as_given(channel: str, address: str, signer: Signer) -> bytes:
    """The same; what is no address is looked for as it is."""
    try:
        return key_of(channel, address, signer)
    except InvalidInput:
        return signer.address_hmac(channel, address)


def find(session: Session, address: str, signer: Signer) -> list[Suppressed]:
    """What holds for an address, by channel."""
    return of_addresses(session, [(channel, address) for channel in CHANNELS], signer)


def of_addresses(session: Session, addresses: Iterable[tuple[str, str]], signer: Signer) -> list[Suppressed]:
    """What holds for addresses, each with the channel that it is asked for."""
    keys = [_key_as_given(channel, address, signer) for channel, address in addresses]
    return [Suppressed(*row) for row in session.execute(FOUND, {"keys": keys})]


def counts(session: Session) -> list[tuple[str, str, int]]:
    """(channel, reason, addresses)."""
    return [(row[0], row[1], row[2]) for row in session.execute(COUNTS)]


def add(
    session: Session, channel: str, rows: Iterable[tuple[bytes, str]], actor: str, now: dt.datetime, why: str = ""
) -> int:
    """Suppress addresses, given as (HMAC, reason). Returns how many were not suppressed before; writes the audit log.

    `why` is the colleague's own words, for the audit log.

    Raises InvalidInput for a channel or reason that is none.
    """
    by_reason: dict[str, set[bytes]] = {}
    for key, reason in rows:
        by_reason.setdefault(reason, set()).add(key)
    if channel not in CHANNELS:
        raise InvalidInput("is no channel", where=channel, hint="Use email or sms.")
    for reason in sorted(by_reason):
        if reason not in REASONS:
            raise InvalidInput("is no reason", where=reason, hint="Use one of: " + ", ".join(REASONS) + ".")
    count = 0
    for reason in sorted(by_reason):
        values = {"addresses": sorted(by_reason[reason]), "channel": channel, "reason": reason, "now": now}
        count += len(session.execute(SUPPRESS, values).all())
    detail = {"channel": channel, "addresses": count} | ({"why": why} if why else {})
    session.add(AuditLog(actor=actor, action="addresses suppressed", object=channel, detail=detail, at=now))
    return count


def remove(
    session: Session, channel: str, address: str, actor: str, why: str, now: dt.datetime, signer: Signer
) -> None:
    """Allow an address again; the audit log says who and why. Raises NotFound, or InvalidInput without a why."""
    if not why.strip():
        raise InvalidInput("is empty", where="reason", hint="Say why this address may be written to again.")
    key = _key_as_given(channel, address, signer)
    row = session.execute(REMOVE, {"channel": channel, "key": key}).first()
    if row is None:
        raise NotFound("suppressed address", address, "`cairn suppressions list ADDRESS` tells what holds for one.")
    detail = {"was": row[0], "why": why.strip()[:500], "channel": channel}
    session.add(AuditLog(actor=actor, action="suppression removed", object=key.hex(), detail=detail, at=now))


def everything(session: Session) -> Iterator[tuple[str, str, str, dt.datetime]]:
    """All of them as (HMAC in hex, channel, reason, since), the oldest first."""
    for row in session.execute(ALL, execution_options={"stream_results": True}):
        yield row[0], row[1], row[2], row[3]
