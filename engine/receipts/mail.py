"""Mail that came back: stored by a door before it is acknowledged, read by a job, set aside where it cannot be read."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from engine.bounces import KINDS, Report, Verdict, classify
from engine.bounces.addresses import address
from engine.bounces.mime import Mail, read
from engine.model import ReceiptMail
from engine.receipts import replies
from engine.receipts.identify import Clue, identify
from engine.receipts.store import storable, store
from engine.receipts.values import Kind, Receipt
from engine.receipts.verp import is_for_answers
from engine.signing import Signer

BATCH = 100
LARGEST = 1024 * 1024
"""What is kept of a mail: what a server has to say comes before the mail that it sends back."""
MOST_RECIPIENTS = 50
DOORS = ("pipe", "lmtp", "imap", "pop3", "api")
TO_NAMES = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "cc")
SAME = ("message-id", "from", "date", "subject")
UNSUBSCRIBE = re.compile(rb"/u/([A-Za-z0-9_-]{16,80})")
CLAIM = text("""
delete from receipt_mails where id = any(array(
    select id from receipt_mails where error is null order by id limit :limit for update skip locked))
returning id, door, recipients, raw, received_at
""")
ASIDE = text("update receipt_mails set error = :error where id = :id")


class Arrived(NamedTuple):
    """A mail as a door took it; `recipients` are those of the envelope, as far as the door knows them."""

    raw: bytes
    recipients: tuple[str, ...] = ()


class Stored(NamedTuple):
    """A row of the table."""

    id: int
    door: str
    recipients: list[str]
    raw: bytes
    received_at: dt.datetime


class Found(NamedTuple):
    """A mail with what was found in it; `verdict` is None of what speaks of no failure."""

    mail: Stored
    name: str
    kind: Kind
    verdict: Verdict | None
    clue: Clue


def put(session: Session, door: str, mails: Iterable[Arrived], now: dt.datetime) -> None:
    """Keep mails for the job; when the caller has committed it may acknowledge them."""
    rows = [
        {
            "door": door,
            "recipients": [storable(each, 320) for each in mail.recipients[:MOST_RECIPIENTS]],
            "raw": mail.raw[:LARGEST],
            "received_at": now,
        }
        for mail in mails
    ]
    if rows:
        session.execute(insert(ReceiptMail), rows)


def process(
    session: Session, now: dt.datetime, signer: Signer, limit: int = BATCH, taken: list[int] | None = None
) -> int:
    """Turn at most `limit` stored mails into receipts; how many. Safe to run in several processes.

    `taken` is given their ids. A mail that comes by two doors, or twice by one, becomes the same receipts.
    """
    mails = [Stored(*row) for row in session.execute(CLAIM, {"limit": limit})]
    mails.sort()
    if taken is not None:
        taken += [mail.id for mail in mails]
    found = [each for mail in mails for each in _read(mail, signer)]
    keys = identify(session, [each.clue for each in found], now, signer)
    store(session, [_receipt(each, key) for each, key in zip(found, keys, strict=True)], now, signer)
    return len(mails)


def set_aside(session: Session, mail_id: int, error: str) -> None:
    """Keep a mail that cannot be read, with the reason."""
    session.execute(ASIDE, {"id": mail_id, "error": error.replace("\0", "")[:1000]})


def _read(mail: Stored, signer: Signer) -> list[Found]:
    raw = bytes(mail.raw)
    report, headers = classify(raw), read(raw)
    addresses = tuple(mail.recipients) + tuple(
        value for name in TO_NAMES for value in headers.headers.get(name, [])[:10]
    )
    name = _name(raw, headers)
    if not report.verdicts:
        answered = replies.answered(headers)
        sender = address(headers.first("from"))
        clue = Clue(addresses, answered, (sender,) if sender else (), by_address=False)
        by_address = not replies.is_automatic(headers) and is_for_answers(addresses, signer)
        return [Found(mail, name, "replied" if answered or by_address else "ignored", None, clue)]
    links = tuple(each.decode() for each in UNSUBSCRIBE.findall(raw.replace(b"=\r\n", b""))[:5])
    return [
        Found(mail, f"{name}/{number}" if number else name, _kind(verdict), verdict, _clue(addresses, verdict, links))
        for number, verdict in enumerate(_told(report))
    ]


def _told(report: Report) -> Sequence[Verdict]:
    """One verdict for each address, the most severe; those without an address are one."""
    worst: dict[str | None, Verdict] = {}
    for verdict in sorted(report.verdicts, key=lambda it: KINDS.index(it.kind)):
        worst[verdict.recipient.lower() if verdict.recipient else None] = verdict
    return list(worst.values())


def _kind(verdict: Verdict) -> Kind:
    kinds: dict[str, Kind] = {"hard": "hard", "soft": "soft", "policy": "policy", "complaint": "complaint"}
    return kinds.get(verdict.kind, "ignored")


def _clue(addresses: tuple[str, ...], verdict: Verdict, links: tuple[str, ...]) -> Clue:
    return Clue(addresses, verdict.token, (verdict.recipient,) if verdict.recipient else (), links)


def _receipt(found: Found, key: tuple[int, dt.datetime] | None) -> Receipt:
    verdict = found.verdict
    return Receipt(
        provider="mail",
        provider_id=found.name,
        kind=found.kind,
        message=key,
        recipient=(verdict.recipient if verdict else None) or next(iter(found.clue.recipients), None),
        status=(verdict.status if verdict else None) or "",
        reason=(verdict.reason if verdict else None) or "",
        occurred_at=found.mail.received_at,
        payload=bytes(found.mail.raw),
    )


def _name(raw: bytes, mail: Mail) -> str:
    """The same for a mail however it was delivered: what servers add on the way does not count."""
    known = "\0".join(mail.first(name) for name in SAME).encode("utf-8", "replace")
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip()
    return hashlib.sha256(known + b"\0" + body).hexdigest()
