"""Values of one contact, read as one type at a time; what is not of the type is None."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from engine.expr import ast, literals
from engine.expr.facts import Facts
from engine.expr.schema import zone_info

MISSING: Any = None
TEXT_FIELDS = ("email", "phone", "timezone", "locale", "external_id")
INSTANT_FIELDS = ("created_at", "last_seen_at")


@dataclass(eq=False)
class View:
    """The facts as seen at `now`. Bare names refer to `item` inside `where` and `any`.

    Nobody changes one; it is not frozen because one is made for each verdict, and a frozen one takes twice as long.
    """

    facts: Facts
    now: dt.datetime
    item: Any = None
    inside: bool = False

    @cached_property
    def zone(self) -> ZoneInfo:
        """The workspace's zone."""
        return zone_info(self.facts.zone)

    def within(self, item: Any) -> View:
        """The view from inside an event or a list's item."""
        return View(self.facts, self.now, item, True)


class Operand(NamedTuple):
    """A value; `kinds` are the types it may have by its place. `changes_at`: when time alone may change it."""

    raw: Any
    kinds: frozenset[str]
    json: bool = False
    folds: bool = False
    date: ast.DateValue | None = None
    changes_at: dt.datetime | None = None

    @property
    def present(self) -> bool:
        """Whether there is a value at all."""
        return self.raw is not None or self.date is not None

    def text(self) -> str | None:
        """The value if it is a text."""
        return self.raw if isinstance(self.raw, str) else None

    def number(self) -> Decimal | None:
        """The value if it is a finite number."""
        return to_number(self.raw)

    def boolean(self) -> bool | None:
        """The value if it is true or false."""
        return self.raw if isinstance(self.raw, bool) else None

    def instant(self, zone: ZoneInfo | dt.timezone = dt.UTC) -> dt.datetime | None:
        """The value if it is an instant, or a text that reads as a date; days begin at midnight in `zone`."""
        if isinstance(self.raw, dt.datetime):
            return self.raw
        if not isinstance(self.raw, str) or "instant" not in self.kinds:
            return None
        return literals.parse_moment(self.raw, zone if literals.is_day(self.raw) else dt.UTC)


TEXT = frozenset({"text"})
NUMBER = frozenset({"number"})
BOOLEAN = frozenset({"boolean"})
INSTANT = frozenset({"instant"})
JSON = frozenset({"text", "number", "boolean", "instant"})


def to_number(value: Any) -> Decimal | None:
    """JSON numbers as exact decimals; floats by their shortest text, so that 0.1 is 0.1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    number = Decimal(value)
    return number if number.is_finite() else None


def literal(value: ast.Literals) -> Operand:
    """A literal as an operand."""
    match value:
        case ast.Text(text):
            return Operand(text, TEXT)
        case ast.Number(number):
            return Operand(number, NUMBER)
        case ast.Boolean(truth):
            return Operand(truth, BOOLEAN)
        case ast.Date() | ast.Moment():
            return Operand(MISSING, frozenset(), date=value)


def dig(document: Any, parts: tuple[str, ...]) -> Any:
    """The value under a path of keys; None where an object is missing on the way."""
    for part in parts:
        if not isinstance(document, (dict, Mapping)):  # the first is asked fast, and nearly always is it
            return MISSING
        document = document.get(part)
    return document


def read_path(path: ast.Path, view: View) -> Operand:
    """A field of the contact, the event at hand, an item, or the trigger event."""
    if path.root == "event":
        return Operand(dig(view.facts.event, path.parts), JSON, json=True)
    if path.root == "" and view.inside:
        return Operand(dig(view.item, path.parts), JSON, json=True)
    return _field(path.parts, view)


def _field(parts: tuple[str, ...], view: View) -> Operand:
    name = parts[0]
    if name in TEXT_FIELDS or name in INSTANT_FIELDS:
        if len(parts) > 1:
            return Operand(MISSING, JSON, json=True)
        if name == "last_seen_at":
            return _last_seen(view)
        return Operand(getattr(view.facts, name), INSTANT if name == "created_at" else TEXT, folds=name == "email")
    return Operand(dig(view.facts.attributes, parts), JSON, json=True)


def _last_seen(view: View) -> Operand:
    """The later of the attribute and the latest event until now."""
    stored = Operand(view.facts.attributes.get("last_seen_at"), JSON).instant()
    seen = [event.occurred_at for event in view.facts.events]
    known = [moment for moment in seen if moment <= view.now] + ([stored] if stored else [])
    future = [moment for moment in seen if moment > view.now]
    return Operand(max(known, default=MISSING), INSTANT, changes_at=min(future, default=None))


def fold(text: str) -> str:
    """Lower case character by character, as PostgreSQL does."""
    return "".join(low if len(low := char.lower()) == 1 else {"İ": "i"}.get(char, char) for char in text)
