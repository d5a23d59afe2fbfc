"""What the two imports show: a progress bar, what became of the rows, and an exit code."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from engine import clock, memory
from engine.db import Database
from engine.imports.report import Counts
from engine.settings import settings
from webapp.cli._context import connected

SOME_REFUSED = 5

Run = Callable[..., Counts]


def run(importer: Run, file: Path, noun: str, **options: Any) -> None:
    """Import the file, say what became of it, and exit with 5 when rows were refused."""
    with connected() as database:
        counts = _import(database, importer, file, options)
    click.echo(summary(counts, noun))
    if counts.error_file:
        click.echo(f"What was wrong stands in {counts.error_file}", err=True)
    if counts.refused:
        sys.exit(SOME_REFUSED)


def _import(database: Database, importer: Run, file: Path, options: dict[str, Any]) -> Counts:
    with database.transaction() as session:
        virtual = clock.virtual_now(session)
    now = virtual or dt.datetime.now(dt.UTC)
    if "trigger" in options:
        options = {**options, "virtual": virtual is not None}
    memory.expect_batches()
    with _bar(file) as show:
        folder = settings().home / "imports"
        return importer(database, file, now=now, folder=folder, progress=show, finished=_real_now, **options)


def _real_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, if somebody is looking."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def summary(counts: Counts, noun: str) -> str:
    """The counts in one line, for example `1,000 rows: 990 imported, 8 unchanged, 2 refused.`"""
    parts = [f"{counts.accepted:,} imported", f"{counts.unchanged:,} unchanged", f"{counts.refused:,} refused"]
    line = f"{counts.rows:,} {noun}: {', '.join(parts)}."
    if counts.created:
        line += f" {counts.created:,} contacts are new."
    if counts.repeated:
        line += f" {counts.repeated:,} rows repeated an earlier one."
    if counts.words:
        line += f" {counts.words:,} words of consent are recorded."
    if counts.doubts:
        line += f" {counts.doubts:,} cells were left out or are in doubt."
    if counts.shared:
        examples = ", ".join(f"{row}" for row in counts.shared_rows)
        line += f" {counts.shared:,} rows share their email with another external id, as on line {examples}."
    return line
