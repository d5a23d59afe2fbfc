"""`cairn clock`: a virtual clock for this workspace, to replay history or to look ahead."""

from __future__ import annotations

import datetime as dt

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine import clock, partitions
from engine.errors import InvalidInput
from webapp.cli._context import connected, connected_to_send
from workers import virtual


class Instant(click.ParamType[dt.datetime]):
    """An ISO 8601 date or time; without an offset it is UTC."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Raises a usage error for anything else."""
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"“{value}” is no instant; write it like 1998-10-01 or 2026-03-01T09:30:00+01:00", param, ctx)
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


INSTANT = Instant()


@click.group()
def command() -> None:
    """The clock: real, or virtual to replay history."""


@command.command()
def show() -> None:
    """Print the time that holds, and whether it is virtual."""
    with connected() as database, database.transaction() as session:
        virtual_now = clock.virtual_now(session)
        click.echo(f"{clock.now(session).isoformat()} ({'virtual' if virtual_now else 'real'})")


@command.command("set")
@click.argument("instant", type=INSTANT)
def set_(instant: dt.datetime) -> None:
    """Make the clock virtual, standing at INSTANT. It cannot go back."""
    with connected() as database, database.transaction() as session:
        clock.set_virtual(session, instant)
        partitions.ensure_ahead(session, instant)
    click.echo(f"The clock is virtual and stands at {instant.isoformat()}.")


@command.command()
@click.argument("until", type=INSTANT)
def run(until: dt.datetime) -> None:
    """Let virtual time pass UNTIL an instant, through the real pipeline: journeys advance and messages are sent."""
    with connected_to_send() as database:
        with database.transaction() as session:
            start = clock.virtual_now(session)
        if start is None:
            raise InvalidInput("the clock is real", hint="Set it first: cairn clock set INSTANT.")
        columns = (TextColumn("{task.fields[day]}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns) as bar:
            task = bar.add_task("", total=(until - start).total_seconds(), day=f"{start:%Y-%m-%d}")

            def progress(now: dt.datetime) -> None:
                bar.update(task, completed=(now - start).total_seconds(), day=f"{now:%Y-%m-%d}")

            virtual.run_until(database, until, progress)
    click.echo(f"The clock stands at {until.isoformat()}.")


@command.command()
def real() -> None:
    """Return to real time."""
    with connected() as database, database.transaction() as session:
        clock.set_virtual(session, None)
    click.echo("The clock is real again.")
