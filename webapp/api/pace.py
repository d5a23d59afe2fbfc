"""How fast a key may call: a program that has lost its head writes to nobody a thousand times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine import users
from webapp.groupcommit import Busy

RATE, BURST = 100.0, 500.0
"""Calls a second of a key, and how many at once after a rest; for each web process."""


@dataclass(slots=True)
class Pace:
    """What each key has left; a key that rests gets RATE calls a second back, until it has BURST."""

    clock: Callable[[], float] = time.monotonic
    _left: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> None:
        """Count a call of a key in force. Raises Busy if it is too fast."""
        name = users.key_hash(key)
        with self._lock:
            now = self.clock()
            left, since = self._left.get(name, (BURST, now))
            left = min(left + (now - since) * RATE, BURST)
            if left < 1:
                raise Busy(f"This key calls more than {RATE:.0f} times a second.")
            self._left[name] = (left - 1, now)
