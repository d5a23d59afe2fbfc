"""Whether this process was asked to stop: long loops look at it between two batches."""

from __future__ import annotations

import threading

_requested = threading.Event()


def stop_requested() -> bool:
    """True once the process got SIGTERM or Ctrl-C; a job then returns after its present batch."""
    return _requested.is_set()


def request_stop() -> None:
    """Called by the signal handlers of worker and scheduler."""
    _requested.set()
