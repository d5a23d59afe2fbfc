"""Requests and answers of the hot path, straight on WSGI: what Flask would cost is most of what they cost."""

from __future__ import annotations

import functools
import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.groupcommit import Busy, Unavailable

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

REASONS = {
    200: "200 OK",
    202: "202 Accepted",
    204: "204 No Content",
    302: "302 Found",
    303: "303 See Other",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    409: "409 Conflict",
    411: "411 Length Required",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    422: "422 Unprocessable Content",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; the body's length is added."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def send(self, start_response: StartResponse) -> list[bytes]:
        """Answer a WSGI call."""
        headers = [*self.headers, ("Content-Length", str(len(self.body)))]
        if self.status == 204:
            headers = list(self.headers)
        start_response(REASONS[self.status], headers)
        return [self.body]


TEXT: Headers = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
HTML: Headers = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))

NOT_FOUND = Answer(404, TEXT, b"Not found.\n")
"""The one answer to every token that is not ours, whatever is wrong with it."""


def as_json(status: int, value: Any, headers: Headers = ()) -> Answer:
    """A JSON answer."""
    return Answer(status, JSON + headers, json.dumps(value, separators=(",", ":")).encode())


def not_allowed(*methods: str) -> Answer:
    """405, naming the methods that are (RFC 9110 §15.5.6)."""
    return Answer(405, (*TEXT, ("Allow", ", ".join(methods))), b"Method not allowed.\n")


def refusal(error: Busy | Unavailable) -> tuple[int, Headers]:
    """429 or 503, both saying when to come back (RFC 9110 §10.2.3)."""
    return (429, (("Retry-After", "1"),)) if isinstance(error, Busy) else (503, (("Retry-After", "5"),))


def content_length(environ: Environ) -> int:
    """The announced length; 0 where none is announced, or something that is no number."""
    announced: str = environ.get("CONTENT_LENGTH") or ""
    return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else 0


def receive(environ: Environ, limit: int) -> bytes:
    """The body, cut after `limit` bytes. A server may hand it out in pieces."""
    if not environ.get("wsgi.input_terminated"):
        limit = min(limit, content_length(environ))
    pieces: list[bytes] = []
    while limit > 0 and (piece := environ["wsgi.input"].read(limit)):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def client_ip(environ: Environ, trusted_header: str | None) -> str | None:
    """The client's address: the connection's, or what the trusted proxy wrote last into its header.

    `trusted_header` is the name of a header such as `X-Forwarded-For`; only its last address was written by our own
    proxy, the ones before are the client's word.
    """
    given = environ.get("REMOTE_ADDR", "")
    if trusted_header:
        given = environ.get("HTTP_" + trusted_header.upper().replace("-", "_"), given).rsplit(",", 1)[-1]
    return _address(given[:100].strip())


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    """The bare address of `text`, which may carry a port or brackets; None when it is none."""
    for candidate in (text, text.rsplit(":", 1)[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return None


def household(address: str) -> str:
    """By what callers are counted: an IPv4 address; of an IPv6 address its /64, any of which one device may take.

    RFC 4291 §2.5.4.
    """
    if ":" not in address:
        return address
    given = ipaddress.IPv6Address(address)
    return str(given.ipv4_mapped or ipaddress.IPv6Network((int(given), 64), strict=False))


def user_agent(environ: Environ) -> str | None:
    """The User-Agent, cut to a sane length and free of NUL, which PostgreSQL cannot store."""
    return clean(environ.get("HTTP_USER_AGENT", ""), 500) or None


def clean(text: str, length: int) -> str:
    """Header text fit to be stored."""
    return text[:length].replace("\0", "").encode("utf-8", "replace").decode()
