"""Publish: check a text, freeze it as a version, and let people in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from engine import clock, segments, workspace
from engine.contacts import normal
from engine.contacts.changes import MESSAGES_ARE_HEARD
from engine.errors import Conflict, LanguageError, NotFound
from engine.expr.load import load as load_schema
from engine.expr.schema import Schema
from engine.identities import store as identities
from engine.model import AuditLog, Journey, JourneyVersion, Topic
from engine.model.base import new_public_id
from engine.reports import rollup
from engine.webhooks import note
from journeys.language import steps as language
from journeys.language.check import Names, problems
from journeys.language.choice import Choices, refuse_unknown
from journeys.language.difference import difference
from journeys.language.parse import parse, read
from journeys.language.problems import Problem, in_order
from journeys.language.program import program, walk
from journeys.runtime import admit, match, states, timed, turn
from journeys.runtime import catalogue as catalogues
from journeys.runtime.carry import NOBODY, Carried, carry
from journeys.runtime.inside import standing
from journeys.runtime.listening import listening


class Refused(LanguageError):
    """A journey that cannot be published; `problems` lists every error, the first one is this one."""

    def __init__(self, found: Sequence[Problem]) -> None:
        first = found[0]
        super().__init__(first.message, first.line, first.column, tuple(first.expected), first.hint)
        self.problems = list(found)


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did. `unchanged`: the text was live already. `letting_in`: how many `existing: true` lets in.
    `carried`: who was taken along or out by the publisher's choices."""

    journey: Journey
    version: JourneyVersion
    unchanged: bool
    letting_in: int
    warnings: list[Problem]
    carried: Carried = NOBODY


def check(session: Session, source: str, beside: frozenset[str] = frozenset()) -> list[Problem]:
    """Everything that is wrong or doubtful in `source`, given the names that this workspace knows, and those of the
    journeys that are to be published `beside` it. Nothing is saved."""
    schema = load_schema(session)
    partial = read(source, schema.aliases).partial
    found = problems(source, schema, _names(session, schema, partial, beside), schema.aliases)
    if partial:
        found += [*_notes(partial), *_crowd(session, partial), *_asleep(session, partial, beside)]
    return in_order(found)


def _crowd(session: Session, journey: language.Journey) -> list[Problem]:
    """How many enter at once, to be known before it happens: only the first publish lets in who is there already."""
    was_live = select(Journey.id).where(Journey.slug == journey.slug, Journey.live_version_id.is_not(None))
    if not journey.enter.existing or session.execute(was_live).first():
        return []
    count = admit.members(session, journey.enter.segment)
    message = f"Publishing lets in the {count:,} people who are in `{journey.enter.segment}` now."
    return [Problem("warning", journey.enter.line, 1, message, hint="They enter because of `existing: true`.")]


def _asleep(session: Session, journey: language.Journey, beside: frozenset[str]) -> list[Problem]:
    """Steps that start a journey which lets nobody in at the moment, and is not published beside this one."""
    started = [step for step in walk(journey.steps) if isinstance(step, language.StartJourney)]
    slugs = {step.journey for step in started} - {journey.slug} - beside
    asleep = select(Journey.slug).where(Journey.slug.in_(slugs), Journey.state != "live")
    found = set(session.execute(asleep).scalars()) if slugs else set()
    return [
        Problem("warning", step.line, step.column, f"The journey `{step.journey}` is not live: nobody would enter it.")
        for step in started
        if step.journey in found
    ]


def _names(
    session: Session, schema: Schema, partial: language.Journey | None, beside: frozenset[str] = frozenset()
) -> Names:
    """Topics that the journey itself sends under are known too: publishing makes them."""
    contents = session.execute(text("select slug, channel from contents where current_version_id is not null")).all()
    return Names(
        frozenset(slug for slug, channel in contents if channel == "email"),
        frozenset(slug for slug, channel in contents if channel == "sms"),
        schema.segments,
        schema.lists,
        frozenset(schema.topics) | (_topics(partial) if partial else frozenset()),
        schema.journeys | beside | ({partial.slug} if partial else frozenset()),
        frozenset(session.execute(text("select slug from webhooks")).scalars()),
        frozenset(identities.slugs(session)),
    )


