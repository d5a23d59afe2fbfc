"""Bring memberships of some contacts to what the rules say: after a change of them, or when what is stored expires.

Only segments are looked at that a change can touch, and those that read a segment whose membership changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock
from engine.arrays import literal
from engine.clock import Reading
from engine.contacts import write
from engine.contacts.changes import announce_alike
from engine.db import int_array
from engine.expr import Schema
from engine.expr.load import load as load_schema
from engine.segments.index import Asked, SegmentIndex
from engine.segments.judging import Verdicts, judge
from engine.segments.rules import Rule, load_rules

BATCH = 10_000

# A full refresh holds the lock of its segment alone, so whoever comes by here waits for those under way, in one order.
SHARE = text("""
select count(pg_advisory_xact_lock_shared(hashtext(current_schema() || ' segment'), id))
from (select unnest(cast(:ids as int[])) as id order by 1) as wanted""")
RULES = text("select id, rule from segments where id = any(:ids)")
OPEN = text("""
select contact_id from segment_memberships
where contact_id = any(cast(:ids as bigint[])) and segment_id = :segment_id and left_at is null""")
MOVE = text("""
with gone as (
    update segment_memberships set left_at = :now
    where contact_id = any(cast(:left as bigint[])) and segment_id = :segment_id and left_at is null)
insert into segment_memberships (segment_id, contact_id, entered_at)
select :segment_id, contact_id, :now from unnest(cast(:entered as bigint[])) as given(contact_id)
on conflict do nothing""")
# An earlier instant stays, though nothing may happen then any more: looking once in vain is cheaper than a write for
# each event of somebody who comes every day.
KEEP = text("""
insert into segment_expiries as kept (contact_id, segment_id, at)
select contact_id, :segment_id, at
from unnest(cast(:ids as bigint[]), cast(:moments as timestamptz[])) as found(contact_id, at)
where not exists (
    select from segment_expiries known where known.contact_id = found.contact_id and known.segment_id = :segment_id
    and known.at > :now and known.at <= found.at)
