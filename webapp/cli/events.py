"""`cairn events`: what contacts did, from files."""

from __future__ import annotations

from pathlib import Path

import click

from engine.imports.events import import_events
from webapp.cli import _importing


@click.group()
def command() -> None:
    """Events of this installation."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--trigger", is_flag=True, help="Let the events start journeys and meet waits.")
def import_(file: Path, trigger: bool) -> None:
    """Read events from a CSV file.

    Its first line names the columns: external_id (or email), name, occurred_at, perhaps message_id, then properties.
    Unknown contacts are created. Importing a file again changes nothing. The exit code is 0 when all rows are in, 5
    when some were refused; those stand in FILE.errors.csv with the reason.
    """
    _importing.run(import_events, file, "events", trigger=trigger)
