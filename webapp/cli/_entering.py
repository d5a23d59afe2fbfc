"""`cairn journeys enter` and `remove`: let one contact in, or take one out, by hand."""

from __future__ import annotations

import json
import uuid

import click

from engine import clock
from engine.contacts.find import find
from engine.errors import InvalidInput
from journeys.entering import enter as let_in
from journeys.leaving import leave
from webapp.cli._context import connected


@click.command()
@click.argument("journey")
@click.argument("contact")
@click.option("--key", default="", help="Makes the call one: with the same key nobody enters twice.")
@click.option("--properties", default="{}", help="What `event.` reads in the journey, as JSON.")
def enter(journey: str, contact: str, key: str, properties: str) -> None:
    """Let CONTACT (external id, email or phone) into JOURNEY, whose file says `enter: {api: true}`."""
    try:
        given = json.loads(properties)
    except ValueError as error:
        raise InvalidInput(f"is no JSON: {error}", where="--properties") from None
    if not isinstance(given, dict):
        raise InvalidInput("is no JSON object", where="--properties", hint="""As in '{"order_id": "A-1"}'.""")
    with connected() as database, database.transaction() as session:
        person = find(session, contact)
        fresh = let_in(session, journey, person.id, key or uuid.uuid4().hex, given, clock.now(session))
    click.echo(f"{person.name} {'is let in' if fresh else 'was let in before, with this key'}: {journey}")


@click.command()
@click.argument("journey")
@click.argument("contact")
def remove(journey: str, contact: str) -> None:
    """Take CONTACT (external id, email or phone) out of JOURNEY; what it has queued for them is cancelled."""
    with connected() as database, database.transaction() as session:
        person = find(session, contact)
        left = leave(session, journey, person.id, clock.now(session))
    click.echo(f"{person.name} {'is taken out of' if left else 'is not in'} {journey}")
