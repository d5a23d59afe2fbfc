"""`external_id,email,phone,timezone,` and attributes: one contact a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.consent import ConsentChange, record_consent
from engine.contacts.definitions import known_types
from engine.contacts.identify import identify_all
from engine.contacts.profile import Profile, clean
from engine.db import Database
from engine.errors import InvalidInput
from engine.imports import cells
from engine.imports.reading import Line, Table, check_header, opened, unreadable
from engine.imports.report import Counts, ErrorFile, Progress, keep, no_progress

KEYS = ("external_id", "email")
FIELDS = (*KEYS, "anonymous_id", "phone", "timezone", "locale")
REFUSED = ("id", "created_at", "updated_at")
EXAMPLE = "external_id,email,phone,timezone,plan,seats"
BATCH = 10_000
WORDLESS = text("""
select id from unnest(cast(:ids as bigint[])) as given(id) where not exists (
    select from consent_states s where s.contact_id = given.id and s.channel = :channel and s.topic = '')
order by id""")


@dataclass(slots=True)
class _Import:
    """A running import. `types` holds the type of each attribute's column once it is known."""

    header: Sequence[str]
    now: dt.datetime
    consent: Sequence[str]
    errors: ErrorFile
    counts: Counts = field(default_factory=Counts)
    types: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def import_contacts(
    database: Database,
    path: Path,
    *,
    now: dt.datetime,
    folder: Path,
    consent: Sequence[str] = (),
    progress: Progress = no_progress,
    finished: Callable[[], dt.datetime] | None = None,
) -> Counts:
    """Read a CSV file of contacts into the workspace, in transactions of 10,000 rows; what differs is written.

    An empty cell leaves the value as it is. Of rows of one contact the later wins. `consent` names channels: contacts
    that have said nothing on them are subscribed. Refused rows and doubtful cells go to an error file next to the
    input, or in `folder`. Raises InvalidInput when the file as a whole cannot be read; then nothing is written.
    """
    with opened(path) as table:
        check_header(table.header, [KEYS], REFUSED, EXAMPLE)
        errors = ErrorFile(path, folder)
        job = _Import(table.header, now, consent, errors)
        try:
            _run(database, table, job, progress)
        finally:
            errors.close()
        job.counts.error_file = errors.path
    with database.transaction() as session:
        keep(session, "contacts", path, job.counts, now, finished() if finished else now)
    return job.counts


def _run(database: Database, table: Table, job: _Import, progress: Progress) -> None:
    for batch in table.batches(BATCH):
        with database.transaction() as session:
            _write(session, batch, job)
        job.errors.flush()
        progress(table.position, table.size)


def _write(session: Session, batch: Sequence[Line], job: _Import) -> None:
    job.counts.rows += len(batch)
    usable = [line for line in batch if _readable(line, job)]
    _learn_types(session, usable, job)
    profiles = [profile for line in usable if (profile := _profile(line, job))]
    found = identify_all(session, profiles, job.now)
    _give_consent(session, found.ids, job)
    touched = {*found.created, *found.changed}
    job.counts.accepted += sum(id_ in touched for id_ in found.ids)
    job.counts.unchanged += sum(id_ not in touched for id_ in found.ids)
    job.counts.created += len(found.created)


def _readable(line: Line, job: _Import) -> bool:
    if problem := unreadable(line, job.header):
        job.errors.add(line.number, *problem)
        job.counts.refused += 1
        return False
    return True


def _learn_types(session: Session, lines: Sequence[Line], job: _Import) -> None:
    """A column is what its attribute is known to be; a new attribute is what all its cells in this batch look like."""
    unknown = [name for name in job.header if name not in FIELDS and name not in job.types]
    if not unknown:
        return
    job.types |= known_types(session, unknown)
    for position, name in enumerate(job.header):
        if name in unknown and name not in job.types:
            kinds = {cells.kind(cell) for line in lines if (cell := line.cells[position])}
            if kinds:
                job.types[name] = next(iter(kinds)) if len(kinds) == 1 else "text"
            if len(kinds) > 1:
                _note_mixed(lines, position, name, job)


def _note_mixed(lines: Sequence[Line], position: int, name: str, job: _Import) -> None:
    """Say once that a column which is mostly numbers became text, and which cell is the reason."""
    given = [(line, cells.kind(line.cells[position])) for line in lines if line.cells[position]]
    odd = [line for line, kind in given if kind != "number"]
    if not odd or len(odd) * 2 > len(given):
        return
    error = "is no number among numbers, so the whole column was taken as text"
    fix = "Write numbers such as 12 or -3.50, or leave the cell empty, and import them under a new name."
    job.errors.add(odd[0].number, name, odd[0].cells[position], error, fix)
    job.counts.doubts += 1


def _profile(line: Line, job: _Import) -> Profile | None:
    """The row as a profile; None when nothing usable names the contact."""
    try:
        given = _values(line, job)
        profile, problems = clean(Profile(**given), attributes_checked=True)
    except InvalidInput as error:
        job.errors.add(line.number, error.where, _cell(line, job, error.where), error.message, error.hint)
        job.counts.refused += 1
        return None
    for problem in problems:
        job.errors.add(line.number, problem.name, problem.value, problem.error, problem.fix)
    job.counts.doubts += len(problems)
    _count_repeats(profile, job)
    return profile


def _cell(line: Line, job: _Import, name: str) -> str:
    return line.cells[job.header.index(name)] if name in job.header else ""


def _values(line: Line, job: _Import) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, cell in zip(job.header, line.cells, strict=True):
        if not cell:
            continue
        if name in FIELDS:
            fields[name] = cell
        else:
            _add(attributes, name, cell, line, job)
    return {**fields, "attributes": attributes}


def _add(attributes: dict[str, Any], name: str, cell: str, line: Line, job: _Import) -> None:
    try:
        attributes[name] = cells.typed(cell, job.types[name])
    except InvalidInput as error:
        job.errors.add(line.number, name, cell, error.message, error.hint)
        job.counts.doubts += 1


def _count_repeats(profile: Profile, job: _Import) -> None:
    key = f"x{profile.external_id}" if profile.external_id else f"e{(profile.email or '').lower()}"
    if key in job.seen:
        job.counts.repeated += 1
    job.seen.add(key)


def _give_consent(session: Session, ids: Sequence[int], job: _Import) -> None:
    """Nobody who has unsubscribed is subscribed again by a file."""
    for channel in job.consent:
        wordless = session.execute(WORDLESS, {"ids": sorted(set(ids)), "channel": channel}).scalars()
        record_consent(session, [ConsentChange(id_, channel, "subscribed", "import") for id_ in wordless], job.now)
