"""Addresses in messages, all signed, none with a destination in it.

`/o/` is the pixel, `/c/` a link, `/u/` unsubscribing, `/p/` preferences, `/y/` confirming a subscription,
`/w/` the message in the browser, `/s/` a link in a text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

from engine.signing import Plan, Reference, Signer, plan

BRIEF = "/s/"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def origin_us(origin_at: dt.datetime) -> int:
    """Microseconds since 1970, exact."""
    since = origin_at - EPOCH  # to divide this by a microsecond costs three times as much
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def origin_at(reference: Reference) -> dt.datetime:
    """The partition key of the message that a token names."""
    return EPOCH + reference.origin_us * MICROSECOND


@lru_cache(maxsize=256)
def addresses(site: str, links: tuple[int, ...]) -> Plan:
    """The addresses that a message with links at these positions has, but for what is its own."""
    clicks = [("click", position, f"{site}/c/") for position in links]
    always = (("open", 0, f"{site}/o/"), ("unsubscribe", 0, f"{site}/u/"), ("preferences", 0, f"{site}/p/"))
    return plan((*always, *clicks))


class MessageUrls:
    """The addresses of one message. Those of `links`, the pixel, unsubscribing and preferences are signed together."""

    __slots__ = ("_links", "_signed", "message_id", "origin_us", "signer", "site")

    def __init__(
        self, site: str, signer: Signer, message_id: int, origin_at: dt.datetime, links: tuple[int, ...] = ()
    ) -> None:
        self.site, self.signer, self.message_id, self.origin_us = site, signer, message_id, origin_us(origin_at)
        self._links = links
        self._signed = signer.cut(message_id, self.origin_us, addresses(site, links))

    def open(self) -> str:
        """The pixel."""
        return self._signed[0]

    def click(self, position: int) -> str:
        """The redirect of the link at `position`."""
        return self.clicks((position,))[0]

    def clicks(self, positions: Iterable[int]) -> list[str]:
        """The redirects of the links at these positions; together they cost half as much."""
        if tuple(positions) == self._links:
            return self._signed[3:]
        base = f"{self.site}/c/"
        asked = tuple([("click", position) for position in positions])
        return [base + token for token in self.signer.tokens(self.message_id, self.origin_us, asked)]

    def brief(self, position: int) -> str:
        """The redirect of the link at `position` of a text."""
        return f"{self.site}{BRIEF}{self.signer.brief(self.message_id, position)}"

    def unsubscribe(self) -> str:
        """The page with the button, and the target of the one-click POST (RFC 8058)."""
        return self._signed[1]

    def preferences(self) -> str:
        """The page on which the contact chooses topics and channels."""
        return self._signed[2]

    def view(self) -> str:
        """The message in the browser."""
        return f"{self.site}/w/{self.signer.tokens(self.message_id, self.origin_us, (('view', 0),))[0]}"

    def confirm(self) -> str:
        """The page that asks once more before a subscription holds."""
        return f"{self.site}/y/{self.signer.tokens(self.message_id, self.origin_us, (('confirm', 0),))[0]}"
