"""`cairn topics`: what messages are about, as contacts choose it, and the wordings that they agree to."""

from __future__ import annotations

from pathlib import Path

import click

from engine import clock
from engine.contacts import topics
from webapp.cli._context import connected
from webapp.cli._files import read_text


@click.group()
def command() -> None:
    """Topics that contacts subscribe to, and consent wordings."""


@command.command("list")
def list_() -> None:
    """Print all topics in the order of the preference centre: slug, name, default on email, and more."""
    with connected() as database, database.transaction() as session:
        for topic in topics.listed(session):
            marks = [
                topic.default_state,
                "public" if topic.public else "hidden",
                *(["double opt-in"] if topic.double_opt_in else []),
                *(["archived"] if topic.archived_at else []),
            ]
            click.echo(f"{topic.slug}\t{topic.name}\t{', '.join(marks)}")


@command.command("set")
@click.argument("slug")
@click.option("--name", help="What contacts call it.")
@click.option("--description", help="A sentence that says what comes, and how often.")
@click.option("--default", "default_state", type=click.Choice(topics.DEFAULTS), help="Without a word, on email.")
@click.option("--public/--hidden", default=None, help="Whether contacts can choose it.")
@click.option("--double-opt-in/--single-opt-in", default=None, help="Whether a subscription has to be confirmed.")
@click.option("--position", type=int, help="Its place in the preference centre; the lowest comes first.")
def set_(slug: str, **values: object) -> None:
    """Make the topic SLUG, or change what is given of it."""
    given = {name: value for name, value in values.items() if value is not None}
    with connected() as database, database.transaction() as session:
        if any(topic.slug == slug for topic in topics.listed(session)):
            topics.change(topics.find(session, slug), **given)
        else:
            topics.create(session, slug, str(given.pop("name", slug)), **given)
    click.echo(f"topic {slug}")


@command.command()
@click.argument("slug")
@click.option("--undo", is_flag=True, help="Bring it back.")
def archive(slug: str, undo: bool) -> None:
    """Take the topic SLUG out of the preference centre and of forms; consent given to it stays."""
    with connected() as database, database.transaction() as session:
        topic = topics.find(session, slug)
        if undo:
            topic.archived_at = None
        else:
            topics.archive(topic, clock.now(session))
    click.echo(f"topic {slug} {'is back' if undo else 'is archived'}")


@command.command()
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path))
def word(slug: str, file: Path) -> None:
    """Store the text of FILE (- for standard input) as the newest version of the wording SLUG."""
    text = read_text(file)
    with connected() as database, database.transaction() as session:
        made = topics.word(session, slug, text, clock.now(session))
        click.echo(f"{made.slug}@{made.version}\t{made.hash}")


@command.command()
def wordings() -> None:
    """Print every version of every wording: name, SHA-256, date and text, separated by tabs."""
    with connected() as database, database.transaction() as session:
        for one in topics.wordings(session):
            text = " ".join(one.text.split())
            click.echo(f"{one.slug}@{one.version}\t{one.hash}\t{one.created_at.date()}\t{text}")
