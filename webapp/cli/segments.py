"""`cairn segments`: saved rules, who is in them, and who was."""

from __future__ import annotations

import datetime as dt

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, segments
from engine.errors import InvalidInput, NotFound
from engine.model import Contact, Segment
from engine.segments import history as past
from webapp.cli._context import connected
from webapp.cli.clock import INSTANT

STEPS = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(weeks=1)}
AT_ONCE = 10_000


@click.group()
def command() -> None:
    """Segments: saved rules."""


@command.command()
@click.argument("slug")
@click.argument("rule")
@click.option("--name", help="What people call it.")
def create(slug: str, rule: str, name: str | None) -> None:
    """Save RULE as the segment SLUG, replacing the rule it has, and work out its members."""
    with connected() as database:
        with database.transaction() as session:
            segments.save(session, slug, rule, name)
        with database.transaction() as session:  # who waits for a refresh under way must not hold the segment's row
            size = segments.refresh(session, slug, clock.now)
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
    with connected() as database:
        with database.transaction() as session:
            known = slugs or session.scalars(select(Segment.slug).order_by(Segment.slug)).all()
        for slug in known:
            with database.transaction() as session:
                click.echo(f"{slug}: {segments.refresh(session, slug, clock.now):,} contacts")


@command.command()
@click.argument("slug")
@click.option("--as-of", "instant", type=INSTANT, help="At this instant instead of now.")
@click.option("--by-rule", is_flag=True, help="Whom today's rule was true of, instead of the stored members.")
@click.option("--count", "only_count", is_flag=True, help="Print how many they are.")
def members(slug: str, instant: dt.datetime | None, by_rule: bool, only_count: bool) -> None:
    """Print who is, or was, in the segment SLUG: public id, external id and email, separated by tabs.

    The stored members are those of that time, from the segment's first refresh on, by the rule that it had then. With
    --by-rule today's rule is asked of that time; this is refused if it reads attributes or consent, of which only the
    present state is kept. Events that came in later are known today, and count.
    """
    with connected() as database, database.transaction() as session:
        at = instant or clock.now(session)
        if by_rule:
            ids = past.matching_at(session, _find(session, slug).rule, at)
        elif at > clock.now(session):
            raise InvalidInput("lies in the future, of which no members are stored", "--as-of", "Ask with --by-rule.")
        else:
            _warn_of_before(session, slug, at)
            ids = past.members_at(session, slug, at)
        if only_count:
            click.echo(len(ids))
        else:
            _print(session, ids)


@command.command()
@click.argument("slug")
@click.option("--from", "start", type=INSTANT, required=True, help="The first instant.")
@click.option("--to", "end", type=INSTANT, help="The last one; now if left out.")
@click.option("--every", type=click.Choice(list(STEPS)), default="day", show_default=True)
def history(slug: str, start: dt.datetime, end: dt.datetime | None, every: str) -> None:
    """Print how many were in the segment SLUG at each day, or hour or week, separated by a tab."""
    with connected() as database, database.transaction() as session:
        last = end or clock.now(session)
        _warn_of_before(session, slug, start)
        instants = [start + number * STEPS[every] for number in range(int((last - start) / STEPS[every]) + 1)]
        for instant, count in zip(instants, past.counts_at(session, slug, instants), strict=True):
            click.echo(f"{instant:%Y-%m-%dT%H:%MZ}\t{count}")


def _find(session: Session, slug: str) -> Segment:
    found = session.execute(select(Segment).where(Segment.slug == slug)).scalar_one_or_none()
    if found is None:
        raise NotFound("segment", slug)
    return found


def _warn_of_before(session: Session, slug: str, at: dt.datetime) -> None:
    since = past.known_since(session, slug)
    if since is not None and at < since:
        click.echo(f"warning: the first member of {slug} is known since {since:%Y-%m-%d %H:%M} UTC.", err=True)


def _print(session: Session, ids: list[int]) -> None:
    for start in range(0, len(ids), AT_ONCE):
        some = Contact.id.in_(ids[start : start + AT_ONCE])
        rows = session.execute(select(Contact.public_id, Contact.external_id, Contact.email).where(some))
        click.echo("".join("\t".join(value or "" for value in row) + "\n" for row in rows), nl=False)
