"""The console that tables are printed on."""

from __future__ import annotations

import sys

from rich.console import Console

ROOMY, NARROWEST = 500, 80


def console() -> Console:
    """As wide as the terminal, but wide enough for a table: a narrower one wraps its lines. Without a terminal, as in a
    pipe, so wide that nothing is cut."""
    return Console(width=max(Console().width, NARROWEST) if sys.stdout.isatty() else ROOMY)
