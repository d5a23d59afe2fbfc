"""Consent in a file of contacts: columns named `consent.CHANNEL` or `consent.TOPIC.CHANNEL`.

A cell is subscribed or unsubscribed. Beside such a column may stand its `.date`, when that was said, and its `.source`,
where; an empty cell says nothing. So lists move over from another tool together with who has left them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.contacts import topics
from engine.contacts.consent import CHANNEL_WIDE, CHANNELS, ConsentChange, record_consent
from engine.errors import InvalidInput
from engine.imports.cells import instant
from engine.imports.contact_rows import Batch
from engine.imports.reading import Line

PREFIX = "consent."
BESIDE = ("date", "source")
ACTIONS: Mapping[str, str] = dict.fromkeys(("subscribed", "yes", "true", "1"), "subscribed") | dict.fromkeys(
    ("unsubscribed", "no", "false", "0"), "unsubscribed"
)
LONGEST_SOURCE = 200
LAST = text("""
select distinct on (contact_id, channel, topic) contact_id, channel, topic, action, occurred_at from consent_events
where contact_id = any(cast(:ids as bigint[])) and source = 'import' order by contact_id, channel, topic, id desc""")


@dataclass(frozen=True, slots=True)
class Word:
    """What a row says of its contact; `at` is None where it does not say when."""

    channel: str
    topic: str
    action: str
    at: dt.datetime | None
    source: str


Words = Mapping[int, Sequence[Word]]
"""By the number of a row's line."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of consent, and where it and what stands beside it are in a row."""

    name: str
    channel: str
    topic: str
    place: int
    date: int | None
    source: int | None


class ConsentReader:
    """Reads the columns of consent of one file; `names` are theirs. Raises InvalidInput for a column that is none."""

    def __init__(self, header: Sequence[str]) -> None:
        places = {name: place for place, name in enumerate(header) if name.startswith(PREFIX)}
        self.names = frozenset(places)
        self._columns = []
        for name, place in places.items():
            if name.rpartition(".")[2] in BESIDE:
                if name.rpartition(".")[0] not in places:
                    raise _no_column(name, "It stands beside a column of consent, which is not there.")
                continue
            channel, topic = _meant(name)
            date, source = (places.get(f"{name}.{part}") for part in BESIDE)
            self._columns.append(_Column(name, channel, topic, place, date, source))

    def check(self, session: Session) -> None:
        """Raises NotFound for a topic that there is not."""
        for topic in sorted({column.topic for column in self._columns} - {CHANNEL_WIDE}):
            topics.find(session, topic)

    def read(self, lines: Sequence[Line], batch: Batch) -> Words:
        """The words of the usable rows; what is wrong with a cell is reported, and the rest of its row counts."""
        if not self._columns:
            return {}
        usable, found = set(batch.numbers), dict[int, list[Word]]()
        for line in lines:
            if line.number in usable:
                words = [word for column in self._columns if (word := self._word(column, line, batch))]
                if words:
                    found[line.number] = words
        return found

    def _word(self, column: _Column, line: Line, batch: Batch) -> Word | None:
        cell = line.cells[column.place].strip()
        if not cell:
            return None
        action = ACTIONS.get(cell.lower())
        if action is None:
            batch.doubt(line, column.name, cell, "is no word of consent", "Write subscribed or unsubscribed.")
            return None
        at = None
        if column.date is not None and (given := line.cells[column.date].strip()):
            at = _moment(given)
            if at is None:
                fix = "Write 2026-05-01 or 2026-05-01T10:00:00Z; a refusal counts from now, an agreement is left out."
                batch.doubt(line, f"{column.name}.date", given, "is no date", fix)
                if action == "subscribed":
                    return None
        source = line.cells[column.source].strip()[:LONGEST_SOURCE] if column.source is not None else ""
        return Word(column.channel, column.topic, action, at, source)


def _meant(name: str) -> tuple[str, str]:
    """Channel and topic of a column."""
    *topic, channel = name.removeprefix(PREFIX).split(".")
    if channel not in CHANNELS or len(topic) > 1 or "" in topic:
        raise _no_column(name, f"Write consent.CHANNEL or consent.TOPIC.CHANNEL; channels are {', '.join(CHANNELS)}.")
    return channel, topic[0] if topic else CHANNEL_WIDE


def _no_column(name: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} is no column of consent", where="line 1", hint=hint)


def _moment(given: str) -> dt.datetime | None:
    try:
        return instant(given)
    except InvalidInput:
        return None


def write(session: Session, said: Sequence[tuple[int, Word]], now: dt.datetime) -> int:
    """Record the words of contacts by their ids; how many.

    A later word that is held stands, and no file lifts a refusal. What a file said last is not said again, so that a
    file may be imported twice, and does not undo what its people did since.
    """
    last = {
        (row.contact_id, row.channel, row.topic): (row.action, row.occurred_at)
        for row in session.execute(LAST, {"ids": literal({contact_id for contact_id, _ in said})})
    }
    new = []
    for contact_id, word in said:
        at = min(word.at, now) if word.at else None
        action, when = last.get((contact_id, word.channel, word.topic), ("", None))
        if action != word.action or (at is not None and at != when):
            proof = {"source": word.source} if word.source else None
            new.append(
                ConsentChange(contact_id, word.channel, word.action, "import", word.topic, occurred_at=at, proof=proof)
            )
    record_consent(session, new, now)
    return len(new)
