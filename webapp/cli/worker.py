"""`cairn worker`."""

from __future__ import annotations

import click

from webapp.cli._context import adopted
from workers.worker import run


@click.command()
def command() -> None:
    """Work through what is due (part of `cairn up`)."""
    with adopted() as settings:
        run(settings)
