"""`cairn snippets`: pieces of text that contents have in common."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine import clock
from engine.content import replacing, taken
from engine.content.replacing import Saved
from engine.content.variants import VariantError
from engine.db import Database
from webapp.cli import _families
from webapp.cli._context import connected
from webapp.cli._files import read_text, tell, tell_error

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Snippets: pieces that contents take in by {% snippet "name" %}."""


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Only say what would change; nothing is saved.")
def publish(files: tuple[Path, ...], check: bool) -> None:
    """Save snippet files, and compile anew the contents that hold them. The file's name is the snippet's.

    A file such as footer.de.mjml is the German variant of footer.mjml beside it; both are published together.
    """
    failed = False
    with connected() as database:
        for family in _families.of(files):
            try:
                saved = _save(database, family, check)
            except VariantError as error:
                tell_error(family.files[error.language], error)
                failed = True
                continue
            _tell(family, saved, check)
    sys.exit(1 if failed else 0)


def _save(database: Database, family: _families.Family, check: bool) -> Saved:
    texts = {language: read_text(file) for language, file in family.files.items()}
    with database.transaction() as session:
        saved = replacing.save(session, texts, family.slug, family.channel, clock.now(session))
        if check:
            session.rollback()
    return saved


def _tell(family: _families.Family, saved: Saved, check: bool) -> None:
    click.echo(f"{family.slug} {'would be ' if check else ''}version {saved.number}")
    for content in saved.contents:
        click.echo(f"    {content.slug} {'would become' if check else 'is now'} version {content.number}")
    for language, warning in saved.warnings:
        file = family.files[language]
        tell(f"{file}:{warning['line']}", f"warning: {warning['message']}", (), warning.get("hint", ""))


@command.command("list")
def list_() -> None:
    """Print the snippets of this workspace, and how many contents hold each."""
    with connected() as database, database.transaction() as session:
        held = taken.counts(session)
        for each in taken.listing(session):
            kind = "text" if each.kind == "sms" else "email"
            users = held.get(each.slug, 0)
            languages = f"  {', '.join(each.languages)}" if each.languages else ""
            click.echo(
                f"{kind:6} {each.slug}  version {each.number}, in {users} content{'' if users == 1 else 's'}{languages}"
            )


@command.command()
@click.argument("slug")
@click.option("--language", default="", metavar="TAG", help="The variant; else the default.")
def show(slug: str, language: str) -> None:
    """Print the file of a snippet; the contents that hold it go to standard error."""
    with connected() as database, database.transaction() as session:
        listed, snippet = taken.find(session, slug)
        users = taken.users(session, slug)
    click.echo(taken.file(listed, snippet, language).rstrip())
    for user in users:
        click.echo(f"in {user.slug}, version {user.number}", err=True)


@command.command()
@click.argument("slug")
def delete(slug: str) -> None:
    """Forget a snippet. It is refused while contents or other snippets hold it, and they are named."""
    with connected() as database, database.transaction() as session:
        replacing.delete(session, slug)
    click.echo(f"snippet {slug} is deleted")
