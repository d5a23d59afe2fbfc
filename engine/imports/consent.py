"""Words of consent from a CSV file: one word of one existing contact a row."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.contacts import topics
from engine.contacts.consent import ACTIONS, BASES, CHANNELS, ConsentChange, record_consent
from engine.db import Database
from engine.errors import InvalidInput
from engine.imports.cells import instant
from engine.imports.reading import Line, check_header, opened, unreadable
from engine.reports.spreadsheet import DANGEROUS

BATCH = 5_000
MOST_PROBLEMS = 100
WHO = ("external_id", "email", "phone")
COLUMNS = (*WHO, "channel", "topic", "action", "lawful_basis", "wording", "date", "expires")
ALSO = {"state": "action", "since": "date"}
"""Columns of `cairn consent export`, by what they are here."""
FIND = text("""
select asked.position, (
    select c.id from contacts c where c.erased_at is null and case when asked.external_id <> '' then
        c.external_id = asked.external_id when asked.email <> '' then lower(c.email) = lower(asked.email)
        else c.phone = asked.phone end order by c.id limit 1)
from unnest(cast(:externals as text[]), cast(:emails as text[]), cast(:phones as text[]))
    with ordinality asked(external_id, email, phone, position)""")
SAID = text("""
select contact_id, channel, topic, action, lawful_basis, wording, expires_at, occurred_at from consent_events
where contact_id = any(cast(:ids as bigint[])) and source = 'import' order by id""")

_Said = tuple[int, str, str]
"""Contact, channel and topic."""


@dataclass(slots=True)
class Counts:
    """What became of a file's rows. `repeated` were recorded by an earlier file; `problems` are (line, what is wrong),
    the first hundred."""

    rows: int = 0
    recorded: int = 0
    repeated: int = 0
    changed: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, error: str) -> None:
        """Remember why a row is not in."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, error))

    @property
    def refused(self) -> int:
        """Rows that are not in."""
        return self.rows - self.recorded - self.repeated


def import_consent(database: Database, path: Path, now: dt.datetime) -> Counts:
    """Record the words of a CSV file, a batch a transaction. Columns are COLUMNS; topic and what follows may lack.

    Contacts and topics have to exist. No file lifts an opt-out, whatever date it names, and what a file has said before
    is not recorded again. Raises InvalidInput for a file that cannot be read as a whole.
    """
    counts = Counts()
    with opened(path) as table:
        header = [ALSO.get(name, name) for name in (name.lower() for name in table.header)]
        check_header(header, [WHO, ("channel",), ("action",)], (), ",".join(COLUMNS))
        for lines in table.batches(BATCH):
            with database.transaction() as session:
                _record(session, [(line, _cells(line, header)) for line in lines], counts, now)
    return counts


def _cells(line: Line, header: Sequence[str]) -> Mapping[str, str]:
    """The cells by column; `error` is there for a row that cannot be used."""
    if wrong := unreadable(line, header):
        return {"error": wrong[2]}
    found = dict.fromkeys(COLUMNS, "")
    return found | {name: _plain(cell) for name, cell in zip(header, line.cells, strict=True)}


def _plain(cell: str) -> str:
    """A cell as it was before an export made it safe for spreadsheets."""
    found = cell.strip()
    return found[1:] if found[:1] == "'" and found[1:].startswith(DANGEROUS) else found


