"""Bring a segment's memberships to what its rule says, of all contacts, writing only differences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Text,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from sqlalchemy.types import NULLTYPE

from engine import clock
from engine.clock import Reading
from engine.db import int_array
from engine.errors import NotFound
from engine.expr import Schema
from engine.expr.compile_sql import Scope, condition, living, matching
from engine.expr.compile_sql.judging import judged
from engine.expr.load import load as load_schema
from engine.model import ChangeInbox, Contact, Segment, SegmentExpiry, SegmentMembership
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.rules import Rule, load_rules

INSTANT = DateTime(timezone=True)
LOCK_KEY = "hashtext(current_schema() || ' segment'), cast(:id as int)"
WAIT = text(f"select pg_advisory_xact_lock({LOCK_KEY})")
TRY = text(f"select pg_try_advisory_xact_lock({LOCK_KEY})")
DUE = text("select id from segments where stale or refreshed_at is null or refreshed_at > :now order by id")
BEFORE = text("select heard, asks from segments where id = :id")
NOTE = text("""
update segments set stale = asks > :asks, refreshed_at = :now, periodic = :periodic, contact_count = (
    select count(*) from segment_memberships where segment_id = :id and left_at is null)
where id = :id returning heard""")
ANNOUNCE = text("""
insert into change_inbox (contact_id, kind, names, created_at)
select contact_id, 'segment_left', cast(:names as text[]), :now from segment_memberships
where segment_id = :id and left_at = :now
union all select contact_id, 'segment_entered', cast(:names as text[]), :now from segment_memberships
where segment_id = :id and entered_at = :now and left_at is null""")
stay: Any = SegmentMembership.__table__
inbox: Any = ChangeInbox.__table__
expiry: Any = SegmentExpiry.__table__

MARK_STALE = text("""
update segments set stale = true, asks = asks + 1
where id in (select id from segments where periodic and not stale for update skip locked) returning id
""")


def refresh_stale(session: Session, now: Reading) -> str | None:
    """Refresh for all contacts one segment that asks for it: it is new, its rule is, or it is periodic and its turn.

    Returns its slug, None when none is left. Each call wants a transaction of its own, with the instant of that: no
    segment is then locked, or judged as of a past instant, while another one is worked on. A segment that somebody else
    is refreshing waits for a later call.
    """
    due = set(session.execute(DUE, {"now": clock.read(session, now)}).scalars())
    if not due:
        return None
    for rule in load_rules(session, load_schema(session)):
        if rule.segment_id in due and session.execute(TRY, {"id": rule.segment_id}).scalar_one():
            _refresh_all(session, rule.segment_id, now)
            return rule.slug
    return None


def refresh(session: Session, slug: str, now: Reading) -> int:
    """Refresh one segment, and before it those that it reads, for all contacts. Returns its size. Raises NotFound.

    Their locks are taken first, in the order in which whoever wants several takes them, so nobody waits in a circle.
    """
    rules = load_rules(session, load_schema(session))
    wanted = _with_read({rule.slug: rule for rule in rules}, slug)
    if slug not in wanted:
        raise NotFound("segment", slug, "It is not saved, or its rule does not read.")
    reading = [rule for rule in rules if rule.slug in wanted]
    for id_ in sorted(rule.segment_id for rule in reading):
        session.execute(WAIT, {"id": id_})
    for rule in reading:
        _refresh_all(session, rule.segment_id, now)
    return session.execute(select(Segment.contact_count).where(Segment.slug == slug)).scalar_one()


def mark_stale(session: Session) -> bool:
    """Ask for a full refresh of the segments whose changes cannot be foretold. Returns whether there are any. One that
    is being refreshed just now is left out: waiting for it could be waiting in a circle."""
    return session.execute(MARK_STALE).first() is not None


def _with_read(rules: dict[str, Rule], slug: str) -> set[str]:
    """The segment and all that it reads, directly or not."""
    found: set[str] = set()
    pending = [slug]
    while pending:
        name = pending.pop()
        if name in rules and name not in found:
            found.add(name)
            pending += rules[name].reads.segments
    return found


def _refresh_all(session: Session, segment_id: int, now: Reading) -> None:
    """The caller holds the segment's lock. The rule is read under it, and after how often somebody asked for a refresh:
    a rule that is saved meanwhile is the one that is followed, or asks again."""
    moment = clock.read(session, now)
    before = session.execute(BEFORE, {"id": segment_id}).first()
    schema = load_schema(session)
    rule = next((one for one in load_rules(session, schema) if one.segment_id == segment_id), None)
    if before is None or rule is None:
        return
    announced, asks = before
    _write(session, rule, schema, moment, announced)
    values = {"id": rule.segment_id, "now": moment}
    heard = session.execute(NOTE, {**values, "periodic": rule.periodic, "asks": asks}).scalar_one()
    if heard and not announced:  # somebody began to listen meanwhile
        session.execute(ANNOUNCE, {**values, "names": [rule.slug]})


STATEMENTS: dict[tuple[int, str], tuple[Rule, Schema, Any]] = {}
"""Statements are dear to build (some milliseconds), so each is kept as long as its rule and the names it uses hold."""

MANY = 500
"""For so many contacts it pays to build a statement that spells out the instants of windows: the planner then knows
which partitions they need, and does not join all contacts' events to find out about these."""


