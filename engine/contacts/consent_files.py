"""Consent as CSV files: states and history, for `engine.imports.consent` and for people."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.reports.spreadsheet import safe_cell

WHERE = ("external_id", "email", "phone", "channel", "topic")
READ = 50_000  # rows at a time
WHO = "c.external_id, c.email, c.phone"
STATES = text(f"""
select {WHO}, s.channel, s.topic, s.state, s.changed_at, s.expires_at
from consent_states s join contacts c on c.id = s.contact_id where c.erased_at is null
order by s.contact_id, s.channel, s.topic""")
EVENTS = text(f"""
select e.id, {WHO}, e.channel, e.topic, e.action, e.source, e.lawful_basis, e.wording, e.wording_hash, e.ip,
    e.user_agent, e.occurred_at, e.expires_at
from consent_events e join contacts c on c.id = e.contact_id where e.id > :after and c.erased_at is null
order by e.id limit :limit""")


def export_states(session: Session, file: TextIO) -> int:
    """Write the last word of every contact on every channel and topic; returns how many rows."""
    header = (*WHERE, "state", "since", "expires")
    return _write(file, header, _states(session))


def export_events(session: Session, file: TextIO) -> int:
    """Write the whole history, oldest first; returns how many rows."""
    proof = ("source", "lawful_basis", "wording", "wording_hash", "ip", "user_agent")
    return _write(file, (*WHERE, "action", *proof, "date", "expires"), _events(session))


def _write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    writer, count = csv.writer(file), 0
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    return count


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else safe_cell(value or "")


def _events(session: Session) -> Iterator[Sequence[Any]]:
    after = 0
    while rows := session.execute(EVENTS, {"after": after, "limit": READ}).all():
        yield from (tuple(row)[1:] for row in rows)
        after = rows[-1][0]


def _states(session: Session) -> Iterator[Sequence[Any]]:
    yield from (tuple(row) for row in session.execute(STATES.execution_options(yield_per=READ)))
