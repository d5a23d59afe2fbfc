"""`cairn content show|versions|diff|restore`: what a content said, and when."""

from __future__ import annotations

import click

from engine import clock
from engine.content import history
from engine.content.variants import DEFAULT
from engine.errors import NotFound
from webapp.cli._context import connected

MOST = 100


@click.command()
@click.argument("slug")
@click.option("--language", default=DEFAULT, metavar="TAG", help="The variant; else the content's own text.")
@click.option("--version", "number", type=int, help="An earlier version; else the newest.")
def show(slug: str, language: str, number: int | None) -> None:
    """Print the file of the content SLUG, as it was written."""
    with connected() as database, database.transaction() as session:
        content = history.by_slug(session, slug)
        kept = history.find(session, content, number or history.listing(session, content, 1)[0].number)
        row = kept.rows.get(language) or next((r for r in kept.rows.values() if r.language == language), None)
        if row is None:
            raise NotFound(f"variant of {slug}", language, f"It has {', '.join(filter(None, kept.rows)) or 'one'}.")
        click.echo(row.source, nl=not row.source.endswith("\n"))


@click.command()
@click.argument("slug")
def versions(slug: str) -> None:
    """Print the versions of the content SLUG, the newest first."""
    with connected() as database, database.transaction() as session:
        for each in history.listing(session, history.by_slug(session, slug), MOST):
            who = f"\tby {each.actor}" if each.actor else ""
            languages = ", ".join(filter(None, each.languages))
            click.echo(f"{each.number}\t{each.saved_at.isoformat(timespec='minutes')}\t{languages}{who}")


@click.command()
@click.argument("slug")
@click.argument("old", type=int)
@click.argument("new", type=int)
def diff(slug: str, old: int, new: int) -> None:
    """Print what changed in the content SLUG from version OLD to version NEW."""
    with connected() as database, database.transaction() as session:
        content = history.by_slug(session, slug)
        before, after = history.find(session, content, old), history.find(session, content, new)
        for name in history.newer_snippets(before, after):
            click.echo(f"another version of the snippet {name}")
        for language, lines in history.compared(before, after).items():
            if language:
                click.echo(f"=== {language}")
            for line in lines:
                said = f"({line.number} lines alike)" if line.kind == history.SKIPPED else line.text
                click.echo(f"{line.kind} {said}")


@click.command()
@click.argument("slug")
@click.argument("number", type=int)
def restore(slug: str, number: int) -> None:
    """Make the text of version NUMBER the newest version of the content SLUG."""
    with connected() as database, database.transaction() as session:
        saved = history.restore(session, history.by_slug(session, slug), number, clock.now(session))
    click.echo(f"{slug} version {saved.number} says what version {number} said")


COMMANDS = (show, versions, diff, restore)
