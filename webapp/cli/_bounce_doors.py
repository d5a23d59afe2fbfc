"""Doors for mail that came back: a pipe for mail servers, a listener, and a look into a mailbox."""

from __future__ import annotations

import os
import sys

import click

from engine import clock
from engine.db import Database
from engine.errors import CairnError, ConfigurationError
from engine.receipts.mail import LARGEST, Arrived, put
from engine.settings import Settings, settings
from webapp.cli._context import adopted, connected
from workers import bouncing, polling
from workers.embedded import running

EX_DATAERR, EX_TEMPFAIL = 65, 75  # sysexits.h: the mail is no mail; keep it and try again
RECIPIENTS = ("ORIGINAL_RECIPIENT", "RECIPIENT")  # what Postfix's local(8) tells of the envelope


@click.command()
@click.option("--recipient", "recipients", multiple=True, help="To whom it came, as the mail server says.")
def pipe(recipients: tuple[str, ...]) -> None:
    """Take a mail from standard input, for `|cairn bounces pipe` in the aliases of a mail server.

    Exit codes are those of sysexits.h: 0 once it is stored, 75 (try again) while the database is away.
    """
    known = recipients or tuple(filter(None, map(os.environ.get, RECIPIENTS)))
    sys.exit(take(sys.stdin.buffer.read(LARGEST), known, settings()))


def take(raw: bytes, recipients: tuple[str, ...], own: Settings) -> int:
    """Store a mail; the exit code that tells the mail server what to do. It waits for nothing that is not running."""
    if not raw.strip():
        click.echo("There is no mail on standard input.", err=True)
        return EX_DATAERR
    try:
        database = Database(_url(own), workspace=own.workspace_schema, pool_size=1)
        try:
            with database.transaction() as session:
                put(session, "pipe", [Arrived(raw, recipients)], clock.now(session))
        finally:
            database.close()
    except Exception as error:  # whatever is wrong here, the mail server keeps the mail
        click.echo(f"Not stored, try again: {error}", err=True)
        return EX_TEMPFAIL
    return 0


def _url(own: Settings) -> str:
    site = running.read(own.home)
    url = own.database_url or (site.database_url if site else None)
    if url is None:
        raise ConfigurationError("Cairn does not run here. Start `cairn up`, or set CAIRN_HOME or DATABASE_URL.")
    return url


@click.command()
@click.option("--at", "url", help="Such as lmtp://127.0.0.1:8024 or smtp://0.0.0.0:25. [default: CAIRN_BOUNCE_LISTEN]")
def listen(url: str | None) -> None:
    """Take mail that came back by LMTP or SMTP, until Ctrl-C."""
    with adopted() as own:
        chosen = url or own.bounce_listen
        if chosen is None:
            raise ConfigurationError("Say where to listen: --at lmtp://127.0.0.1:8024, or set CAIRN_BOUNCE_LISTEN.")
        bouncing.run(own, chosen, lambda where: click.echo(f"Mail that came back is taken at {where}."))


@click.command()
def poll() -> None:
    """Empty the mailbox of CAIRN_BOUNCE_MAILBOX now; the scheduler takes some hundred mails each minute."""
    own = settings()
    if own.bounce_mailbox is None:
        raise ConfigurationError("Set CAIRN_BOUNCE_MAILBOX, such as imaps://user:password@host/INBOX.")
    mailbox = polling.Mailbox.parse(own.bounce_mailbox.get_secret_value())
    with connected() as database:
        try:
            count = polling.fetch_all(database, mailbox)
        except CairnError as error:
            raise ConfigurationError(f"{error}. Check CAIRN_BOUNCE_MAILBOX.") from error
    click.echo(f"{count} mails were taken from {mailbox}.")
