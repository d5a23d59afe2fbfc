"""Carry people from older versions of a journey into another one, each group as its publisher chose.

Choices concern those who stand at the step at this instant; who reaches it later, on an older version, is not asked
about. A row that an executor holds is waited for, and left where it is if it has moved on meanwhile.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import driver
from engine.reports import rollup
from journeys.decide import decide, needs
from journeys.language.choice import EXIT, RESCHEDULE, Choice, Choices, choice_of
from journeys.language.difference import Difference, difference
from journeys.language.durations import Duration
from journeys.language.program import Program
from journeys.language.reach import ahead, behind
from journeys.language.steps import LocalTime, Split, Step, Wait, WaitFor
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import ENTRY_COLUMNS, Entry
from journeys.runtime.inside import Standing, standing
from journeys.runtime.leave import Ending, end

BATCH = 10_000
MOST_DEADLOCKS = 5
Mode = Literal["keep", "length", "again", "fresh"]

# The rows are locked by a statement of their own, so that the next one sees what the log says of them. It may see some
# that came in between, unlocked: they go along if they are still there when it comes to write them.
LOCK = """
select count(*) from (
    select e.id from unnest(%(version)s::int8[], %(step)s::text[]) as u(version_id, step_id)
    join enrolments e on e.version_id = u.version_id and e.step_id = u.step_id and e.status = 'active'
    order by e.id for update of e) locked
