"""`cairn down`."""

from __future__ import annotations

import click

from engine.settings import settings
from workers.embedded import running


@click.command()
def command() -> None:
    """Stop the site of this home."""
    home = settings().home.absolute()
    pid = running.stop(home)
    click.echo(f"Nothing runs in {home}." if pid is None else f"Stopped (process {pid}). The data stays in {home}.")
