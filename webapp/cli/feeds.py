"""`cairn feeds`: lists of products for blocks in contents."""

from __future__ import annotations

from pathlib import Path

import click

from engine.db import Database
from engine.errors import InvalidInput
from engine.feeds import store
from webapp.cli._context import connected
from workers import feeding


@click.group()
def command() -> None:
    """Product feeds: CSV, JSON, JSON Lines or RSS with products, from a URL or a file."""


@command.command("list")
def list_() -> None:
    """Print all feeds: name, number of products, when they were read, and what is wrong."""
    with connected() as database, database.transaction() as session:
        for feed in store.listed(session):
            read_at = feed.fetched_at.isoformat(timespec="minutes") if feed.fetched_at else "never read"
            trouble = feed.error or feed.note or "ok"
            click.echo(f"{feed.slug}\t{feed.products:,} products\t{read_at}\t{feed.url or 'a file'}\t{trouble}")


@command.command()
@click.argument("slug")
@click.argument("source", metavar="URL|FILE")
@click.option("--every", default=60, show_default=True, help="Minutes between two fetches of a URL.")
def add(slug: str, source: str, every: int) -> None:
    """Make the feed SLUG from a URL, which is fetched now and again later, or from a FILE; or give it another one."""
    with connected() as database:
        trouble = feeding.add(database, slug, source if "://" in source else _file(Path(source)), every)
        _tell(database, slug, trouble)


@command.command()
@click.argument("slug")
def fetch(slug: str) -> None:
    """Fetch the feed SLUG now, changed or not."""
    with connected() as database:
        _tell(database, slug, feeding.again(database, slug))


def _tell(database: Database, slug: str, trouble: str) -> None:
    if trouble:
        raise InvalidInput(trouble, slug)
    with database.transaction() as session:
        products = next(feed.products for feed in store.listed(session) if feed.slug == slug)
    click.echo(f"{slug}: {products:,} products")


@command.command()
@click.argument("slug")
@click.option("--most", default=20, show_default=True, help="How many products to print.")
def show(slug: str, most: int) -> None:
    """Print products of the feed SLUG: id, title, price, category, orders of late, link."""
    with connected() as database, database.transaction() as session:
        for one in store.shown(session, store.find(session, slug), most):
            fields = one.fields
            price = f"{fields.get('price', '')} {fields.get('currency', '')}".strip()
            state = "" if fields["available"] else " (not available)"
            values = (
                one.product_id,
                fields["title"] + state,
                price,
                fields.get("category", ""),
                one.sold,
                fields["link"],
            )
            click.echo("\t".join(map(str, values)))


@command.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Forget the feed SLUG and its products; it is refused while contents show them."""
    with connected() as database, database.transaction() as session:
        store.remove(session, slug)
    click.echo(f"feed {slug} is removed")


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", str(path)) from error
