"""`cairn scheduler`."""

from __future__ import annotations

import click

from webapp.cli._context import adopted
from workers.scheduler import run


@click.command()
def command() -> None:
    """Look for what is due and ring the workers (part of `cairn up`)."""
    with adopted() as settings:
        run(settings)
