"""The values that a journey file reads as. Nothing here knows YAML, the database or a clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Literal, TypeAlias

from journeys.language.durations import Duration

Scalar: TypeAlias = str | int | float | bool | None
MONTH = Duration(30, "day")
Zone: TypeAlias = str
"""`contact` (the contact's own zone, else the workspace's), `workspace`, or an IANA name."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as written and as read. `line` and `column` are those of its first character in the file, from 1.

    In steps, goal and exit `node` has already been made *since entry* (semantics, "Rules").
    """

    text: str
    node: Any
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class ValueText:
    """What a goal is worth: a property of the goal event (`path` below `event.`), or a fixed number."""

    text: str
    path: tuple[str, ...] = ()
    number: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DateOffset:
    """`2 days before trial_ends_at`: an instant relative to the date in the contact's attribute `path` (dotted)."""

    path: str
    duration: Duration | None = None
    before: bool = False

    def at(self, date: dt.datetime) -> dt.datetime:
        """The instant meant, when the attribute holds `date` (aware)."""
        if self.duration is None:
            return date
        return self.duration.before(date) if self.before else self.duration.after(date)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The next `time` of day in `zone`; on one of `weekdays` (Monday is 0), or on any day if that is empty."""

    time: dt.time
    zone: Zone = "contact"
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BestHour:
    """The hour within a day at which the contact is most likely to open (`engine.habits.estimate`)."""


At: TypeAlias = LocalTime | BestHour


@dataclass(frozen=True, slots=True)
class Quiet:
    """No sends from `start` until before `end`, local to `zone`; crosses midnight if `end` is not after `start`."""

    start: dt.time
    end: dt.time
    zone: Zone = "contact"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` messages in any span of `per`."""

    count: int
    per: Duration