"""
# mode: `keep` leaves timers as they are, `length` counts them anew from arrival, `again` has the step look anew, now;
# `fresh` is an arrival. Somebody whose message is under way (phase `sending`) is not rescheduled: their step waits for
# that message. Who may come to a step once more has their visits counted from the log, so that no message meets its own
# unique key; a split counts as visited once it has drawn an arm.
CARRY = """
with asked as (
    select * from unnest(%(version)s::int8[], %(step)s::text[], %(to)s::text[], %(mode)s::text[], %(wakes)s::bool[],
        %(length)s::interval[], %(recount)s::bool[], %(detail)s::jsonb[])
        as u(version_id, step_id, to_id, mode, wakes, length, recount, detail)
), renamed as materialized (
    select * from unnest(%(from_id)s::text[], %(into_id)s::text[]) as r(from_id, into_id)
), standing as materialized (
    select e.id, u.*, case when u.recount or e.visits <> '{}' then (
        select coalesce(jsonb_object_agg(s.id, s.visit), '{}') from (
            select coalesce(r.into_id, l.step_id) as id, max(l.visit) as visit
            from (
                select step_id, visit from step_log where enrolment_id = e.id and step_id <> ''
                union all select e.step_id, e.visit) l
            left join renamed r on r.from_id = l.step_id group by 1) s
        where s.id <> all(%(splits)s::text[]) or e.arms ? s.id) else '{}' end as visits
    from asked u
    join enrolments e on e.version_id = u.version_id and e.step_id = u.step_id and e.status = 'active'
    where u.mode = 'fresh' or e.phase in ('ready', 'waiting', 'held')
), moved as (
    update enrolments e set version_id = %(new)s, step_id = u.to_id, visits = u.visits,
        visit = case when u.mode = 'fresh' then 1 + coalesce((u.visits ->> u.to_id)::int2, 0) else e.visit end,
        phase = case when u.mode = 'fresh' or (u.mode = 'again' and not u.wakes) then 'ready' else e.phase end,
        deadline = case when u.mode = 'keep' or e.phase = 'ready' and u.mode <> 'fresh' then e.deadline
            when u.mode = 'length' then coalesce(e.arrived_at, e.entered_at) + u.length end,
        wake_at = case when u.mode = 'keep' or e.phase = 'ready' and u.mode <> 'fresh' then e.wake_at
            when u.mode = 'length' and not u.wakes then coalesce(e.arrived_at, e.entered_at) + u.length
            when u.mode = 'length' then least(%(now)s, coalesce(e.arrived_at, e.entered_at) + u.length)
            else %(now)s end,
        arrived_at = case when u.mode = 'fresh' then %(now)s else e.arrived_at end,
        goal_until = case when e.goal_at is null then e.entered_at + %(within)s::interval else e.goal_until end
    from standing u
    where e.id = u.id and e.version_id = u.version_id and e.step_id = u.step_id and e.status = 'active'
    returning e.id, e.contact_id, e.step_id, e.visit, u.detail
), logged as (
    insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)
    select %(now)s, id, contact_id, %(new)s, step_id, visit, 'carried', detail from moved
)
select step_id, count(*) from moved group by step_id
"""
VERSIONS = "select id from journey_versions where journey_id = %s order by id desc"
LEAVING = (
    "select id from enrolments where version_id = %s and status = 'active' and step_id = any(%s) order by id for update"
)
UNTIMED = f"""
select {ENTRY_COLUMNS} from enrolments e
where version_id = %s and step_id = %s and status = 'active' and phase = 'waiting' and deadline is null and e.id > %s
order by e.id limit {BATCH}
"""
TIME = """
update enrolments e set deadline = u.at, wake_at = u.at from unnest(%s::int8[], %s::timestamptz[]) as u(id, at)
where e.id = u.id
"""


class Carried(NamedTuple):
    """How many people went along to the new version, and how many entries were ended."""

    people: int
    ended: int


NOBODY = Carried(0, 0)


class Move(NamedTuple):
    """Those at a step of a version and where they go. `wakes`: their step looks at them again before it waits on.
    `recount`: they may come to a step at which they were before."""

    version: Standing
    step_id: str
    to: str
    mode: Mode
    wakes: bool
    length: str | None
    recount: bool
    detail: str


def carry(session: Session, catalogue: Catalogue, version: Version, choices: Choices, now: dt.datetime) -> Carried:
    """Carry out `choices` for all who are in the journey on other versions than `version`. The caller has the turn.

    A deadlock with a sender that ends the same entries undoes and repeats this alone.
    """
    for _ in range(MOST_DEADLOCKS):
        try:
            with session.begin_nested(), rollup.together(session):
                return _carry(session, catalogue, version, choices, now)
        except DeadlockDetected:
            continue
        except OperationalError as error:  # as SQLAlchemy wraps those of its own statements
            if not isinstance(error.orig, DeadlockDetected):
                raise
    return _carry(session, catalogue, version, choices, now)


def _carry(session: Session, catalogue: Catalogue, version: Version, choices: Choices, now: dt.datetime) -> Carried:
    moves: list[Move] = []
    ended = 0
    for group in standing(session, [version.journey_id]):
        old = catalogue.version(session, group.version_id)
        edit = difference(old.program.journey, version.program.journey)
        chosen = {step_id: choice_of(step_id, edit.targets, choices) for step_id in group.steps}
        ended += _end(session, old, [id_ for id_, choice in chosen.items() if choice == EXIT], now)
        for step_id, choice in chosen.items():
            if choice.what == "move" or (choice == RESCHEDULE and old.id != version.id):
                moves.append(_move(group, old, version, edit, step_id, choice))
    if not moves:
        return Carried(0, ended)
    former = [catalogue.version(session, id_) for (id_,) in driver(session).execute(VERSIONS, (version.journey_id,))]
    moves = [move._replace(recount=_meets_again(version.program, move, former)) for move in moves]
    return Carried(_go(session, catalogue, version, moves, now), ended)


def _meets_again(program: Program, move: Move, former: Sequence[Version]) -> bool:
    """Whether those of `move` may come to a step that was behind them in a version that they may have been in.

    `former` are all versions, newest first; renames tell under which names the step stood in the older ones.
    """
    renames = {one.source: one.to for one in program.journey.moved}
    coming = ahead(program, move.to) | ({move.to} if move.mode == "fresh" else set())
    names = {move.step_id}
    for version in former:
        passed = set().union(*(behind(version.program, name) for name in names if name in version.program.steps))
        passed |= names if move.mode == "fresh" else set()
        if coming & (passed | {renames.get(step_id, step_id) for step_id in passed}):
            return True
        names |= {one.source for one in version.program.journey.moved if one.to in names}
    return False


def _end(session: Session, old: Version, steps: Sequence[str], now: dt.datetime) -> int:
    """End the entries at `steps`; the reason begins as those of exit rules do, so that retries are cancelled too."""
    if not steps:
        return 0
    ended = 0
    with driver(session).cursor("leaving") as cursor:  # in the database: so many ids would fill this process
        cursor.execute(LEAVING, (old.id, list(steps)))
        while rows := cursor.fetchmany(BATCH):
            end(session, [Ending(old, [id_ for (id_,) in rows], "exited", "exit: chosen at publishing")], now)
            ended += len(rows)
    return ended


def _move(group: Standing, old: Version, version: Version, edit: Difference, step_id: str, choice: Choice) -> Move:
    detail = json.dumps({"choice": str(choice), "from": step_id, "version": group.number})
    if choice.to:
        return Move(group, step_id, choice.to, "fresh", False, None, False, detail)
    target = edit.targets[step_id]
    change = edit.steps.get(step_id)
    if change is None or not change.fields:
        return Move(group, step_id, target, "keep", False, None, False, detail)
    timing = _timing(old.program.steps[step_id], version.program.steps[target])
    return Move(group, step_id, target, *timing, False, detail)


def _timing(before: Step, step: Step) -> tuple[Mode, bool, str | None]:
    """How a changed step treats who is at it: mode, wakes, length. A send asks anew whether it may go."""
    if not isinstance(before, Wait | WaitFor) or not isinstance(step, Wait | WaitFor):
        return "again", False, None
    until = step.up_to if isinstance(step, WaitFor) else step.until
    wakes = isinstance(step, WaitFor) or not isinstance(until, Duration)
    return ("length", wakes, _interval(until)) if isinstance(until, Duration) else ("again", wakes, None)


def _interval(length: Duration) -> str:
    """As PostgreSQL adds it: calendar steps in UTC, clamped to the month's end, as `Duration.after` does."""
    return f"{length.count} {length.unit}"


