"""The tests that a journey file carries: a contact, events at times, and the path and messages expected.

They run on the simulator, without a database, from Monday 5 January 2026 09:00 UTC on or, with events at instants, from
the first of them.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.expr import EventFact, Facts, Schema
from engine.workspace import Workspace
from journeys.decide.split import is_held_out
from journeys.language.steps import Email, GivenEvent, JourneyTest, Sms
from journeys.simulate.person import Person, Turn
from journeys.simulate.plan import Plan, plan
from journeys.simulate.replay import Replay
from journeys.simulate.tally import Tally

START = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
SPAN = dt.timedelta(days=3660)
FIELDS = ("email", "phone", "timezone", "locale", "external_id")


@dataclass(slots=True)
class Trace(Tally):
    """A tally of one contact that keeps the order of steps and of the contents sent."""

    path: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)

    def arrive(self, step_id: str) -> None:
        """Note the step."""
        Tally.arrive(self, step_id)
        self.path.append(step_id)

    def message(self, step: Email | Sms, now: dt.datetime) -> None:
        """Note the content."""
        Tally.message(self, step, now)
        self.contents.append(step.content)


@dataclass(frozen=True, slots=True)
class Result:
    """What a test found. `differences` name what was expected and what was there; none: it passed."""

    test: JourneyTest
    path: tuple[str, ...]
    messages: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.differences


def run_tests(source: str, schema: Schema | None = None, workspace: Workspace | None = None) -> list[Result]:
    """Run the tests of a file, in its order. Raises LanguageError for a file that does not read.

    The contact has the email address ann@example.com unless the test says otherwise, is in the segment that the
    journey is entered by, and is not held out. Into a journey that programs let people into it is let at the start.
    """
    read = plan(source, schema or Schema(), workspace or Workspace(), START, START + SPAN, given=True)
    return [_run(read, test) for test in read.journey.tests]


def _run(read: Plan, test: JourneyTest) -> Result:
    start = min((event.at for event in test.events if isinstance(event.at, dt.datetime)), default=START)
    span = replace(read, start=start, end=start + SPAN)
    trace = Trace()
    Replay(span, _person(span, test), trace).run()
    path, messages = tuple(trace.path), tuple(trace.contents)
    expected = (("path", test.path, path), ("messages", test.messages, messages))
    differences = [
        f"{name}: expected {_listed(wanted)}, but was {_listed(found)}"
        for name, wanted, found in expected
        if wanted is not None and wanted != found
    ]
    return Result(test, path, messages, tuple(differences))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _person(read: Plan, test: JourneyTest) -> Person:
    journey = read.journey
    given: dict[str, Any] = {"email": "ann@example.com", **dict(test.contact)}
    columns = {name: given.pop(name) for name in FIELDS if name in given}
    number = next(n for n in itertools.count(1) if not is_held_out(journey.slug, n, journey.holdout))
    events = tuple(sorted(_events(test.events, read.start), key=lambda fact: fact.key))
    facts = Facts(
        **columns, attributes=given, created_at=read.start, events=events, topics=read.schema.topics,
        zone=read.schema.zone, aliases=read.schema.aliases,
    )  # fmt: skip
    joins = (Turn(read.start, "segment", journey.enter.segment, "in"),) if journey.enter.segment else ()
    called_at = read.start if journey.enter.kind == "api" else None
    return Person(number, "the test's contact", facts, joins, called_at=called_at)


def _events(given: tuple[GivenEvent, ...], start: dt.datetime) -> list[EventFact]:
    found = []
    for number, event in enumerate(given):
        at = event.at if isinstance(event.at, dt.datetime) else event.at.after(start)
        properties: Mapping[str, Any] = dict(event.properties)
        found.append(EventFact(event.name, at, at, f"{number:06}", properties))
    return found
