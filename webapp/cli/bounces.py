"""`cairn bounces`: what mails that came back say."""

from __future__ import annotations

import json
import mailbox
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from engine.bounces import Report, classify
from webapp.cli._bounce_doors import listen, pipe, poll

READ_BYTES = 4_000_000  # the classifier looks at less


@click.group()
def command() -> None:
    """Bounces and complaints that came back."""


@command.command("classify")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
def classify_(files: tuple[str, ...]) -> None:
    """Say what mails are: one JSON line for each.

    FILE is a mail, an mbox, or a folder of mails; - is standard input. kind is hard, soft, policy, complaint or
    not_a_bounce. Nothing is stored.
    """
    failed = False
    for file in files:
        try:
            for name, raw in _mails(file):
                click.echo(line(name, classify(raw)))
        except OSError as error:
            failed = True
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


def _mails(file: str) -> Iterator[tuple[str, bytes]]:
    """The mails behind a name, each with a name of its own. Raises OSError for what is empty or cannot be read."""
    if file == "-":
        yield "-", _not_empty(sys.stdin.buffer.read(READ_BYTES))
        return
    path = Path(file)
    if path.is_dir():
        for each in sorted(each for each in path.rglob("*") if each.is_file()):
            yield from _mails(str(each))
        return
    with path.open("rb") as stream:
        raw = _not_empty(stream.read(READ_BYTES))
    if raw.startswith(b"From ") and b"\n\nFrom " in raw.replace(b"\r\n", b"\n"):
        box = mailbox.mbox(path, create=False)
        for number, key in enumerate(box.keys(), 1):
            yield f"{file}:{number}", box.get_bytes(key)
        return
    yield file, raw


def _not_empty(raw: bytes) -> bytes:
    if not raw.strip():
        raise OSError("the file is empty")
    return raw


for door in (pipe, listen, poll):
    command.add_command(door)
