"""`cairn mailbox`."""

from __future__ import annotations

import click

from webapp.cli._context import adopted
from workers.mailbox import run


@click.command()
def command() -> None:
    """Receive mail for the local mailbox (part of `cairn up`)."""
    with adopted() as settings:
        run(settings)
