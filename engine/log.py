"""Structured logs: readable in a terminal, JSON for machines. Secrets and message bodies are never logged."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog

from engine.settings import Settings


class Unfailing:
    """A stream on which a full disk costs lines of the log, not the process that writes them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """As the stream's, but never raises OSError."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """As the stream's, but never raises OSError."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure(settings: Settings, process: str) -> None:
    """Set up logging of this process; `process` (web, worker, …) is on every line."""
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Unfailing(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
