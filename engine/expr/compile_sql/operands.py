"""Values as SQL, read as one type at a time; what is not of the type is NULL and no cast can fail."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    DateTime,
    Interval,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from engine.expr import ast, literals
from engine.expr.compile_sql.places import Json, Place
from engine.expr.compile_sql.scope import Context
from engine.expr.durations import exact, months, shift
from engine.model import Event

Kind = Literal["text", "number", "boolean", "instant"]
Column = ColumnElement[Any]
TEXT_COLUMNS = ("phone", "timezone", "locale", "external_id")


@dataclass(frozen=True, slots=True)
class Operand:
    """A value in its readings. `json` is the whole value where it comes from JSON, `place` where in a document it lies;
    `folds` for the contact's email; `constant` what the rule spells out.

    A date-only text means midnight in UTC, or in the workspace's zone (`day_instant`) beside a DATE of a rule.
    """

    readings: dict[Kind, Column]
    json: Json | None = None
    folds: bool = False
    day_instant: Column | None = None
    date: ast.DateValue | None = None
    constant: ast.Text | ast.Number | ast.Boolean | None = None
    place: Place | None = None

    @property
    def present(self) -> Column:
        """Whether there is a value at all; never NULL."""
        if self.json is not None:
            return func.coalesce(func.jsonb_typeof(self.json) != "null", False)
        return next((column.is_not(None) for column in self.readings.values()), true())


def operand(value: ast.Value, context: Context) -> Operand:
    """A literal, field or aggregate."""
    match value:
        case ast.Path():
            return _path(value, context)
        case ast.Aggregate():
            from engine.expr.compile_sql.aggregates import aggregate

            return aggregate(value, context)
    return _literal(value)


def _literal(value: ast.Literals) -> Operand:
    match value:
        case ast.Text(text):
            return Operand({"text": literal(text, Text)}, json=written(value), constant=value)
        case ast.Number(number):
            return Operand({"number": literal(number, Numeric)}, json=written(value), constant=value)
        case ast.Boolean(truth):
            return Operand({"boolean": literal(truth)}, json=written(value), constant=value)
        case ast.Date() | ast.Moment():
            return Operand({}, date=value)


def written(constant: ast.Text | ast.Number | ast.Boolean) -> Json:
    """As jsonb, which is worked out once a statement: `to_jsonb` would be called for each row."""
    value = constant.value
    text = f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return cast(literal(text, Text), JSONB)


def in_document(place: Place, zone: str) -> Operand:
    """What lies in a jsonb document."""
    return replace(from_json(place.value, zone), place=place)


def from_json(document: Json, zone: str) -> Operand:
    """All readings of a jsonb value."""
    kind = func.jsonb_typeof(document)
    text = document.op("#>>", return_type=Text())(cast(literal("{}"), ARRAY(Text)))
    readings: dict[Kind, Column] = {
        "text": case((kind == "string", text)),
        "number": case((kind == "number", cast(document, Numeric))),
        "boolean": case((kind == "boolean", cast(text, Boolean()))),
        "instant": _instant(kind, text, "UTC"),
    }
    return Operand(readings, json=document, day_instant=_instant(kind, text, zone))


def _instant(kind: Column, text: Column, zone: str) -> Column:
    """The cast is reached only by text that the pattern proves to be a date that exists."""
    naive = func.timezone(zone, cast(text, TIMESTAMP))
    utc = func.timezone("UTC", cast(text, TIMESTAMP))
    day = case((func.length(text) == 10, naive), else_=utc) if zone != "UTC" else utc
    read = case((text.op("~")(literals.OFFSET_PATTERN), cast(text, DateTime(timezone=True))), else_=day)
    return case((and_(kind == "string", text.op("~")(literals.DATE_PATTERN)), read))


def _path(path: ast.Path, context: Context) -> Operand:
    zone = context.zone.key
    if path.root == "event":
        event = context.scope.event
        return from_json(cast(null(), JSONB), zone) if event is None else in_document(Place(event, path.parts), zone)
    if path.root == "" and context.bare is not None:
        return in_document(Place(context.bare, path.parts), zone)
    return _field(path.parts, context)


def _field(parts: tuple[str, ...], context: Context) -> Operand:
    columns = context.scope.contact.c
    if len(parts) == 1:
        if parts[0] == "email":
            return Operand({"text": columns.email}, folds=True)
        if parts[0] in TEXT_COLUMNS:
            return Operand({"text": columns[parts[0]]})
        if parts[0] == "created_at":
            return Operand({"instant": columns.created_at})
        if parts[0] == "last_seen_at":
            return Operand({"instant": _last_seen(context)})
    elif parts[0] in ("email", *TEXT_COLUMNS, "created_at", "last_seen_at"):
        return from_json(cast(null(), JSONB), context.zone.key)
    return in_document(Place(columns.attributes, parts), context.zone.key)


def _last_seen(context: Context) -> Column:
    """The later of the attribute and the latest event until now."""
    stored = from_json(Place(context.scope.contact.c.attributes, ("last_seen_at",)).value, "UTC").readings["instant"]
    return func.greatest(stored, _latest_event(context))


def _latest_event(context: Context) -> Column:
    events = Event.__table__.alias()
    contact_id = context.scope.contact.c.id
    if context.mode == "set" and context.bare is None:
        return context.join(_grouped_latest(events, context)).c.at
    found = select(func.max(events.c.occurred_at)).where(
        events.c.contact_id == contact_id, events.c.occurred_at <= context.scope.now
    )
    return found.correlate_except(events).scalar_subquery()


def _grouped_latest(events: Any, context: Context) -> Select[Any]:
    return (
        select(events.c.contact_id, func.max(events.c.occurred_at).label("at"))
        .where(events.c.occurred_at <= context.scope.now)
        .group_by(events.c.contact_id)
    )


def shifted(moment: Column, duration: ast.Duration, sign: int) -> Column:
    """`moment` plus or minus a duration; calendar steps are taken in UTC whatever the session's zone.

    An instant that is known is shifted here, so that the planner sees which partitions a window needs.
    """
    if isinstance(moment, BindParameter) and isinstance(moment.value, dt.datetime):
        return instant(shift(moment.value, duration, sign))
    length = exact(duration)
    if length is not None:
        return moment + literal(sign * length, Interval)
    step = func.make_interval(0, sign * months(duration), type_=Interval)
    return func.timezone("UTC", func.timezone("UTC", moment) + step, type_=DateTime(timezone=True))


def instant(moment: dt.datetime) -> Column:
    """A bound instant."""
    return literal(moment, DateTime(timezone=True))


def number(value: Decimal | int) -> Column:
    """A bound number."""
    return literal(Decimal(value), Numeric)
