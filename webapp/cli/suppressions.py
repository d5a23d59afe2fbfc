"""`cairn suppressions`: addresses that are never written to."""

from __future__ import annotations

import csv
import getpass
import sys
from pathlib import Path

import click

from engine import clock
from engine.contacts import suppressions
from engine.errors import InvalidInput
from engine.imports.suppressions import import_suppressions
from engine.signing import signer
from webapp.cli._context import connected
from webapp.cli._files import tell

SOME_REFUSED = 5

channel_option = click.option("--channel", type=click.Choice(suppressions.CHANNELS), default="email", show_default=True)


@click.group()
def command() -> None:
    """Addresses that are never written to: add, remove, list, import, export."""


@command.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@channel_option
def add(addresses: tuple[str, ...], channel: str) -> None:
    """Never write to these addresses again."""
    rows = [(_key(channel, address), "manual") for address in addresses]
    with connected() as database, database.transaction() as session:
        count = suppressions.add(session, channel, rows, getpass.getuser(), clock.now(session))
    click.echo(f"{count} added, {len(addresses) - count} were suppressed before.")


@command.command()
@click.argument("address")
@channel_option
@click.option("--reason", "why", required=True, help="Why it may be written to again; kept in the audit log.")
def remove(address: str, channel: str, why: str) -> None:
    """Allow an address again."""
    with connected() as database, database.transaction() as session:
        suppressions.remove(session, channel, address, getpass.getuser(), why, clock.now(session), signer())
    click.echo(f"{address} may be written to again.")


@command.command("list")
@click.argument("address", required=False)
def list_(address: str | None) -> None:
    """What holds for ADDRESS; without one, how many addresses are suppressed and why.

    Addresses are kept as keyed hashes, so they cannot be listed themselves.
    """
    with connected() as database, database.transaction() as session:
        if address is None:
            for channel, reason, count in suppressions.counts(session):
                click.echo(f"{channel:6} {reason:13} {count:>10,}")
            return
        found = suppressions.find(session, address, signer())
    for each in found:
        click.echo(f"{each.channel}: {each.reason}, since {each.since:%Y-%m-%d %H:%M} UTC")
    if not found:
        click.echo(f"{address} is not suppressed.")


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@channel_option
def import_(file: Path, channel: str) -> None:
    """Read a CSV file with the column `address` (or `email`, `phone`), perhaps `channel` and `reason`.

    A list that `export` wrote has `address_hmac` instead, which is good only at a site with the same secret. The exit
    code is 5 when rows were refused.
    """
    with connected() as database:
        with database.transaction() as session:
            now = clock.now(session)
        counts = import_suppressions(database, file, channel, getpass.getuser(), now, signer())
    for line, error in counts.problems:
        tell(f"{file}:{line}", error)
    known, refused = counts.rows - counts.refused - counts.added, f", {counts.refused:,} refused"
    click.echo(f"{counts.added:,} added, {known:,} were suppressed before{refused if counts.refused else ''}.")
    if counts.refused:
        sys.exit(SOME_REFUSED)


@command.command()
def export() -> None:
    """Print all as CSV: keyed hash, channel, reason, since, and a mark of the secret that keyed them."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["address_hmac", "channel", "reason", "since", suppressions.KEY])
    with connected() as database, database.transaction() as session:
        for key, channel, reason, since in suppressions.everything(session):
            out.writerow([key, channel, reason, since.isoformat(), signer().fingerprint()])


def _key(channel: str, address: str) -> bytes:
    """Raises InvalidInput."""
    try:
        return suppressions.key_of(channel, address, signer())
    except InvalidInput as error:
        hint = "For phone numbers say --channel sms." if channel == "email" else error.hint
        raise InvalidInput(error.message, where=address, hint=hint) from error
