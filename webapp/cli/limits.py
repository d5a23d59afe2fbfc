"""`cairn limits`: how much a contact gets at most, and at which hours nothing is sent."""

from __future__ import annotations

import click

from engine import clock, workspace
from engine.messages import limits
from engine.reports import pressure
from webapp.cli._context import connected

ACTOR = "command line"


@click.group()
def command() -> None:
    """Limits on what contacts get: frequency caps and quiet hours."""


@command.command()
def show() -> None:
    """Print all limits, separated by tabs."""
    with connected() as database, database.transaction() as session:
        known = workspace.load(session)
    for of, words in sorted(known.caps.items()):
        click.echo(f"cap\t{of}\t{words}")
    for channel in limits.CHANNELS:
        click.echo(f"quiet\t{channel}\t{known.quiet_hours.get(channel) or 'none'}")
    for topic in known.unlimited_topics:
        click.echo(f"unlimited\ttopic:{topic}\tyes")


@command.command()
def report() -> None:
    """Print what limits hold back now, and what was dropped in the last 30 days, separated by tabs."""
    with connected() as database, database.transaction() as session:
        found = pressure.report(session, clock.now(session))
    for held in found.held:
        click.echo(f"waits\t{held.reason}\t{held.channel}\t{held.messages}\tuntil {held.last:%Y-%m-%d %H:%M} UTC")
    for dropped in found.dropped:
        click.echo(f"dropped\t{dropped.reason}\t{dropped.kind} {dropped.slug}\t{dropped.messages}")
    for one in found.throttled:
        click.echo(f"throttle\t{one.throttle}\tcampaign {one.slug}\t{one.queued} of {one.audience} queued")


@command.command("set")
@click.argument("kind", type=click.Choice(["cap", "quiet", "unlimited"]))
@click.argument("of")
@click.argument("value")
def set_(kind: str, of: str, value: str) -> None:
    """Set a limit; `none` lifts it.

    \b
    cairn limits set cap email "3 per week"        of all, email, sms or topic:SLUG
    cairn limits set quiet sms 21:00-08:00         in each contact's own time
    cairn limits set unlimited topic:orders yes    for receipts and the like
    """
    words = "" if value == "none" else value
    with connected() as database, database.transaction() as session:
        now = clock.now(session)
        if kind == "cap":
            limits.set_cap(session, of, words, ACTOR, now)
        elif kind == "quiet":
            limits.set_quiet(session, of, words, ACTOR, now)
        else:
            limits.set_unlimited(session, of.removeprefix("topic:"), _yes(value), ACTOR, now)
    click.echo(f"{kind}\t{of}\t{value}")


def _yes(value: str) -> bool:
    if value not in ("yes", "none"):
        raise click.BadParameter("is yes or none", param_hint="VALUE")
    return value == "yes"