@dataclass(frozen=True, slots=True)
class Again:
    """How often one contact may enter. `after` uses `duration`; `per` uses `path` (dotted, below `event.`)."""

    kind: Literal["once", "always", "after", "per"] = "once"
    duration: Duration | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Slots at `time` in `zone`: on `weekdays` (Monday is 0), or on any day if that is empty, or on a `day` of each
    month (1..28)."""

    time: dt.time
    zone: Zone = "workspace"
    weekdays: tuple[int, ...] = ()
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Enter:
    """Who enters. One of `event`, `segment`, `schedule` (with its text), or `date` is filled, by `kind`; `api` needs
    none."""

    kind: Literal["event", "segment", "schedule", "api", "date"]
    event: str = ""
    segment: str = ""
    schedule: str = ""
    slots: Schedule | None = None
    date: DateOffset | None = None
    where: RuleText | None = None
    again: Again = Again()
    existing: bool = False
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """What the journey is for. It counts once per entry, within `within` of the entry, and ends it unless `stay`."""

    when: RuleText
    within: Duration = MONTH
    value: ValueText | None = None
    stay: bool = False


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How a message may leave. `from_` is the identity that it is from.

    `lifted` names options of the journey that this step sets to `none`.
    """

    topic: str = ""
    quiet: Quiet | None = None
    cap: Cap | None = None
    at: At | None = None
    if_: RuleText | None = None
    expires: Duration | None = None
    fallback: tuple[Step, ...] = ()
    lifted: frozenset[str] = frozenset()
    from_: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has. `title` is the author's label, `exit` ends the entry after it, `line` counts from 1."""

    kind: ClassVar[str] = ""
    id: str
    title: str = ""
    exit: bool = False
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Step):
    """Send the email content with the slug `content`."""

    kind: ClassVar[str] = "email"
    content: str
    send: SendOptions = SendOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms(Step):
    """Send the text message with the slug `content`."""

    kind: ClassVar[str] = "sms"
    content: str
    send: SendOptions = SendOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Step):
    """Call the webhook with the slug `webhook`; `store` names the attribute that takes its response, if any."""

    kind: ClassVar[str] = "webhook"
    webhook: str
    store: str = ""
    if_: RuleText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Wait a length of time, until a local time, or until a date of the contact."""

    kind: ClassVar[str] = "wait"
    until: Duration | LocalTime | DateOffset


@dataclass(frozen=True, slots=True)
class WaitRule:
    """One rule of a wait and the steps that follow when it is the first to come true."""

    when: RuleText
    do: tuple[Step, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor(Step):
    """Wait until one of `rules` is true, at most `up_to`; then `timeout` runs. A plain rule has an empty `do`."""

    kind: ClassVar[str] = "wait_for"
    rules: tuple[WaitRule, ...]
    up_to: Duration | DateOffset
    timeout: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A way out of a branch; `when` is None for `else`. `name` is the author's, or `a`, `b`, …, or `else`."""

    when: RuleText | None
    do: tuple[Step, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Step):
    """The first path whose rule is true; without a match and without `else` the contact goes on after the branch."""

    kind: ClassVar[str] = "branch"
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """A share of a split, 0..1. `name` is the author's, or `a`, `b`, …: it is stored with the enrolment."""

    share: Fraction
    do: tuple[Step, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Winner:
    """After `after` the arm with the best `measure` takes all."""

    measure: Literal["clicks", "goal", "revenue"]
    after: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Step):
    """A sticky draw among `paths`, whose shares sum to 1."""

    kind: ClassVar[str] = "split"
    paths: tuple[Arm, ...]
    winner: Winner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Step):
    """Set attributes to literals, in the file's order. A name may be a dotted path."""

    kind: ClassVar[str] = "set"
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Step):
    """Add `points` (may be negative) to the score called `name`."""

    kind: ClassVar[str] = "score"
    points: int
    name: str = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStep(Step):
    """Add the contact to some lists, remove it from others."""

    kind: ClassVar[str] = "list"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Step):
    """Tell a colleague: `to` is an email address or the slug of a webhook."""

    kind: ClassVar[str] = "notify"
    to: str
    message: str = ""
    if_: RuleText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit(Step):
    """Record an event of this contact."""

    kind: ClassVar[str] = "event"
    event: str
    properties: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJourney(Step):
    """Enter the contact into another journey."""

    kind: ClassVar[str] = "journey"
    journey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Step):
    """Run `do` `times` times (1..100)."""

    kind: ClassVar[str] = "repeat"
    times: int
    do: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(Step):
    """End this entry; `reason` is the author's, may be empty."""

    kind: ClassVar[str] = "exit"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """People who wait at the step once called `source` now wait at `to`."""

    source: str
    to: str


@dataclass(frozen=True, slots=True)
class GivenEvent:
    """An event of a test, `at` an instant or so long after the test's start."""

    at: dt.datetime | Duration
    name: str
    properties: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class JourneyTest:
    """A contact, events, and the path (step ids) and messages (content slugs) expected; None is not compared."""

    name: str
    contact: tuple[tuple[str, Any], ...] = ()
    events: tuple[GivenEvent, ...] = ()
    path: tuple[str, ...] | None = None
    messages: tuple[str, ...] | None = None
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Journey:
    """A whole file. `holdout` is 0..1, `layout` has the (x, y) of hand-placed steps, `source` is the author's text."""

    slug: str
    enter: Enter
    steps: tuple[Step, ...]
    holdout: Fraction = Fraction(0)
    goal: Goal | None = None
    exits: tuple[RuleText, ...] = ()
    send: SendOptions = SendOptions()
    moved: tuple[Moved, ...] = ()
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tests: tuple[JourneyTest, ...] = ()
    title: str = ""
    source: str = field(default="", compare=False, repr=False)


def effective(journey: Journey, step: Email | Sms) -> SendOptions:
    """The send options in force at `step`: its own, else the journey's, except those that the step lifts."""
    own, common = step.send, journey.send
    inherited = {
        name: getattr(common, name)
        for name in ("topic", "quiet", "cap", "at", "expires", "from_")
        if not getattr(own, name) and name.rstrip("_") not in own.lifted
    }
    return replace(own, **inherited)
