"""What contacts did, as SQL: correlated sub-selects for a few rows, grouped sub-selects to join for all contacts."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    and_,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import Select

from engine.expr import ast
from engine.expr.compile_sql import among
from engine.expr.compile_sql.compare import never_null
from engine.expr.compile_sql.operands import shifted, written
from engine.expr.compile_sql.places import dig
from engine.expr.compile_sql.scope import Condition, Context
from engine.expr.compile_sql.windows import on_accepted, on_events, received_since
from engine.expr.dependencies import reads_contact
from engine.model import Contact, Content, Enrolment, Event, Journey
from engine.model import Message as MessageRow

ONCE = ast.Count("at least", 1)


def did(node: ast.Did, context: Context) -> Condition:
    """Event counts, and `never`."""
    source = event_source(node.event, node.where, node.window, context)
    if among.applies(node, context) and ranks(node.count, node.never):
        return _by_ranks(source, node, context)
    return counted(source, node, context)


def ranks(count: ast.Count | None, never: bool) -> list[int]:
    """The rows, counted from the latest, by whose leaving the window the number comes to fit or stops to."""
    count = ast.Count("exactly", 0) if never else count or ONCE
    found = {"at least": [count.times], "at most": [count.times + 1], "exactly": [count.times, count.times + 1]}
    return [rank for rank in found[count.bound] if rank > 0]


def _by_ranks(source: Source, node: ast.Did, context: Context) -> Condition:
    """Whether the number of rows fits, from the instants whose leaving the window changes that."""
    wanted, bound = ranks(node.count, node.never), "exactly" if node.never else (node.count or ONCE).bound
    moment = source.table.c.occurred_at
    looked = among.look(node, source, {f"latest_{rank}": among.latest(moment, rank) for rank in wanted}, context)
    there = [looked.c[f"latest_{rank}"].is_not(None) for rank in wanted]
    if bound == "at least":
        return there[0]
    return and_(*there[:-1], not_(there[-1]))


def message(node: ast.Message, context: Context) -> Condition:
    """Message verbs: `received` reads messages, the others the events that receipts and hits became."""
    return counted(message_source(node, context), node, context)


class Source:
    """Rows of what happened. `owner` is the column of the contact; conditions leave the contact itself open."""

    def __init__(self, table: Any, owner: ColumnElement[int], conditions: list[Any], contact: FromClause | None = None):
        self.table, self.owner, self.conditions, self.contact = table, owner, conditions, contact

    def rows(self, *columns: Any) -> Select[Any]:
        """All contacts' rows."""
        table = self.table
        if self.contact is not None:
            table = table.join(self.contact, self.contact.c.id == self.owner)
        return select(*columns).select_from(table).where(*self.conditions)

    def of(self, contact_id: Any, *columns: Any) -> Select[Any]:
        """One contact's rows, correlated to the enclosing select."""
        return select(*columns).select_from(self.table).where(self.owner == contact_id, *self.conditions)


def event_source(
    event: ast.EventName,
    where: ast.Node | None,
    window: ast.Window | None,
    context: Context,
    extra: tuple[Any, ...] = (),
) -> Source:
    """Events of a name. In set mode a `where` that looks at the contact joins it a second time."""
    from engine.expr.compile_sql.walk import walk

    events = Event.__table__.alias()
    contact = (
        Contact.__table__.alias() if where is not None and context.mode == "set" and reads_contact(where) else None
    )
    inner = context if contact is None else context.with_contact(contact)
    conditions = [events.c.name == literal(context.event_name(event.name, event.alias), Text), *extra]
    conditions += on_events(window, events, context)
    if where is not None:
        conditions.append(walk(where, inner.inside(events.c.properties)))
    return Source(events, events.c.contact_id, conditions, contact)


def message_source(node: ast.Message, context: Context) -> Source:
    """Messages, or events about them, that the condition speaks of."""
    if node.verb == "received":
        return _received(node, context)
    source = event_source(ast.EventName(ast.VERB_EVENTS[node.verb]), None, node.window, context)
    properties = source.table.c.properties
    if node.content is not None:
        source.conditions.append(_property(properties, "content", written(ast.Text(node.content))))
    if node.step is not None:
        source.conditions.append(or_(*(_property(properties, "step", written(ast.Text(id_))) for id_ in node.steps)))
        source.conditions.append(_property(properties, "journey", func.to_jsonb(_journey(context), type_=JSONB)))
    return source


def _property(properties: Any, name: str, wanted: Any) -> Condition:
    return never_null(dig(properties, (name,)) == wanted)


def _received(node: ast.Message, context: Context) -> Source:
    messages = MessageRow.__table__.alias()
    conditions = on_accepted(node.window, messages.c.accepted_at, context)
    if node.content is not None:
        contents = select(Content.id).where(Content.slug == node.content)
        conditions.append(messages.c.content_id.in_(contents))
    if node.step is not None:
        journey = select(Journey.id).where(Journey.slug == _journey(context)).scalar_subquery()
        conditions += [messages.c.step_id.in_(node.steps), messages.c.journey_id == journey]
    return Source(messages, messages.c.contact_id, conditions)


