"""What a condition correlates to while it is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, Select

from engine.expr.compile_sql.places import Json
from engine.expr.schema import Schema, zone_info

Mode = Literal["row", "set"]
Condition = ColumnElement[bool]


class Entry(NamedTuple):
    """The trigger's place in the order of events, as columns."""

    occurred_at: ColumnElement[Any]
    received_at: ColumnElement[Any]
    message_id: ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Columns that stand for the contact, the time and the journey.

    contact: `contacts` or an alias of it, part of the enclosing select. now: a bound instant or a column per row.
    entry, step_since, event (jsonb properties of the trigger event), enrolment_id: of the entry, inside journeys.
    journey: the slug, for `opened step "id"`; found through enrolment_id if it is not given.
    """

    contact: FromClause
    now: ColumnElement[Any]
    entry: Entry | tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]] | None = None
    step_since: ColumnElement[Any] | None = None
    event: ColumnElement[Any] | None = None
    enrolment_id: ColumnElement[Any] | None = None
    journey: str | ColumnElement[Any] | None = None
    zone: str | None = None
    aliases: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """The contacts that are asked about, as an array of ids, and what was looked up of all of them, by condition."""

    ids: ColumnElement[Any]
    found: dict[Any, FromClause] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """The scope while walking down a tree. `bare` is the document of bare names inside `where` and `any`.

    `joins` collects, in set mode, sub-selects keyed by contact that the enclosing select is to join; so it does in mode
    `row` where `among` is given (see `engine.expr.compile_sql.among`).
    """

    scope: Scope
    schema: Schema
    mode: Mode
    bare: Json | None = None
    joins: list[tuple[FromClause, Condition]] = field(default_factory=list)
    among: Among | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's zone."""
        return zone_info(self.scope.zone or self.schema.zone)

    def event_name(self, name: str, alias: bool) -> str:
        """The event that a name or an alias means; an unknown alias names no event."""
        aliases = self.schema.aliases if self.scope.aliases is None else self.scope.aliases
        return aliases.get(name, "") if alias else name

    def inside(self, document: Json) -> Context:
        """The context within a `where` or `any`, whose bare names lie in `document`."""
        return replace(self, bare=document)

    def join(self, grouped: Select[Any]) -> FromClause:
        """Where `joins` are heeded, join a sub-select with one row a contact, `contact_id` among its columns.

        It is materialized, or every parallel worker that reads it would work it out for itself.
        """
        joined = grouped.cte().prefix_with("materialized")
        self.joins.append((joined, joined.c.contact_id == self.scope.contact.c.id))
        return joined

    def with_contact(self, contact: FromClause) -> Context:
        """The context with another alias of contacts."""
        return replace(self, scope=replace(self.scope, contact=contact))
