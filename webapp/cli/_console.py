"""The console that tables are printed on."""

from __future__ import annotations

import sys

from rich.console import Console

ROOMY = 500


def console() -> Console:
    """As wide as the terminal; without one, as in a pipe, so wide that nothing is cut."""
    return Console(width=None if sys.stdout.isatty() else ROOMY)
