"""`cairn hours`: at which hours people open and click, which is what `at: best` goes by."""

from __future__ import annotations

from collections import Counter

import click

from engine import clock, workspace
from engine.contacts.find import find
from engine.habits import recount, store
from webapp.cli._context import connected

WIDTH = 40


@click.group()
def command() -> None:
    """The hours at which people open and click."""


@command.command()
@click.argument("contact", required=False)
def show(contact: str | None) -> None:
    """Print how many messages were opened or clicked at which hour: by CONTACT, or by everybody."""
    with connected() as database, database.transaction() as session:
        id_ = find(session, contact).id if contact else store.EVERYBODY
        slots = store.counts_of(session, [id_]).get(id_, {})
        best = store.best(session, id_, clock.now(session), workspace.load(session).zone)
    hours = Counter[int]()
    for slot, number in slots.items():
        hours[slot % 24] += number
    most = max(hours.values(), default=1)
    for hour in range(24):
        click.echo(f"{hour:02}:00 {hours[hour]:8,}  {'#' * round(WIDTH * hours[hour] / most)}".rstrip())
    whose = {"own": "from these", "everybody": "from everybody's", "default": "by default, as there are none yet"}
    click.echo(f"Best hour of the next day: {best.slot % 24:02}:00, {whose[best.by]}.")


@command.command("recount")
def recount_() -> None:
    """Count all hours anew from what was opened and clicked; done once after an upgrade to this version."""
    with connected() as database, database.transaction() as session:
        recount.recount(session, workspace.load(session).zone)
    click.echo("All hours are counted anew.")
