"""`cairn hours`: at which hours people open and click, which is what `at: best` goes by."""

from __future__ import annotations

import click

from engine import clock, workspace
from engine.contacts.find import find
from engine.habits import outlook, recount, store
from engine.messages.limits import Limits
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
        known = workspace.load(session)
        found = outlook.of(session, id_, clock.now(session), known.zone, Limits.of(known).hours_of("email", None))
    most = max(1, *(one.messages for one in found.hours))
    for one in found.hours:
        click.echo(f"{one.hour:02}:00 {one.messages:8,}  {'#' * round(WIDTH * one.messages / most)}".rstrip())
    whose = {"own": "from these", "everybody": "from everybody's", "default": "by default, as there are none yet"}
    click.echo(f"Best hour of the next day: {found.choice.slot % 24:02}:00, {whose[found.choice.by]}.")


@command.command("recount")
def recount_() -> None:
    """Count all hours anew from what was opened and clicked; done once after an upgrade to this version."""
    with connected() as database, database.transaction() as session:
        recount.recount(session, workspace.load(session).zone)
    click.echo("All hours are counted anew.")