on conflict (contact_id, segment_id) do update set at = excluded.at""")
COUNT = text("""
with held as (select id from segments where id = any(cast(:ids as bigint[])) order by id for no key update)
update segments s set contact_count = s.contact_count + moved.people
from held, unnest(cast(:ids as bigint[]), cast(:numbers as bigint[])) as moved(id, people)
where s.id = held.id and moved.id = held.id returning s.id, s.heard""")
"""Whether anybody listens is read under the row's lock: who begins to listen writes it there, and hears all that is
committed later."""
DUE = text("select segment_id, contact_id from segment_expiries where at <= :now order by at limit :limit")
FORGET = text("""
delete from segment_expiries e
using unnest(cast(:segments as bigint[]), cast(:contacts as bigint[])) as taken(segment_id, contact_id)
where e.segment_id = taken.segment_id and e.contact_id = taken.contact_id and e.at <= :now""")
FORGET_CONTACT = text("delete from segment_expiries where contact_id = :contact_id and at <= :now")

MARK = text("""
with held as (select id from segments where id = any(:ids) order by id for no key update)
update segments s set stale = true, asks = asks + 1 from held where s.id = held.id""")


@dataclass(frozen=True, slots=True)
class Held:
    """Whom to look at, with the rules as they are while no full refresh of their segments can go on."""

    index: SegmentIndex
    schema: Schema
    asked: Asked


class Moved(NamedTuple):
    """Ids of the contacts who came into a segment, and who left it, in order."""

    entered: list[int]
    left: list[int]


def hold(session: Session, index: SegmentIndex, schema: Schema, ask: Callable[[SegmentIndex], Asked]) -> Held:
    """Wait for full refreshes of the segments that are asked, and of those that read them.

    A rule that was edited since `index` was read is read anew. The caller has locked the contacts, and takes the
    instant to judge at afterwards.
    """
    while True:
        asked = ask(index)
        rules = index.with_readers(asked)
        if not rules or _are_known(session, rules):
            return Held(index, schema, asked)
        schema = load_schema(session)
        index = SegmentIndex(load_rules(session, schema))


def _are_known(session: Session, rules: Collection[Rule]) -> bool:
    ids = [rule.segment_id for rule in rules]
    session.execute(SHARE, {"ids": int_array(ids)})
    stored = {row.id: row.rule for row in session.execute(RULES, {"ids": ids})}
    return all(stored.get(rule.segment_id) == rule.text for rule in rules)


def refresh_held(session: Session, held: Held, now: dt.datetime) -> int:
    """Judge those who are asked for at `now`. Returns how many memberships began or ended."""
    moved: dict[str, Moved] = {}
    for rule in held.index.with_readers(held.asked):
        ids = set(held.asked.get(rule.segment_id, ()))
        for slug in rule.reads.segments & moved.keys():
            ids.update(*moved[slug])
        if ids:
            moved[rule.slug] = _refresh(session, rule, held.schema, ids, now)
    _tell(session, held.index, moved, now)
    return sum(len(ids) for several in moved.values() for ids in several)


def refresh_contacts(
    session: Session,
    contact_ids: Collection[int],
    kind: str,
    names: Iterable[str],
    now: Reading,
    schema: Schema | None = None,
) -> int:
    """Refresh the segments that a change of this kind and these names touches, for these contacts only.

    Kinds and names as in `engine.model.ChangeInbox`; `segment` stands for both ways. Segments that read a segment whose
    membership changed follow. Returns how many memberships began or ended. The contacts are locked in the order of
    their ids.
    """
    schema = schema or load_schema(session)
    index, changes = SegmentIndex(load_rules(session, schema)), {(kind, tuple(names)): contact_ids}
    if not contact_ids or not index.ask(changes):
        return 0
    write.lock(session, contact_ids, "no key update")
    held = hold(session, index, schema, lambda index: index.ask(changes))
    return refresh_held(session, held, clock.read(session, now))


def mark_touched(session: Session, kind: str, names: Iterable[str]) -> None:
    """Ask for a full refresh of the segments that a change touches: cheaper for changes of very many contacts."""
    index = SegmentIndex(load_rules(session, load_schema(session)))
    if ids := list(index.touched(kind, names)):
        session.execute(MARK, {"ids": ids})


def expire(
    session: Session,
    index: SegmentIndex,
    schema: Schema,
    now: Reading,
    limit: int = BATCH,
    taken: list[int] | None = None,
) -> int:
    """Look again at those whose membership expires, at most `limit` of them. Returns how many those were.

    One transaction at a time does this. `taken` is given the ids of the contacts before they are looked at.
    """
    due = [(row[0], row[1]) for row in session.execute(DUE, {"now": clock.read(session, now), "limit": limit})]
    if not due:
        return 0
    asked: Asked = defaultdict(set)
    for segment_id, contact_id in due:
        asked[segment_id].add(contact_id)
    if taken is not None:
        taken += [contact_id for _, contact_id in due]
    write.lock(session, {contact_id for _, contact_id in due}, "no key update")
    held = hold(session, index, schema, lambda index: {id_: asked[id_] for id_ in asked.keys() & index.rules.keys()})
    moment = clock.read(session, now)
    refresh_held(session, held, moment)
    segments, contacts = ([pair[place] for pair in due] for place in (0, 1))
    session.execute(FORGET, {"segments": int_array(segments), "contacts": int_array(contacts), "now": moment})
    return len(due)


def forget(session: Session, contact_id: int, now: dt.datetime) -> None:
    """Do not look again at a contact whom no rule can be asked about; a change of it will."""
    session.execute(FORGET_CONTACT, {"contact_id": contact_id, "now": now})


def _refresh(session: Session, rule: Rule, schema: Schema, ids: Collection[int], now: dt.datetime) -> Moved:
    """Compare in memory: a join of two small sets that the planner knows nothing of may cost a second."""
    wanted = int_array(sorted(ids))
    found = judge(session, rule, schema, ids, now)
    before = set(session.execute(OPEN, {"ids": wanted, "segment_id": rule.segment_id}).scalars())
    moved = Moved(sorted(found.members - before), sorted(before - found.members))
    if found.members != before:
        values = {"entered": int_array(moved.entered), "left": int_array(moved.left)}
        session.execute(MOVE, {**values, "segment_id": rule.segment_id, "now": now})
    _keep(session, rule, found, now)
    return moved


def _keep(session: Session, rule: Rule, found: Verdicts, now: dt.datetime) -> None:
    if found.expiries:
        values = {"ids": int_array(found.expiries), "moments": literal(found.expiries.values())}
        session.execute(KEEP, {**values, "segment_id": rule.segment_id, "now": now})


def _tell(session: Session, index: SegmentIndex, moved: Mapping[str, Moved], now: dt.datetime) -> None:
    """Keep the counts, and announce who came and went where somebody listens."""
    changed = {rule.segment_id: rule.slug for rule in index.rules.values() if any(moved.get(rule.slug, ()))}
    if not changed:
        return
    numbers = [len(moved[slug].entered) - len(moved[slug].left) for slug in changed.values()]
    heard = session.execute(COUNT, {"ids": int_array(changed), "numbers": int_array(numbers)}).all()
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for slug in (changed[id_] for id_, is_heard in heard if is_heard):
        alike["segment_left", (slug,)] = moved[slug].left
        alike["segment_entered", (slug,)] = moved[slug].entered
    announce_alike(session, {change: ids for change, ids in alike.items() if ids}, now)
