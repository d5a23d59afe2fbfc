"""Which blocks of its content each message has: the rules of the contents, decided for a whole batch at once.

A rule that asks for fields of the contact and of the trigger event alone is judged in memory, as the claim has read
both; any other takes one statement a batch. The verdicts are kept with the message: what a rule says of a contact
changes later, and whoever looks at the message in the browser shall see what was sent.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, DateTime, Text, bindparam, cast, column, func, select, text
from sqlalchemy import literal as bound
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.content.conditions import reads_event
from engine.content.store import Renderer
from engine.errors import LanguageError
from engine.expr import Facts, Schema, dependencies, evaluate, parse
from engine.expr.ast import Node
from engine.expr.compile_sql import Scope, condition
from engine.expr.load import load as load_schema
from engine.expr.walk import asks
from engine.messages.handed import Candidate
from engine.model import Contact, Enrolment
from engine.rendering.when import name_of
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.refresh import MANY

INSTANT = DateTime(timezone=True)
NOT_LOADED = frozenset({"created_at", "last_seen_at"})
"""Fields of a contact that a claim does not read."""

KEEP = text("""
insert into message_blocks (message_id, origin_at, holds)
select id, origin_at, cast(holds as smallint[])
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:holds as text[])) as u(id, origin_at, holds)
on conflict (message_id) do update set holds = excluded.holds""")
KEPT = text("select message_id, holds from message_blocks where message_id = any(cast(:ids as bigint[]))")
statements: OrderedDict[str, tuple[Schema, Any]] = OrderedDict()
"""By the rule's text, as long as the names it uses hold: to build one takes some milliseconds."""
most_statements = 200


def decide(
    session: Session, messages: Iterable[Candidate], renderers: Mapping[int, Renderer | str], now: dt.datetime
) -> Mapping[int, Renderer | str]:
    """Fill in the `blocks` of the messages whose content asks rules; one message a contact.

    Returns the renderers: of a content with a rule that does not read any more, the reason stands in its place.
    """
    if not (concerned := _asking(messages, renderers)):
        return renderers
    ruled = {version: each.rules for version, each in renderers.items() if not isinstance(each, str)}
    schema, asked = load_schema(session), defaultdict(list)
    for each in concerned:
        for rule in ruled[each.content_version_id or 0]:
            asked[rule].append(each)
    holds: dict[str, set[int]] = {}
    broken: dict[int, str] = {}
    for rule, of in asked.items():
        try:
            holds[rule] = true_of(session, rule, schema, of, now)
        except LanguageError as error:
            reason = f"a rule of the content does not read any more: {rule}: {error.message}"
            broken |= {version: reason for version, rules in ruled.items() if rule in rules}
    for each in concerned:
        rules = ruled[each.content_version_id or 0]
        each.blocks = {name_of(n): True for n, rule in enumerate(rules, 1) if each.contact_id in holds.get(rule, ())}
    return {**renderers, **broken}


def keep(session: Session, messages: Iterable[Candidate], renderers: Mapping[int, Renderer | str]) -> None:
    """Store what was decided, also where no rule holds."""
    if kept := _asking(messages, renderers):
        numbers = [literal(int(name.rpartition("_")[2]) for name in each.blocks or ()) for each in kept]
        values = {"ids": literal([each.id for each in kept]), "origins": literal([each.origin_at for each in kept])}
        session.execute(KEEP, {**values, "holds": literal(numbers)})


def _asking(messages: Iterable[Candidate], renderers: Mapping[int, Renderer | str]) -> list[Candidate]:
    ruled = {version for version, each in renderers.items() if not isinstance(each, str) and each.rules}
    return [each for each in messages if each.content_version_id in ruled] if ruled else []


def recall(session: Session, messages: Iterable[Candidate], renderers: Mapping[int, Renderer | str]) -> None:
    """Fill in what was decided when the messages were sent."""
    if asking := _asking(messages, renderers):
        rows = session.execute(KEPT, {"ids": literal([each.id for each in asking])}).all()
        known = {id_: holds for id_, holds in rows}  # noqa: C416
        for each in asking:
            each.blocks = {name_of(number): True for number in known.get(each.id, ())}


def true_of(session: Session, rule: str, schema: Schema, messages: Sequence[Candidate], now: dt.datetime) -> set[int]:
    """The contacts of these messages of whom the rule is true at `now`. Raises LanguageError."""
    node = parse(rule, schema.aliases)
    if asks(node) or dependencies(node, schema.aliases).attributes & NOT_LOADED:
        return _by_statement(session, rule, node, schema, messages, now)
    return {each.contact_id for each in messages if evaluate(node, _facts(each, schema), now).value}


def _facts(message: Candidate, schema: Schema) -> Facts:
    known = message.contact
    return Facts(
        email=known.get("email"),
        phone=known.get("phone"),
        timezone=known.get("timezone"),
        locale=known.get("locale"),
        external_id=known.get("external_id"),
        attributes=known,
        event=properties(message),
        zone=schema.zone,
        aliases=schema.aliases,
    )


def properties(message: Candidate) -> Mapping[str, Any]:
    """What templates and rules read as `event`."""
    found: Mapping[str, Any] = message.event.get("properties", message.event)
    return found


def _by_statement(
    session: Session, rule: str, node: Node, schema: Schema, messages: Sequence[Candidate], now: dt.datetime
) -> set[int]:
    values = {
        "contacts": literal([each.contact_id for each in messages]),
        "enrolments": literal([each.enrolment_id for each in messages]),
        "events": literal([json.dumps(properties(each)) for each in messages] if reads_event(rule) else []),
    }
    if len(messages) < MANY:
        return set(session.execute(_kept(rule, node, schema), {**values, "now": now}).scalars())
    with planned(session, planning.SOME):
        return set(session.execute(_statement(node, schema, bound(now, INSTANT)), values).scalars())


def _kept(rule: str, node: Node, schema: Schema) -> Any:
    known = statements.get(rule)
    if known is None or known[0] != schema:
        while len(statements) >= most_statements:
            statements.popitem(last=False)
        known = statements[rule] = (schema, _statement(node, schema, bindparam("now", type_=INSTANT)))
    return known[1]


def _statement(node: Node, schema: Schema, now: Any) -> Any:
    """Ids of the contacts of whom the rule is true; each comes with the entry and the event behind its message."""
    asked = (
        func.unnest(_array("contacts", BigInteger), _array("enrolments", BigInteger), _array("events", JSONB))
        .table_valued(column("contact_id", BigInteger), column("enrolment_id", BigInteger), column("event", JSONB))
        .render_derived(name="asked")
    )
    contact, enrolment = Contact.__table__, Enrolment.__table__.c
    scope = Scope(
        contact=contact,
        now=now,
        entry=(enrolment.trigger_occurred_at, enrolment.trigger_received_at, enrolment.trigger_message_id),
        event=asked.c.event,
        enrolment_id=asked.c.enrolment_id,
        zone=schema.zone,
        aliases=schema.aliases,
    )
    return (
        select(asked.c.contact_id)
        .select_from(asked)
        .join(contact, contact.c.id == asked.c.contact_id)
        .outerjoin(Enrolment.__table__, enrolment.id == asked.c.enrolment_id)
        .where(condition(node, schema, scope))
    )


def _array(name: str, type_: Any) -> Any:
    return cast(cast(bindparam(name, type_=Text), ARRAY(Text)), ARRAY(type_))
