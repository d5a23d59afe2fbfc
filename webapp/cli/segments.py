"""`cairn segments`: saved rules and who is in them."""

from __future__ import annotations

import click
from sqlalchemy import select

from engine import clock, segments
from engine.model import Segment
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Segments: saved rules."""


@command.command()
@click.argument("slug")
@click.argument("rule")
@click.option("--name", help="What people call it.")
def create(slug: str, rule: str, name: str | None) -> None:
    """Save RULE as the segment SLUG, replacing the rule it has, and work out its members."""
    with connected() as database, database.transaction() as session:
        segments.save(session, slug, rule, name)
        size = segments.refresh(session, slug, clock.now(session))
    click.echo(f"{slug}: {size:,} contacts")


@command.command("list")
def list_() -> None:
    """Print all segments with their size and rule, separated by tabs."""
    with connected() as database, database.transaction() as session:
        for found in session.scalars(select(Segment).order_by(Segment.slug)):
            click.echo(f"{found.slug}\t{found.contact_count}\t{' '.join(found.rule.split())}")


@command.command()
@click.argument("slugs", nargs=-1)
def refresh(slugs: tuple[str, ...]) -> None:
    """Work out the members of SLUGS, or of all segments, anew."""
    with connected() as database, database.transaction() as session:
        now = clock.now(session)
        for slug in slugs or session.scalars(select(Segment.slug).order_by(Segment.slug)).all():
            click.echo(f"{slug}: {segments.refresh(session, slug, now):,} contacts")
