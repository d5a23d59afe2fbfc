"""`cairn streams`: streams of messages that are held back, by hand or because they were refused."""

from __future__ import annotations

import getpass

import click

from engine import clock
from engine.campaigns import resuming
from engine.receipts import streams
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Streams of messages that wait: list, pause, resume."""


@command.command("list")
@click.option("--all", "all_", is_flag=True, help="Those that go on again too, the newest first.")
def list_(all_: bool) -> None:
    """Streams that are paused: why, by whom, since when."""
    with connected() as database, database.transaction() as session:
        rows = streams.listed(session, all_=all_)
    if not rows:
        click.echo("No stream is paused.")
        return
    for row in rows:
        ended = f", resumed {row.resumed_at:%Y-%m-%d %H:%M} by {row.resumed_by}" if row.resumed_at else ""
        click.echo(f"{row.stream}\n    paused {row.paused_at:%Y-%m-%d %H:%M} by {row.by}{ended}: {row.reason}")


@command.command()
@click.argument("stream")
@click.option("--reason", default="By hand.", help="Why; colleagues read it.")
def pause(stream: str, reason: str) -> None:
    """Hold a stream: domain:SENDER>DOMAIN, journey:SLUG or campaign:ID. Its messages stay queued."""
    with connected() as database, database.transaction() as session:
        new = streams.pause(session, streams.checked(stream), reason, getpass.getuser(), clock.now(session))
    click.echo(f"{stream} is paused." if new else f"{stream} was paused before.")


@command.command()
@click.argument("stream")
def resume(stream: str) -> None:
    """Let a stream go on; what waits is sent now."""
    with connected() as database, database.transaction() as session:
        resuming.resume(session, stream, getpass.getuser(), clock.now(session))
    click.echo(f"{stream} goes on.")
