"""Tracking domains: at the domain of an identity only what stands in messages is answered, no page of ours.

The list is read anew every few seconds, by a request that comes by; while the database is away the last one holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from engine.db import Database
from engine.identities.store import tracking_hosts
from webapp.native import Environ

FRESH = 15.0
IN_MESSAGES = frozenset({"/o/", "/c/", "/u/", "/p/", "/w/", "/y/", "/s/"})
HEALTH = "/healthz"


class TrackingHosts:
    """Knows the tracking domains of a workspace."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    def refuses(self, environ: Environ) -> bool:
        """Whether this address is not for the host that it was asked of."""
        if environ["PATH_INFO"][:3] in IN_MESSAGES:
            return False
        host: str = environ.get("HTTP_HOST", "").lower()
        name, colon, port = host.partition(":")
        name = name.rstrip(".")  # `go.shop.example.` is the same host (RFC 3986 section 3.2.2)
        known = self._hosts()
        return (name in known or f"{name}{colon}{port}" in known) and environ["PATH_INFO"] != HEALTH

    def _hosts(self) -> frozenset[str]:
        now = self._clock()
        if now >= self._until:
            self._until = now + FRESH
            with suppress(SQLAlchemyError), self._database.transaction() as session:
                self._known = frozenset(tracking_hosts(session))
        return self._known
