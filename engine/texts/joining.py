"""Texts that come in several pieces are put together again, in whatever order and however often the pieces come.

A piece that is missing is waited for, then what is there is taken: nobody's STOP waits for long.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.channels.sms.pieces import Piece
from engine.channels.sms.text import readable
from engine.texts.incoming import Incoming, take

WAIT = dt.timedelta(minutes=5)
REPEATED_WITHIN = dt.timedelta(hours=1)
"""A piece that comes again in this time after its text was taken is a repeat; later its reference is used anew."""
KEPT = dt.timedelta(days=1)
AT_ONCE = 200
MISSING = "…"

SAME = """
gateway = :gateway and sender = :sender and recipient = :recipient and reference = :reference and total = :total"""
LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
HELD = text(f"select id, number, coding, data, taken_at from text_parts where {SAME} order by number")
STORE = text("""
insert into text_parts (gateway, sender, recipient, reference, total, number, coding, data, received_at)
values (:gateway, :sender, :recipient, :reference, :total, :number, :coding, :data, :now)""")
TAKEN = text("update text_parts set taken_at = :now where id = any(:ids)")
OVER = text(f"delete from text_parts where {SAME}")
OVERDUE = text("""
select gateway, sender, recipient, reference, total from text_parts
where taken_at is null and received_at <= :due group by 1, 2, 3, 4, 5 order by min(id) limit :limit""")
FORGET = text("delete from text_parts where received_at < :before and taken_at is not null")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece as a gateway delivered it: numbers as in `Incoming`, its bytes without header, and their codec."""

    sender: str
    recipient: str
    piece: Piece
    data: bytes
    coding: str


def take_part(session: Session, gateway: str, part: Part, now: dt.datetime) -> str:
    """Keep a piece; if it was the last one missing, take the text. Returns what to text back, "" for nothing."""
    key = {
        "gateway": gateway, "sender": part.sender, "recipient": part.recipient, "reference": part.piece.reference,
        "total": part.piece.total,
    }  # fmt: skip
    held = _held(session, key)
    if _is_another(held, part, now):
        _take(session, key, held, now)
        session.execute(OVER, key)
        held = []
    if any(row.number == part.piece.number for row in held):
        return ""
    session.execute(STORE, key | {"number": part.piece.number, "coding": part.coding, "data": part.data, "now": now})
    if len(held) + 1 < part.piece.total:
        return ""
    return _take(session, key, session.execute(HELD, key).all(), now)


def take_overdue(session: Session, now: dt.datetime) -> int:
    """Take what is there of texts whose missing pieces did not come in time. Returns how many texts were taken."""
    found = session.execute(OVERDUE, {"due": now - WAIT, "limit": AT_ONCE}).mappings().all()
    for key in found:
        _take(session, dict(key), _held(session, dict(key)), now)
    return len(found)


def forget(session: Session, now: dt.datetime) -> None:
    """Pieces of texts that were taken a day ago."""
    session.execute(FORGET, {"before": now - KEPT})


def _held(session: Session, key: dict[str, Any]) -> Sequence[Any]:
    """The pieces that are there. Two that come at the same moment wait for each other, or neither saw the other."""
    session.execute(LOCK, {"name": "text " + " ".join(str(value) for value in key.values())})
    return session.execute(HELD, key).all()


def _is_another(held: Sequence[Any], part: Part, now: dt.datetime) -> bool:
    """Whether the reference, of which phones have few, stands for another text by now."""
    if any(row.number == part.piece.number and row.data != part.data for row in held):
        return True
    taken = [row.taken_at for row in held]
    return bool(taken) and all(each is not None and each <= now - REPEATED_WITHIN for each in taken)


def _take(session: Session, key: dict[str, Any], held: Sequence[Any], now: dt.datetime) -> str:
    """Take the pieces that have not been; what is missing between them is shown as such."""
    waiting = [row for row in held if row.taken_at is None]
    if not waiting:
        return ""
    session.execute(TAKEN, {"ids": [row.id for row in waiting], "now": now})
    named = f"parts-{min(row.id for row in waiting)}"
    incoming = Incoming(named, key["sender"], key["recipient"], joined(waiting, key["total"]))
    return take(session, key["gateway"], incoming, now)


def joined(rows: Sequence[Any], total: int) -> str:
    """The text of pieces in order. Bytes are joined before they are read: phones tear characters apart."""
    runs: list[list[Any]] = []
    for row in rows:
        follows = runs and runs[-1][-1].number + 1 == row.number and runs[-1][-1].coding == row.coding
        runs[-1].append(row) if follows else runs.append([row])
    said, last = "", 0
    for run in runs:
        gap = f" {MISSING} " if run[0].number > last + 1 else ""
        said += gap + readable(b"".join(row.data for row in run), run[0].coding)
        last = run[-1].number
    return (said + (f" {MISSING}" if last < total else "")).strip(" ")
