"""JSON as it goes to PostgreSQL, refused before it could spoil a batch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

from engine.contacts.profile import VALUE_BYTES, has_nul, unstorable
from engine.errors import InvalidInput

DEPTH = 100
plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


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


def encode(value: Mapping[str, Any], where: str) -> str:
    """An object as JSON text that jsonb accepts.

    Raises InvalidInput for NUL, lone surrogates, NaN, infinities, what is not JSON, more than 100,000 characters, and
    nesting deeper than 100.
    """
    if not value:
        return "{}"
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
    return text


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in STRINGS.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
