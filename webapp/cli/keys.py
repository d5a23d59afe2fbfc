"""`cairn keys`: keys for programs that call `/v1`."""

from __future__ import annotations

import click
from sqlalchemy import select, update

from engine import clock, users
from engine.errors import NotFound
from engine.model import ApiKey
from webapp.api import failures
from webapp.api.failures import KEPT
from webapp.api.keys import INGEST, SCOPES
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """API keys: make, list, revoke."""


@command.command()
@click.argument("name")
@click.option(
    "--for",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=(INGEST,),
    show_default=True,
    help="Write events and contacts, hand in mail that came back, read, send single messages, say what people "
    "agreed to, or put them on lists; repeatable.",
)
def create(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it. It cannot be shown again."""
    with connected() as database, database.transaction() as session:
        click.echo(users.create_api_key(session, name, tuple(dict.fromkeys(scopes))))


@command.command("list")
def list_() -> None:
    """Print the keys in force, by their first letters."""
    with connected() as database, database.transaction() as session:
        for key in session.execute(select(ApiKey).where(ApiKey.revoked_at.is_(None)).order_by(ApiKey.id)).scalars():
            click.echo(f"{key.prefix}…  {key.name}  ({', '.join(key.scopes)})")


@command.command("failures")
@click.option("--limit", default=50, type=click.IntRange(1, KEPT), help="How many. 50.")
def failures_(limit: int) -> None:
    """Print the calls that failed lately, newest first: instant, key, call, status, reason.

    The last 1000 are kept, of keys in force, without what stood in quotes; at most five a second are written down.
    """
    with connected() as database, database.transaction() as session:
        for row in failures.latest(session, limit):
            call = f"{row.method} {row.path}"
            click.echo(f"{row.at:%Y-%m-%d %H:%M:%S}\t{row.name or row.key_prefix}\t{call}\t{row.status}\t{row.message}")


@command.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """End the keys that begin with PREFIX."""
    with connected() as database, database.transaction() as session:
        ended = session.execute(
            update(ApiKey)
            .where(ApiKey.prefix.startswith(prefix, autoescape=True), ApiKey.revoked_at.is_(None))
            .values(revoked_at=clock.now(session))
            .returning(ApiKey.id)
        ).all()
        if not ended:
            raise NotFound("key", prefix, "`cairn keys list` shows those in force.")
    click.echo(f"{len(ended)} revoked.")
