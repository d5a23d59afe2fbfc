"""Writes what the hits of many messages amount to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.attribution import convert
from engine.contacts.changes import announce_accepted
from engine.events.record import NewEvent, record
from engine.habits import store as habits
from engine.reports import rollup
from engine.reports.rollup import MessageDelta
from engine.tracking import links, tallies
from engine.tracking.classify import VERSION
from engine.tracking.outcomes import Outcome, TrackedEvent, TrackedMessage

CLASSIFY = text("""
update hits h set classification = judged.class, rule = judged.rule, classifier_version = :version
from unnest(cast(:ids as bigint[]), cast(:ats as timestamptz[]), cast(:classes as text[]), cast(:rules as text[]))
  as judged(id, at, class, rule)
where h.id = judged.id and h.at = judged.at""")

FIRSTS = text("""
update messages m set first_open_at = coalesce(m.first_open_at, firsts.opened),
  first_click_at = coalesce(m.first_click_at, firsts.clicked)
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:opened as timestamptz[]),
  cast(:clicked as timestamptz[])) as firsts(id, origin_at, opened, clicked)
where m.id = firsts.id and m.origin_at = firsts.origin_at""")

RESOLVE = text("""
update messages m set state = 'accepted', accepted_at = coalesce(m.ended_at, m.claimed_at, :now), ended_at = null,
  reason = :why, cost = :price
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as proven(id, origin_at)
where m.id = proven.id and m.origin_at = proven.origin_at and m.state = 'unknown'""")


def write(session: Session, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """Store classes, first opens and clicks, events and counters. The caller has locked the messages."""
    if not outcomes:
        return
    write_classes(session, outcomes)
    _write_firsts(session, outcomes)
    record_events(session, [(outcome.message, event) for outcome in outcomes for event in outcome.events], now)
    deltas = [delta(outcome.message, outcome.metrics, now) for outcome in outcomes]
    proven = [outcome.message for outcome in outcomes if outcome.proves_delivery]
    rollup.messages(session, [*deltas, *resolve(session, proven, now, "clicked")])
    touched = [outcome for outcome in outcomes if outcome.first_open_at or outcome.first_click_at]
    if touched:
        current = workspace.load(session)
        _credit_again(session, current, touched)
        habits.count(session, [_moved(outcome) for outcome in touched], current.zone)
    tallies.add(session, tallied(outcomes))


def tallied(outcomes: Sequence[Outcome]) -> Counter[tallies.Key]:
    """Their hits by the rules that judged them."""
    found = Counter[tallies.Key]()
    for outcome in outcomes:
        found.update(tallies.of((hit.seen for hit in outcome.hits), outcome.verdicts))
    return found


def _moved(outcome: Outcome) -> habits.Moved:
    known = (outcome.message.first_open_at, outcome.message.first_click_at)
    after = (known[0] or outcome.first_open_at, known[1] or outcome.first_click_at)
    return habits.Moved(outcome.message.contact_id, known, after)


def _credit_again(session: Session, current: workspace.Workspace, outcomes: Sequence[Outcome]) -> None:
    """What was bought between a touch and this moment was credited without knowing of the touch."""
    touches = [(o.message.contact_id, at) for o in outcomes for at in (o.first_open_at, o.first_click_at) if at]
    contacts = sorted({contact_id for contact_id, _ in touches})
    convert.recredit(session, current, contacts, min(at for _, at in touches))


def record_events(session: Session, events: Sequence[tuple[TrackedMessage, TrackedEvent]], now: dt.datetime) -> None:
    """Record what contacts did to messages, with the destination of a click as `link`."""
    clicked = {message.content_version_id for message, event in events if event.position is not None}
    destinations = links.of_versions(session, clicked)
    record(session, [_event(message, event, destinations) for message, event in events], now)


def delta(message: TrackedMessage, metrics: Mapping[str, int | Decimal], now: dt.datetime) -> MessageDelta:
    """The change of the counters of the message's step and day."""
    return MessageDelta(message.journey_id or 0, message.step or "", message.channel, message.day(now), metrics)


def resolve(session: Session, messages: Sequence[TrackedMessage], now: dt.datetime, why: str) -> list[MessageDelta]:
    """What proves that `unknown` messages arrived settles them as accepted, on the day under which they were counted as
    undelivered. Returns what the counters change by."""
    if not messages:
        return []
    current = workspace.load(session)
    for channel in sorted({message.channel for message in messages}):
        mine = [message for message in messages if message.channel == channel]
        keys = {"ids": [message.id for message in mine], "origins": [message.origin_at for message in mine]}
        session.execute(RESOLVE, keys | {"price": current.price(channel), "now": now, "why": why})
    announce_accepted(session, [(message.id, message.origin_at) for message in messages], now)
    return [
        delta(message, {"undelivered": -1, "sent": 1, "cost": current.price(message.channel)}, now)
        for message in messages
    ]


def _event(message: TrackedMessage, event: TrackedEvent, destinations: Mapping[int, Mapping[int, str]]) -> NewEvent:
    properties = message.properties
    if event.position is not None:
        version = destinations.get(message.content_version_id or 0, {})
        properties["link"] = message.links.get(str(event.position)) or version.get(event.position)
    return NewEvent(message.contact_id, event.name, event.occurred_at, event.message_id, properties, source="tracking")


def write_classes(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Store the classes with the rules that gave them, and the version that judged."""
    judged = [pair for outcome in outcomes for pair in zip(outcome.hits, outcome.verdicts, strict=True)]
    values = {
        "ids": [hit.id for hit, _ in judged],
        "ats": [hit.seen.at for hit, _ in judged],
        "classes": [verdict.kind for _, verdict in judged],
        "rules": [verdict.rule for _, verdict in judged],
        "version": VERSION,
    }
    session.execute(CLASSIFY, values)


def _write_firsts(session: Session, outcomes: Sequence[Outcome]) -> None:
    changed = [outcome for outcome in outcomes if outcome.first_open_at or outcome.first_click_at]
    if not changed:
        return
    values = {
        "ids": [outcome.message.id for outcome in changed],
        "origins": [outcome.message.origin_at for outcome in changed],
        "opened": [outcome.first_open_at for outcome in changed],
        "clicked": [outcome.first_click_at for outcome in changed],
    }
    session.execute(FIRSTS, values)
