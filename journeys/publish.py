"""Publish: check a text, freeze it as a version, and let people in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engine.expr.load import load as load_schema
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.errors import LanguageError
from engine.model import AuditLog, Journey, JourneyVersion, Topic
from journeys.language.check import problems, unsupported
from journeys.language.parse import parse
from journeys.language.problems import Problem
from journeys.language import steps as language
from journeys.runtime import catalogue as catalogues
from journeys.runtime.enrol import Trigger, enrol


class Refused(LanguageError):
    """A journey that cannot be published; `problems` lists every error, the first one is this one."""

    def __init__(self, found: Sequence[Problem]) -> None:
        first = found[0]
        super().__init__(first.message, first.line, first.column, tuple(first.expected), first.hint)
        self.problems = list(found)


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did. `unchanged`: the text was live already. `entered`: people let in by `existing: true`."""

    journey: Journey
    version: JourneyVersion
    unchanged: bool
    entered: int
    warnings: list[Problem]


def check(session: Session, source: str) -> list[Problem]:
    """Everything that is wrong or doubtful in `source`, given the names that this workspace knows. Nothing is saved."""
    found = problems(source, load_schema(session))
    if any(problem.severity == "error" for problem in found):
        return found
    return [*unsupported(parse(source)), *found]


def publish(session: Session, source: str, now: dt.datetime, actor: str) -> Published:
    """Freeze `source` as the live version of its journey. Raises Refused, with nothing saved, if it has an error.

    People in flight stay on the version that they entered. The same text again changes nothing.
    """
    found = check(session, source)
    if errors := [problem for problem in found if problem.severity == "error"]:
        raise Refused(errors)
    parsed = parse(source)
    journey = _journey(session, parsed.slug)
    version = session.get(JourneyVersion, journey.live_version_id) if journey.live_version_id else None
    if version is not None and version.source == source and journey.state == "live":
        return Published(journey, version, True, 0, found)
    first = journey.live_version_id is None
    version = _freeze(session, journey, source, now, actor)
    _know_topics(session, parsed)
    entered = _let_in(session, version, parsed, now) if first and parsed.enter.existing else 0
    return Published(journey, version, False, entered, found)


def _journey(session: Session, slug: str) -> Journey:
    """The journey's row, locked, so that two publishers take turns."""
    found = session.execute(select(Journey).where(Journey.slug == slug).with_for_update()).scalar_one_or_none()
    if found is None:
        found = Journey(slug=slug, state="draft")
        session.add(found)
        session.flush()
    return found


def _freeze(session: Session, journey: Journey, source: str, now: dt.datetime, actor: str) -> JourneyVersion:
    number = session.execute(
        select(func.coalesce(func.max(JourneyVersion.number), 0) + 1).where(JourneyVersion.journey_id == journey.id)
    ).scalar_one()
    version = JourneyVersion(journey_id=journey.id, number=number, source=source, published_by=actor, published_at=now)
    session.add(version)
    session.flush()
    journey.live_version_id, journey.state, journey.draft = version.id, "live", source
    journey.published_at = journey.published_at or now
    detail = {"version": number}
    session.add(AuditLog(actor=actor, action="publish", object=f"journey {journey.slug}", detail=detail, at=now))
    session.flush()
    return version


def _know_topics(session: Session, journey: language.Journey) -> None:
    """A topic that a send names is known from then on."""
    if journey.send.topic and session.get(Topic, journey.send.topic) is None:
        session.add(Topic(slug=journey.send.topic, name=journey.send.topic.replace("-", " ").capitalize()))
        session.flush()


def _let_in(session: Session, version: JourneyVersion, journey: language.Journey, now: dt.datetime) -> int:
    """Enter the present members of the segment, whose stay began before the journey was live."""
    ids = session.execute(
        text(
            "select c.id from contacts c where c.id in (select m.contact_id from segment_memberships m "
            "join segments s on s.id = m.segment_id where s.slug = :slug and m.left_at is null) "
            "order by c.id for no key update"
        ),
        {"slug": journey.enter.segment},
    ).scalars()
    known = catalogues.load(session)
    triggers = [Trigger(contact_id, now, now) for contact_id in ids]
    return len(enrol(session, known, known.versions[version.id], triggers, now))
