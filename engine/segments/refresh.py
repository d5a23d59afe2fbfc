"""Bring memberships to what the rules say, writing only differences, each with its row in the change inbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
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
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from sqlalchemy.types import NULLTYPE

from engine.contacts import write
from engine.db import int_array
from engine.errors import NotFound
from engine.expr import Schema
from engine.expr.compile_sql import Scope, condition, living, matching
from engine.expr.load import load as load_schema
from engine.model import ChangeInbox, Contact, Segment, SegmentMembership
from engine.segments import planning
from engine.segments.planning import planned
from engine.segments.rules import Rule, load_rules

INSTANT = DateTime(timezone=True)
EVERY = dt.timedelta(seconds=60)
LOCK_KEY = "hashtext(current_schema() || ' segment'), cast(:id as int)"
SHARE = text(f"select pg_advisory_xact_lock_shared({LOCK_KEY})")
WAIT = text(f"select pg_advisory_xact_lock({LOCK_KEY})")
TRY = text(f"select pg_try_advisory_xact_lock({LOCK_KEY})")
DUE = text(
    "select id, stale or refreshed_at is null as whole from segments where stale or refreshed_at is null "
    "or refreshed_at <= :before or refreshed_at > :now order by id"
)
NOTE = text("""
update segments set stale = false, refreshed_at = :now, contact_count = (
    select count(*) from segment_memberships where segment_id = :id and left_at is null)
where id = :id""")
OPEN = text("""
select contact_id from segment_memberships
where contact_id = any(:ids) and segment_id = :segment_id and left_at is null""")
MOVE = text("""
with gone as (
    update segment_memberships set left_at = :now
    where contact_id = any(cast(:left as bigint[])) and segment_id = :segment_id and left_at is null
    returning contact_id),
come as (
    insert into segment_memberships (segment_id, contact_id, entered_at)
    select :segment_id, contact_id, :now from unnest(cast(:entered as bigint[])) as given(contact_id)
    on conflict do nothing returning contact_id)
