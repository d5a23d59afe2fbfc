"""Python values as PostgreSQL array literals, for `cast(:name as bigint[])` in statements over many rows.

The driver adapts a list value by value in Python, at ten times the cost of this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any


def _text(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


@lru_cache(maxsize=8192)
def _moment(value: dt.datetime) -> str:
    """The messages of a batch share moments, and name them again when they have their results."""
    return f'"{value.isoformat()}"'


_written: dict[type, Callable[[Any], str]] = {
    int: str,
    str: _text,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    dt.datetime: _moment,
    Decimal: str,
    type(None): lambda _: "NULL",
}


def literal(values: Iterable[int | str | bool | bytes | dt.datetime | Decimal | None]) -> str:
    """An array of one dimension (PostgreSQL 18 manual, section 8.15.2). Raises KeyError for values of other types."""
    return "{" + ",".join([_written[type(value)](value) for value in values]) + "}"
