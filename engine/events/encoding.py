"""JSON as it goes to PostgreSQL, refused before it could spoil a batch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from engine.contacts.profile import VALUE_BYTES, has_nul, unstorable
from engine.errors import InvalidInput

DEPTH = 100
encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


def encode(value: Mapping[str, Any], where: str) -> str:
    """An object as JSON text that jsonb accepts.

    Raises InvalidInput for NUL, lone surrogates, NaN, infinities, what is not JSON, more than 100,000 characters, and
    nesting deeper than 100.
    """
    if not value:
        return "{}"
    try:
        text = encoder.encode(value)
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