def _notes(journey: language.Journey) -> list[Problem]:
    """Notes that could never be delivered: to an address that is none, or with a template that is wrong."""
    found = []
    for step in walk(journey.steps):
        if not isinstance(step, language.Notify):
            continue
        if "@" in step.to and not normal.is_plain_email(step.to):
            found.append(Problem("error", step.line, step.column, f"`{step.to}` is no email address."))
        try:
            if step.message:
                note.check(step.message)
        except LanguageError as error:
            found.append(Problem("error", step.line, step.column, f"The message: {error.message}", hint=error.hint))
    return found


def _topics(journey: language.Journey) -> frozenset[str]:
    sends = [step.send for step in walk(journey.steps) if isinstance(step, language.Email | language.Sms)]
    return frozenset(options.topic for options in (journey.send, *sends) if options.topic)


def _heard_segments(journey: language.Journey, schema: Schema) -> frozenset[str]:
    """Segments that let people in, or whose members its steps, exits, goal or trigger ask for."""
    flat = program(journey)
    heard = listening(flat, schema.aliases)
    asked = frozenset(slug for ears in heard.ears for slug in ears.segments)
    return asked | ({journey.enter.segment} if journey.enter.segment else frozenset())


def publish(
    session: Session,
    source: str,
    now: dt.datetime,
    actor: str,
    choices: Choices | None = None,
    expected: int | None = None,
    beside: frozenset[str] = frozenset(),
) -> Published:
    """Freeze `source` as the live version of its journey, and carry out `choices` for those who are in older ones.

    Raises Refused, with nothing saved, if the text has an error; InvalidInput if a choice cannot be; Conflict if
    `expected` is given and another version (by number, 0 for none) is live. Without a choice people in flight stay on
    the version that they entered. The same text again changes nothing but what is chosen. A segment that lets people in
    is refreshed first, so that only who joins from now on is new to it. Nothing is matched meanwhile. `now` is when the
    publisher asked; what is published is as of when they had the turn, if that is later. Journeys `beside` it may be
    named though they are not there yet: the caller publishes them in the same transaction.
    """
    turn.take(session)
    now = max(now, clock.now(session))
    found = check(session, source, beside)
    if errors := [problem for problem in found if problem.severity == "error"]:
        raise Refused(errors)
    parsed = parse(source, load_schema(session).aliases)
    journey = _journey(session, parsed.slug)
    version = session.get(JourneyVersion, journey.live_version_id) if journey.live_version_id else None
    _refuse_stale(journey, version, expected)
    refuse_choices(session, journey, parsed, choices or {})
    if version is not None and version.source == source and journey.state == "live":
        return Published(journey, version, True, 0, found, _carry(session, journey, version, choices or {}, now, actor))
    first = journey.live_version_id is None
    if parsed.enter.segment:
        with rollup.together(session):
            match.match_joins(session, catalogues.load(session), parsed.enter.segment, _not_before(now))
    before = journey.state
    segments.hear(session, _heard_segments(parsed, load_schema(session)))
    version = _freeze(session, journey, source, now, actor)
    _start_anew(session, journey, before, now)
    _know_topics(session, parsed)
    timed.prepare(session, journey, before, parsed.enter, workspace.load(session).zone, now)
    carried = _carry(session, journey, version, choices or {}, now, actor)
    workspace.put(session, MESSAGES_ARE_HEARD, catalogues.load(session).index.hears_messages)
    letting_in = admit.note(session, journey.id, parsed.enter.segment) if first and parsed.enter.existing else 0
    return Published(journey, version, False, letting_in, found, carried)


