"""Rows of an events file as values, before anything is looked up."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.contacts import normal
from engine.contacts.profile import KEY_LENGTH, NAME_LENGTH, key
from engine.errors import InvalidInput
from engine.events.record import AHEAD, clamp
from engine.imports import cells
from engine.imports.reading import Line, unreadable
from engine.imports.report import Counts, ErrorFile

FIELDS = ("external_id", "email", "name", "occurred_at", "message_id")
FARTHEST = dt.timedelta(days=3660)  # ahead of a virtual clock; each month ahead is a partition


class Row(NamedTuple):
    """A row that can be used; its contact is still (external id, email), one of them perhaps empty."""

    person: tuple[str, str]
    name: str
    occurred_at: dt.datetime
    message_id: str
    properties: str
    types: tuple[str, ...]  # of the columns that are properties; "" for an empty cell


@dataclass(slots=True)
class Layout:
    """Where what stands. `content` are the columns that make two rows the same, in the order of their names."""

    at: dict[str, int]
    properties: list[str]
    property_cells: list[tuple[int, str, str]]  # position, name, name as JSON with a colon
    content: list[int]


def layout(header: Sequence[str]) -> Layout:
    """The layout of a file with this header."""
    at = {name: position for position, name in enumerate(header)}
    properties = [name for name in header if name not in FIELDS]
    return Layout(
        at,
        properties,
        [(at[name], name, cells.text_fragment(name) + ":") for name in properties],
        [at[name] for name in sorted(header) if name != "message_id"],
    )


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file. `copies` counts identical rows without message_id; `texts` are, by event, the
    properties that were text when first seen and stay text."""

    header: Sequence[str]
    now: dt.datetime
    virtual: bool
    errors: ErrorFile
    counts: Counts
    layout: Layout
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    copies: Counter[bytes] = field(default_factory=Counter)

    def names(self, batch: Sequence[Line]) -> list[str]:
        """The events that the lines speak of."""
        position = self.layout.at["name"]
        found = {line.cells[position].strip() for line in batch if len(line.cells) > position}
        return sorted(name for name in found if "\0" not in name)

    def read(self, line: Line) -> Row | None:
        """The row, or None when it is refused, which is counted and reported."""
        problem = unreadable(line, self.header)
        if problem is None:
            try:
                return self._row(line)
            except InvalidInput as error:
                value = line.cells[self.layout.at[error.where]] if error.where in self.layout.at else ""
                problem = error.where, value, error.message, error.hint
        self.errors.add(line.number, *problem)
        self.counts.refused += 1
        return None

    def _row(self, line: Line) -> Row:
        values, at = line.cells, self.layout.at
        name = values[at["name"]].strip()
        if not name or len(name) > NAME_LENGTH:
            raise InvalidInput(f"is not a name of 1 to {NAME_LENGTH} characters", where="name", hint="Name it.")
        person, occurred_at = self._person(values), self._occurred_at(line)
        properties, types = self._properties(values, self.texts.get(name, frozenset()))
        return Row(person, name, occurred_at, self._message_id(values), properties, types)

    def _person(self, values: Sequence[str]) -> tuple[str, str]:
        at = self.layout.at
        external_id = values[at["external_id"]].strip() if "external_id" in at else ""
        email = values[at["email"]].strip() if "email" in at else ""
        if not (external_id or email):
            column = "external_id" if "external_id" in at else "email"
            raise InvalidInput("is empty", where=column, hint="Say whose event it is.")
        return key("external_id", external_id) if external_id else "", _email(email) if email else ""

    def _occurred_at(self, line: Line) -> dt.datetime:
        """When the row says; on the real clock not in the future, which is reported."""
        cell = line.cells[self.layout.at["occurred_at"]]
        try:
            moment = cells.instant(cell)
            if moment <= self.now + AHEAD:
                return moment if self.virtual and moment > self.now else clamp(moment, self.now)
        except InvalidInput as error:
            raise InvalidInput(error.message, where="occurred_at", hint=error.hint) from error
        if moment > self.now + FARTHEST:
            raise InvalidInput("is more than ten years ahead", where="occurred_at", hint="Check the year.")
        if self.virtual:
            return moment
        self.errors.add(line.number, "occurred_at", cell, "is in the future", "It was taken as five minutes from now.")
        self.counts.doubts += 1
        return self.now + AHEAD

    def _message_id(self, values: Sequence[str]) -> str:
        """The one given, or one made of the row's content and how often that content stood in the file before."""
        at = self.layout.at
        if "message_id" in at and (given := values[at["message_id"]].strip()):
            if len(given) > KEY_LENGTH:
                raise InvalidInput(f"is longer than {KEY_LENGTH} characters", where="message_id", hint="Shorten it.")
            return given
        content = "\x1f".join([values[position] for position in self.layout.content])
        digest = hashlib.blake2b(content.encode(errors="replace"), digest_size=16).digest()
        self.copies[digest] += 1
        return f"import-{digest.hex()}-{self.copies[digest]}"

    def _properties(self, values: Sequence[str], texts: frozenset[str]) -> tuple[str, tuple[str, ...]]:
        """The other cells as one JSON text, and their types. An empty cell is no property."""
        parts: list[str] = []
        types: list[str] = []
        for position, name, prefix in self.layout.property_cells:
            cell = values[position]
            if not cell:
                types.append("")
            elif name in texts:
                parts.append(prefix + cells.text_fragment(cell))
                types.append("text")
            else:
                encoded, type_ = cells.encoded(cell)
                parts.append(prefix + encoded)
                types.append(type_)
        return "{" + ",".join(parts) + "}", tuple(types)


def _email(given: str) -> str:
    try:
        return normal.email(given)
    except InvalidInput as error:
        raise InvalidInput(error.message, where="email", hint=error.hint) from error
