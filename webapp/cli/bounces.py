"""`cairn bounces`: what mails that came back say, and the doors that they come through."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from engine.bounces import Report, classify

READ_BYTES = 4_000_000  # of a mail; the classifier looks at less
DOORS = ("listen", "pipe", "poll")
SINGLE = (".eml", ".msg", ".txt")
MBOX_LINE = re.compile(rb"^From \S{1,300} .{10,60}\d{4}[^\n]{0,20}\n", re.MULTILINE)


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
    soft, policy, complaint or not_a_bounce. Nothing is stored.
    """
    failed = False
    for file in _expanded(files):
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


def _expanded(files: tuple[str, ...]) -> Iterator[str]:
    """The files, and those in the folders among them."""
    for file in files:
        path = Path(file)
        if file != "-" and path.is_dir():
            yield from (str(each) for each in sorted(path.rglob("*")) if each.is_file())
        else:
            yield file


def _mails(file: str) -> Iterator[tuple[str, bytes]]:
    """The mails of a file, each with a name. Raises OSError when it cannot be read or holds nothing."""
    if file == "-":
        yield "-", _not_empty(sys.stdin.buffer.read(READ_BYTES))
        return
    path = Path(file)
    with path.open("rb") as stream:
        raw = _not_empty(stream.read(READ_BYTES))
        if path.suffix.lower() in SINGLE or not MBOX_LINE.match(raw):
            yield file, raw
            return
        raw += stream.read()
    starts = [at for at in (found.start() for found in MBOX_LINE.finditer(raw)) if _after_blank(raw, at)]
    if len(starts) == 1:
        yield file, raw
        return
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(raw)], strict=True), 1):
        yield f"{file}:{number}", raw[start:end]


def _after_blank(raw: bytes, at: int) -> bool:
    return at == 0 or raw[max(0, at - 3) : at].endswith((b"\n\n", b"\n\r\n"))


def _not_empty(raw: bytes) -> bytes:
    if not raw.strip():
        raise OSError("the file is empty")
    return raw
