"""`cairn email`."""

from __future__ import annotations

import click

from engine.channels.mail_api import is_account
from engine.channels.mail_api.account import parse
from engine.channels.smtp import Server
from engine.settings import settings
from engine.signing import signer
from webapp.public.mail_receipts import door_url


@click.command()
def command() -> None:
    """Say where email goes, and what to enter at a vendor so that receipts find their way back."""
    own = settings()
    if not own.smtp_url:
        click.echo("Email goes to the local mailbox, on the page Mailbox. Set CAIRN_SMTP_URL to send it.")
        return
    if not is_account(own.smtp_url):
        click.echo(f"email goes to  {Server.parse(own.smtp_url)}")
        return
    account = parse(own.smtp_url)
    click.echo(f"email goes to  {account}")
    click.echo(f"webhook        {door_url(own.site_url, signer())}")
    wanted = {"sendgrid": "verify", "mailgun": "signing", "ses": "topic"}.get(account.kind)
    if wanted and not account.options.get(wanted):
        click.echo(f"warning: without ?{wanted}= the vendor's signature is not checked in full.", err=True)
    if not own.public_url:
        click.echo("warning: CAIRN_PUBLIC_URL is not set, so the vendor cannot reach this address.", err=True)
