"""`cairn content`: email and SMS contents from files."""

from __future__ import annotations

import getpass
import sys
from functools import partial
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, workspace
from engine.channels.allowed import parse
from engine.channels.dkim import configured
from engine.contacts.find import find as find_contact
from engine.content import store
from engine.content.variants import DEFAULT, VariantError
from engine.db import Database
from engine.errors import ConfigurationError, InvalidInput
from engine.model import Content, ContentVersion
from engine.previews import handing, look, message, spam, visits
from engine.settings import settings
from engine.signing import signer
from engine.webhooks.address import networks
from webapp.cli import _content_history, _families
from webapp.cli._context import connected, connected_to_send, site_url
from webapp.cli._files import read_text, tell, tell_error

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Contents: save email (.mjml, .html) and SMS (.txt) files."""


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def publish(files: tuple[Path, ...]) -> None:
    """Compile content files and make them current. The file's name without its ending is the content's name.

    A file such as welcome.de.mjml is the German variant of welcome.mjml beside it; both are published together.
    """
    failed = False
    with connected() as database:
        for family in _families.of(files):
            try:
                version = _save(database, family)
            except VariantError as error:
                tell_error(family.files[error.language], error)
                failed = True
                continue
            spoken = ", ".join(each.language for each in version if each.language)
            click.echo(f"{family.slug} version {version[0].number} ({family.channel}{f': {spoken}' if spoken else ''})")
            for each, file in zip(version, family.files.values(), strict=True):
                for warning in each.warnings:
                    tell(f"{file}:{warning['line']}", f"warning: {warning['message']}", (), warning.get("hint", ""))
    sys.exit(1 if failed else 0)


def _save(database: Database, family: _families.Family) -> list[ContentVersion]:
    """The rows of the version, in the order of the files."""
    texts = {language: read_text(file) for language, file in family.files.items()}
    own = texts.pop(DEFAULT)
    with database.transaction() as session:
        read, now = partial(_attached, family.files[DEFAULT]), clock.now(session)
        version = store.save(session, own, family.slug, family.channel, now, read=read, others=texts)
        return list(store.rows_of(session, version.id).values())


def _attached(content: Path, name: str) -> bytes:
    """A file beside the content."""
    try:
        return (content.parent / name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"the attachment {name} cannot be read: {error.strerror}", str(content)) from error


@command.command("list")
def list_() -> None:
    """Print the contents of this workspace."""
    with connected() as database, database.transaction() as session:
        for content in session.execute(select(Content).order_by(Content.slug)).scalars():
            languages = f"  {', '.join(content.variants)}" if content.variants else ""
            click.echo(f"{content.channel:6} {content.slug}{languages}")


AS = click.option(
    "--as", "as_", metavar="CONTACT", help="Email, external id or phone of a contact; else sample values."
)
IN = click.option("--language", default="", metavar="TAG", help="The variant; else the contact's, or the default.")


@command.command()
@click.argument("slug")
@AS
@IN
@click.option("--html", is_flag=True, help="Print the HTML part instead of the text.")
@click.option("--source", is_flag=True, help="Print the whole message with its headers.")
def preview(slug: str, as_: str | None, language: str, html: bool, source: bool) -> None:
    """Print the content SLUG as a contact would get it; what is unwise about it goes to standard error."""
    with connected() as database:
        found, shown = _render(database, slug, as_, language)
    if shown.error:
        raise InvalidInput(shown.error, where=slug)
    if source and shown.raw:
        click.echo(shown.raw.decode("utf-8", "replace").replace("\r\n", "\n"), nl=False)
    elif html and shown.html:
        click.echo(shown.html)
    else:
        _show(shown)
    for one in look.findings(found, shown):
        place = f"{slug}:{one['line']}" if one["line"] else slug
        tell(place, f"warning: {one['message']}", (), one.get("hint", ""))
    if settings().rspamd_url and shown.raw:
        _rate(spam.ask(settings().rspamd_url or "", shown.raw))


def _render(database: Database, slug: str, as_: str | None, language: str) -> tuple[message.Content, message.Preview]:
    with database.transaction() as session:
        found, who = _found(session, slug, as_, language)
        known, now = workspace.load(session), clock.now(session)
        return found, message.render(session, found, who, known, site_url(), now)


def _found(session: Session, slug: str, as_: str | None, language: str) -> tuple[message.Content, message.Person]:
    """The content and for whom it is, in the language that is asked for or that they get."""
    found = message.find(session, slug, language)
    who = message.contact(session, find_contact(session, as_).id) if as_ else message.nobody(found)
    return found if language else message.spoken(session, found, who), who


def _show(shown: message.Preview) -> None:
    """Subject, text and figures of a message."""
    if shown.raw:
        click.echo(f"Subject: {shown.subject}\n")
    click.echo(shown.text.rstrip())
    several = "s" if shown.parts > 1 else ""
    text = f"{shown.parts} part{several}, {shown.price} a message"
    size = f"{shown.size / 1000:.1f} kB of HTML" if shown.raw else text
    for rule, holds in shown.rules:
        click.echo(f"{'shown' if holds else 'not shown'}: when {' '.join(rule.split())}", err=True)
    missing = ", ".join(shown.missing) or "nothing"
    click.echo(f"{size}; without a value: {missing}; {len(look.links(shown.html))} links", err=True)


def _rate(found: spam.Spam) -> None:
    click.echo(f"spam score {found.score} of {found.required} (rspamd)", err=True)
    for one in found.symbols[:8]:
        click.echo(f"    {one.score:+.1f} {one.name}  {one.description}", err=True)


@command.command()
@click.argument("slug")
@AS
@IN
def links(slug: str, as_: str | None, language: str) -> None:
    """Ask each link of the content SLUG whether something is there; the exit code is 1 where one leads nowhere."""
    with connected() as database:
        _, shown = _render(database, slug, as_, language)
    found = visits.visit(look.links(shown.html), networks(settings().webhook_networks))
    for each in found:
        click.echo(f"{'dead' if each.dead else 'ok'}\t{each.address}\t{each.said}")
    sys.exit(1 if any(each.dead for each in found) else 0)


@command.command()
@click.argument("slug")
@click.option("--to", multiple=True, required=True, metavar="ADDRESS", help="Who gets it; again for more, up to ten.")
@AS
@IN
def test(slug: str, to: tuple[str, ...], as_: str | None, language: str) -> None:
    """Send the content SLUG to colleagues, marked [Test]; nothing of it is tracked or counted."""
    with connected_to_send() as database:
        own = settings()
        if not own.smtp_url:
            raise ConfigurationError(
                "No mail server is set: start the local mailbox with `cairn up`, or set CAIRN_SMTP_URL."
            )
        with database.transaction() as session:
            (found, who), now = _found(session, slug, as_, language), clock.now(session)
            known = workspace.load(session)
            only = parse(own.allowed_recipients)
            letters = handing.prepare(
                session, found, who, to, known, site_url(), getpass.getuser(), now, signer(), allowed=only
            )
        handed = handing.hand_over(letters, own.smtp_url, configured(own.dkim_domain, own.dkim_keys))
    for each in handed:
        click.echo(f"{each.recipient}: {each.error or 'sent'}", err=bool(each.error))
    sys.exit(1 if any(each.error for each in handed) else 0)


for each_command in _content_history.COMMANDS:
    command.add_command(each_command)
