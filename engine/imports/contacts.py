"""`external_id,email,phone,timezone,` and attributes: one contact a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.orm import Session

from engine.contacts.bulk import write_rows
from engine.contacts.consent import subscribe_wordless
from engine.contacts.definitions import define, known_types
from engine.contacts.identify import identify_all
from engine.db import Database
from engine.errors import InvalidInput
from engine.imports import consent_columns
from engine.imports.ahead import read_ahead
from engine.imports.consent_columns import ConsentReader, Words
from engine.imports.contact_rows import FIELDS, KEYS, Batch, RowReader
from engine.imports.reading import Line, Table, check_header, opened
from engine.imports.report import Counts, ErrorFile, Progress, flushed_later, keep, measure, no_progress

REFUSED = ("id", "created_at", "updated_at")
EXAMPLE = "external_id,email,phone,timezone,plan,seats"
BATCH = 10_000
NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class _Import:
    """A running import. `by_columns` is false for files whose rows all need a decision; `growing` says that the last
    batch made contacts, so that the next one probably will."""

    now: dt.datetime
    consent: Sequence[str]
    errors: ErrorFile
    by_columns: bool
    words: ConsentReader
    counts: Counts = field(default_factory=Counts)
    growing: bool = True

    @property
    def holds(self) -> bool:
        """Whether contacts that are found must not be merged away before something is written of them."""
        return bool(self.consent or self.words.names)


def import_contacts(
    database: Database,
    path: Path,
    *,
    now: dt.datetime,
    folder: Path,
    consent: Sequence[str] = (),
    columns: Mapping[str, str] = NO_COLUMNS,
    country: str = "",
    progress: Progress = no_progress,
    finished: Callable[[], dt.datetime] | None = None,
) -> Counts:
    """Read a CSV file of contacts into the workspace, in transactions of at most 10,000 rows; what differs is written.

    An empty cell leaves the value as it is. Of rows of one contact the later wins. `consent` names channels: contacts
    that have said nothing on them are subscribed, but for what the file's own columns of consent say
    (`engine.imports.consent_columns`). `columns` are new names of columns by those in the file. National
    telephone numbers are those of `country` (ISO 3166). Refused rows and
    doubtful cells go to an error file next to the input, or in `folder`. Raises InvalidInput when the file as a whole
    cannot be read, and NotFound for a topic that there is not; then nothing is written.
    """
    with opened(path) as table:
        table.header = _renamed(table.header, columns)
        check_header(table.header, [KEYS], REFUSED, EXAMPLE)
        words = ConsentReader(table.header)
        with database.transaction() as session:
            words.check(session)
        errors = ErrorFile(path, folder)
        job = _Import(now, consent, errors, _by_columns(set(table.header) - words.names), words)
        try:
            reader = RowReader(table.header, partial(_known, database), words.names, country)
            _run(database, table, job, progress, reader)
        finally:
            errors.close()
        job.counts.error_file = errors.path
    with database.transaction() as session:
        measure(session, "contacts", job.counts)
        keep(session, "contacts", path, job.counts, now, finished() if finished else now)
    return job.counts


def _renamed(header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    for name in columns:
        if name not in header:
            hint = f"The columns are: {', '.join(header)[:200]}"
            raise InvalidInput(f"the header has no column {name}", where="line 1", hint=hint)
    return [columns.get(name, name) for name in header]


def _by_columns(header: Collection[str]) -> bool:
    """Anonymous ids move between contacts, and dotted names reach into what a contact has."""
    return "anonymous_id" not in header and not any("." in name for name in header if name not in FIELDS)


def _known(database: Database, names: Sequence[str]) -> Mapping[str, str]:
    with database.transaction() as session:
        return known_types(session, names)


def _run(database: Database, table: Table, job: _Import, progress: Progress, reader: RowReader) -> None:

    def read(lines: Sequence[Line]) -> tuple[Batch, Words, int]:
        batch = reader.read(lines)
        return batch, job.words.read(lines, batch), table.position

    with closing(read_ahead(map(read, table.batches(BATCH)))) as ahead:
        for batch, words, position in ahead:
            _write(database, batch, words, job)
            job.errors.flush()
            progress(position, table.size)


def _write(database: Database, batch: Batch, words: Words, job: _Import) -> None:
    counts = job.counts
    rest: Sequence[int] = range(len(batch.rows))
    if job.by_columns:
        with database.transaction() as session:
            flushed_later(session)
            rest = _write_plain(session, batch, words, job)
    if rest:
        with database.transaction() as session:
            flushed_later(session)
            _write_others(session, batch, rest, words, job)
    for problem in batch.problems:
        job.errors.add(*problem)
    counts.rows += batch.size
    counts.refused += batch.refused
    counts.doubts += batch.doubts
    counts.repeated += batch.repeated


def _write_plain(session: Session, batch: Batch, words: Words, job: _Import) -> list[int]:
    """Write the rows that need no decision; returns the positions of the others."""
    written = write_rows(session, batch.rows, job.now, expect_new=job.growing, hold=job.holds)
    job.growing = bool(written.created)
    define(session, batch.types if written.created else {}, job.now)
    _record(session, ((id_, batch.numbers[position]) for position, id_ in written.ids.items()), words, job)
    _subscribe(session, written.ids.values(), job)
    job.counts.created += len(written.created)
    job.counts.accepted += len(written.created)
    job.counts.unchanged += len(written.ids) - len(written.created)
    job.counts.share(batch.numbers[position] for position in written.shared)
    return written.rest


def _write_others(session: Session, batch: Batch, positions: Sequence[int], words: Words, job: _Import) -> None:
    found = identify_all(session, [batch.rows[position].profile() for position in positions], job.now)
    numbers = (batch.numbers[position] for position in positions)
    _record(session, zip(found.ids, numbers, strict=True), words, job)
    _subscribe(session, found.ids, job)
    touched = found.created | found.changed
    job.counts.accepted += sum(id_ in touched for id_ in found.ids)
    job.counts.unchanged += sum(id_ not in touched for id_ in found.ids)
    job.counts.created += len(found.created)
    job.counts.share(batch.numbers[positions[index]] for index in found.shared)


def _record(session: Session, rows: Iterable[tuple[int, int]], words: Words, job: _Import) -> None:
    """What the rows, by contact and line, say of consent."""
    if words:
        said = [(contact_id, word) for contact_id, line in rows for word in words.get(line, ())]
        job.counts.words += consent_columns.write(session, said, job.now)


def _subscribe(session: Session, ids: Iterable[int], job: _Import) -> None:
    """Nobody who has unsubscribed is subscribed again by a file."""
    for channel in job.consent:
        subscribe_wordless(session, ids, channel, "import", job.now)
