"""`cairn email`."""

from __future__ import annotations

import click

from engine.channels import relays
from engine.channels.addresses import accounts, addresses, name_of
from engine.channels.mail_api.account import Account, unchecked
from engine.settings import settings
from engine.signing import signer
from webapp.cli._context import connected, site_url
from webapp.public.mail_receipts import door_url


@click.command()
def command() -> None:
    """Say where email goes, and what to enter at a vendor so that receipts find their way back."""
    own = settings()
    if not own.smtp_url:
        click.echo("Email goes to the local mailbox, on the page Mailbox. Set CAIRN_SMTP_URL to send it.")
        return
    names = list(map(name_of, addresses(own.smtp_url)))
    click.echo(f"email goes to  {names[0]}")
    for name in names[1:]:
        click.echo(f"or else to     {name}")
    if len(names) > 1:
        _show_relay(own.smtp_url)
    vendors = accounts(own.smtp_url)
    for account in vendors:
        _show_webhook(account, account.kind if account.kind != vendors[0].kind else "", site_url())
    if vendors and not own.public_url:
        click.echo("warning: CAIRN_PUBLIC_URL is not set, so the vendor cannot reach this address.", err=True)


def _show_relay(setting: str) -> None:
    with connected() as database, database.transaction() as session:
        found = relays.current(session, setting)
    if found is None:
        click.echo("in use         nothing was sent yet")
        return
    click.echo(f"in use         {found.relay} since {found.since:%Y-%m-%d %H:%M} UTC")
    if found.why:
        click.echo(f"because        {found.why}")


def _show_webhook(account: Account, kind: str, site: str) -> None:
    click.echo(f"webhook        {door_url(site, signer(), kind)}")
    if wanted := unchecked(account):
        click.echo(f"warning: without ?{wanted}= the vendor's signature is not checked in full.", err=True)