def members_among(session: Session, rule: Rule, schema: Schema, ids: Collection[int], now: dt.datetime) -> set[int]:
    """Those of the contacts whom the rule is true of at `now`; erased ones are in no segment."""
    asked = int_array(sorted(ids))
    if len(ids) < MANY:
        return set(session.execute(_kept(rule, schema), {"ids": asked, "now": now}).scalar_one())
    with planned(session, planning.SOME):
        return set(session.execute(_statement(rule, schema, literal(now, INSTANT)), {"ids": asked}).scalar_one())


def _kept(rule: Rule, schema: Schema) -> Any:
    key = (rule.segment_id, rule.slug)
    kept = STATEMENTS.get(key)
    if kept and kept[0].node == rule.node and kept[1] == schema:
        return kept[2]
    statement = _statement(rule, schema, bindparam("now", type_=INSTANT))
    STATEMENTS[key] = (rule, schema, statement)
    return statement


def _statement(rule: Rule, schema: Schema, now: Any) -> Any:
    contact = Contact.__table__
    verdict = condition(rule.node, schema, Scope(contact=contact, now=now))
    wanted = contact.c.id == func.any(cast(bindparam("ids", type_=Text), ARRAY(BigInteger)))
    members = func.array_agg(contact.c.id, type_=NULLTYPE)
    return select(func.coalesce(members, literal([], ARRAY(BigInteger)))).where(
        wanted, living(contact, verdict), verdict
    )


def _write(session: Session, rule: Rule, schema: Schema, now: dt.datetime, heard: bool) -> None:
    """One statement: end and begin stays where they differ from who the rule is true of now, store until when that
    holds, and announce each if somebody listens."""
    found = _found(rule, schema, now).cte("found").prefix_with("materialized")
    members = select(found.c.id).where(found.c.holds).cte("members")
    open_ = [stay.c.segment_id == rule.segment_id, stay.c.left_at.is_(None)]
    absent = ~exists().where(members.c.id == stay.c.contact_id)
    left = update(stay).where(*open_, absent).values(left_at=now).returning(stay.c.contact_id).cte("left_now")
    entered = _begin(rule, members.c.id, open_, now).returning(stay.c.contact_id).cte("entered_now")
    statement: Any = _announced(rule, left, entered, now) if heard else select(left.c.contact_id.is_(None)).limit(0)
    statement = statement.add_cte(left, entered)
    if rule.timed:
        statement = statement.add_cte(_keep(rule, found, now))
    with planned(session, planning.ALL):
        session.execute(statement)


def _found(rule: Rule, schema: Schema, now: dt.datetime) -> Any:
    """(id, holds, expires_at) of the contacts whom the rule is true of now, or whom time may let in."""
    if rule.timed:
        return judged(rule.node, schema, literal(now, INSTANT))
    return matching(rule.node, schema, now).add_columns(true().label("holds"))


def _announced(rule: Rule, left: Any, entered: Any, now: dt.datetime) -> Any:
    rows = union_all(
        *(
            select(source.c.contact_id, literal(kind, Text), literal([rule.slug], ARRAY(Text)), literal(now))
            for source, kind in ((left, "segment_left"), (entered, "segment_entered"))
        )
    )
    return insert(inbox).from_select([inbox.c.contact_id, inbox.c.kind, inbox.c.names, inbox.c.created_at], rows)


def _begin(rule: Rule, member_id: Any, open_: list[Any], now: dt.datetime) -> Any:
    already = exists().where(stay.c.contact_id == member_id, *open_)
    new = select(literal(rule.segment_id), member_id, literal(now)).where(~already)
    columns = [stay.c.segment_id, stay.c.contact_id, stay.c.entered_at]
    return upsert(stay).from_select(columns, new).on_conflict_do_nothing()


def _keep(rule: Rule, found: Any, now: dt.datetime) -> Any:
    """Store expiries; an earlier one that is still to come stays, as in `engine.segments.touched`."""
    at, columns = found.c.expires_at, [expiry.c.contact_id, expiry.c.segment_id, expiry.c.at]
    known = exists().where(
        expiry.c.segment_id == rule.segment_id, expiry.c.contact_id == found.c.id, expiry.c.at > now, expiry.c.at <= at
    )
    new = select(found.c.id, literal(rule.segment_id), at).where(at.is_not(None), ~known)
    added = upsert(expiry).from_select(columns, new)
    changed = {"at": added.excluded.at}
    return added.on_conflict_do_update(index_elements=columns[:2], set_=changed).cte("kept")
