"""The tree of a rule. Positions (`at`) point into the author's text and take no part in equality."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column of the first character, counted from 1."""

    line: int = 1
    column: int = 1


START = Position()


@dataclass(frozen=True, slots=True)
class Part:
    """Anything that stands at a place in the text."""

    at: Position = field(default=START, compare=False, repr=False, kw_only=True)


# Values ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text(Part):
    """A quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class Number(Part):
    """A decimal number, finite."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Boolean(Part):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Date(Part):
    """A whole day in the workspace's zone."""

    value: dt.date


@dataclass(frozen=True, slots=True)
class Moment(Part):
    """A date with a time: an instant; without an offset it is read in the workspace's zone."""

    value: dt.datetime


Root: TypeAlias = Literal["", "contact", "event"]


@dataclass(frozen=True, slots=True)
class Path(Part):
    """A field. Root "" is the contact, or the event or item inside `where` and `any`; "event" is the trigger event."""

    parts: tuple[str, ...]
    root: Root = ""


@dataclass(frozen=True, slots=True)
class EventName(Part):
    """An event by its own name, or by an alias of the workspace such as `purchased`."""

    name: str
    alias: bool = False


Unit: TypeAlias = Literal["minute", "hour", "day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Duration(Part):
    """`amount` units; months and years are calendar steps in UTC, the others are exact."""

    amount: int
    unit: Unit


AggregateFunction: TypeAlias = Literal["sum", "count", "average", "min", "max", "last", "first"]


@dataclass(frozen=True, slots=True)
class Aggregate(Part):
    """`sum of total over "Order Completed" where (…) in the last 90 days`."""

    function: AggregateFunction
    path: Path
    event: EventName
    where: Node | None = None
    window: Window | None = None


DateValue: TypeAlias = Date | Moment
Literals: TypeAlias = Text | Number | Boolean | Date | Moment
Value: TypeAlias = Literals | Path | Aggregate


# Windows and counts ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Last(Part):
    """`in the last 30 days`: now - d <= occurred_at <= now."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class Since(Part):
    """`since 2026-01-01`, that day included."""

    date: DateValue


@dataclass(frozen=True, slots=True)
class Before(Part):
    """`before 2026-01-01`, that day excluded."""

    date: DateValue


@dataclass(frozen=True, slots=True)
class BetweenDates(Part):
    """`between 2026-01-01 and 2026-01-31`, both days included."""

    first: DateValue
    last: DateValue


@dataclass(frozen=True, slots=True)
class SinceEntry(Part):
    """`since entry`: strictly after the trigger of this entry."""


@dataclass(frozen=True, slots=True)
class SinceStep(Part):
    """`since step`: strictly after the arrival at this step."""


@dataclass(frozen=True, slots=True)
class Ever(Part):
    """`ever`: all time, also inside a journey."""


Window: TypeAlias = Last | Since | Before | BetweenDates | SinceEntry | SinceStep | Ever
Bound: TypeAlias = Literal["at least", "at most", "exactly"]


@dataclass(frozen=True, slots=True)
class Count(Part):
    """`at least 2 times`."""

    bound: Bound
    times: int


# Conditions -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And(Part):
    """True if all items are; at least two."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Part):
    """True if some item is; at least two."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Part):
    """True if the item is false."""

    item: Node


@dataclass(frozen=True, slots=True)
class Did(Part):
    """`did "Order Completed" where (…) at least 2 times in the last 30 days`, `never did "Trial Started"`.

    `open_where`: the text ends with a `where` without brackets, so that a following `and` is easily misread.
    """

    event: EventName
    where: Node | None = None
    count: Count | None = None
    window: Window | None = None
    never: bool = False
    open_where: bool = field(default=False, compare=False, repr=False)


Verb: TypeAlias = Literal["opened", "clicked", "received", "replied", "unsubscribed", "bounced"]


@dataclass(frozen=True, slots=True)
class Message(Part):
    """`opened "welcome"` (a content), `opened step "hello"` (a step of this journey), `opened` (any message).

    `former` are the names that the step had before: what was sent under one of them is about it too.
    """

    verb: Verb
    content: str | None = None
    step: str | None = None
    count: Count | None = None
    window: Window | None = None
    never: bool = False
    former: tuple[str, ...] = field(default=(), compare=False)

    @property
    def steps(self) -> tuple[str, ...]:
        """The step under all its names; none where the condition names no step."""
        return () if self.step is None else (self.step, *self.former)


@dataclass(frozen=True, slots=True)
class Occurrence(Part):
    """One side of a sequence."""

    event: EventName
    where: Node | None = None


@dataclass(frozen=True, slots=True)
class Sequence(Part):
    """`did A then B within d`, `did A without B within d`; the window applies to A."""

    first: Occurrence
    link: Literal["then", "without"]
    second: Occurrence
    within: Duration
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Membership(Part):
    """`in segment "vip"`, `in list "beta"`, `in journey "trial"`."""

    kind: Literal["segment", "list", "journey"]
    slug: str


@dataclass(frozen=True, slots=True)
class Subscribed(Part):
    """`subscribed to "news" on email`."""

    topic: str
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class Consents(Part):
    """`consents to sms`."""

    channel: str


Operator: TypeAlias = Literal[
    "is", "is not", ">", ">=", "<", "<=", "is before", "is after",
    "contains", "not contains", "starts with", "not starts with", "ends with", "not ends with",
    "matches", "not matches",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison(Part):
    """`plan is "pro"`, `lifetime_value > 500`, `email ends with "@acme.com"`. `=` and `!=` are `is` and `is not`."""

    left: Value
    operator: Operator
    right: Value


@dataclass(frozen=True, slots=True)
class Between(Part):
    """`seats between 5 and 10`, both included."""

    value: Value
    low: Value
    high: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InList(Part):
    """`country in ["US", "CA"]`."""

    value: Value
    items: tuple[Literals, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsSet(Part):
    """`phone is set`, `phone is not set`."""

    value: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsWithin(Part):
    """`trial_ends_at is within the next 3 days`."""

    value: Value
    direction: Literal["next", "last"]
    duration: Duration
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Ago(Part):
    """`last_seen_at more than 14 days ago`."""

    value: Value
    bound: Literal["more", "less"]
    duration: Duration


@dataclass(frozen=True, slots=True)
class AnyItem(Part):
    """`items any (category is "shoes")`: some item of a list for which the condition holds."""

    path: Path
    condition: Node


Comparing: TypeAlias = Comparison | Between | InList | IsSet | IsWithin | Ago | AnyItem
Behaviour: TypeAlias = Did | Message | Sequence
Node: TypeAlias = And | Or | Not | Behaviour | Membership | Subscribed | Consents | Comparing

VERB_EVENTS: dict[str, str] = {
    "opened": "Email Opened",
    "clicked": "Email Link Clicked",
    "replied": "Email Replied",
    "bounced": "Email Bounced",
    "unsubscribed": "Unsubscribed",
}
"""The event that each message verb reads; `received` reads the messages themselves."""

DEFAULT_ALIASES: dict[str, str] = {"purchased": "Order Completed"}
