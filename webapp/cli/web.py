"""`cairn web`: granian, one process with many threads."""

from __future__ import annotations

import os
import signal
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces, Loops

from webapp.cli._context import adopted
from workers.embedded.launch import die_with_parent

BLOCKING_THREADS = 64
"""So that waiting for a shared commit costs nobody else."""


@click.command()
def command() -> None:
    """Serve the site (part of `cairn up`)."""
    with adopted() as settings:
        Granian(
            "webapp.wsgi:application",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=BLOCKING_THREADS,
            loop=Loops.uvloop,
            websockets=False,
            workers_kill_timeout=4,
            respawn_failed_workers=True,  # sooner there again than by a start from the beginning
        ).serve(target_loader=load, wrap_loader=False)


def load(*_: Any) -> Any:
    """The application, loaded in granian's worker process, which would outlive a killed parent and keep the port."""
    die_with_parent(os.getppid(), signal.SIGKILL)
    from webapp.wsgi import application

    return application
