"""`cairn consent`: what contacts agreed to, one by one and in files."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click
from sqlalchemy import select

from engine import clock
from engine.contacts import consent, consent_files
from engine.contacts.find import find
from engine.contacts.topics import wording
from engine.imports.consent import import_consent
from engine.model import ConsentEvent, ConsentState
from engine.signing import signer
from engine.tracking import leaving
from webapp.cli._context import connected
from webapp.cli._files import tell

SOME_REFUSED = 5


@click.group()
def command() -> None:
    """Consent of contacts: show, set, import, export, reasons for leaving."""


@command.command()
@click.argument("contact")
def show(contact: str) -> None:
    """Print what CONTACT last said on each channel and topic, then the whole history, oldest first."""
    with connected() as database, database.transaction() as session:
        found = find(session, contact)
        states = session.scalars(
            select(ConsentState).where(ConsentState.contact_id == found.id).order_by(ConsentState.channel)
        )
        for state in states:
            until = f", until {state.expires_at:%Y-%m-%d}" if state.expires_at else ""
            click.echo(f"{_place(state.channel, state.topic)}: {state.state} since {state.changed_at:%Y-%m-%d}{until}")
        events = select(ConsentEvent).where(ConsentEvent.contact_id == found.id)
        for event in session.scalars(events.order_by(ConsentEvent.occurred_at, ConsentEvent.id)):
            parts = (event.source, event.lawful_basis, event.wording, event.ip)
            place = _place(event.channel, event.topic)
            click.echo(
                f"{event.occurred_at:%Y-%m-%d %H:%M}\t{place}\t{event.action}\t{' · '.join(filter(None, parts))}"
            )


def _place(channel: str, topic: str) -> str:
    return f"{channel}:{topic}" if topic else channel


@command.command("set")
@click.argument("contact")
@click.argument("channel", type=click.Choice(consent.CHANNELS))
@click.argument("action", type=click.Choice(consent.ACTIONS))
@click.option("--topic", default="", help="The topic; without one, the whole channel.")
@click.option("--basis", type=click.Choice(consent.BASES), help="The lawful basis.")
@click.option("--wording", "words", help="What they agreed to, as SLUG or SLUG@VERSION (`cairn topics wordings`).")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="When implied consent ends.")
def set_(
    contact: str,
    channel: str,
    action: str,
    topic: str,
    basis: str | None,
    words: str | None,
    expires: dt.datetime | None,
) -> None:
    """Write down that CONTACT subscribed to or unsubscribed from CHANNEL, as they told you."""
    with connected() as database, database.transaction() as session:
        now, found = clock.now(session), find(session, contact)
        agreed = wording(session, words) if words else None
        change = consent.change_of(
            found.id, channel, action, "person", topic, basis=basis, expires=expires, wording=agreed
        )
        consent.record_consent(session, [change], now)
        consent.welcome_back(session, [change], signer())
        click.echo(f"{found.name}: {_place(channel, topic)} {consent.state_of(session, found.id, channel, topic)}")


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Read consent of existing contacts from a CSV file.

    Columns: external_id, email or phone; channel, action (subscribed, unsubscribed); topic, lawful_basis, wording,
    date, expires may lack. What `export` prints is read too. No file lifts an opt-out, and a file that is read again
    changes nothing. The exit code is 5 when rows were refused.
    """
    with connected() as database:
        with database.transaction() as session:
            now = clock.now(session)
        counts = import_consent(database, file, now)
    for line, error in counts.problems:
        tell(f"{file}:{line}", error)
    known = f"{counts.repeated:,} known already, " if counts.repeated else ""
    click.echo(f"{counts.rows:,} rows: {counts.recorded:,} recorded, {known}{counts.refused:,} refused.")
    if counts.refused > len(counts.problems):
        click.echo(f"The first {len(counts.problems)} refused rows are named above.", err=True)
    click.echo(f"{counts.changed:,} contacts stand differently now.")
    if counts.refused:
        sys.exit(SOME_REFUSED)


@command.command()
@click.option("--history", is_flag=True, help="Every word that was ever said, with its proof.")
def export(history: bool) -> None:
    """Print the last word of every contact on every channel and topic as CSV, which `import` reads."""
    write = consent_files.export_events if history else consent_files.export_states
    with connected() as database, database.transaction() as session:
        write(session, sys.stdout)


@command.command()
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
def reasons(days: int) -> None:
    """Print why people unsubscribed, as they said on the page, and their latest words."""
    with connected() as database, database.transaction() as session:
        said = leaving.read(session, clock.now(session) - dt.timedelta(days=days))
    for reason, count in said.counts.items():
        click.echo(f"{count:>8,}  {leaving.REASONS[reason]}")
    for row in said.words:
        click.echo(f"{row.at:%Y-%m-%d}\t{row.topic or row.content}\t{' '.join(row.words.split())}")
    if not said.counts:
        click.echo(f"Nobody has said why in the last {days} days.")
