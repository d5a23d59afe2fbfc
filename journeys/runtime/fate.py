"""What became of what an entry waits for: its message at a send with a fallback, the response of a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from engine.db import driver
from journeys.runtime.entry import Entry

Fate = Literal["under_way", "unreachable", "settled"]

UNREACHABLE = frozenset({"no_address", "suppressed", "invalid_address", "hard_bounce"})
"""Reasons that say that the address is to blame: a fallback on another channel may still reach the contact. Who has
unsubscribed, is over a cap or has left was not to be written to at all."""

LATEST = """
select distinct on (m.enrolment_id) m.enrolment_id, m.state, m.reason
from unnest(%s::int8[], %s::timestamptz[], %s::text[]) as asked(enrolment_id, origin_at, step_id)
join messages m on m.origin_at = asked.origin_at and m.enrolment_id = asked.enrolment_id and m.step_id = asked.step_id
order by m.enrolment_id, m.visit desc
"""
ANSWERED = """
select distinct on (d.enrolment_id) d.enrolment_id, d.state
from unnest(%s::int8[], %s::text[]) as asked(enrolment_id, step_id)
join deliveries d on d.enrolment_id = asked.enrolment_id and d.step_id = asked.step_id
order by d.enrolment_id, d.visit desc
"""


def answered(session: Session, rows: Sequence[Entry]) -> None:
    """Fill `fate` of rows that wait for a response."""
    if not rows:
        return
    columns = ([row.id for row in rows], [row.step_id for row in rows])
    found = dict(driver(session).execute(ANSWERED, columns, binary=True).fetchall())
    for row in rows:
        row.fate = "under_way" if found.get(row.id) == "pending" else "settled"


def fates(session: Session, rows: Sequence[Entry]) -> None:
    """Fill `fate` of rows that wait for their message."""
    if not rows:
        return
    columns = ([row.id for row in rows], [row.entered_at for row in rows], [row.step_id for row in rows])
    found = {id_: fate(state, reason) for id_, state, reason in driver(session).execute(LATEST, columns, binary=True)}
    for row in rows:
        row.fate = found.get(row.id, "settled")


def fate(state: str, reason: str | None) -> Fate:
    """What a message's state and reason mean for an entry that waits for it."""
    if state in ("queued", "sending"):
        return "under_way"
    refused = state in ("suppressed", "failed", "bounced") and reason in UNREACHABLE
    return "unreachable" if refused else "settled"
