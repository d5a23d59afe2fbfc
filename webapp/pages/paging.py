"""Cursors in addresses: where the next page begins, not a page number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from engine.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and the cursor of the next ones; None at the end."""

    rows: Sequence[Any]
    next: str | None


def number_cursor(text: str | None) -> int | None:
    """A cursor that is a row's number. Raises InvalidInput for anything else."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput("this is no place in the list", where="after", hint="Start from the first page.")
    return int(text)


def moment_cursor(text: str | None) -> dt.datetime | None:
    """A cursor that is an instant, in ISO 8601 with its offset. Raises InvalidInput for anything else."""
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput("this is no place in the timeline", where="before") from error
    try:  # in UTC, because PostgreSQL knows no offset of sixteen hours and none of fractions of a second
        return moment.astimezone(dt.UTC) if moment.tzinfo else _no_place()
    except OverflowError:
        return _no_place()


def _no_place() -> NoReturn:
    raise InvalidInput("this is no place in the timeline", where="before")


def cut(rows: Sequence[Any], size: int, key: str = "id") -> Page:
    """The first `size` of rows that were read with `size + 1`."""
    if len(rows) <= size:
        return Page(rows, None)
    return Page(rows[:size], str(getattr(rows[size - 1], key)))
