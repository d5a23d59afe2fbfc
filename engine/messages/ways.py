"""The ways out for email: the installation's relays, and those of identities that have their own.

Each way has its own connections, so one that is away or slow holds up nobody else's mail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from engine.channels.addresses import addresses, name_of
from engine.channels.provider import Provider
from engine.channels.relays import Relays
from engine.messages.departures import way_of
from engine.messages.handed import Candidate

REST = 60.0


def status_of(way: str) -> str:
    """As `Ways.status_of`, for the relays of an identity; without their secrets."""
    return f"relay {name_of(addresses(way)[0])}"


class Ways:
    """Providers by the setting of their relays, made when first used. A way that fails rests for a minute.

    `main` is the installation's, under the empty setting. Used by the one thread that sends.
    """

    def __init__(self, main: Provider, make: Callable[[str], Provider], *, clock: Callable[[], float] = time.monotonic):
        self.main, self._make, self._clock = main, make, clock
        self._own: dict[str, Provider] = {}
        self._rests: dict[str, float] = {}
        self._busy: frozenset[str] = frozenset()

    def provider(self, way: str) -> Provider:
        """Who takes the messages of a way."""
        if not way:
            return self.main
        if way not in self._own:
            self._own[way] = self._make(way)
        return self._own[way]

    def rest(self, way: str) -> None:
        """It could not be used."""
        self._rests[way] = self._clock() + REST

    def wake(self, way: str) -> None:
        """It can be used again."""
        self._rests.pop(way, None)

    def hold_up(self, ways: Iterable[str]) -> None:
        """These still work on what they got long ago, and get no more until they are done."""
        self._busy = frozenset(ways)

    def is_held_up(self, way: str) -> bool:
        """Whether it still works on what it got in an earlier turn."""
        return way in self._busy

    def closed(self, way: str) -> bool:
        """Whether messages of this way have to wait."""
        return way in self._busy or self._rests.get(way, 0.0) > self._clock()

    def status_of(self, way: str) -> str:
        """The name under which `engine.messages.status` keeps whether it works."""
        return status_of(way) if way else self.main.channel

    def relay_of(self, main: str) -> Callable[[Candidate], str]:
        """Names the relay that a message goes through, that of the installation being `main`."""

        def named(message: Candidate) -> str:
            way = way_of(message)
            return self._name(way) if way else main

        return named

    def _name(self, way: str) -> str:
        own = self.provider(way)
        return own.name if isinstance(own, Relays) else name_of(addresses(way)[0])

    def close(self) -> None:
        """End the connections of all."""
        for each in (self.main, *self._own.values()):
            each.close()
