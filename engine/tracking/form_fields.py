"""Questions of a sign-up form: how they are written on a line, and what an answer becomes.

A line is `ATTRIBUTE:KIND = Label * | choice | choice`. The kind is text unless it is said; the star means that it must
be filled in; the choices are those of the kind `choice`. A `hidden` field takes its value from the address of the page
that holds the form (`?utm_source=…`), else what is written as its label.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput

KINDS = ("text", "number", "date", "choice", "box", "hidden")
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
RESERVED = frozenset({
    "email", "agree", "wording", "website", "id", "external_id", "phone", "created_at", "language", "topics", "opened",
})  # fmt: skip
LONGEST = 500
MOST_FIELDS = 20
MOST_CHOICES = 50


class Refused(InvalidInput):
    """What the person has to put right; `where` names the field."""


@dataclass(frozen=True, slots=True)
class Field:
    """A question besides the address: the attribute that takes the answer, and what people read."""

    name: str
    label: str
    required: bool = False
    kind: str = "text"
    choices: Sequence[str] = ()


def parse(line: str) -> Field:
    """The field that a line says. Raises InvalidInput."""
    left, equals, right = line.partition("=")
    name, _, kind = (part.strip() for part in left.partition(":"))
    label, *choices = (part.strip() for part in right.split("|"))
    field = Field(name, label.rstrip("* "), label.endswith("*"), kind or "text", [one for one in choices if one])
    if not equals or not (field.label or field.kind == "hidden"):
        raise InvalidInput("is no field", line[:100], "Write ATTRIBUTE = Label, as in first_name = First name *")
    return field


def line(field: Field) -> str:
    """The line that says the field."""
    kind = "" if field.kind == "text" else f":{field.kind}"
    star = " *" if field.required else ""
    return " | ".join([f"{field.name}{kind} = {field.label}{star}".strip(), *field.choices])


def check(fields: Sequence[Field], slug: str) -> None:
    """Raises InvalidInput for fields that a form cannot have."""
    for field in fields:
        if not ATTRIBUTE.fullmatch(field.name) or field.name in RESERVED:
            raise InvalidInput("cannot be a field", field.name, "Use letters, digits and _; names of Cairn are taken.")
        if field.kind not in KINDS:
            raise InvalidInput("is no kind of a field", field.kind, f"There are {', '.join(KINDS)}.")
        if (field.kind == "choice") != bool(field.choices) or len(field.choices) > MOST_CHOICES:
            hint = f"Write size:choice = Size | S | M | L, with at most {MOST_CHOICES} choices."
            raise InvalidInput("has no choices, or too many, or is no choice", field.name, hint)
    if len({field.name for field in fields}) < len(fields):
        raise InvalidInput("asks for an attribute twice", slug, "Name each attribute once.")
    if len(fields) > MOST_FIELDS:
        raise InvalidInput(f"has more than {MOST_FIELDS} fields", slug, "Ask for less; people leave long forms.")


def answers(fields: Sequence[Field], sent: Mapping[str, str]) -> dict[str, Any]:
    """Attributes by name, of what was answered: text, numbers, true for a box, dates as 2026-01-31. Raises Refused."""
    found = {}
    for field in fields:
        value = sent.get(field.name, "").replace("\0", "").strip()[:LONGEST]
        if not value and field.kind == "hidden":
            value = field.label
        if field.required and not value:
            raise Refused("Please fill in this field.", field.name)
        if value:
            found[field.name] = _value(field, value)
    return found


def _value(field: Field, value: str) -> Any:
    if field.kind == "number":
        return _number(field, value)
    if field.kind == "date":
        return _date(field, value)
    if field.kind == "choice" and value not in field.choices:
        raise Refused("Please choose one of these.", field.name)
    return True if field.kind == "box" else value


def _number(field: Field, value: str) -> float:
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused("Please write a number.", field.name)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _date(field: Field, value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        raise Refused("Please write a date as 2026-01-31.", field.name) from None
