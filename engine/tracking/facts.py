"""Writes what the hits of many messages amount to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.events.record import NewEvent, record
from engine.reports import rollup
from engine.reports.rollup import MessageDelta
from engine.tracking import links
from engine.tracking.classify import VERSION
from engine.tracking.outcomes import Outcome, TrackedEvent, TrackedMessage

CLASSIFY = text("""
update hits h set classification = judged.class, classifier_version = :version
from unnest(cast(:ids as bigint[]), cast(:ats as timestamptz[]), cast(:classes as text[])) as judged(id, at, class)
where h.id = judged.id and h.at = judged.at""")

FIRSTS = text("""
update messages m set first_open_at = coalesce(m.first_open_at, firsts.opened),
  first_click_at = coalesce(m.first_click_at, firsts.clicked)
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:opened as timestamptz[]),
  cast(:clicked as timestamptz[])) as firsts(id, origin_at, opened, clicked)
where m.id = firsts.id and m.origin_at = firsts.origin_at""")


def write(session: Session, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """Store classes, first opens and clicks, events and counters. The caller has locked the messages."""
    if not outcomes:
        return
    _write_classes(session, outcomes)
    _write_firsts(session, outcomes)
    record_events(session, [(outcome.message, event) for outcome in outcomes for event in outcome.events], now)
    rollup.messages(session, [delta(outcome.message, outcome.metrics, now) for outcome in outcomes])


def record_events(session: Session, events: Sequence[tuple[TrackedMessage, TrackedEvent]], now: dt.datetime) -> None:
    """Record what contacts did to messages, with the destination of a click as `link`."""
    clicked = {message.content_version_id for message, event in events if event.position is not None}
    destinations = links.of_versions(session, clicked)
    record(session, [_event(message, event, destinations) for message, event in events], now)


def delta(message: TrackedMessage, metrics: Mapping[str, int], now: dt.datetime) -> MessageDelta:
    """The change of the counters of the message's step and day."""
    return MessageDelta(message.journey_id or 0, message.step or "", message.channel, message.day(now), metrics)


def _event(message: TrackedMessage, event: TrackedEvent, destinations: Mapping[int, Mapping[int, str]]) -> NewEvent:
    properties = message.properties
    if event.position is not None:
        version = destinations.get(message.content_version_id or 0, {})
        properties["link"] = message.links.get(str(event.position)) or version.get(event.position)
    return NewEvent(message.contact_id, event.name, event.occurred_at, event.message_id, properties, source="tracking")


def _write_classes(session: Session, outcomes: Sequence[Outcome]) -> None:
    judged = [pair for outcome in outcomes for pair in zip(outcome.hits, outcome.classes, strict=True)]
    values = {
        "ids": [hit.id for hit, _ in judged],
        "ats": [hit.seen.at for hit, _ in judged],
        "classes": [class_ for _, class_ in judged],
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
