"""`cairn rates`: how fast messages go to a recipient domain, or through a relay or an SMS gateway."""

from __future__ import annotations

import click

from engine import clock, workspace
from engine.messages import rates, warmup_plans
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Rates of recipient domains and relays: list, set, remove."""


@command.command("list")
def list_() -> None:
    """Print the rates that are set, and the domains that are slowed down because they asked for it."""
    with connected() as database, database.transaction() as session:
        now, rows = clock.now(session), rates.listed(session)
        warming = warmup_plans.listed(session, workspace.load(session).zone, now)
    told = [(row, rates.current(row, now)) for row in rows]
    shown = [(row, pace) for row, pace in told if pace is not None]
    if not shown:
        click.echo("No rate is set, and no domain is slowed down.")
    for row, pace in shown:
        usual = f"; {rates.spell(row.per_second)} is set" if row.per_second is not None else ""
        slowed = f"  slowed down at {row.slowed_at:%Y-%m-%d %H:%M} UTC{usual}" if rates.halvings(row, now) else ""
        click.echo(f"{row.name:30} {rates.spell(pace):>12}{slowed}")

    for standing in warming:
        click.echo(f"{standing.name:30} {standing}")


@command.command("warm-up")
@click.argument("name")
@click.argument("plan", default="")
def warm_up(name: str, plan: str) -> None:
    """Let the identity NAME (or NAME/DOMAIN for a recipient domain) send a little more each day.

    PLAN is "50, x2, 50000": the messages of the first day, times more each day, and where it ends.
    """
    with connected() as database, database.transaction() as session:
        today = clock.now(session).astimezone(workspace.load(session).zone).date()
        made = warmup_plans.put(session, name, plan, today)
    click.echo(f"{name} warms up for {made.days()} days: {made}.")


@command.command("warmed-up")
@click.argument("name")
def warmed_up(name: str) -> None:
    """End the warm-up of NAME; what waits because of it is due now."""
    with connected() as database, database.transaction() as session:
        warmup_plans.remove(session, name, clock.now(session))
    click.echo(f"{name} is warmed up.")


@command.command("set")
@click.argument("name")
@click.argument("rate")
def set_(name: str, rate: str) -> None:
    """Set the RATE (20/s, 100/min, 5000/h) of NAME: a recipient domain, or a relay as `cairn email` prints it."""
    with connected() as database, database.transaction() as session:
        stored = rates.put(session, name, rate)
    click.echo(f"{stored} gets at most {rates.spell(rates.parse(rate))}.")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Lift the rate of a recipient domain or relay, and what slows it down."""
    with connected() as database, database.transaction() as session:
        rates.remove(session, name)
    click.echo(f"{name} has no rate.")
