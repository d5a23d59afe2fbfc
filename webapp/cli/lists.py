"""`cairn lists`: lists that people are put on by hand and by journeys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock
from engine.contacts import lists
from engine.contacts.find import find
from engine.errors import NotFound
from engine.model import List, ListMembership
from webapp.cli._context import connected

Change = Callable[[Session, Sequence[str], Collection[int], dt.datetime], None]


@click.group()
def command() -> None:
    """Lists: people put on by hand and by journeys."""


@command.command()
@click.argument("slug")
@click.option("--name", help="What people call it.")
def create(slug: str, name: str | None) -> None:
    """Make the list SLUG; one that exists keeps its people."""
    with connected() as database, database.transaction() as session:
        lists.create(session, slug, name)
    click.echo(f"list {slug}")


@command.command("list")
def list_() -> None:
    """Print all lists with their size, separated by tabs."""
    size = (
        select(func.count())
        .where(ListMembership.list_id == List.id, ListMembership.removed_at.is_(None))
        .scalar_subquery()
    )
    with connected() as database, database.transaction() as session:
        for slug, count in session.execute(select(List.slug, size).order_by(List.slug)):
            click.echo(f"{slug}\t{count}")


@command.command()
@click.argument("slug")
@click.argument("contacts", nargs=-1, required=True)
def add(slug: str, contacts: tuple[str, ...]) -> None:
    """Put CONTACTS (external id, email or phone) on the list SLUG."""
    _change(lists.put_on, slug, contacts)


@command.command()
@click.argument("slug")
@click.argument("contacts", nargs=-1, required=True)
def remove(slug: str, contacts: tuple[str, ...]) -> None:
    """Take CONTACTS off the list SLUG."""
    _change(lists.take_off, slug, contacts)


def _change(change: Change, slug: str, contacts: Sequence[str]) -> None:
    with connected() as database, database.transaction() as session:
        if session.execute(select(List.id).where(List.slug == slug)).first() is None:
            raise NotFound("list", slug, f"Make it first: cairn lists create {slug}")
        change(session, [slug], [find(session, contact).id for contact in contacts], clock.now(session))
    click.echo(f"{slug}: {len(contacts)} contacts")