def rollback(
    session: Session,
    slug: str,
    number: int | None,
    now: dt.datetime,
    actor: str,
    choices: Choices | None = None,
) -> Published:
    """Publish the text of an earlier version (the last one with another text than the live one's, if there is no
    `number`) once more, as a new version. Raises NotFound, and what `publish` raises.

    The turn is taken first: what somebody publishes meanwhile is the version that is rolled back.
    """
    turn.take(session)
    journey = session.execute(select(Journey).where(Journey.slug == slug)).scalar_one_or_none()
    if journey is None:
        raise NotFound("journey", slug)
    versions = session.execute(
        select(JourneyVersion).where(JourneyVersion.journey_id == journey.id).order_by(JourneyVersion.number.desc())
    ).scalars()
    live: JourneyVersion | None = None
    for version in versions:
        live = version if version.id == journey.live_version_id else live
        if version.number == number or (number is None and live is not None and version.source != live.source):
            return publish(session, version.source, now, actor, choices)
    if number is not None:
        raise NotFound(f"version of `{slug}` with the number", str(number))
    raise NotFound("earlier version of journey", slug)


def _refuse_stale(journey: Journey, version: JourneyVersion | None, expected: int | None) -> None:
    live = version.number if version is not None else 0
    if expected is not None and expected != live:
        message = f"version {live} of `{journey.slug}` is live, and the plan was made for version {expected}"
        raise Conflict(message, hint="Make a new plan.")


def refuse_choices(session: Session, journey: Journey, parsed: language.Journey, choices: Choices) -> None:
    """Raises InvalidInput for a choice that cannot be carried out. They may name any step of a version that holds
    people, of the live one, and of the new text."""
    if not choices:
        return
    aliases = load_schema(session).aliases
    sources = {group.version_id: group.source for group in standing(session, [journey.id])}
    live = session.get(JourneyVersion, journey.live_version_id) if journey.live_version_id else None
    texts = [*sources.values(), *([live.source] if live else [])]
    before = [parse(text, aliases) for text in texts]
    new = {step.id for step in walk(parsed.steps)}
    known = new.union(*({step.id for step in walk(one.steps)} for one in before))
    refuse_unknown(choices, [difference(one, parsed) for one in before], known, new)


def _not_before(now: dt.datetime) -> match.Clock:
    """The clock, for one whose transaction has reached `now` already."""
    return lambda session: max(now, clock.now(session))


def _start_anew(session: Session, journey: Journey, before: str, now: dt.datetime) -> None:
    """What a pause held goes on; what a stop has not ended yet ends, lest it come alive again."""
    if before == "paused":
        states.go_on(session, catalogues.load(session), journey.id, now)
    if before == "stopped":
        states.end_all(session, catalogues.load(session), journey.id, now)


def _carry(
    session: Session, journey: Journey, version: JourneyVersion, choices: Choices, now: dt.datetime, actor: str
) -> Carried:
    catalogue = catalogues.load(session)
    carried = carry(session, catalogue, catalogue.version(session, version.id), choices, now)
    if carried != NOBODY:
        chosen = {step_id: str(choice) for step_id, choice in choices.items()}
        detail = {"version": version.number, "choices": chosen, **carried._asdict()}
        session.add(AuditLog(actor=actor, action="carry", object=f"journey {journey.slug}", detail=detail, at=now))
        session.flush()
    return carried


def _journey(session: Session, slug: str) -> Journey:
    """The journey's row, locked, so that two publishers take turns; as it is now, whatever the session read before."""
    fresh = {"slug": slug, "state": "draft", "public_id": new_public_id()}
    session.execute(insert(Journey).values(fresh).on_conflict_do_nothing(index_elements=["slug"]))
    locked = select(Journey).where(Journey.slug == slug).with_for_update().execution_options(populate_existing=True)
    return session.execute(locked).scalar_one()


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
    for slug in sorted(_topics(journey)):
        if session.get(Topic, slug) is None:
            session.add(Topic(slug=slug, name=slug.replace("-", " ").capitalize()))
    session.flush()
