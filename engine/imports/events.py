"""`external_id,name,occurred_at,message_id,` and properties: one event a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from engine import segments
from engine.contacts import write
from engine.contacts.changes import announce
from engine.contacts.identify import identify_all
from engine.contacts.profile import Profile
from engine.db import Database
from engine.events.definitions import define_events, definitions
from engine.events.store import Encoded, store
from engine.imports.event_rows import Row, RowReader, layout
from engine.imports.reading import Line, Table, check_header, opened
from engine.imports.report import Counts, ErrorFile, Progress, flushed_later, keep, measure, no_progress

NEEDED = (("external_id", "email"), ("name",), ("occurred_at",))
EXAMPLE = "external_id,name,occurred_at,message_id,quantity,revenue"
BATCH = 10_000
REMEMBERED = 500_000  # contacts whose ids are kept in memory
SINGLE = 500  # new events of a batch above which segments are refreshed as a whole


@dataclass(slots=True)
class _Import:
    """A running import. `people` remembers contact ids by (external id, email)."""

    reader: RowReader
    now: dt.datetime
    virtual: bool
    trigger: bool
    counts: Counts
    people: dict[tuple[str, str], int] = field(default_factory=dict)


def import_events(
    database: Database,
    path: Path,
    *,
    now: dt.datetime,
    folder: Path,
    virtual: bool = False,
    trigger: bool = False,
    progress: Progress = no_progress,
    finished: Callable[[], dt.datetime] | None = None,
) -> Counts:
    """Read a CSV file of events into the workspace, in transactions of 10,000 rows. Unknown contacts are created.

    A row without message_id gets one from its content and the number of identical rows before it, so that the same file
    imported again changes nothing. Without `trigger` the events start and meet nothing in journeys, but refresh
    segments. `virtual` says that `now` is the virtual clock's: then later events are received when they occur; on the
    real clock they are taken as five minutes from now. Errors as in `import_contacts`.
    """
    with opened(path) as table:
        check_header(table.header, NEEDED, (), EXAMPLE)
        errors, counts = ErrorFile(path, folder), Counts()
        reader = RowReader(table.header, now, virtual, errors, counts, layout(table.header))
        try:
            _run(database, table, _Import(reader, now, virtual, trigger, counts), progress)
        finally:
            errors.close()
        counts.error_file = errors.path
    with database.transaction() as session:
        measure(session, "events", counts)
        keep(session, "events", path, counts, now, finished() if finished else now)
    return counts


def _run(database: Database, table: Table, job: _Import, progress: Progress) -> None:
    for batch in table.batches(BATCH):
        with database.transaction() as session:
            flushed_later(session)
            _write(session, batch, job)
        job.reader.errors.flush()
        progress(table.position, table.size)


def _write(session: Session, batch: Sequence[Line], job: _Import) -> None:
    job.counts.rows += len(batch)
    job.reader.texts = _texts(session, job.reader.names(batch))
    rows: dict[str, Row] = {}
    for line in batch:
        if row := job.reader.read(line):
            job.counts.repeated += row.message_id in rows
            rows.setdefault(row.message_id, row)
    people = _people(session, {row.person for row in rows.values()}, job)
    repeated = store(session, [_encoded(row, people[row.person], job) for row in rows.values()])
    new = [row for message_id, row in rows.items() if message_id not in repeated]
    define_events(session, _types(new, job.reader.layout.properties), job.now)
    if not job.trigger:
        _refresh_segments(session, [(people[row.person], row.name) for row in new], job.now)
    job.counts.accepted += len(new)
    job.counts.unchanged = job.counts.rows - job.counts.refused - job.counts.accepted


def _texts(session: Session, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """Properties that were text when they were first seen stay text, though a cell may look like a number."""
    kinds = ("text", "date", "datetime")
    known = definitions(session, names).items()
    return {name: frozenset(p for p, type_ in types.items() if type_ in kinds) for name, types in known}


def _people(session: Session, wanted: set[tuple[str, str]], job: _Import) -> dict[tuple[str, str], int]:
    """Contact ids, from memory where they were seen before; those are locked, or looked up again if one is gone."""
    if len(job.people) > REMEMBERED:
        job.people.clear()
    remembered = {job.people[person] for person in wanted if person in job.people}
    _look_up(session, wanted - job.people.keys(), job)
    if len(write.lock(session, remembered, "key share")) < len(remembered):
        job.people.clear()
        _look_up(session, wanted, job)
    return job.people


def _look_up(session: Session, wanted: set[tuple[str, str]], job: _Import) -> None:
    order = sorted(wanted)
    profiles = [Profile(external_id or None, email=email or None) for external_id, email in order]
    found = identify_all(session, profiles, job.now)
    job.counts.created += len(found.created)
    job.people.update(zip(order, found.ids, strict=True))


def _encoded(row: Row, contact_id: int, job: _Import) -> Encoded:
    """Without `trigger` only what is still to come, on the virtual clock, needs the inbox, to refresh segments then."""
    received_at = max(row.occurred_at, job.now) if job.virtual else job.now
    triggers = True if job.trigger else False if received_at > job.now else None
    properties = row.properties.encode()
    return Encoded(
        row.message_id, received_at, row.occurred_at, contact_id, row.name, properties, None, "import", triggers
    )


def _types(rows: Iterable[Row], properties: Sequence[str]) -> dict[str, dict[str, str]]:
    seen: dict[str, dict[str, str]] = {}
    for name, types in {(row.name, row.types): None for row in rows}:
        known = seen.setdefault(name, {})
        for column, type_ in zip(properties, types, strict=True):
            if type_:
                known.setdefault(column, type_)
    return seen


def _refresh_segments(session: Session, new: Sequence[tuple[int, str]], now: dt.datetime) -> None:
    """Few events are announced contact by contact; many ask the segments that read them for a full refresh."""
    if len(new) > SINGLE:
        segments.mark_touched(session, "event", {name for _, name in new})
        return
    names: dict[int, set[str]] = {}
    for contact_id, name in new:
        names.setdefault(contact_id, set()).add(name)
    announce(session, ((contact_id, "event", sorted(seen)) for contact_id, seen in sorted(names.items())), now)