insert into change_inbox (contact_id, kind, names, created_at)
select contact_id, 'segment_left', cast(:names as text[]), :now from gone
union all select contact_id, 'segment_entered', cast(:names as text[]), :now from come""")
stay: Any = SegmentMembership.__table__
inbox: Any = ChangeInbox.__table__

MARK_STALE = text("""
update segments set stale = true where id in (select id from segments where not stale for update skip locked)
""")


def refresh_stale(session: Session, now: dt.datetime) -> str | None:
    """Refresh for all contacts one segment that asks for it, or that time changes and that is a minute old.

    Returns its slug, None when none is left. Each call wants a transaction of its own, with the instant of that: no
    segment is then locked, or judged as of a past instant, while another one is worked on. A segment that somebody else
    is refreshing waits for a later call.
    """
    due = {row.id: row.whole for row in session.execute(DUE, {"before": now - EVERY, "now": now})}
    if not due:
        return None
    schema = load_schema(session)
    for rule in load_rules(session, schema):
        if rule.segment_id not in due:
            continue
        if not (due[rule.segment_id] or rule.periodic):
            session.execute(NOTE, {"id": rule.segment_id, "now": now})
        elif _refresh_all(session, rule, schema, now, wait=False):
            return rule.slug
    return None


def refresh(session: Session, slug: str, now: dt.datetime) -> int:
    """Refresh one segment, and before it those that it reads, for all contacts. Returns its size. Raises NotFound."""
    schema = load_schema(session)
    rules = load_rules(session, schema)
    wanted = _with_read({rule.slug: rule for rule in rules}, slug)
    if slug not in wanted:
        raise NotFound("segment", slug, "It is not saved, or its rule does not read.")
    for position, rule in enumerate(rule for rule in rules if rule.slug in wanted):
        _refresh_all(session, rule, schema, now, wait=position == 0)
    return session.execute(select(Segment.contact_count).where(Segment.slug == slug)).scalar_one()


def mark_stale(session: Session) -> None:
    """Ask for a full refresh of every segment, as time alone changes rules with windows. One that is being refreshed
    just now is left out: waiting for it could be waiting in a circle."""
    session.execute(MARK_STALE)


def refresh_contacts(
    session: Session,
    contact_ids: Collection[int],
    kind: str,
    names: Iterable[str],
    now: dt.datetime,
    schema: Schema | None = None,
) -> int:
    """Refresh the segments that a change of this kind and these names touches, for these contacts only.

    Kinds and names as in `engine.model.ChangeInbox`; `segment` stands for both ways. Segments that read a segment whose
    membership changed follow. Returns how many memberships began or ended. The contacts are locked in the order of
    their ids.
    """
    schema = schema or load_schema(session)
    if not schema.segments:
        return 0
    rules, changed = load_rules(session, schema), list(names)
    touched = {rule.slug for rule in rules if rule.touched_by(kind, changed)}
    if not touched or not contact_ids:
        return 0
    present = write.lock(session, contact_ids, "no key update")
    moved: dict[str, set[int]] = {}
    for rule in rules:
        followed = set().union(*(moved[slug] for slug in rule.reads.segments if slug in moved))
        affected = present if rule.slug in touched else followed
        if affected:
            moved[rule.slug] = _refresh_some(session, rule, schema, affected, now)
    return sum(map(len, moved.values()))


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


def _refresh_all(session: Session, rule: Rule, schema: Schema, now: dt.datetime, *, wait: bool) -> bool:
    """Under the segment's lock; only who holds no other segment's lock may wait for it, so nobody can deadlock."""
    if not session.execute(WAIT if wait else TRY, {"id": rule.segment_id}).scalar() and not wait:
        return False
    _write(session, rule, matching(rule.node, schema, now), now)
    session.execute(NOTE, {"id": rule.segment_id, "now": now})
    return True


def _refresh_some(session: Session, rule: Rule, schema: Schema, ids: Collection[int], now: dt.datetime) -> set[int]:
    """Compare in memory: a join of two small sets that the planner knows nothing of may cost a second."""
    session.execute(SHARE, {"id": rule.segment_id})
    values = {"ids": sorted(ids), "now": now, "segment_id": rule.segment_id}
    members = members_among(session, rule, schema, ids, now)
    before = set(session.execute(OPEN, values).scalars())
    moves = {"entered": sorted(members - before), "left": sorted(before - members)}
    if members != before:
        session.execute(MOVE, {**values, **moves, "names": [rule.slug]})
    return members ^ before


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


def _write(session: Session, rule: Rule, members: Any, now: dt.datetime) -> None:
    """One statement: end and begin stays where they differ from `members`, and announce each."""
    found = members.cte("members")
    member_id = found.c[0]
    open_ = [stay.c.segment_id == rule.segment_id, stay.c.left_at.is_(None)]
    absent = ~exists().where(member_id == stay.c.contact_id)
    left = update(stay).where(*open_, absent).values(left_at=now).returning(stay.c.contact_id).cte("left_now")
    entered = _begin(rule, member_id, open_, now).returning(stay.c.contact_id).cte("entered_now")
    announced = union_all(
        *(
            select(source.c.contact_id, literal(kind, Text), literal([rule.slug], ARRAY(Text)), literal(now))
            for source, kind in ((left, "segment_left"), (entered, "segment_entered"))
        )
    )
    columns = [inbox.c.contact_id, inbox.c.kind, inbox.c.names, inbox.c.created_at]
    with planned(session, planning.ALL):
        session.execute(insert(inbox).from_select(columns, announced))


def _begin(rule: Rule, member_id: Any, open_: list[Any], now: dt.datetime) -> Any:
    already = exists().where(stay.c.contact_id == member_id, *open_)
    new = select(literal(rule.segment_id), member_id, literal(now)).where(~already)
    columns = [stay.c.segment_id, stay.c.contact_id, stay.c.entered_at]
    return upsert(stay).from_select(columns, new).on_conflict_do_nothing()
