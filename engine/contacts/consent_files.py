"""Consent in files: states and history out as CSV, words with basis and date in."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TextIO

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import ACTIONS, BASES, CHANNELS, ConsentChange, record_consent
from engine.db import Database
from engine.errors import InvalidInput
from engine.reports.spreadsheet import DANGEROUS, safe_cell

BATCH = 5_000
MOST_PROBLEMS = 100
COLUMNS = ("external_id", "email", "phone", "channel", "topic", "action", "lawful_basis", "wording", "date", "expires")
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
FIND = text("""
select asked.position, (
    select c.id from contacts c where c.erased_at is null and case when asked.external_id <> '' then
        c.external_id = asked.external_id when asked.email <> '' then lower(c.email) = lower(asked.email)
        else c.phone = asked.phone end order by c.id limit 1)
from unnest(cast(:externals as text[]), cast(:emails as text[]), cast(:phones as text[]))
    with ordinality asked(external_id, email, phone, position)""")


@dataclass(slots=True)
class Counts:
    """What became of a file's rows. `problems` are (line, what is wrong), the first hundred."""

    rows: int = 0
    recorded: int = 0
    changed: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, error: str) -> None:
        """Remember why a row is not in."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, error))

    @property
    def refused(self) -> int:
        """Rows that are not in."""
        return self.rows - self.recorded


def import_consent(database: Database, file: TextIO, now: dt.datetime) -> Counts:
    """Record the words of a CSV file, a batch a transaction. Columns are COLUMNS; topic and what follows may lack.

    Contacts have to exist. No file lifts an opt-out, whatever date it names. Raises InvalidInput for a header that is
    none.
    """
    reader = csv.DictReader(file)
    missing = {"channel", "action"} - set(reader.fieldnames or ())
    if missing or not set(COLUMNS[:3]) & set(reader.fieldnames or ()):
        hint = f"Name channel, action, and one of external_id, email and phone. Known are {', '.join(COLUMNS)}."
        raise InvalidInput("does not name the columns that are needed", "the first line", hint)
    counts = Counts()
    numbered = ((reader.line_num, row) for row in reader)
    while batch := list(islice(numbered, BATCH)):
        with database.transaction() as session:
            _record(session, batch, counts, now)
    return counts


def _record(session: Session, batch: Sequence[tuple[int, Mapping[str, Any]]], counts: Counts, now: dt.datetime) -> None:
    values = {
        name: [_plain(row.get(column)) for _, row in batch]
        for name, column in (("externals", "external_id"), ("emails", "email"), ("phones", "phone"))
    }
    found = {position - 1: id_ for position, id_ in session.execute(FIND, values)}
    given = []
    for position, (line, row) in enumerate(batch):
        counts.rows += 1
        contact_id = found[position]
        if contact_id is None:
            counts.refuse(line, "there is no such contact; import contacts first")
            continue
        try:
            given.append(_change(contact_id, row, now))
        except ValueError as error:
            counts.refuse(line, str(error))
    counts.recorded += len(given)
    counts.changed += len(record_consent(session, given, now))


def _change(contact_id: int, row: Mapping[str, Any], now: dt.datetime) -> ConsentChange:
    """Raises ValueError with what is wrong."""
    cell = {name: _plain(row.get(name)) for name in COLUMNS}
    for name, known in (("channel", CHANNELS), ("action", ACTIONS), ("lawful_basis", ("", *BASES))):
        if cell[name] not in known:
            raise ValueError(f"{name} is “{cell[name][:40]}”; known are {', '.join(filter(None, known))}")
    expires = _moment(cell["expires"], "expires")
    if cell["lawful_basis"] == "implied" and expires is None and cell["action"] == "subscribed":
        raise ValueError("implied consent needs the day on which it expires")
    at = _moment(cell["date"], "date") or now
    return ConsentChange(
        contact_id, cell["channel"], cell["action"], "import", cell["topic"], min(at, now),
        lawful_basis=cell["lawful_basis"] or None, wording=cell["wording"] or None, expires_at=expires,
    )  # fmt: skip


def _moment(given: str, name: str) -> dt.datetime | None:
    if not given:
        return None
    try:
        moment = dt.datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{name} is “{given[:40]}”; write 2026-05-01 or 2026-05-01T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def export_states(session: Session, file: TextIO) -> int:
    """Write the last word of every contact on every channel and topic; returns how many rows."""
    header = (*COLUMNS[:5], "state", "since", "expires")
    return _write(file, header, _states(session))


def export_events(session: Session, file: TextIO) -> int:
    """Write the whole history, oldest first; returns how many rows."""
    header = (*COLUMNS[:6], "source", "lawful_basis", "wording", "wording_hash", "ip", "user_agent", "date", "expires")
    return _write(file, header, _events(session))


def _write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    writer, count = csv.writer(file), 0
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    return count


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else safe_cell(value or "")


def _plain(value: str | None) -> str:
    """A cell as it was before an export made it safe for spreadsheets."""
    found = (value or "").strip().replace("\0", "")
    return found[1:] if found[:1] == "'" and found[1:].startswith(DANGEROUS) else found


def _events(session: Session) -> Iterator[Sequence[Any]]:
    after = 0
    while rows := session.execute(EVENTS, {"after": after, "limit": READ}).all():
        yield from (tuple(row)[1:] for row in rows)
        after = rows[-1][0]


def _states(session: Session) -> Iterator[Sequence[Any]]:
    yield from (tuple(row) for row in session.execute(STATES.execution_options(yield_per=READ)))
