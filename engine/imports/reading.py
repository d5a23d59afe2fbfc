"""CSV files as they come: any of the usual encodings, ragged, with NUL bytes, with cells of any length."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from engine.contacts.profile import VALUE_BYTES
from engine.errors import InvalidInput

LONGEST_CELL = 32 * 1024 * 1024  # what csv reads; longer cells end the row with an error
LONGEST_LINE = 12 * 1024 * 1024  # characters; what follows them is read as a line of its own
LARGEST_BATCH = 32 * 1024 * 1024  # characters of which the rows of a batch are made, give or take a row
MOST_COLUMNS = 2_000
BLOCK = 1 << 20


class Line(NamedTuple):
    """A row: the number of the line on which it starts, and its cells; or why it could not be read."""

    number: int
    cells: Sequence[str]
    error: str = ""


class Table:
    """An open file: its header, and its rows once. `position` is the byte read so far, of `size`."""

    def __init__(self, binary: BinaryIO, encoding: str, size: int, separator: str = ",") -> None:
        self.encoding = encoding
        self.size = size
        self._binary = binary
        self._taken = 0
        csv.field_size_limit(LONGEST_CELL)
        self._text = io.TextIOWrapper(binary, encoding, errors="replace", newline="")
        self._reader = csv.reader(self._pieces(), delimiter=separator)
        self.header = [name.strip() for name in self._first()]

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._binary.tell()

    def _pieces(self) -> Iterator[str]:
        """The lines of the file, so that none fills the memory; counts their characters."""
        while line := self._text.readline(LONGEST_LINE):
            self._taken += len(line)
            yield line

    def _first(self) -> list[str]:
        try:
            return next(self._reader, [])
        except csv.Error as error:
            raise InvalidInput("the first line is no CSV header", hint=str(error)) from error

    def batches(self, size: int) -> Iterator[list[Line]]:
        """The rows in lists of at most `size`, fewer where rows are large, without empty lines."""
        batch: list[Line] = []
        end = self._taken + LARGEST_BATCH
        for line in self._lines():
            batch.append(line)
            if len(batch) >= size or self._taken > end:
                yield batch
                batch = []
                end = self._taken + LARGEST_BATCH
        if batch:
            yield batch

    def _lines(self) -> Iterator[Line]:
        reader = self._reader
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(number, (), str(error))
                continue
            if len(cells) > MOST_COLUMNS:
                yield Line(number, (), f"the row has {len(cells):,} cells; at most {MOST_COLUMNS:,} are read")
            elif cells:
                yield Line(number, cells)
            cells = []


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """The file as a table. Raises InvalidInput when it is empty, not there, or not readable."""
    try:
        encoding = detect(path)
        binary = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from error
    with closing(binary):
        size = path.stat().st_size
        if size == 0:
            raise InvalidInput("the file is empty", where=str(path), hint="Its first line must name the columns.")
        yield Table(binary, encoding, size, separator(path, encoding))


def detect(path: Path) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one or with its zeros, else Windows-1252."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        zeros = start[1::2].count(0), start[::2].count(0)
        if max(zeros) * 4 > len(start):
            return "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
        file.seek(0)
        return "utf-8" if _is_utf8(file) else "cp1252"


def separator(path: Path, encoding: str) -> str:
    """A comma; where the first line has none, the semicolon, tab or bar that it has: so spreadsheets save in Europe."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        names = re.sub('"[^"]*"', "", file.readline(LONGEST_LINE))
    return max(",;\t|", key=lambda sign: (sign == "," and sign in names, names.count(sign)))


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def check_header(header: Sequence[str], needed: Sequence[Sequence[str]], refused: Sequence[str], example: str) -> None:
    """Raises InvalidInput unless every group of `needed` has at least one of its names, once, and all have a name."""
    hint = f"Expected is a first line such as: {example}"
    if len(header) > MOST_COLUMNS:
        raise InvalidInput(f"the header has more than {MOST_COLUMNS:,} columns", where="line 1", hint=hint)
    for names in needed:
        if not any(name in header for name in names):
            raise InvalidInput(
                f"the header has no column {' or '.join(names)}; it reads: {', '.join(header)[:200]}",
                where="line 1",
                hint=hint,
            )
    for position, name in enumerate(header, start=1):
        if not name or len(name) > 200 or "\0" in name:
            raise InvalidInput(f"column {position} has no usable name", where="line 1", hint=hint)
        if header.count(name) > 1:
            raise InvalidInput(f"the column {name} is there twice", where="line 1", hint="Rename one of them.")
        if name in refused:
            raise InvalidInput(f"{name} cannot be imported", where="line 1", hint="Rename or remove the column.")


def unreadable(line: Line, header: Sequence[str]) -> tuple[str, str, str, str] | None:
    """Column, value, error and fix of a row that cannot be used at all; None for one that can."""
    if line.error:
        return "", "", line.error, "Look for a quotation mark that is not closed."
    if len(line.cells) != len(header):
        error = f"has {len(line.cells)} cells where the header has {len(header)}"
        return "", "", error, "Put cells with commas in quotation marks; leave missing cells empty."
    whole = "".join(line.cells)
    if len(whole) <= VALUE_BYTES and "\0" not in whole:
        return None
    for name, cell in zip(header, line.cells, strict=True):
        if "\0" in cell:
            return name, cell, "holds a NUL byte", "Save the file as text in UTF-8."
        if len(cell) > VALUE_BYTES:
            return name, cell, f"is longer than {VALUE_BYTES:,} characters", "Shorten it; is a quotation mark open?"
    return None
