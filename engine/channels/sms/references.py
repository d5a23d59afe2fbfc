"""By which name a gateway speaks of a message, where it takes none of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal

MessageKey = tuple[int, dt.datetime]

STORE = text("""
insert into gateway_references (gateway, reference, message_id, origin_at, stored_at)
select :gateway, u.reference, m.id, m.origin_at, :now
from unnest(cast(:ids as bigint[]), cast(:references as text[])) as u(id, reference)
join messages m on m.id = u.id
on conflict (gateway, reference) do update
set message_id = excluded.message_id, origin_at = excluded.origin_at, stored_at = excluded.stored_at""")
# What came before its message was known came just before; of old, the same name may mean another message.
LINK = text("""
update receipts r set message_id = m.id, origin_at = m.origin_at, settled_at = null
from unnest(cast(:ids as bigint[]), cast(:references as text[])) as u(id, reference)
join messages m on m.id = u.id
where r.provider = :gateway and r.message_id is null and r.received_at > :since
    and r.provider_id >= u.reference || ':' and r.provider_id < u.reference || ';'""")
FIND = text("""
select reference, message_id, origin_at from gateway_references
where gateway = :gateway and reference = any(cast(:references as text[])) and stored_at > :since""")
AHEAD = dt.timedelta(hours=1)
"""By how much a receipt may be ahead of the commit that names its message; mostly it is a fraction of a second."""
LATEST = dt.timedelta(days=14)
"""No receipt comes later: a gateway gives a text up after some days. By then it may have begun to count anew."""
KEPT, MOST_FORGOTTEN = dt.timedelta(days=30), 50_000
FORGET = text("""
delete from gateway_references where (gateway, reference) in (
    select gateway, reference from gateway_references where stored_at < :before order by stored_at limit :limit)""")
DIGITS, HEXADECIMAL = frozenset("0123456789"), frozenset("0123456789abcdefABCDEF")
LONGEST = 20


def store(session: Session, gateway: str, known: Mapping[int, str], now: dt.datetime) -> None:
    """Keep the references of messages by their ids. A gateway that counts anew takes names over from older messages.

    A receipt that came before this commit learns now which message it speaks of.
    """
    named = {plain(reference): id_ for id_, reference in known.items()}
    if named:
        values = {"ids": literal(list(named.values())), "references": literal(list(named)), "gateway": gateway}
        session.execute(STORE, values | {"now": now})
        forms = [(id_, form) for reference, id_ in named.items() for form in _spellings(reference)]
        values |= {"ids": literal([id_ for id_, _ in forms]), "references": literal([form for _, form in forms])}
        session.execute(LINK, values | {"since": now - AHEAD})


def find(session: Session, gateway: str, asked: Collection[str], now: dt.datetime) -> dict[str, MessageKey]:
    """The messages that a gateway speaks of, by the reference as it was asked.

    Some gateways answer in hexadecimal and report in decimal, or the other way round, with zeros in front or without:
    each spelling finds, and the same base comes before the other one.
    """
    spelt = {one: _spellings(one) for one in asked}
    every = sorted({form for forms in spelt.values() for form in forms})
    if not every:
        return {}
    values = {"gateway": gateway, "references": literal(every), "since": now - LATEST}
    known = {row.reference: (row.message_id, row.origin_at) for row in session.execute(FIND, values)}
    return {one: known[form] for one, forms in spelt.items() for form in reversed(forms) if form in known}


def receipt_id(reference: str, message: MessageKey | None, said: str, now: dt.datetime) -> str:
    """What makes a receipt one: the gateway's name, whose message it is, and what is `said` of it.

    Names come again when a gateway counts anew, so the name alone is not enough; before the message is known, the day
    stands for it. `store` finds such a receipt by how its id begins.
    """
    return f"{plain(reference)}:{message[0] if message else f'{now:%Y-%m-%d}'}:{said}"


def forget(session: Session, now: dt.datetime) -> None:
    """Drop the names of messages of which no receipt can come any more."""
    session.execute(FORGET, {"before": now - KEPT, "limit": MOST_FORGOTTEN})


def plain(reference: str) -> str:
    """A reference without what spellings of one number differ in; one that is no number stays as it is."""
    if not reference or len(reference) > LONGEST or not HEXADECIMAL.issuperset(reference):
        return reference
    return reference.lstrip("0").lower() or "0"


def _spellings(reference: str) -> list[str]:
    """The reference in its own base comes first."""
    own = plain(reference)
    forms = [own]
    if own and len(own) <= LONGEST:
        forms += [f"{int(own):x}"] if DIGITS.issuperset(own) else []
        forms += [str(int(own, 16))] if HEXADECIMAL.issuperset(own) else []
    return list(dict.fromkeys(forms))
