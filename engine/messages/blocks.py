"""Which blocks of its content each message has: the rules and product blocks of contents, for a whole batch at once.

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
from engine.feeds.choose import choose, named
from engine.feeds.query import query
from engine.messages.handed import Candidate
from engine.model import Contact, Enrolment
from engine.rendering.when import name_of, words
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.refresh import MANY

INSTANT = DateTime(timezone=True)
NOT_LOADED = frozenset({"created_at", "last_seen_at"})
"""Fields of a contact that a claim does not read."""

KEEP = text("""
insert into message_blocks (message_id, origin_at, holds, products)
select id, origin_at, cast(holds as smallint[]), cast(products as jsonb)
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:holds as text[]), cast(:products as text[]))
    as u(id, origin_at, holds, products)
on conflict (message_id) do update set holds = excluded.holds, products = excluded.products""")
KEPT = text("select holds, products from message_blocks where message_id = :id")
statements: OrderedDict[str, tuple[Schema, Any]] = OrderedDict()
"""By the rule's text, as long as the names it uses hold: to build one takes some milliseconds."""
most_statements = 200


def decide(
    session: Session, messages: Sequence[Candidate], renderers: Mapping[int, Renderer | str], now: dt.datetime
) -> Mapping[int, Renderer | str]:
    """Fill in the `blocks` of the messages whose content asks rules or shows products; one message a contact.

    Returns the renderers: of a content with a rule that does not read any more, the reason stands in its place.
    """
    if not (concerned := _asking(messages, renderers)):
        return renderers
    told = _judge(session, concerned, renderers, now)
    _show(session, concerned, renderers, now)
    return told


def _show(
    session: Session, concerned: Sequence[Candidate], renderers: Mapping[int, Renderer | str], now: dt.datetime
) -> None:
    """Fill in what product blocks show."""
    queries = {version: each.products for version, each in renderers.items() if not isinstance(each, str)}
    asked: dict[str, list[int]] = defaultdict(list)
    for each in concerned:
        for one in queries[each.content_version_id or 0]:
            asked[one].append(each.contact_id)
    found = choose(session, asked, now) if asked else {}
    for each in concerned:
        for number, one in enumerate(queries[each.content_version_id or 0], 1):
            each.blocks = {**(each.blocks or {}), name_of(number, "products"): found[one][each.contact_id]}


def _judge(
    session: Session, concerned: Sequence[Candidate], renderers: Mapping[int, Renderer | str], now: dt.datetime
) -> Mapping[int, Renderer | str]:
    """Fill in the verdicts of rules."""
    if not any(not isinstance(each, str) and each.rules for each in renderers.values()):
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
    """Store what was decided, also where no rule holds and no product is shown."""
    if kept := _asking(messages, renderers):
        values = {
            "ids": literal([each.id for each in kept]),
            "origins": literal([each.origin_at for each in kept]),
            "holds": literal([literal(_numbers(each, "when")) for each in kept]),
            "products": literal([json.dumps(_shown(each)) for each in kept]),
        }
        session.execute(KEEP, values)


def _numbers(message: Candidate, word: str) -> list[int]:
    return [int(name.removeprefix(words[word])) for name in message.blocks or () if name.startswith(words[word])]


def _shown(message: Candidate) -> dict[str, list[str]]:
    """By the number of the block the ids of its products."""
    own = message.blocks or {}
    return {str(n): [each["id"] for each in own[name_of(n, "products")]] for n in _numbers(message, "products")}


def _asking(messages: Iterable[Candidate], renderers: Mapping[int, Renderer | str]) -> list[Candidate]:
    ruled = {
        version for version, each in renderers.items() if not isinstance(each, str) and (each.rules or each.products)
    }
    return [each for each in messages if each.content_version_id in ruled] if ruled else []


def recall(session: Session, message: Candidate, renderer: Renderer | str) -> None:
    """Fill in what was decided when the message was sent."""
    if isinstance(renderer, str) or not (renderer.rules or renderer.products):
        return
    kept = session.execute(KEPT, {"id": message.id}).first()
    if kept is not None:
        shown = {name_of(int(n), "products"): _known(session, renderer, int(n), ids) for n, ids in kept[1].items()}
        message.blocks = {name_of(number): True for number in kept[0]} | shown


def _known(session: Session, renderer: Renderer, number: int, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    return named(session, query(renderer.products[number - 1]).feed, ids) if number <= len(renderer.products) else []


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
        .where(contact.c.id == func.any(_array("contacts", BigInteger)))  # or the planner may judge all contacts first
        .where(condition(node, schema, scope))
    )


def _array(name: str, type_: Any) -> Any:
    return cast(cast(bindparam(name, type_=Text), ARRAY(Text)), ARRAY(type_))
