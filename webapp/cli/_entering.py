"""`cairn journeys enter` and `remove`: let people in, or take them out, by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from engine import clock
from engine.contacts.find import find
from engine.contacts.list_members import in_segment
from engine.errors import InvalidInput
from journeys.entering import enter as let_in
from journeys.entering import enter_all
from journeys.leaving import leave, leave_all
from webapp.cli._context import connected


@click.command()
@click.argument("journey")
@click.argument("contact", default="")
@click.option("--segment", default="", help="In place of CONTACT: everybody who is in this segment now.")
@click.option("--key", default="", help="Makes the call one: with the same key nobody enters twice.")
@click.option("--properties", default="{}", help="What `event.` reads in the journey, as JSON.")
def enter(journey: str, contact: str, segment: str, key: str, properties: str) -> None:
    """Let CONTACT (external id, email or phone) into JOURNEY, whose file says `enter: {api: true}`."""
    _expect_one(contact, segment)
    key = key or uuid.uuid4().hex
    if segment:
        count = _each(segment, lambda session, ids: enter_all(session, journey, ids, key, clock.now(session)))
        click.echo(f"{count} are let in: {journey}. Its rules decide who enters.")
        return
    try:
        given = json.loads(properties)
    except ValueError as error:
        raise InvalidInput(f"is no JSON: {error}", where="--properties") from None
    if not isinstance(given, dict):
        raise InvalidInput("is no JSON object", where="--properties", hint="""As in '{"order_id": "A-1"}'.""")
    with connected() as database, database.transaction() as session:
        person = find(session, contact)
        fresh = let_in(session, journey, person.id, key, given, clock.now(session))
    click.echo(f"{person.name} {'is let in' if fresh else 'was let in before, with this key'}: {journey}")


@click.command()
@click.argument("journey")
@click.argument("contact", default="")
@click.option("--segment", default="", help="In place of CONTACT: everybody who is in this segment now.")
def remove(journey: str, contact: str, segment: str) -> None:
    """Take CONTACT (external id, email or phone) out of JOURNEY; what it has queued for them is cancelled."""
    _expect_one(contact, segment)
    if segment:
        count = _each(segment, lambda session, ids: leave_all(session, journey, ids, clock.now(session)))
        click.echo(f"{count} are taken out of {journey}")
        return
    with connected() as database, database.transaction() as session:
        person = find(session, contact)
        left = leave(session, journey, person.id, clock.now(session))
    click.echo(f"{person.name} {'is taken out of' if left else 'is not in'} {journey}")


def _expect_one(contact: str, segment: str) -> None:
    if bool(contact) == bool(segment):
        raise click.UsageError("Name a contact, or a --segment: one of them.")


def _each(segment: str, change: Callable[[Session, list[int]], int]) -> int:
    """Do it to everybody in the segment, a batch a transaction."""
    count = 0
    with connected() as database:
        for batch in in_segment(database, segment):
            with database.transaction() as session:
                count += change(session, batch)
    return count
