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
LINK = text("""
update receipts r set message_id = m.id, origin_at = m.origin_at, settled_at = null
from unnest(cast(:ids as bigint[]), cast(:references as text[])) as u(id, reference)
join messages m on m.id = u.id
where r.provider = :gateway and r.message_id is null
    and r.provider_id >= u.reference || ':' and r.provider_id < u.reference || ';'""")
FIND = text("""
select reference, message_id, origin_at from gateway_references
where gateway = :gateway and reference = any(cast(:references as text[]))""")


def store(session: Session, gateway: str, known: Mapping[int, str], now: dt.datetime) -> None:
    """Keep the references of messages by their ids. A gateway that counts anew takes names over from older messages.

    A receipt that came before this commit learns now which message it speaks of.
    """
    if known:
        values = {"ids": literal(list(known)), "references": literal(list(known.values())), "gateway": gateway}
        session.execute(STORE, values | {"now": now})
        session.execute(LINK, values)


def find(session: Session, gateway: str, asked: Collection[str]) -> dict[str, MessageKey]:
    """The messages that a gateway speaks of, by the reference as it was asked.

    Some gateways answer in hexadecimal and report in decimal, or the other way round: either spelling finds.
    """
    spelt = {one: _spellings(one) for one in asked}
    every = sorted({form for forms in spelt.values() for form in forms})
    rows = session.execute(FIND, {"gateway": gateway, "references": literal(every)}).all() if every else []
    known = {row.reference: (row.message_id, row.origin_at) for row in rows}
    return {one: known[form] for one, forms in spelt.items() for form in reversed(forms) if form in known}


def _spellings(reference: str) -> list[str]:
    """The reference itself comes first."""
    forms = [reference]
    if reference.isdecimal() and len(reference) < 20:
        forms += [f"{int(reference):x}", f"{int(reference):X}", f"{int(reference):08X}"]
    if len(reference) < 17 and all(c in "0123456789abcdefABCDEF" for c in reference) and reference:
        forms.append(str(int(reference, 16)))
    return list(dict.fromkeys(forms))
