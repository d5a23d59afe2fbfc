"""What became of a file: counts, the error file, and the row in `imports`."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput
from engine.model import Import
from engine.reports.spreadsheet import safe_cell

COLUMNS = ("row", "column", "value", "error", "fix")
SHOWN = 200  # characters of a value in the error file
EXAMPLES = 5
FEW = 1000
SAMPLE = 30  # of PostgreSQL's usual 100: a third of the time, and autovacuum soon takes the usual sample

Progress = Callable[[int, int], None]
"""Called with the bytes read and the bytes there are."""


def no_progress(_done: int, _total: int) -> None:
    """For callers that show none."""


@dataclass(slots=True)
class Counts:
    """Rows of a file. accepted + unchanged + refused = rows; a row refused is not in at all.

    `created`: contacts that are new. `repeated`: rows whose contact or event stood in an earlier row of the file.
    `doubts`: cells that were left out or kept in doubt, of rows that are in. `shared`: rows whose email belongs to
    another contact, with another external id; `shared_rows` are the lines of the first of them. `words` were recorded
    from columns of consent.
    """

    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    created: int = 0
    repeated: int = 0
    doubts: int = 0
    shared: int = 0
    words: int = 0
    shared_rows: list[int] = field(default_factory=list)
    error_file: Path | None = None

    def share(self, rows: Iterable[int]) -> None:
        """Count rows that share an email."""
        given = list(rows)
        self.shared += len(given)
        self.shared_rows = sorted(self.shared_rows + given)[:EXAMPLES]


class ErrorFile:
    """The CSV file of what was wrong, made when there is something to write; one of an earlier import is removed."""

    def __init__(self, source: Path, fallback: Path) -> None:
        self.path: Path | None = None
        self._candidates = [folder / f"{source.name}.errors.csv" for folder in (source.absolute().parent, fallback)]
        self._file: IO[str] | None = None
        self._writer: Any = None
        self._pending: list[tuple[int, str, str, str, str]] = []
        for path in self._candidates:
            _remove(path)

    def add(self, row: int, column: str, value: str, error: str, fix: str) -> None:
        """`row` is the line of the file on which the row starts."""
        shown = safe_cell(value[:SHOWN].replace("\0", "␀"))
        self._pending.append((row, safe_cell(column), shown, error, fix))

    def flush(self) -> None:
        """Write what was added, in the order of the rows; once for each batch that is in."""
        if self._pending and self._file is None:
            self._open()
        for problem in sorted(self._pending, key=lambda problem: problem[0]):
            self._writer.writerow(problem)
        self._pending.clear()

    def _open(self) -> None:
        for path in self._candidates:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("w", encoding="utf-8", errors="replace", newline="")
            except OSError:
                continue
            self.path = path
            self._writer = csv.writer(self._file)
            self._writer.writerow(COLUMNS)
            return
        raise InvalidInput(f"no error file can be written at {self._candidates[-1]}", hint="Make room or give rights.")

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._file is not None:
            self._file.close()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a folder that cannot be written; the next candidate will be used


def measure(session: Session, table: str, counts: Counts) -> None:
    """Statistics of a table that grew by more than a few rows, at once: until autovacuum comes PostgreSQL would plan as
    if it were empty, and look for the events of one contact among all of their name."""
    if counts.accepted > FEW:
        session.execute(text(f"set local default_statistics_target to {SAMPLE}"))
        session.execute(text(f"analyze {table}"))


def keep(
    session: Session, kind: str, source: Path, counts: Counts, started_at: dt.datetime, finished_at: dt.datetime
) -> None:
    """Note the import in the ledger."""
    session.add(
        Import(
            kind=kind,
            filename=source.name,
            rows=counts.rows,
            accepted=counts.accepted,
            unchanged=counts.unchanged,
            refused=counts.refused,
            error_file=str(counts.error_file) if counts.error_file else None,
            started_at=started_at,
            finished_at=finished_at,
        )
    )


def flushed_later(session: Session) -> None:
    """Let the next batch not wait for the disk: `keep` is committed last, and with it all that was committed before.

    So does every commit of somebody who saw these rows; a crash before that takes both away.
    """
    session.connection().exec_driver_sql("set local synchronous_commit to off")
