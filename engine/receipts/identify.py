"""Which message a mail speaks of: by what only its recipient's side can know, else by whom it names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.receipts.verp import named
from engine.signing import Signer
from engine.tracking.links import MessageKey
from engine.urls import origin_at

RECENT = dt.timedelta(days=7)
"""Servers give up after five days (RFC 5321, section 4.5.4.1)."""

# Two ways into the ledger that are indexed: the contact by address, the contact's messages.
BY_TOKEN = text("""
select distinct on (u.position) u.position, m.id, m.origin_at
from unnest(cast(:tokens as text[]), cast(:addresses as text[])) with ordinality as u(token, address, position)
join contacts c on lower(c.email) = u.address join messages m on m.contact_id = c.id and m.token = u.token
""")
BY_ADDRESS = text("""
select u.address, m.id, m.origin_at from unnest(cast(:addresses as text[])) as u(address)
cross join lateral (
    select m.id, m.origin_at from contacts c join messages m on m.contact_id = c.id
    where lower(c.email) = u.address and m.channel = 'email' and m.accepted_at > :since
    order by m.accepted_at desc limit 1) m
""")


@dataclass(frozen=True, slots=True)
class Clue:
    """What a mail tells of a message of ours: its addresses, references, and people whom it may have gone to.

    `links` are tokens of addresses for unsubscribing that stand anywhere in it.
    """

    addresses: tuple[str, ...]
    token: str | None
    recipients: tuple[str, ...]
    links: tuple[str, ...] = ()
    by_address: bool = True


def identify(session: Session, clues: Sequence[Clue], now: dt.datetime, signer: Signer) -> list[MessageKey | None]:
    """The message of each clue, in their order.

    A return path or a link of ours is verified by its tag, a Message-ID cannot be guessed. Only what came to an address
    without a name may be known by its recipient: who makes a name up is not believed at all.
    """
    found: dict[int, MessageKey | None] = {}
    asked: dict[int, Clue] = {}
    for number, clue in enumerate(clues):
        verified = named(clue.addresses, signer)
        if verified.keys:
            found[number] = verified.keys[0]
        elif (key := _signed((clue.token, *clue.links), signer)) is not None:
            found[number] = key
        elif not verified.forged:
            asked[number] = clue
    found |= _by_token(session, asked)
    found |= _by_address(session, {n: clue for n, clue in asked.items() if n not in found and clue.by_address}, now)
    return [found.get(number) for number in range(len(clues))]


def _signed(tokens: Iterable[str | None], signer: Signer) -> MessageKey | None:
    for token in filter(None, tokens):
        reference = signer.read_bounce(token.lower()) or signer.read("unsubscribe", token)
        if reference is not None:
            return reference.message_id, origin_at(reference)
    return None


def _by_token(session: Session, asked: Mapping[int, Clue]) -> dict[int, MessageKey]:
    pairs = [(number, clue.token, one) for number, clue in asked.items() if clue.token for one in _plain(clue)]
    if not pairs:
        return {}
    values = {"tokens": [token for _, token, _ in pairs], "addresses": [address for _, _, address in pairs]}
    return {pairs[row[0] - 1][0]: (row[1], row[2]) for row in session.execute(BY_TOKEN, values)}


def _by_address(session: Session, asked: Mapping[int, Clue], now: dt.datetime) -> dict[int, MessageKey]:
    wanted = sorted({address for clue in asked.values() for address in _plain(clue)})
    if not wanted:
        return {}
    rows = session.execute(BY_ADDRESS, {"addresses": wanted, "since": now - RECENT})
    latest = {row[0]: (row[1], row[2]) for row in rows}
    return {number: latest[address] for number, clue in asked.items() for address in _plain(clue) if address in latest}


def _plain(clue: Clue) -> Iterable[str]:
    return sorted({address.strip().lower() for address in clue.recipients if "@" in address})