def _record(session: Session, rows: Sequence[tuple[Line, Mapping[str, str]]], counts: Counts, now: dt.datetime) -> None:
    values = {
        name: [cells.get(column, "") for _, cells in rows]
        for name, column in (("externals", "external_id"), ("emails", "email"), ("phones", "phone"))
    }
    found = {position - 1: id_ for position, id_ in session.execute(FIND, values)}
    known = {topic.slug for topic in topics.listed(session)} | {""}
    hashes = {f"{one.slug}@{one.version}": one.hash for one in topics.wordings(session)}
    given: list[tuple[ConsentChange, bool]] = []
    for position, (line, cells) in enumerate(rows):
        counts.rows += 1
        try:
            change = _change(found[position], cells, known, now)
            words = dataclasses.replace(change, wording_hash=hashes.get(change.wording or ""))
            given.append((words, words.occurred_at != now))  # a date to come says no more than none does
        except ValueError as error:
            counts.refuse(line.number, str(error))
    fresh = _fresh(session, given)
    counts.repeated += len(given) - len(fresh)
    counts.recorded += len(fresh)
    counts.changed += len(record_consent(session, fresh, now))


def _change(contact_id: int | None, cells: Mapping[str, str], topics: set[str], now: dt.datetime) -> ConsentChange:
    """Raises ValueError with what is wrong."""
    if "error" in cells:
        raise ValueError(cells["error"])
    if contact_id is None:
        raise ValueError("there is no such contact; import contacts first")
    if cells["action"] in ("pending", "expired"):
        raise ValueError(f"“{cells['action']}” is nobody's word: only subscribed and unsubscribed are read")
    for name, known in (("channel", CHANNELS), ("action", ACTIONS), ("lawful_basis", ("", *BASES))):
        if cells[name] not in known:
            raise ValueError(f"{name} is “{cells[name][:40]}”; known are {', '.join(filter(None, known))}")
    if cells["topic"] not in topics:
        raise ValueError(f"there is no topic “{cells['topic'][:40]}”; cairn topics list prints those that there are")
    expires = _moment(cells["expires"], "expires")
    if cells["lawful_basis"] == "implied" and expires is None and cells["action"] == "subscribed":
        raise ValueError("implied consent needs the day on which it expires")
    at = _moment(cells["date"], "date") or now
    return ConsentChange(
        contact_id, cells["channel"], cells["action"], "import", cells["topic"], min(at, now),
        lawful_basis=cells["lawful_basis"] or None, wording=cells["wording"] or None, expires_at=expires,
    )  # fmt: skip


def _moment(given: str, name: str) -> dt.datetime | None:
    try:
        return instant(given) if given else None
    except InvalidInput:
        raise ValueError(f"{name} is “{given[:40]}”; write 2026-05-01 or 2026-05-01T10:00:00Z") from None


def _fresh(session: Session, given: Sequence[tuple[ConsentChange, bool]]) -> list[ConsentChange]:
    """The words, each with whether its row has a date, that no file has said before.

    A word with a date is old if a file ever said it. Of words without one that a contact has in this file, the last
    counts, and it is old if it is the last that a file said of the topic.
    """
    last, ever = _said(session, {change.contact_id for change, _ in given})
    undated = {_key(change)[0]: position for position, (change, dated) in enumerate(given) if not dated}
    fresh = []
    for position, (change, dated) in enumerate(given):
        key, word = _key(change)
        known = (key, (*word, change.occurred_at)) in ever if dated else last.get(key) == word
        if known or not (dated or undated[key] == position):
            continue
        last[key] = word
        ever.add((key, (*word, change.occurred_at)))
        fresh.append(change)
    return fresh


def _key(change: ConsentChange) -> tuple[_Said, tuple[object, ...]]:
    word = (change.action, change.lawful_basis, change.wording, change.expires_at)
    return (change.contact_id, change.channel, change.topic), word


def _said(
    session: Session, contacts: set[int]
) -> tuple[dict[_Said, tuple[object, ...]], set[tuple[_Said, tuple[object, ...]]]]:
    """The last word of files on each topic, and all of their words with their dates."""
    last: dict[_Said, tuple[object, ...]] = {}
    ever = set()
    for row in session.execute(SAID, {"ids": literal(contacts)}):
        key, word = (row.contact_id, row.channel, row.topic), tuple(row)[3:7]
        last[key] = word
        ever.add((key, (*word, row.occurred_at)))
    return last, ever
