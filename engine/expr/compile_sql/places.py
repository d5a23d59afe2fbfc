"""Values inside JSON documents. To compare one where it lies costs half of digging it out and casting it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, false, literal
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

Json = ColumnElement[Any]
LIKE_ANOTHER_TYPE = re.compile(r"[-0-9\[{]|(?:true|false)\Z")
SIGNS = {"is": "==", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def dig(document: Json, parts: tuple[str, ...]) -> Json:
    """The value under a path of keys; NULL where an object is missing on the way."""
    for part in parts:
        document = document.op("->", return_type=JSONB())(literal(part, Text))
    return document


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies: a jsonb document and a path of keys, at least one."""

    document: Json
    parts: tuple[str, ...]

    @property
    def value(self) -> Json:
        """As jsonb."""
        return dig(self.document, self.parts)

    @property
    def text(self) -> ColumnElement[str]:
        """As text, whatever its type is; NULL for JSON's null."""
        owner = dig(self.document, self.parts[:-1])
        return owner.op("->>", return_type=Text())(literal(self.parts[-1], Text))

    def compares(self, sign: str, number: Decimal) -> ColumnElement[bool]:
        """Whether it is a number that compares so; false or NULL if it is none. Signs as in `SIGNS`.

        To PostgreSQL all operators cost the same, and it evaluates the cheapest condition first. A path costs three
        times what comparing a text does; the two operators more, which cost next to nothing, say so.
        """
        keys = "".join(f".{json.dumps(part, ensure_ascii=False)}" for part in self.parts)
        path = literal(f"strict ${keys} {SIGNS[sign]} {number:f}", JSONPATH)
        found: ColumnElement[bool] = self.document.op("@@", return_type=Boolean())(path)
        return dearer(dearer(found))


def dearer(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same verdict by one operator more, which the planner counts."""
    return condition.op(">", return_type=Boolean())(false())


def only_text(text: str) -> bool:
    """Whether no JSON value of another type prints as this text, so that `Place.text` can be compared with it."""
    return not LIKE_ANOTHER_TYPE.match(text)
