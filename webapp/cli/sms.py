"""`cairn sms`: the gateway that texts go through."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import click

from engine import workspace
from engine.channels.sms.gateway import Gateway, parse
from engine.errors import InvalidInput
from engine.rendering.errors import RenderError
from engine.rendering.room import measure
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
@click.option("--to", default="", metavar="NUMBER", help="For the price to a number, such as +4915112345678.")
def count(text: str, to: str) -> None:
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
    room, price = measure(plain), f"{known.price('sms', to) * found.parts} {known.currency}"
    several, most = "s" if room.parts > 1 else "", room.used + room.left
    click.echo(f"{room.parts} part{several}, {room.used} of {most} characters, {room.alphabet}, {price}")
    if room.wide:
        click.echo(f"wide because of: {' '.join(room.wide)}")
    if plain != text:
        click.echo(f"It goes out as: {plain}")


@command.command()
@click.argument("prefix", required=False)
@click.argument("price", required=False)
def prices(prefix: str | None, price: str | None) -> None:
    """Print what a part costs, or set it for numbers that begin with PREFIX (+49); `none` lifts it.

    The longest PREFIX counts; other numbers cost `sms_price` (cairn workspace set sms_price 0.0079).
    """
    with connected() as database, database.transaction() as session:
        known = workspace.load(session)
        told = dict(known.sms_prices)
        if prefix is not None:
            told = _priced(told, prefix, price or "")
            workspace.save(session, sms_prices={name: str(value) for name, value in told.items()})
    for name, value in sorted(told.items()):
        click.echo(f"{name}\t{value} {known.currency}")
    click.echo(f"others\t{known.sms_price} {known.currency}")


def _priced(told: dict[str, Decimal], prefix: str, price: str) -> dict[str, Decimal]:
    if not re.fullmatch(rf"\+[1-9]\d{{0,{workspace.MOST_DIGITS - 1}}}", prefix):
        raise InvalidInput(f"“{prefix}” is no beginning of a number", hint="Write it like +49.")
    others = {name: value for name, value in told.items() if name != prefix}
    if price == "none":
        return others
    try:
        value = Decimal(price)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise InvalidInput(f"“{price}” is no price", prefix, "Write 0.075, or none.")
    return others | {prefix: value}


@command.command()
def receive() -> None:
    """Take receipts and texts over SMPP (part of `cairn up`). With another gateway there is nothing to do."""
    with adopted() as known:
        texts.run(known)
