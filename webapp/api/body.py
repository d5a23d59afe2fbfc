"""Request bodies of the ingest interface: read, unpacked and parsed within limits, whatever is sent."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson

from engine.errors import CairnError
from webapp.native import Environ, receive

BATCH_BYTES = 500 * 1024
EVENT_BYTES = 32 * 1024
DEPTH = 32
NESTING = (dict, list)
LONG_NUMBER = b"0" * 19  # digits that may not fit into 64 bits
DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
GZIP = 16 + zlib.MAX_WBITS


class BadBody(CairnError):
    """The body is not acceptable as a whole; `status` is the HTTP answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read(environ: Environ) -> bytes:
    """The body, unpacked if it is gzip; never more than BATCH_BYTES. Raises BadBody (413, 415, 400)."""
    raw = _raw(environ)
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _unpacked(raw)
    if encoding not in ("", "identity"):
        raise BadBody(415, "Content-Encoding is gzip or nothing.")
    return raw


def _raw(environ: Environ) -> bytes:
    try:
        announced = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadBody(400, "Content-Length is not a number.") from None
    if announced > BATCH_BYTES:
        raise too_large("The body", BATCH_BYTES)
    raw = receive(environ, BATCH_BYTES + 1)
    if len(raw) > BATCH_BYTES:
        raise too_large("The body", BATCH_BYTES)
    return raw


def _unpacked(raw: bytes) -> bytes:
    """Bounded, so that a small body cannot grow without end."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        data = unpacker.decompress(raw, BATCH_BYTES + 1)
    except zlib.error:
        raise BadBody(400, "The body is announced as gzip and is not.") from None
    if len(data) > BATCH_BYTES:
        raise too_large("The unpacked body", BATCH_BYTES)
    if not unpacker.eof:
        raise BadBody(400, "The gzip body is cut off.")
    return data


def too_large(what: str, limit: int) -> BadBody:
    """413, saying what may come."""
    return BadBody(413, f"{what} is larger than {limit // 1024} KB.")


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data` (RFC 8259). Raises BadBody for anything else, and for NaN, NUL and deep nesting."""
    value = _loaded(data)
    if not isinstance(value, dict):
        raise BadBody(400, "The body is a JSON object.")
    if data.count(b"[") + data.count(b"{") > DEPTH:
        _check_depth(value)
    if b"\\u" in data or b"\0" in data:
        _check_text(value)
    return value


def _loaded(data: bytes) -> Any:
    """By orjson; by the standard library what it refuses, for the reason, and numbers whose digits it would round."""
    if LONG_NUMBER not in data.translate(DIGITS_ALIKE):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise BadBody(400, "The body is not UTF-8.") from None
    except RecursionError:
        raise BadBody(400, f"The body is nested deeper than {DEPTH} levels.") from None
    except ValueError as error:
        raise BadBody(400, f"The body is not JSON: {error}.") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        members = chain.from_iterable([node.values() if type(node) is dict else node for node in level])
        level = [child for child in members if type(child) in NESTING]
        if not level:
            return
    raise BadBody(400, f"The body is nested deeper than {DEPTH} levels.")


def _check_text(value: Any) -> None:
    """PostgreSQL stores neither U+0000 nor half of a surrogate pair; JSON can spell both with an escape."""
    for text in _texts(value):
        if "\0" in text:
            raise BadBody(400, "The body holds the character U+0000, which cannot be stored.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadBody(400, "The body holds half of a surrogate pair.") from None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
