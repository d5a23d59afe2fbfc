"""`cairn contacts`: people from files, all that is known of one, and forgetting them."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import click

from engine import clock
from engine.contacts import normal
from engine.contacts.everything import collect
from engine.contacts.find import find
from engine.errors import InvalidInput
from engine.imports.contacts import import_contacts
from engine.model import AuditLog
from engine.signing import signer
from webapp import forgetting
from webapp.cli import _importing
from webapp.cli._context import connected
from webapp.cli._files import read_text

CHANNELS = ("email", "sms")


class Channels(click.ParamType[list[str]]):
    """Names of channels, separated by commas."""

    name = "channels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Raises a usage error for a channel that is none."""
        given = [part.strip() for part in str(value).split(",") if part.strip()]
        for channel in given:
            if channel not in CHANNELS:
                self.fail(f"“{channel}” is no channel; there are {' and '.join(CHANNELS)}", param, ctx)
        return given


@click.group()
def command() -> None:
    """Contacts of this installation."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consent", type=Channels(), default="", help="They agreed to these channels, as in email,sms.")
@click.option("--column", "columns", multiple=True, metavar="NAME=AS", help="Read the column NAME as AS.")
@click.option(
    "--country", default="", metavar="CODE", help="National phone numbers are those of this country, as in DE."
)
def import_(file: Path, consent: list[str], columns: tuple[str, ...], country: str) -> None:
    """Read contacts from a CSV file.

    Its first line names the columns: external_id or email or both, then phone, timezone, locale, and attributes. An
    empty cell changes nothing. The exit code is 0 when all rows are in, 5 when some were refused; those stand in
    FILE.errors.csv with the reason.

    Columns consent.CHANNEL and consent.TOPIC.CHANNEL hold subscribed or unsubscribed, and beside them .date and .source
    say when and where. Columns with other names are read as those with --column "Opt-in=consent.news.email".
    """
    pairs = [each.rpartition("=") for each in columns]
    for name, _, wanted in pairs:
        if not name or not wanted:
            raise click.UsageError('--column takes NAME=AS, such as "Opt-in=consent.news.email".')
    code = normal.country(country) if country else ""
    renamed = {name.strip(): wanted.strip() for name, _, wanted in pairs}
    _importing.run(import_contacts, file, "contacts", consent=consent, columns=renamed, country=code)


@command.command()
@click.argument("contact")
def export(contact: str) -> None:
    """Print all that is stored about CONTACT as one JSON document, for the person who asks."""
    with connected() as database, database.transaction() as session:
        found = find(session, contact)
        document = collect(session, found.id, signer())
        by, what = getpass.getuser(), f"contact {found.id}"
        session.add(AuditLog(actor=by, action="exported", object=what, at=clock.now(session)))
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@command.command()
@click.argument("contacts", nargs=-1)
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One contact a line.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(contacts: tuple[str, ...], file: Path | None, yes: bool) -> None:
    """Forget CONTACTS (external id, email, phone) for good; everybody with that address is forgotten.

    Profile, events' properties and copies of mail go; the ledger keeps its numbers without the person. Addresses that
    must not be sent to stay known as hashes. Again, it does nothing.
    """
    lines = read_text(file).splitlines() if file else []
    names = [name for name in (*contacts, *(line.strip() for line in lines)) if name]
    if not names:
        raise InvalidInput("nobody is named", hint="Name contacts, or a file with --file.")
    if not yes:
        click.confirm(f"Forget {len(names):,} contacts? This cannot be undone.", abort=True)
    with connected() as database:
        done = forgetting.forget(database, names, signer(), actor=getpass.getuser())
    click.echo(f"{done:,} contacts are erased.")
