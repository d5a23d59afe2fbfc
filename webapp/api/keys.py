"""Keys of the ingest interface, kept in memory for a few seconds."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from engine import users
from engine.db import Database
from webapp.groupcommit import Unavailable
from webapp.native import Environ

LIFETIME = 3.0  # a revoked key is refused within 5 s, the query included
RETRY = 0.5  # an unknown key may be a new one; it is looked for at most this often

INGEST = "ingest"
RECEIPTS = "receipts"  # apart: keys for ingest stand in web pages, and bounces end that people are written to
READ = "read"  # what is known of people; no key that stands in a web page has it
SEND = "send"  # writes to people whatever they said of consent
CONSENT = "consent"  # says what people agreed to, also who had refused; apart for the same reason
LISTS = "lists"  # who is on which list; its answers tell whose address is known
SCOPES = (INGEST, RECEIPTS, READ, SEND, CONSENT, LISTS)


class Keys:
    """The keys in force. One thread at a time asks the database, the others wait for its answer."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._scopes: dict[bytes, frozenset[str]] = {}
        self._read_at = self._failed_at = float("-inf")

    def scopes(self, key: str) -> frozenset[str] | None:
        """The key's scopes; None for one that is not in force. Raises Unavailable while the database is away."""
        hashed = users.key_hash(key)
        self._refresh(LIFETIME)
        if hashed not in self._scopes:
            self._refresh(RETRY)
        return self._scopes.get(hashed)

    def _refresh(self, lifetime: float) -> None:
        if self._clock() - self._read_at < lifetime:
            return
        with self._lock:
            started = self._clock()
            if started - self._read_at < lifetime:
                return
            if self._clock() - self._failed_at < RETRY:
                raise Unavailable("The database is away.")
            self._read()
            self._read_at = started

    def _read(self) -> None:
        """A failure holds for half a second: who has queued up behind it must not wait for a time-out each."""
        try:
            with self._database.transaction() as session:
                self._scopes = users.api_keys(session)
        except SQLAlchemyError as error:
            self._failed_at = self._clock()
            raise Unavailable("The database is away.") from error


def of_header(environ: Environ) -> str | None:
    """The key in the header: user name of Basic (RFC 7617) or Bearer (RFC 6750); '' for a header that holds none."""
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        return str(credentials.strip())
    return _basic_user(credentials.strip()) if scheme.lower() == "basic" else ""


def of_body(document: Mapping[str, Any]) -> str:
    """The `writeKey` of the body, where browsers and the libraries put it; '' for none."""
    key = document.get("writeKey")
    return key if isinstance(key, str) else ""


def _basic_user(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except ValueError:
        return ""
    return decoded.partition(":")[0]