def _go(session: Session, catalogue: Catalogue, version: Version, moves: Sequence[Move], now: dt.datetime) -> int:
    partitions.ensure(session, "step_log", [now])
    journey = version.program.journey
    renames = [(one.source, one.to) for one in journey.moved]
    values: dict[str, Any] = {
        "new": version.id,
        "now": now,
        "within": _interval(journey.goal.within) if journey.goal else None,
        "from_id": [source for source, _ in renames],
        "into_id": [to for _, to in renames],
        "version": [move.version.version_id for move in moves],
        "step": [move.step_id for move in moves],
        "to": [move.to for move in moves],
        "mode": [move.mode for move in moves],
        "wakes": [move.wakes for move in moves],
        "length": [move.length for move in moves],
        "recount": [move.recount for move in moves],
        "splits": [step.id for step in version.program.steps.values() if isinstance(step, Split)],
        "detail": [move.detail for move in moves],
    }
    driver(session).execute(LOCK, values)
    counts = dict(driver(session).execute(CARRY, values).fetchall())
    counted = {(step_id, "carried"): count for step_id, count in counts.items()}
    rollup.steps(session, version.journey_id, now.date(), counted)
    for step_id in counts:
        _set_local_times(session, catalogue, version, step_id)
    return sum(counts.values())


def _set_local_times(session: Session, catalogue: Catalogue, version: Version, step_id: str) -> None:
    """Who came to a wait for a time of day waits for the first such time after they arrived, where they live."""
    step = version.program.steps[step_id]
    if not isinstance(step, Wait) or not isinstance(step.until, LocalTime):
        return
    last = 0
    while rows := [Entry(*row) for row in driver(session).execute(UNTIMED, (version.id, step_id, last)).fetchall()]:
        last = rows[-1].id
        timed = list(_local_times(session, catalogue, version, step, rows))
        driver(session).execute(TIME, ([id_ for id_, _ in timed], [at for _, at in timed]))


def _local_times(
    session: Session, catalogue: Catalogue, version: Version, step: Wait, rows: Sequence[Entry]
) -> Iterator[tuple[int, dt.datetime]]:
    wanted = needs(version.program, step)
    ask.answer(session, catalogue, version, step.id, wanted, rows, rows[0].entered_at)
    for row in rows:
        arrived = row.arrived_at or row.entered_at
        row.phase = "ready"
        [outcome] = decide(version.program, step, [row], arrived)
        yield row.id, outcome.wake_at or arrived
