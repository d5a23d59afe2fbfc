"""Reading a file while what was read of it before is being written."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

TURN: Final = 0.0005
"""Seconds for which a thread keeps the interpreter from one that waits for it. Who writes waits after each answer of
PostgreSQL while a batch is being read, and by Python's 5 ms an eighth of an import would be such waiting."""
Read = TypeVar("Read")


class _Turns:
    """The interval is the interpreter's: of those who shorten it at the same time the last one puts it back."""

    def __init__(self) -> None:
        self._lock, self._users, self._usual = threading.Lock(), 0, 0.0

    @contextmanager
    def shortened(self) -> Generator[None, None, None]:
        with self._lock:
            if self._users == 0:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(TURN)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    sys.setswitchinterval(self._usual)


_turns = _Turns()


def read_ahead(items: Iterator[Read]) -> Generator[Read, None, None]:
    """The items, each made in another thread while the one before it is being written."""
    with _turns.shortened(), ThreadPoolExecutor(1, "read-ahead") as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item
