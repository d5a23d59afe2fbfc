"""What answers from a text alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def no_connection() -> Iterator[None]:
    """Whoever connects to a database in the block fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    event.listen(Engine, "do_connect", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", refuse)
