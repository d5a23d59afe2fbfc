"""`cairn identities`: who mail comes from."""

from __future__ import annotations

import getpass
import sys

import click

from engine import clock, workspace
from engine.channels.addresses import accounts, addresses, name_of
from engine.channels.dkim import Dkim
from engine.channels.mail_api.account import unchecked
from engine.db import Database
from engine.identities import keys, store
from engine.identities.checks import check as look
from engine.identities.checks import check_keys
from engine.identities.dns import Dns
from engine.identities.house import house
from engine.identities.records import needed, zone_line
from engine.identities.store import Form
from engine.identities.values import Identity
from engine.receipts.verp import return_path
from engine.settings import settings
from engine.signing import signer
from webapp.cli._context import connected, site_url
from webapp.public.mail_receipts import door_url

SAID = {"verified": "verified", "unknown": "could not be checked", "missing": "not verified", "wrong": "not verified"}


@click.group()
def command() -> None:
    """Sending identities: list, add, show, check, records, rotate, default, remove."""


@command.command("list")
def list_() -> None:
    """Print all identities; the default has a star."""
    with connected() as database, database.transaction() as session:
        found, default = store.listed(session, house()), workspace.load(session).identity or "workspace"
    for each in found:
        click.echo(f"{'*' if each.slug == default else ' '} {each.slug:20} {each.name} <{each.address}>")


@command.command()
@click.argument("slug")
@click.argument("address")
@click.option("--name", default="", help="The name before the address.")
@click.option("--reply-to", default="", help="Where answers go; reply+TOKEN@… tells which message they answer.")
@click.option("--relays", help="smtp://user:password@host:587 or a vendor, several with blanks between; - reads them.")
@click.option("--selector", help="Make new DKIM keys under this name.")
@click.option("--return-path", default="", help="Where its bounces go, as CAIRN_BOUNCE_DOMAIN.")
@click.option("--tracking-domain", default="", help="Where links in its mail lead, such as click.example.com.")
@click.option("--postal-address", default="", help="In place of the workspace's.")
@click.option("--unverified", is_flag=True, help="Campaigns may use it whatever DNS says.")
def add(slug: str, address: str, relays: str | None, **fields: str | bool) -> None:
    """Make the identity SLUG, or change it: all but relays and keys is as you say it now."""
    if relays == "-":
        relays = sys.stdin.read().strip()
    form = Form(slug=slug, address=address, relays=relays, **fields)  # type: ignore[arg-type]
    with connected() as database, database.transaction() as session:
        store.put(session, form, house(), getpass.getuser(), clock.now(session))
    click.echo(f"{slug} sends as {address}. See what to publish: cairn identities records {slug}")


@command.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Print what is known of the identity SLUG, without its secrets."""
    with connected() as database, database.transaction() as session:
        found = store.find(session, slug, house())
    for name, value in told(found):
        click.echo(f"{name}\t{value}")
    for account in accounts(found.relays):
        click.echo(f"webhook\t{door_url(site_url(), signer(), account.kind, slug)}")
        if wanted := unchecked(account):
            click.echo(f"warning: without ?{wanted}= the vendor's signature is not checked in full.", err=True)


def told(found: Identity) -> list[tuple[str, str]]:
    """What people may see of an identity, by what it is."""
    relays = ", ".join(map(name_of, addresses(found.relays))) if found.relays else "the installation's"
    return [
        ("from", f"{found.name} <{found.address}>" if found.name else found.address),
        ("reply_to", found.reply_to or "the same"),
        ("relays", relays),
        ("dkim", keys_of(found.dkim)),
        *([("new keys", f"{keys_of(found.next)}, not used yet")] if found.next else []),
        ("return_path", found.return_path or "the installation's"),
        ("links", found.site),
        ("postal_address", found.postal_address.replace("\n", ", ")),
        ("unverified", "may send unverified" if found.unverified else "no"),
        *([("broken", found.broken)] if found.broken else []),
    ]


def keys_of(signing: Dkim | None) -> str:
    """Selectors and algorithms."""
    return ", ".join(f"{key.selector} ({key.algorithm})" for key in signing.keys) if signing else "none"


@command.command()
@click.argument("slug")
@click.argument("selector", default="")
@click.option("--unchecked", is_flag=True, help="Switch without asking DNS.")
@click.option("--drop", is_flag=True, help="Forget the new keys.")
def rotate(slug: str, selector: str, *, unchecked: bool, drop: bool) -> None:
    """Change the DKIM keys of the identity SLUG: with a SELECTOR make new ones; later, without one, switch to them."""
    with connected() as database:
        if selector or drop:
            _make_keys(database, slug, selector)
        else:
            _use_keys(database, slug, unchecked=unchecked)


def _make_keys(database: Database, slug: str, selector: str) -> None:
    """New ones that wait under the selector; without one those that wait are dropped."""
    actor = getpass.getuser()
    with database.transaction() as session:
        now = clock.now(session)
        if selector:
            keys.stage(session, slug, selector, house().sealing_keys, actor, now)
        else:
            keys.drop(session, slug, actor, now)
        found = store.find(session, slug, house())
    click.echo(f"{slug} signs with {keys_of(found.dkim)}.")
    if found.next is not None:
        click.echo(f"Publish what `cairn identities records {slug}` prints, then: cairn identities rotate {slug}")


def _use_keys(database: Database, slug: str, *, unchecked: bool) -> None:
    """Switch to the keys that wait, once their records are seen."""
    with database.transaction() as session:
        found = store.find(session, slug, house())
    if found.next is not None and not unchecked:
        told = check_keys(found.next, Dns(settings().dns_server))
        if told.state != "verified":
            click.echo(f"Not switched. {told.message} {told.hint}", err=True)
            sys.exit(1)
    with database.transaction() as session:
        keys.switch(session, slug, getpass.getuser(), clock.now(session))
    click.echo(f"{slug} signs with {keys_of(found.next)}. Leave the records of {keys_of(found.dkim)} for a week.")


@command.command()
@click.argument("slug")
def records(slug: str) -> None:
    """Print the DNS records to publish for the identity SLUG."""
    with connected() as database, database.transaction() as session:
        found = store.find(session, slug, house())
    for record in needed(found, return_path(settings().bounce_domain), settings().site_url):
        click.echo(f"; {record.why}\n{zone_line(*record[:3])}")


@command.command()
@click.argument("slug")
def check(slug: str) -> None:
    """Ask DNS about the identity SLUG (`workspace` for that of the settings); exit code 1 if something is wrong."""
    own = settings()
    with connected() as database, database.transaction() as session:
        found = store.find(session, slug, house())
    checks = look(found, Dns(own.dns_server), return_path(own.bounce_domain), own.site_url, own.smtp_url or "")
    for one in checks:
        click.echo(f"{SAID[one.state]:22} {one.message}{' ' + one.hint if one.state != 'verified' else ''}")
    if not all(one.stands for one in checks):
        sys.exit(1)


@command.command()
@click.argument("slug")
def default(slug: str) -> None:
    """Let what names no identity be from SLUG; `workspace` is the sender of the workspace's settings."""
    with connected() as database, database.transaction() as session:
        store.make_default(session, slug)
    click.echo(f"What names no identity is from {slug}.")


@command.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Forget the identity SLUG and its keys, unless something asks for it."""
    with connected() as database, database.transaction() as session:
        store.remove(session, slug, getpass.getuser(), clock.now(session))
    click.echo(f"{slug} is removed.")
