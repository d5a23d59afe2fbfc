"""`cairn lists`: lists that people are put on by hand and by journeys."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from engine import clock
from engine.contacts import list_members, lists
from engine.errors import InvalidInput
from webapp.cli._context import connected

NAMES = ("external_id", "email", "phone")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    with connected() as database, database.transaction() as session:
        for slug, _, count in list_members.listed(session):
            click.echo(f"{slug}\t{count}")


@command.command()
@click.argument("slug")
@click.argument("contacts", nargs=-1)
@click.option("--file", type=FILE, help="CSV with a column external_id, email or phone, or one name a line.")
@click.option("--segment", help="Everybody who is in this segment now.")
def add(slug: str, contacts: tuple[str, ...], file: Path | None, segment: str | None) -> None:
    """Put CONTACTS (external id, email or phone) on the list SLUG.

    The exit code is 5 when some of them are not known; they are named.
    """
    _change(lists.put_on, slug, contacts, file, segment)


@command.command()
@click.argument("slug")
@click.argument("contacts", nargs=-1)
@click.option("--file", type=FILE, help="CSV with a column external_id, email or phone, or one name a line.")
@click.option("--segment", help="Everybody who is in this segment now.")
def remove(slug: str, contacts: tuple[str, ...], file: Path | None, segment: str | None) -> None:
    """Take CONTACTS off the list SLUG.

    The exit code is 5 when some of them are not known; they are named.
    """
    _change(lists.take_off, slug, contacts, file, segment)


def _change(
    change: list_members.Change, slug: str, contacts: tuple[str, ...], file: Path | None, segment: str | None
) -> None:
    if bool(contacts) + bool(file) + bool(segment) != 1:
        raise click.UsageError("Name contacts, or a --file, or a --segment: one of them.")
    count, unknown = 0, 0
    with connected() as database:
        with database.transaction() as session:
            now = clock.now(session)
        if segment:
            count = sum(list_members.change_segment(database, change, slug, segment, now))
        for done in list_members.change_all_named(database, change, slug, _names(file) if file else contacts, now):
            count, unknown = count + done.number, unknown + len(done.unknown)
            for name in done.unknown:
                click.echo(f"{name}: not known", err=True)
    click.echo(f"{slug}: {count} {'put on' if change is lists.put_on else 'taken off'}")
    if unknown:
        raise click.exceptions.Exit(5)


def _names(file: Path) -> Iterator[str]:
    """The first of the known columns that a row fills in; of a file without such a header, its first column."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        try:
            rows = csv.reader(opened)
            first = [cell.strip().lower() for cell in next(rows, [])]
            columns = [first.index(name) for name in NAMES if name in first]
            if not columns and first:
                yield first[0]
            for row in rows:
                yield next(
                    (row[at].removeprefix("'") for at in columns or [0] if at < len(row) and row[at].strip()), ""
                )
        except (UnicodeDecodeError, csv.Error) as error:
            raise InvalidInput(f"cannot be read: {error}", str(file), "It has to be CSV in UTF-8.") from error


@command.command()
@click.argument("slug")
def members(slug: str) -> None:
    """Print who is on the list SLUG as CSV: external_id, email, phone, added_at."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*NAMES, "added_at"))
    with connected() as database, database.transaction() as session:
        list_members.expect(session, slug)
        before = None
        while batch := list_members.members(session, slug, before, list_members.BATCH):
            writer.writerows(list_members.as_cells(row) for row in batch)
            before = batch[-1].id
