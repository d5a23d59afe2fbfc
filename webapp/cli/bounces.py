"""`cairn bounces`: what mails that came back say, and the doors that they come through."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import click

from engine.bounces import Report, classify

READ_BYTES = 4_000_000  # of a mail; the classifier looks at less
DOORS = ("listen", "pipe", "poll")
SINGLE = (".eml", ".msg", ".txt")
LONGEST_LINE = 100_000
MBOX_LINE = re.compile(rb"From \S{1,300} .{10,60}\d{4}[^\n]{0,20}\n")


class Bounces(click.Group):
    """The doors need a database and half of Cairn; saying what a mail is does not wait for that to be imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *DOORS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in DOORS:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module("webapp.cli._bounce_doors"), cmd_name)
        return found if isinstance(found, click.Command) else None


@click.group(cls=Bounces)
def command() -> None:
    """Bounces and complaints that came back."""


@command.command("classify")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def classify_(files: tuple[str, ...]) -> None:
    """Say what mails are: one JSON line for each.

    FILE is a mail, a folder of mails, or an mbox (not named .eml, .msg or .txt); - is standard input. kind is hard,
    soft, policy, complaint or not_a_bounce. Nothing is stored. A file that cannot be read has a line that says so,
    and the exit code is 1 then.
    """
    failed = False
    for file in _expanded(files):
        try:
            for name, raw in _mails(file):
                click.echo(line(name, classify(raw)) if raw.strip() else unread(name, "there is no mail in it"))
        except OSError as error:
            failed = True
            click.echo(unread(file, error.strerror or str(error)))
            click.echo(f"{file}: {error.strerror or error}. Give a file with a mail in it.", err=True)
    if failed:
        sys.exit(1)


def line(name: str, report: Report) -> str:
    """One line of JSON; of several recipients the most severe is named first, and all of them in `recipients`."""
    worst = next((each for each in report.verdicts if each.kind == report.kind), None)
    found: dict[str, Any] = {
        "file": name,
        "kind": report.kind,
        "recipient": worst.recipient if worst else None,
        "status": worst.status if worst else None,
        "reason": worst.reason if worst else None,
    }
    if len(report.verdicts) > 1:
        found["recipients"] = [
            {"kind": each.kind, "recipient": each.recipient, "status": each.status, "reason": each.reason}
            for each in report.verdicts
        ]
    return json.dumps(found, ensure_ascii=False)


def unread(name: str, reason: str) -> str:
    """The line of a file that holds no mail, or that cannot be read."""
    return json.dumps(
        {"file": name, "kind": "not_a_bounce", "recipient": None, "status": None, "reason": reason}, ensure_ascii=False
    )


def _expanded(files: tuple[str, ...]) -> Iterator[str]:
    """The files, and those in the folders among them but for hidden ones."""
    for file in files:
        path = Path(file)
        if file != "-" and path.is_dir():
            found = sorted(each for each in path.rglob("*") if not each.name.startswith("."))
            yield from (str(each) for each in found if each.is_file())
        else:
            yield file


def _mails(file: str) -> Iterator[tuple[str, bytes]]:
    """The mails of a file, each with a name; of each as much as is looked at. Raises OSError when it cannot be read."""
    if file == "-":
        yield from _split(file, sys.stdin.buffer)
        return
    path = Path(file)
    with path.open("rb") as stream:
        if path.suffix.lower() in SINGLE:
            yield file, stream.read(READ_BYTES)
        else:
            yield from _split(file, stream)


def _split(name: str, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """The one mail in a stream; or those of an mbox, each after a blank line, with their numbers in the names."""
    first = stream.readline(LONGEST_LINE)
    if not MBOX_LINE.match(first):
        yield name, first + stream.read(READ_BYTES)
        return
    number, held, blank = 1, bytearray(first), False
    while next_line := stream.readline(LONGEST_LINE):
        if blank and MBOX_LINE.match(next_line):
            yield f"{name}:{number}", bytes(held)
            number, held = number + 1, bytearray()
        if len(held) < READ_BYTES:
            held += next_line
        blank = not next_line.strip()
    yield name if number == 1 else f"{name}:{number}", bytes(held)
