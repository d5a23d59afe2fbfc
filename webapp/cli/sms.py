"""`cairn sms`: the gateway that texts go through."""

from __future__ import annotations

import click

from engine import workspace
from engine.channels.sms.gateway import Gateway, parse
from engine.errors import InvalidInput
from engine.rendering.errors import RenderError
from engine.rendering.sms import counted, folded
from engine.settings import settings
from engine.signing import signer
from webapp.cli._context import adopted, connected, site_url
from webapp.public.texts import incoming_url
from workers import texts


@click.group()
def command() -> None:
    """The gateway for texts: CAIRN_SMS_URL, the local phone without it."""


def _gateway() -> Gateway | None:
    url = settings().sms_url
    return parse(url) if url else None


@command.command()
def show() -> None:
    """The gateway, and what to enter there so that receipts and texts find their way back."""
    gateway = _gateway()
    if gateway is None:
        click.echo("Texts go to the local phone, on the page Mailbox. Set CAIRN_SMS_URL to send them.")
        return
    click.echo(f"gateway         {gateway}")
    click.echo(f"texts come from {gateway.sender or gateway.options.get('service', '')}")
    if gateway.kind == "smpp":
        click.echo("incoming texts  over SMPP: `cairn sms receive`, which is part of `cairn up`")
        return
    click.echo(f"incoming texts  {incoming_url(site_url(), gateway, signer())}")
    click.echo("receipts        each text names its own address below /hooks/sms/")
    if not settings().public_url:
        click.echo("warning: CAIRN_PUBLIC_URL is not set, so the gateway cannot reach these addresses.", err=True)


@command.command()
@click.argument("text")
def count(text: str) -> None:
    """How many parts a text takes, in which alphabet, and what it costs."""
    plain = folded(text)
    try:
        found = counted(plain)
    except RenderError as error:
        raise InvalidInput(error.message) from error
    if not plain:
        raise InvalidInput("the text is empty")
    with connected() as database, database.transaction() as session:
        known = workspace.load(session)
    alphabet = "GSM 03.38" if found.encoding == "gsm0338" else "UCS-2"
    price = f"{known.sms_price * found.parts} {known.currency}"
    click.echo(f"{found.parts} part{'s' if found.parts > 1 else ''}, {len(plain)} characters, {alphabet}, {price}")
    if plain != text:
        click.echo(f"It goes out as: {plain}")


@command.command()
def receive() -> None:
    """Take receipts and texts over SMPP (part of `cairn up`). With another gateway there is nothing to do."""
    with adopted() as known:
        texts.run(known)
