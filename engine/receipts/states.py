"""States of messages by receipts: forward only, with their counters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.receipts.concerned import Concerned
from engine.receipts.values import REASONS, moves
from engine.receipts.values import STATES as STATE_OF
from engine.reports import rollup
from engine.tracking import facts

MOVE = text("""
update messages m set state = u.state, reason = coalesce(u.reason, m.reason),
    delivered_at = coalesce(m.delivered_at, u.delivered_at)
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:states as text[]),
    cast(:reasons as text[]), cast(:delivered as timestamptz[])) as u(id, origin_at, state, reason, delivered_at)
where m.id = u.id and m.origin_at = u.origin_at
""")


class Said(Protocol):
    """A receipt, as far as states ask it."""

    @property
    def kind(self) -> str:
        """What it says."""

    @property
    def occurred_at(self) -> dt.datetime:
        """When."""


class Move(NamedTuple):
    """Where a message goes, and when it turned out to be delivered if that is news."""

    message: Concerned
    state: str
    reason: str | None
    delivered_at: dt.datetime | None


def write(session: Session, said: Sequence[tuple[Concerned, Sequence[Said]]], now: dt.datetime) -> list[Concerned]:
    """Move locked messages forward by what is said of each, in its order. Returns those that have now bounced hard.

    Whatever is said of an `unknown` message proves that it was accepted, and counts it as sent first.
    """
    proven = [
        message for message, rows in said if message.state == "unknown" and any(moves("unknown", r.kind) for r in rows)
    ]
    deltas = facts.resolve(session, proven, now, "receipt")
    going = [move for message, rows in said if (move := _move(message, rows)) is not None]
    if going:
        session.execute(MOVE, _values(going))
    rollup.messages(session, [*deltas, *(facts.delta(move.message, _metrics(move), now) for move in going)])
    return [move.message for move in going if move.reason == REASONS["hard"]]


def _move(message: Concerned, said: Sequence[Said]) -> Move | None:
    state, reason, delivered_at = message.state, None, None
    for row in said:
        if not moves(state, row.kind):
            continue
        state, reason = STATE_OF[row.kind], REASONS.get(row.kind, reason)
        if row.kind == "delivered":
            delivered_at = row.occurred_at
    return Move(message, state, reason, delivered_at) if state != message.state else None


def _metrics(move: Move) -> dict[str, int]:
    return {
        "delivered": int(move.delivered_at is not None and move.message.delivered_at is None),
        "bounced": int(move.state == "bounced"),
        "complained": int(move.state == "complained"),
    }


def _values(going: Sequence[Move]) -> dict[str, str]:
    return {
        "ids": literal([each.message.id for each in going]),
        "origins": literal([each.message.origin_at for each in going]),
        "states": literal([each.state for each in going]),
        "reasons": literal([each.reason for each in going]),
        "delivered": literal([each.delivered_at for each in going]),
    }
