"""`cairn suppressions`: addresses that are never written to."""

from __future__ import annotations

import csv
import getpass
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from engine import clock
from engine.contacts import suppressions
from engine.errors import InvalidInput
from engine.signing import signer
from webapp.cli._context import connected

channel_option = click.option("--channel", type=click.Choice(suppressions.CHANNELS), default="email", show_default=True)


@click.group()
def command() -> None:
    """Addresses that are never written to: add, remove, list, import, export."""


@command.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@channel_option
def add(addresses: tuple[str, ...], channel: str) -> None:
    """Never write to these addresses again."""
    if channel == "email" and (wrong := [address for address in addresses if "@" not in address]):
        raise InvalidInput(f"“{wrong[0]}” is no email address", hint="For phone numbers say --channel sms.")
    rows = [(signer().address_hmac(channel, address), "manual") for address in addresses]
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
    """Read a CSV file with the column `address`, or `address_hmac` as export writes it, perhaps `channel`, `reason`.

    Hashes are good only at a site with the same secret.
    """
    rows: dict[str, list[tuple[bytes, str]]] = defaultdict(list)
    with file.open(newline="", encoding="utf-8-sig") as stream:
        for where, key, reason in _read(csv.DictReader(stream), channel):
            rows[where].append((key, reason))
    with connected() as database, database.transaction() as session:
        now = clock.now(session)
        count = sum(suppressions.add(session, each, rows[each], getpass.getuser(), now) for each in sorted(rows))
    click.echo(f"{count} added, {sum(map(len, rows.values())) - count} were suppressed before.")


@command.command()
def export() -> None:
    """Print all as CSV: keyed hash, channel, reason, since."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["address_hmac", "channel", "reason", "since"])
    with connected() as database, database.transaction() as session:
        for key, channel, reason, since in suppressions.everything(session):
            out.writerow([key, channel, reason, since.isoformat()])


def _read(reader: csv.DictReader[str], channel: str) -> Iterator[tuple[str, bytes, str]]:
    """(channel, HMAC, reason) of each row. Raises InvalidInput at a row that does not fit."""
    columns = set(reader.fieldnames or ())
    if not columns & {"address", "address_hmac"}:
        raise InvalidInput("has no column `address` or `address_hmac`", where="the first line")
    for number, row in enumerate(reader, 2):
        where, reason = row.get("channel") or channel, row.get("reason") or "manual"
        if address := (row.get("address") or "").strip():
            yield where, signer().address_hmac(where, address), reason
            continue
        try:
            key = bytes.fromhex(row.get("address_hmac") or "")
        except ValueError:
            key = b""
        if len(key) != 32:
            raise InvalidInput("has neither an address nor a hash of 64 hex digits", where=f"line {number}")
        yield where, key, reason
