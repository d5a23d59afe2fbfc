"""Ways out of a journey: exit rules, goals met, and what both do to messages that still wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.attribution import convert
from engine.expr.values import dig
from engine.reports import rollup
from engine.workspace import Workspace
from journeys.language.steps import ValueText
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.write import log


class GoalEvent(NamedTuple):
    """What may meet a goal: an event, or (without a name) a change of the contact at `occurred_at`."""

    occurred_at: dt.datetime
    name: str = ""
    message_id: str = ""
    properties: Mapping[str, Any] | None = None


class Open(NamedTuple):
    """An enrolment whose goal may still count."""

    id: int
    contact_id: int
    goal_until: dt.datetime
    event: GoalEvent


END = text("""
update enrolments set status = :status, reason = :reason, phase = null, wake_at = null, deadline = null,
    ended_at = coalesce(ended_at, :now)
where id = any(:ids) and status in ('active', 'held_out') returning id, contact_id, entered_at
""")
CANCEL = text("""
update messages m set state = 'cancelled', reason = :reason, ended_at = :now
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as u(id, origin_at)
where m.origin_at = u.origin_at and m.enrolment_id = u.id and m.state = 'queued'
returning m.journey_id, m.step_id, m.channel
""")
MEET = text("""
update enrolments e set goal_at = u.at
from unnest(cast(:ids as bigint[]), cast(:at as timestamptz[])) as u(id, at)
where e.id = u.id and e.goal_at is null
returning e.id, e.contact_id, e.entered_at, e.held_out, e.first_entry, e.arms
""")


def exits(
    session: Session, catalogue: Catalogue, version: Version, asked: Sequence[ask.Question], now: dt.datetime
) -> set[int]:
    """End those enrolments for which an exit rule holds; returns their ids."""
    rules = version.program.journey.exits
    if not rules or not asked:
        return set()
    found = ask.truths(session, catalogue, (version.id, "exit"), rules, asked)
    for index, rule in enumerate(rules):
        ids = [id_ for id_, verdicts in found.items() if True in verdicts and verdicts.index(True) == index]
        end(session, version, ids, "exited", f"exit: {rule.text}", now)
    return {id_ for id_, verdicts in found.items() if True in verdicts}


def end(session: Session, version: Version, ids: Sequence[int], status: str, reason: str, now: dt.datetime) -> None:
    """End enrolments and cancel their queued messages in the same commit; what is being sent goes on."""
    if not ids:
        return
    ended = session.execute(END, {"ids": list(ids), "status": status, "reason": reason, "now": now}).all()
    log(session, version, [(id_, contact_id, "", status, {"reason": reason}) for id_, contact_id, _ in ended], now)
    cancel(session, [(row.id, row.entered_at) for row in ended], status, now)


def cancel(session: Session, entries: Sequence[tuple[int, dt.datetime]], reason: str, now: dt.datetime) -> None:
    """Cancel what is still queued of entries, given as (id, entered_at)."""
    if not entries:
        return
    ids, origins = zip(*entries, strict=True)
    gone = session.execute(CANCEL, {"ids": list(ids), "origins": list(origins), "reason": reason, "now": now}).all()
    lost = {"undelivered": 1}
    rollup.messages(session, [rollup.MessageDelta(row[0], row[1], row[2], now.date(), lost) for row in gone])


def goals(session: Session, catalogue: Catalogue, version: Version, asked: Sequence[Open], now: dt.datetime) -> None:
    """Count the goal, once an entry, where its rule holds within its time; it ends the entry unless `stay`."""
    goal = version.program.journey.goal
    asked = [one for one in asked if one.event.occurred_at <= one.goal_until]
    if goal is None or not asked:
        return
    questions = [ask.Question(one.id, one.contact_id, min(now, one.goal_until), now) for one in asked]
    truths = ask.truths(session, catalogue, (version.id, "goal"), (goal.when,), questions)
    met = {one.id: one.event for one in asked if truths.get(one.id, (False,))[0]}
    if not met:
        return
    counted = session.execute(MEET, {"ids": list(met), "at": [e.occurred_at for e in met.values()]}).all()
    _convert(session, catalogue, version, goal.value, [(row, met[row.id]) for row in counted])
    if not goal.stay:
        end(session, version, [row.id for row in counted], "converted", f"goal: {goal.when.text}", now)
        cancel(session, [(row.id, row.entered_at) for row in counted], "converted", now)  # also of completed entries


def _convert(
    session: Session,
    catalogue: Catalogue,
    version: Version,
    value: ValueText | None,
    met: Sequence[tuple[Any, GoalEvent]],
) -> None:
    deltas, conversions = [], []
    for row, event in met:
        worth = worth_of(catalogue.workspace, value, event)
        arms = [("", "holdout" if row.held_out else ""), *row.arms.items()]
        day = row.entered_at.date()
        deltas += [rollup.EntryDelta(split, arm, day, row.first_entry, worth) for split, arm in arms]
        message_id = event.message_id or f"change-{row.id}"
        conversions.append(
            convert.NewConversion(
                "goal", row.contact_id, row.id, version.journey_id, event.name, message_id, event.occurred_at, worth
            )
        )
    rollup.entries(session, version.journey_id, deltas)
    convert.record(session, catalogue.workspace, conversions)


def worth_of(workspace: Workspace, value: ValueText | None, event: GoalEvent) -> Decimal:
    """The goal's `value`; without one, the revenue that the event carries."""
    if value is None:
        return convert.revenue(workspace, event.name, event.properties or {}) or Decimal(0)
    if value.number is not None:
        return value.number
    return convert.as_money(dig(event.properties, value.path)) or Decimal(0)
