"""Addresses in messages, all signed, none with a destination in it.

`/o/` is the pixel, `/c/` a link, `/u/` unsubscribing, `/p/` preferences, `/y/` confirming a subscription,
`/w/` the message in the browser.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

from engine.signing import Reference, Signer

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def origin_us(origin_at: dt.datetime) -> int:
    """Microseconds since 1970, exact."""
    return (origin_at - EPOCH) // MICROSECOND


def origin_at(reference: Reference) -> dt.datetime:
    """The partition key of the message that a token names."""
    return EPOCH + reference.origin_us * MICROSECOND


@lru_cache(maxsize=256)
def wanted(links: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    """What is signed for a message with links at these positions."""
    return (("open", 0), ("unsubscribe", 0), ("preferences", 0), *(("click", position) for position in links))


class MessageUrls:
    """The addresses of one message. Those of `links`, the pixel, unsubscribing and preferences are signed together."""

    __slots__ = ("_links", "_signed", "message_id", "origin_us", "signer", "site")

    def __init__(
        self, site: str, signer: Signer, message_id: int, origin_at: dt.datetime, links: tuple[int, ...] = ()
    ) -> None:
        self.site, self.signer, self.message_id, self.origin_us = site, signer, message_id, origin_us(origin_at)
        self._links = links
        self._signed = signer.tokens(message_id, self.origin_us, wanted(links))

    def open(self) -> str:
        """The pixel."""
        return f"{self.site}/o/{self._signed[0]}"

    def click(self, position: int) -> str:
        """The redirect of the link at `position`."""
        return self.clicks((position,))[0]

    def clicks(self, positions: Iterable[int]) -> list[str]:
        """The redirects of the links at these positions; together they cost half as much."""
        base = f"{self.site}/c/"
        if tuple(positions) == self._links:
            return [base + token for token in self._signed[3:]]
        asked = tuple([("click", position) for position in positions])
        return [base + token for token in self.signer.tokens(self.message_id, self.origin_us, asked)]

    def unsubscribe(self) -> str:
        """The page with the button, and the target of the one-click POST (RFC 8058)."""
        return f"{self.site}/u/{self._signed[1]}"

    def preferences(self) -> str:
        """The page on which the contact chooses topics and channels."""
        return f"{self.site}/p/{self._signed[2]}"

    def view(self) -> str:
        """The message in the browser."""
        return f"{self.site}/w/{self.signer.tokens(self.message_id, self.origin_us, (('view', 0),))[0]}"

    def confirm(self) -> str:
        """The page that asks once more before a subscription holds."""
        return f"{self.site}/y/{self.signer.tokens(self.message_id, self.origin_us, (('confirm', 0),))[0]}"
