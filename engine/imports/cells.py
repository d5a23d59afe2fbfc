"""What a cell means. Only what would be written back the same becomes a number.

A number is an optional minus, digits without a leading zero, and perhaps a point and digits, at most 15 digits in all:
`12`, `-3.50`, `0.5`. `007`, `1e5`, `+1`, `-0`, `.5`, `1,000` and longer numbers stay text. `true` and `false`, and as
spreadsheets write them `TRUE` and `FALSE`, are booleans. An empty cell says nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from json.encoder import encode_basestring
from typing import Any

from engine.contacts.definitions import type_of
from engine.contacts.profile import value_error
from engine.errors import InvalidInput

NUMBER = re.compile(r"(?!-0(?:\.0*)?\Z)-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.*)?", re.DOTALL)
BOOLEANS = {"true": True, "false": False, "TRUE": True, "FALSE": False}
DIGITS = 15


@functools.lru_cache(maxsize=65536)
def is_number(cell: str) -> bool:
    """Whether the cell is a number in canonical form."""
    return NUMBER.fullmatch(cell) is not None and len(cell) - cell.count("-") - cell.count(".") <= DIGITS


@functools.lru_cache(maxsize=65536)
def encoded(cell: str) -> tuple[str, str]:
    """The cell as JSON text, a number as it was written, and its type as `engine.contacts.definitions.type_of`."""
    if is_number(cell):
        return cell, "number"
    if cell in BOOLEANS:
        return ("true" if BOOLEANS[cell] else "false"), "boolean"
    return encode_basestring(cell), type_of(cell)


def text_fragment(cell: str) -> str:
    """The cell as JSON text in quotes, whatever it looks like."""
    return encode_basestring(cell)


def kind(cell: str) -> str:
    """number, boolean or text: what the cell looks like."""
    if is_number(cell):
        return "number"
    return "boolean" if cell in BOOLEANS else "text"


def number(cell: str) -> int | float:
    """The number in a canonical cell."""
    return float(cell) if "." in cell else int(cell)


def typed(cell: str, wanted: str) -> Any:
    """The cell as a value of an attribute whose type is known. Raises InvalidInput when it is not of that type."""
    if wanted == "number":
        if not is_number(cell):
            raise InvalidInput("is not a number", hint="This attribute holds numbers such as 12 or -3.50.")
        return number(cell)
    if wanted == "boolean":
        if cell not in BOOLEANS:
            raise InvalidInput("is neither true nor false", hint="This attribute holds true or false.")
        return BOOLEANS[cell]
    return _structure(cell, wanted) if wanted in ("list", "object") else cell


def _structure(cell: str, wanted: str) -> Any:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list if wanted == "list" else dict) or value_error(value):
        raise InvalidInput(f"is not a JSON {wanted}", hint=f"This attribute holds a {wanted}, written as JSON.")
    return value


@functools.lru_cache(maxsize=65536)
def instant(cell: str) -> dt.datetime:
    """ISO 8601; without an offset it is UTC, a date alone is midnight. Raises InvalidInput."""
    text = cell.strip()
    try:
        if not INSTANT.fullmatch(text):
            raise ValueError
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("is not a time", hint="Write it like 2026-01-31 or 2026-01-31T12:00:00Z.") from error