def _journey(context: Context) -> Any:
    """The slug of the journey at hand; NULL outside journeys."""
    scope = context.scope
    if isinstance(scope.journey, str):
        return literal(scope.journey, Text)
    if scope.journey is not None:
        return scope.journey
    if scope.enrolment_id is None:
        return literal(None, Text)
    enrolments, journeys = Enrolment.__table__.alias(), Journey.__table__.alias()
    found = select(journeys.c.slug).where(
        journeys.c.id == enrolments.c.journey_id, enrolments.c.id == scope.enrolment_id
    )
    return found.correlate_except(enrolments, journeys).scalar_subquery()


def counted(source: Source, node: ast.Did | ast.Message, context: Context) -> Condition:
    """Whether the number of rows fits; `never` is none at all."""
    count = ast.Count("exactly", 0) if node.never else node.count or ONCE
    if count.bound == "at least" and count.times == 0:
        return true()
    if _is_none(count):
        return not_(counted_rows(source, ONCE, context))
    return counted_rows(source, count, context)


def _is_none(count: ast.Count) -> bool:
    return count.times == 0 and count.bound in ("exactly", "at most")


def counted_rows(source: Source, count: ast.Count, context: Context) -> Condition:
    """A count of at least one row, or of at most some."""
    if context.mode == "set":
        return _joined_count(source, count, context)
    contact_id = context.scope.contact.c.id
    if count == ONCE:
        return source.of(contact_id, literal(1)).correlate_except(source.table).exists()
    limited = source.of(contact_id, literal(1).label("one")).limit(count.times + 1).correlate_except(source.table)
    total = _scalar_count(limited)
    return _fits(total, count)


def _scalar_count(limited: Select[Any]) -> ColumnElement[Any]:
    """Counting stops one past the number asked for. LATERAL lets the inner select see the contact."""
    inner = limited.lateral()
    return select(func.count()).select_from(inner).scalar_subquery()


def _joined_count(source: Source, count: ast.Count, context: Context) -> Condition:
    grouped = source.rows(source.owner.label("contact_id"), func.count().label("times")).group_by(source.owner)
    if count.bound == "at least" and count.times > 1:
        grouped = grouped.having(func.count() >= count.times)
    joined = context.join(grouped)
    if count.bound == "at least":
        return cast(Condition, joined.c.contact_id.is_not(None))
    return _fits(func.coalesce(joined.c.times, 0), count)


def _fits(total: Any, count: ast.Count) -> Condition:
    times = literal(count.times)
    return cast(
        Condition,
        total >= times if count.bound == "at least" else total <= times if count.bound == "at most" else total == times,
    )


# Sequences ------------------------------------------------------------------------------------------------------------


def sequence(node: ast.Sequence, context: Context) -> Condition:
    """`A then B within d`, `A without B within d`."""
    if context.mode == "set":
        return cast(Condition, context.join(_set_sequence(node, context)).c.contact_id.is_not(None))
    first = event_source(node.first.event, node.first.where, node.window, context)
    started = first.table.c.occurred_at
    second = event_source(node.second.event, node.second.where, None, context)
    after = second.table.c.occurred_at
    end = shifted(started, node.within, 1)
    contact_id = context.scope.contact.c.id
    followed = second.of(contact_id, literal(1)).where(
        after > started, after <= end, received_since(second.table, started)
    )
    met = followed.correlate_except(second.table).exists()
    verdict = met if node.link == "then" else and_(end <= context.scope.now, not_(met))
    found = first.of(contact_id, literal(1)).where(verdict).correlate_except(first.table)
    return found.offset(0).exists()  # or the planner may join all contacts' events to find out about a few


def _set_sequence(node: ast.Sequence, context: Context) -> Select[Any]:
    """Each A beside the first B strictly later, found in one pass over both, sorted per contact from the last back.

    The smallest B so far is then that B. Of one instant A comes first, so it does not see a B of its own time.
    """
    first = event_source(node.first.event, node.first.where, node.window, context)
    second = event_source(node.second.event, node.second.where, None, context)
    both = _marked(first, False).union_all(_marked(second, True)).subquery()
    later = func.min(both.c.follows).over(
        partition_by=both.c.contact_id, order_by=[both.c.at.desc(), both.c.follows.desc().nulls_first()], rows=(None, 0)
    )
    paired = select(both.c.contact_id, both.c.at, both.c.follows, later.label("next")).subquery()
    end = shifted(paired.c.at, node.within, 1)
    met = paired.c.next <= end
    verdict = met if node.link == "then" else and_(end <= context.scope.now, or_(paired.c.next.is_(None), not_(met)))
    return select(paired.c.contact_id).where(paired.c.follows.is_(None), verdict).distinct()


def _marked(source: Source, follows: bool) -> Select[Any]:
    moment = source.table.c.occurred_at
    follower = moment if follows else sql_cast(null(), DateTime(timezone=True))
    return source.rows(source.owner.label("contact_id"), moment.label("at"), follower.label("follows"))
