"""`cairn hits`: opens and clicks as they came."""

from __future__ import annotations

from collections import Counter

import click

from engine import clock
from engine.tracking.classify import VERSION
from engine.tracking.rejudge import rejudge
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Opens and clicks, and who made them."""


@command.command("rejudge")
@click.option("--all", "everything", is_flag=True, help="Also hits that the present rules have judged.")
def rejudge_(everything: bool) -> None:
    """Judge stored hits again by the present rules. Figures, events and credit follow; journeys are not run again."""
    after: int | None = 0
    messages, moved = 0, Counter[tuple[str, str]]()
    with connected() as database:
        while after is not None:
            with database.transaction() as session:
                done = rejudge(session, clock.now(session), after=after, everything=everything)
            after, messages, moved = done.after, messages + done.messages, moved + done.moved
    click.echo(f"{messages} messages judged by version {VERSION} of the rules.")
    for (before, now), count in sorted(moved.items()):
        click.echo(f"  {before} -> {now}: {count}")
