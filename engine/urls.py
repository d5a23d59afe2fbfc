"""Addresses in messages: `/o/` pixels, `/c/` links, `/u/` unsubscribe; all signed, none with a destination in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from engine.signing import Reference, Signer

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def origin_us(origin_at: dt.datetime) -> int:
    """Microseconds since 1970, exact."""
    return (origin_at - EPOCH) // MICROSECOND


def origin_at(reference: Reference) -> dt.datetime:
    """The partition key of the message that a token names."""
    return EPOCH + reference.origin_us * MICROSECOND


class MessageUrls:
    """The addresses of one message."""

    __slots__ = ("message_id", "origin_us", "signer", "site")

    def __init__(self, site: str, signer: Signer, message_id: int, origin_at: dt.datetime) -> None:
        self.site, self.signer, self.message_id, self.origin_us = site, signer, message_id, origin_us(origin_at)

    def open(self) -> str:
        """The pixel."""
        return f"{self.site}/o/{self._token('open')}"

    def click(self, position: int) -> str:
        """The redirect of the link at `position`."""
        return self.clicks((position,))[0]

    def clicks(self, positions: Iterable[int]) -> list[str]:
        """The redirects of the links at these positions; together they cost half as much."""
        tokens = self.signer.tokens("click", self.message_id, self.origin_us, positions)
        return [f"{self.site}/c/{token}" for token in tokens]

    def unsubscribe(self) -> str:
        """The page with the button, and the target of the one-click POST (RFC 8058)."""
        return f"{self.site}/u/{self._token('unsubscribe')}"

    def _token(self, purpose: str) -> str:
        return self.signer.tokens(purpose, self.message_id, self.origin_us, (0,))[0]
