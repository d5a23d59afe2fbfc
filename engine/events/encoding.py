"""JSON as it goes to PostgreSQL, refused before it could spoil a batch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

import orjson

from engine.contacts.profile import VALUE_BYTES, has_nul, unstorable
from engine.errors import InvalidInput

DEPTH = 100
plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
ONLY_JSON = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def _compiled() -> Callable[[Any, int], Iterable[str]]:
    """What `JSONEncoder.encode` makes anew for each document, which is half of what a short one costs."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, _level: plain.iterencode(value)
    compiled: Callable[[Any, int], Iterable[str]] = make(
        None, plain.default, encode_basestring, None, ":", ",", False, False, False
    )
    return compiled


_encoded = _compiled()


def encode(value: Mapping[str, Any], where: str) -> bytes:
    """An object as JSON that jsonb accepts.

    Raises InvalidInput for NUL, lone surrogates, NaN, infinities, what is not JSON, more than 100,000 characters, and
    nesting deeper than 100.
    """
    if not value:
        return b"{}"
    quick = _quickly(value)
    return _strictly(value, where) if quick is None else quick


def _quickly(value: Mapping[str, Any]) -> bytes | None:
    """What orjson writes, unless something in it may have to be refused: it writes NaN as null, and accepts NUL."""
    try:
        data = orjson.dumps(value, None, ONLY_JSON)
    except TypeError:  # among others numbers of more than 64 bits
        return None
    if b"null" in data or b"\\u0000" in data or len(data) > VALUE_BYTES:
        return None
    return data if data.count(b"[") + data.count(b"{") <= DEPTH else None


def _strictly(value: Mapping[str, Any], where: str) -> bytes:
    try:
        text = "".join(_encoded(value, 0))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("is not JSON", where=where, hint="Numbers must be finite, nesting shallow.") from error
    if len(text) > VALUE_BYTES:
        raise InvalidInput(f"is longer than {VALUE_BYTES:,} characters", where=where, hint="Send less.")
    if has_nul(text) or unstorable(text):
        raise InvalidInput("holds characters that cannot be stored", where=where, hint="Take out NUL.")
    if text.count("[") + text.count("{") > DEPTH and _depth(text) > DEPTH:
        raise InvalidInput(f"is nested deeper than {DEPTH}", where=where, hint="Flatten it.")
    return text.encode()


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in STRINGS.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
