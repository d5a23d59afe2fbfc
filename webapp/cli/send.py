"""`cairn send`."""

from __future__ import annotations

import json
import uuid
from typing import Any

import click

from engine import clock
from engine.contacts.find import find
from engine.errors import InvalidInput
from engine.messages.direct import Order, state
from engine.messages.direct import send as queue
from webapp.cli._context import connected


@click.command()
@click.argument("content")
@click.argument("to")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="What the content reads as `event.NAME`.")
@click.option("--key", default="", help="Makes the call one: with the same key nothing is sent twice.")
@click.option("--from", "sender", default="", metavar="IDENTITY", help="Who it is from, as in cairn identities list.")
def command(content: str, to: str, values: tuple[str, ...], key: str, sender: str) -> None:
    """Send one message, CONTENT, to one contact: an email address, a phone number or an external id.

    For what answers the contact, such as a receipt: it goes whatever they said of consent. VALUE is JSON, or text.
    """
    properties = _properties(values)
    with connected() as database, database.transaction() as session:
        name = to if "@" in to or to.startswith("+") else find(session, to).name
        email, phone = (name if "@" in name else None), (name if name.startswith("+") else None)
        user_id = None if email or phone else name
        order = Order(content, key or uuid.uuid4().hex, user_id, email, phone, properties, sender=sender)
        token = queue(session, order, clock.now(session))
        found = state(session, token)
    click.echo(f"{token}  {found['state']}{': ' + found['reason'] if found['reason'] else ''}")


def _properties(values: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in values:
        name, separator, value = each.partition("=")
        if not separator or not name:
            raise InvalidInput(f"“{each}” is no setting", where="--set", hint="As in --set order=A-1.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
