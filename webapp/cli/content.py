"""`cairn content`: email and SMS contents from files."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
from sqlalchemy import select

from engine import clock
from engine.content import store
from engine.errors import InvalidInput, LanguageError
from engine.model import Content
from webapp.cli._context import connected
from webapp.cli._files import read_text, tell

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Contents: save email (.mjml, .html) and SMS (.txt) files."""


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def publish(files: tuple[Path, ...]) -> None:
    """Compile content files and make them current. The file's name without its ending is the content's name."""
    failed = False
    with connected() as database:
        for file in files:
            channel = store.channels.get(file.suffix)
            if channel is None:
                raise InvalidInput("a content file ends with .mjml, .html or .txt", where=str(file))
            try:
                with database.transaction() as session:
                    text, read = read_text(file), partial(_attached, file)
                    version = store.save(session, text, file.stem, channel, clock.now(session), read=read)
            except LanguageError as error:
                tell(f"{file}:{error.line}:{error.column}", error.message, error.expected, error.hint)
                failed = True
                continue
            click.echo(f"{file.stem} version {version.number} ({channel})")
            for warning in version.warnings:
                tell(f"{file}:{warning['line']}", f"warning: {warning['message']}", (), warning.get("hint", ""))
    sys.exit(1 if failed else 0)


def _attached(content: Path, name: str) -> bytes:
    """A file beside the content."""
    try:
        return (content.parent / name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"the attachment {name} cannot be read: {error.strerror}", str(content)) from error


@command.command("list")
def list_() -> None:
    """Print the contents of this workspace."""
    with connected() as database, database.transaction() as session:
        for content in session.execute(select(Content).order_by(Content.slug)).scalars():
            click.echo(f"{content.channel:6} {content.slug}")
