"""`cairn retention`: how long raw data is kept."""

from __future__ import annotations

import getpass
from collections import Counter

import click

from engine import clock, retention
from engine.errors import InvalidInput
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """How long raw data is kept: show, set, run."""


@command.command()
def show() -> None:
    """Print for how many days each kind is kept, and how many rows are over."""
    with connected() as database, database.transaction() as session:
        kept, over = retention.settings(session), retention.due(session, clock.now(session))
    for name, days in kept.items():
        told = f"{days} days" if days is not None else "for ever"
        rest = f"{over[name]:>12,} rows are over" if name in over else ""
        click.echo(f"{name:14}{told:12}{rest}".rstrip() + f"  ({retention.KINDS[name].words})")


@command.command("set")
@click.argument("kind")
@click.argument("days")
def set_(kind: str, days: str) -> None:
    """Keep KIND for DAYS days, or `forever`. What is older goes by itself, a part every half hour."""
    if days != "forever" and not (days.isascii() and days.isdigit() and len(days) < 7):
        raise InvalidInput("is no number of days", where=days, hint="As in 400, or forever.")
    with connected() as database, database.transaction() as session:
        wanted = None if days == "forever" else int(days)
        retention.put(session, kind, wanted, getpass.getuser(), clock.now(session))
    click.echo(f"{kind} is kept {'for ever' if wanted is None else f'for {wanted} days'}.")


@command.command()
@click.option("--dry-run", is_flag=True, help="Only say how many rows would go.")
def run(dry_run: bool) -> None:
    """Let go of everything that is over now."""
    with connected() as database:
        with database.transaction() as session:
            over = retention.due(session, clock.now(session))
        gone = Counter[str](over)
        while not dry_run and any(over.values()):
            with database.transaction() as session:
                over = retention.apply(session, clock.now(session))
    for name, rows in gone.items():
        click.echo(f"{name:14}{rows:>12,} rows {'would go' if dry_run else 'are gone'}")
