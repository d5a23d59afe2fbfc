"""One HTTP POST to an endpoint: by the address that was checked, without redirects, bounded in time and size."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from engine.errors import InvalidInput
from engine.events.encoding import encode
from engine.webhooks.address import Forbidden, Network, Url, resolve

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
LARGEST_ANSWER = 64 * 1024
LARGEST_KEPT = 16 * 1024


class Answer(NamedTuple):
    """What came back: an HTTP status with the body's value, or `error` alone when nothing did.

    `value` is the body as JSON, or as text if it is none; None for an empty one or one that is too large to keep.
    """

    status: int | None = None
    value: Any = None
    error: str = ""
    retry_after: int = 0  # seconds, as the receiver asks
    hopeless: bool = False  # what was to be sent is at fault, so no further try would help


def post(url: Url, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]) -> Answer:
    """Never raises for what a receiver does; a redirect is an answer like any other."""
    try:
        address = resolve(url, allowed)
    except Forbidden as error:
        return Answer(error=str(error))
    try:
        with connected(url, address, WHOLE_SECONDS) as (connection, late):
            connection.request("POST", url.target, body, {**headers, "Host": url.authority, "Connection": "close"})
            answer = _read(connection.getresponse())
            return Answer(error=f"it took more than {WHOLE_SECONDS:g} seconds") if late.is_set() else answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(error=f"{type(error).__name__}: {error}"[:300])


@contextmanager
def connected(url: Url, address: str, seconds: float) -> Iterator[tuple[http.client.HTTPConnection, threading.Event]]:
    """A connection to this address of the host, and an event that says that it was cut after `seconds`.

    A watchdog bounds the whole: who is called may send a byte every few seconds for ever. Raises OSError.
    """
    connection, late = http.client.HTTPConnection(url.host, url.port), threading.Event()
    watchdog = threading.Timer(seconds, _cut, (connection, late))
    watchdog.start()
    try:
        connection.sock = _connected(url, address)
        yield connection, late
    finally:
        watchdog.cancel()
        connection.close()


def _connected(url: Url, address: str) -> socket.socket:
    plain = socket.create_connection((address, url.port), CONNECT_SECONDS)
    try:
        plain.settimeout(WHOLE_SECONDS)
        return _tls().wrap_socket(plain, server_hostname=url.host) if url.secure else plain
    except BaseException:
        plain.close()
        raise


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    held = connection.sock
    if held is not None:
        try:
            held.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _read(response: http.client.HTTPResponse) -> Answer:
    data = response.read(LARGEST_ANSWER + 1)
    wait = response.getheader("Retry-After", "")
    retry_after = min(int(wait), 86_400) if wait.isascii() and wait.isdigit() and len(wait) < 7 else 0
    return Answer(response.status, value_of(data), "", retry_after)


def value_of(data: bytes) -> Any:
    """The body as an attribute can keep it: as text if it is no JSON, or JSON that PostgreSQL would refuse."""
    if not data or len(data) > LARGEST_KEPT:
        return None
    text = data.decode("utf-8", "replace").replace("\0", "")
    try:
        value = json.loads(text, parse_constant=lambda _: None)
        encode({"response": value}, "response")
    except (ValueError, RecursionError, InvalidInput):
        return text.strip()
    return value
