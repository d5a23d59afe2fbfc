"""Ways out of a journey: exit rules, goals met, and what both do to messages that still wait."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine import partitions
from engine.attribution import convert
from engine.db import driver, int_array, text_array
from engine.expr.values import dig
from engine.reports import rollup
from engine.workspace import Workspace
from journeys.language.steps import Goal, ValueText
from journeys.runtime import ask
from journeys.runtime.catalogue import Catalogue, Version


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


class Ending(NamedTuple):
    """Enrolments of a version that end, all for the same reason."""

    version: Version
    ids: Sequence[int]
    status: str
    reason: str


# `which` is each entry's place among the endings: a crowd ends for few reasons.
END = """
with gone as (
    update enrolments e set status = w.status, reason = w.reason, phase = null, wake_at = null, deadline = null,
        ended_at = coalesce(e.ended_at, %(now)s)
    from unnest(%(ids)s::int8[], %(which)s::int8[]) as u(id, which)
    join unnest(%(statuses)s::text[], %(reasons)s::text[], %(details)s::text[]) with ordinality
        as w(status, reason, detail, which) using (which)
    where e.id = u.id and e.status in ('active', 'held_out')
    returning e.id, e.contact_id, e.version_id, e.entered_at, e.status, w.detail, u.which
), logged as (
    insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)
    select %(now)s, id, contact_id, version_id, '', 1, status, detail::jsonb from gone
)
select id, entered_at, which from gone
"""
CANCEL = """
update messages m set state = 'cancelled', reason = u.reason, ended_at = %s
from unnest(%s::int8[], %s::timestamptz[], %s::text[]) as u(id, origin_at, reason)
where m.origin_at = u.origin_at and m.enrolment_id = u.id and m.state = 'queued'
returning m.journey_id, m.step_id, m.channel
"""
MEET = """
update enrolments e set goal_at = u.at from unnest(%s::int8[], %s::timestamptz[]) as u(id, at)
where e.id = u.id and e.goal_at is null
returning e.id, e.contact_id, e.entered_at, e.held_out, e.first_entry, e.arms
"""


def exits(
    session: Session, catalogue: Catalogue, asked: Mapping[Version, Sequence[ask.Question]], now: dt.datetime
) -> set[int]:
    """End those enrolments, by version, for which an exit rule holds; returns their ids."""
    endings = []
    for version, questions in asked.items():
        rules = version.program.journey.exits
        if not rules or not questions:
            continue
        found = ask.truths(session, catalogue, (version.id, "rules", "exit"), rules, questions)
        for index, rule in enumerate(rules):
            ids = [id_ for id_, verdicts in found.items() if True in verdicts and verdicts.index(True) == index]
            endings.append(Ending(version, ids, "exited", f"exit: {rule.text}"))
    end(session, endings, now)
    return {id_ for ending in endings for id_ in ending.ids}


def end(session: Session, endings: Sequence[Ending], now: dt.datetime) -> None:
    """End enrolments and cancel their queued messages in the same commit; what is being sent goes on."""
    fates = {id_: place for place, ending in enumerate(endings, 1) for id_ in ending.ids}
    if not fates:
        return
    partitions.ensure(session, "step_log", [now])
    values = {
        "now": now,
        "ids": int_array(fates),
        "which": int_array(fates.values()),
        "statuses": [ending.status for ending in endings],
        "reasons": [ending.reason for ending in endings],
        "details": [json.dumps({"reason": ending.reason}) for ending in endings],
    }
    ended = driver(session).execute(END, values, binary=True).fetchall()
    for place, count in Counter(which for _, _, which in ended).items():
        ending = endings[place - 1]
        rollup.steps(session, ending.version.journey_id, now.date(), {("", ending.status): count})
    cancel(session, [(id_, entered_at, endings[which - 1].status) for id_, entered_at, which in ended], now)


def cancel(session: Session, entries: Sequence[tuple[int, dt.datetime, str]], now: dt.datetime) -> None:
    """Cancel what is still queued of entries, given as (id, entered_at, reason)."""
    if not entries:
        return
    ids, moments, reasons = zip(*entries, strict=True)
    columns = (int_array(ids), text_array(moment.isoformat() for moment in moments), text_array(reasons))
    gone = driver(session).execute(CANCEL, (now, *columns)).fetchall()
    lost = {"undelivered": 1}
    rollup.messages(
        session, [rollup.MessageDelta(journey, step, channel, now.date(), lost) for journey, step, channel in gone]
    )


def goals(session: Session, catalogue: Catalogue, asked: Mapping[Version, Sequence[Open]], now: dt.datetime) -> None:
    """Count the goal, once an entry, where its rule holds within its time; it ends the entry unless `stay`."""
    met: dict[int, tuple[Version, GoalEvent]] = {}
    for version, hoping in asked.items():
        met |= {one.id: (version, one.event) for one in _hopes_met(session, catalogue, version, hoping, now)}
    if not met:
        return
    at = [event.occurred_at for _, event in met.values()]
    counted = driver(session).execute(MEET, (list(met), at)).fetchall()
    rows = [Counted._make((*row, *met[row[0]])) for row in counted]
    _convert(session, catalogue, rows)
    leaving = [row for row in rows if not row.goal.stay]
    end(session, [Ending(row.version, [row.id], "converted", f"goal: {row.goal.when.text}") for row in leaving], now)
    cancel(session, [(row.id, row.entered_at, "converted") for row in leaving], now)  # also of completed entries


def _hopes_met(
    session: Session, catalogue: Catalogue, version: Version, hoping: Sequence[Open], now: dt.datetime
) -> list[Open]:
    goal = version.program.journey.goal
    hoping = [one for one in hoping if one.event.occurred_at <= one.goal_until]
    if goal is None or not hoping:
        return []
    questions = [ask.Question(one.id, one.contact_id, min(now, one.goal_until), now) for one in hoping]
    truths = ask.truths(session, catalogue, (version.id, "rules", "goal"), (goal.when,), questions)
    return [one for one in hoping if truths.get(one.id, (False,))[0]]


class Counted(NamedTuple):
    """An enrolment whose goal was met just now."""

    id: int
    contact_id: int
    entered_at: dt.datetime
    held_out: bool
    first_entry: bool
    arms: Mapping[str, str]
    version: Version
    event: GoalEvent

    @property
    def goal(self) -> Goal:
        """Its version's goal."""
        goal = self.version.program.journey.goal
        assert goal is not None
        return goal


def _convert(session: Session, catalogue: Catalogue, met: Sequence[Counted]) -> None:
    conversions = []
    for row in met:
        event, journey_id = row.event, row.version.journey_id
        worth = worth_of(catalogue.workspace, row.goal.value, event)
        arms = [("", "holdout" if row.held_out else ""), *row.arms.items()]
        day = row.entered_at.date()
        deltas = [rollup.EntryDelta(split, arm, day, row.first_entry, worth) for split, arm in arms]
        rollup.entries(session, journey_id, deltas)
        message_id = event.message_id or f"change-{row.id}"
        conversions.append(
            convert.NewConversion(
                "goal", row.contact_id, row.id, journey_id, event.name, message_id, event.occurred_at, worth
            )
        )
    convert.record(session, catalogue.workspace, conversions)


def worth_of(workspace: Workspace, value: ValueText | None, event: GoalEvent) -> Decimal:
    """The goal's `value`; without one, the revenue that the event carries."""
    if value is None:
        return convert.revenue(workspace, event.name, event.properties or {}) or Decimal(0)
    if value.number is not None:
        return value.number
    return convert.as_money(dig(event.properties, value.path)) or Decimal(0)
