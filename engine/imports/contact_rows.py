"""Rows of a contacts file as values, before anybody is looked up; read by columns, which costs a third of row by row.

A row whose cells are all certainly in normal form, as nearly all rows are, is taken as it stands. Any other row is read
by itself, and what is wrong with it is reported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.contacts import normal
from engine.contacts.bulk import Row
from engine.contacts.definitions import types_of
from engine.contacts.profile import COLUMNS, KEY_LENGTH, VALUE_BYTES, Profile, clean
from engine.errors import InvalidInput
from engine.imports import cells
from engine.imports.reading import Line, unreadable

KEYS = ("external_id", "email")
FIELDS = (*KEYS, "anonymous_id", "phone", "timezone", "locale")
REMEMBERED = 65_536  # cells of a column
ODD = ""  # in a column's memory: this cell needs a closer look

Known = Callable[[Sequence[str]], Mapping[str, str]]
"""Types of those attributes that the workspace knows."""


@dataclass(slots=True)
class Batch:
    """Usable rows with the numbers of their lines, and what was wrong: (row, column, value, error, fix).

    `types` are of attributes that this file has not named before. Counts are as in `report.Counts`.
    """

    size: int
    numbers: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    refused: int = 0
    doubts: int = 0
    repeated: int = 0

    def doubt(self, line: Line, column: str, value: str, error: str, fix: str) -> None:
        """Report a cell of a row that is in."""
        self.problems.append((line.number, column, value, error, fix))
        self.doubts += 1

    def refuse(self, line: Line, column: str, value: str, error: str, fix: str) -> None:
        """Report a row that is not in."""
        self.problems.append((line.number, column, value, error, fix))
        self.refused += 1


class RowReader:
    """Reads the rows of one file, batch by batch.

    A column is what its attribute is known to be; a new attribute is what all its cells look like in the first batch
    that has any. Columns `besides` are somebody else's to read. National telephone numbers are those of `country`, if
    one is named.
    """

    def __init__(self, header: Sequence[str], known: Known, besides: Collection[str] = (), country: str = "") -> None:
        self._header, self._country = header, country
        self._own = [(position, name) for position, name in enumerate(header) if name not in besides]
        self._attributes = [name for _, name in self._own if name not in FIELDS]
        self._known = known
        self._types: dict[str, str] = {}
        self._undefined = set(self._attributes)
        self._memory: dict[str, dict[str, str | None]] = {name: {} for name in self._attributes}
        self._seen: dict[str, set[str]] = {name: set() for name in KEYS}

    def read(self, lines: Sequence[Line]) -> Batch:
        """The rows of the lines, in their order."""
        batch = Batch(len(lines))
        usable = lines if self._all_readable(lines) else [line for line in lines if self._readable(line, batch)]
        if not usable:
            return batch
        self._learn_types(usable, batch)
        for line, row in zip(usable, self._rows(usable), strict=True):
            if found := row or self._read_alone(line, batch):
                batch.numbers.append(line.number)
                batch.rows.append(found)
        self._count_repeats(batch)
        self._define(batch)
        return batch

    def _all_readable(self, lines: Sequence[Line]) -> bool:
        whole = ["".join(line.cells) for line in lines]
        return (
            {len(line.cells) for line in lines} == {len(self._header)}
            and max(map(len, whole)) <= VALUE_BYTES
            and "\0" not in "".join(whole)
        )

    def _readable(self, line: Line, batch: Batch) -> bool:
        if problem := unreadable(line, self._header):
            batch.refuse(line, *problem)
            return False
        return True

    def _learn_types(self, lines: Sequence[Line], batch: Batch) -> None:
        kinds: dict[str, set[str]] = {}
        for position, name in self._own:
            if name not in FIELDS and name not in self._types:
                given = {line.cells[position] for line in lines} - {""}
                kinds[name] = {cells.kind(cell) for cell in given}
        if not any(kinds.values()):
            return
        self._types |= self._known([name for name in kinds if kinds[name]])
        for name in [name for name in kinds if kinds[name] and name not in self._types]:
            self._types[name] = next(iter(kinds[name])) if len(kinds[name]) == 1 else "text"
            if len(kinds[name]) > 1:
                self._note_mixed(lines, name, batch)

    def _note_mixed(self, lines: Sequence[Line], name: str, batch: Batch) -> None:
        """Say once that a column which is mostly numbers became text, and which cell is the reason."""
        position = self._header.index(name)
        given = [(line, cells.kind(line.cells[position])) for line in lines if line.cells[position]]
        odd = [line for line, kind in given if kind != "number"]
        if not odd or len(odd) * 2 > len(given):
            return
        error = "is no number among numbers, so the whole column was taken as text"
        fix = "Write numbers such as 12 or -3.50, or leave the cell empty, and import them under a new name."
        batch.doubt(odd[0], name, odd[0].cells[position], error, fix)

    def _rows(self, lines: Sequence[Line]) -> list[Row | None]:
        """The rows whose cells are all in normal form; None in the place of another."""
        cells_of = list(zip(*(line.cells for line in lines), strict=True))
        columns = {name: self._column(name, cells_of[position]) for position, name in self._own}
        nothing = [None] * len(lines)
        values = [columns.get(name, nothing) for name in FIELDS]
        printed = zip(*(columns[name] for name in sorted(self._attributes, key=_jsonb_order)), strict=True)
        texts = ["{" + ", ".join(filter(None, each)) + "}" for each in printed] or ["{}"] * len(lines)
        rows: list[Row | None] = list(map(Row, *values, texts, self._names(columns, len(lines))))
        odd = {position for column in columns.values() if ODD in column for position in _places(ODD, column)}
        nameless = {position for position, names in enumerate(zip(*values[:3], strict=True)) if not any(names)}
        for position in odd | nameless:
            rows[position] = None
        return rows

    def _column(self, name: str, values: Sequence[str]) -> list[str | None]:
        """The cells of a column: a field's values, an attribute's JSON members; None for an empty cell."""
        if name in FIELDS:
            odd = _odd(name, values)
            return [ODD if cell in odd else cell or None for cell in values] if odd else [c or None for c in values]
        memory = self._memory[name]
        if len(memory) > REMEMBERED:
            memory.clear()
        memory[""] = None
        read = self._member_reader(name)
        for cell in set(values).difference(memory):
            memory[cell] = read(cell)
        return [memory[cell] for cell in values]

    def _member_reader(self, name: str) -> Callable[[str], str]:
        start, wanted = cells.text_fragment(name) + ": ", self._types.get(name, "text")

        def read(cell: str) -> str:
            try:
                return start + _printed(cells.typed(cell, wanted))
            except InvalidInput:
                return ODD

        return read

    def _names(self, columns: Mapping[str, Sequence[str | None]], count: int) -> list[tuple[str, ...]]:
        """Of each row, the columns and attributes that have a value."""
        given = [name for name in (*COLUMNS, *self._attributes) if name in columns]
        if not given:
            return [()] * count
        named: dict[tuple[bool, ...], tuple[str, ...]] = {}
        patterns = list(zip(*([value is not None for value in columns[name]] for name in given), strict=True))
        for pattern in set(patterns):
            named[pattern] = tuple(name for name, has in zip(given, pattern, strict=True) if has)
        return [named[pattern] for pattern in patterns]

    def _read_alone(self, line: Line, batch: Batch) -> Row | None:
        """The row, with what is wrong with its cells reported; None when nothing usable names the contact."""
        try:
            profile, problems = clean(Profile(**self._values(line, batch)), attributes_checked=True)
        except InvalidInput as error:
            value = line.cells[self._header.index(error.where)] if error.where in self._header else ""
            batch.refuse(line, error.where, value, error.message, error.hint)
            return None
        for problem in problems:
            batch.doubt(line, problem.name, problem.value, problem.error, problem.fix)
        members = [
            f"{cells.text_fragment(name)}: {_printed(profile.attributes[name])}"
            for name in sorted(profile.attributes, key=_jsonb_order)
        ]
        given = [name for name in COLUMNS if getattr(profile, name) is not None]
        return Row(*profile[:6], "{" + ", ".join(members) + "}", (*given, *profile.attributes))

    def _values(self, line: Line, batch: Batch) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        attributes: dict[str, Any] = {}
        for position, name in self._own:
            cell = line.cells[position]
            if cell and name in FIELDS:
                fields[name] = normal.international(cell, self._country) if self._country and name == "phone" else cell
            elif cell:
                try:
                    attributes[name] = cells.typed(cell, self._types[name])
                except InvalidInput as error:
                    batch.doubt(line, name, cell, error.message, error.hint)
        return {**fields, "attributes": attributes}

    def _count_repeats(self, batch: Batch) -> None:
        """A row repeats one with the same external id; one without repeats one with the same email that had none."""
        given = {
            "external_id": [row.external_id for row in batch.rows if row.external_id],
            "email": [(row.email or "").lower() for row in batch.rows if not row.external_id],
        }
        for name, values in given.items():
            before = len(self._seen[name])
            self._seen[name].update(values)
            batch.repeated += len(values) - (len(self._seen[name]) - before)

    def _define(self, batch: Batch) -> None:
        """The type of an attribute is that of its first value."""
        for name in sorted(self._undefined):
            if row := next((row for row in batch.rows if name in row.names), None):
                batch.types |= types_of({name: json.loads(row.attributes)[name]})
                self._undefined.remove(name)


def _odd(name: str, values: Sequence[str]) -> set[str]:
    """The cells of a field that may not be what will be stored."""
    odd = {cell for cell in values if len(cell) > KEY_LENGTH}
    if name in COLUMNS:
        is_plain = normal.IS_PLAIN[name]
        return odd | {cell for cell in values if cell and not is_plain(cell)}
    return odd | {cell for cell in values if cell != cell.strip()}


def _printed(value: Any) -> str:
    """A value as PostgreSQL prints jsonb, but for objects, whose members it sorts."""
    return cells.text_fragment(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _jsonb_order(name: str) -> tuple[int, bytes]:
    encoded = name.encode()
    return len(encoded), encoded


def _places(wanted: str, column: Sequence[str | None]) -> list[int]:
    return [position for position, value in enumerate(column) if value == wanted]
