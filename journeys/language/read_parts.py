"""The parts of a file around its steps: enter, goal, moved, layout, tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from engine.errors import LanguageError
from journeys.language import values
from journeys.language.draft import is_null, read_id
from journeys.language.durations import Duration
from journeys.language.problems import did_you_mean
from journeys.language.reader import Fields, Pairs, Reader, Unreadable
from journeys.language.rules import read_rule
from journeys.language.steps import MONTH, Again, Enter, GivenEvent, Goal, JourneyTest, Moved
from journeys.language.tree import start

TRIGGERS = ("on", "segment", "schedule", "api", "date")
WRITTEN = ("on: EVENT", "segment: NAME", "schedule: TIMES", "date: DAY", "api: true")
FARTHEST = 100_000


def read_enter(reader: Reader, node: Node) -> Enter:
    """Who enters: exactly one trigger, and `where`, `again`, `existing`."""
    fields = reader.fields(node, "`enter`", (*TRIGGERS, "where", "again", "existing"))
    chosen = [name for name in TRIGGERS if name in fields]
    if not chosen and any((node, name) in reader.guessed for name in TRIGGERS):
        raise Unreadable  # the misspelt trigger is noted
    if len(chosen) != 1:
        message = f"`enter` has one trigger, not {len(chosen)}." if chosen else "`enter` has no trigger."
        raise reader.refuse(fields[chosen[1]] if chosen else node, message, WRITTEN)
    common: dict[str, Any] = {
        "where": reader.optional(fields, "where", lambda value: read_rule(reader, value, "enter"), None),
        "again": reader.optional(fields, "again", lambda value: reader.parsed(value, "`again`", values.again), Again()),
        "existing": _existing(reader, fields),
        "line": start(node)[0],
    }
    if common["again"].kind == "per" and chosen not in (["on"], ["api"]):
        reader.note(fields["again"], "`per` needs a trigger event.", ("on: EVENT", "api: true"))
    return _trigger(reader, chosen[0], fields[chosen[0]], common)


def _existing(reader: Reader, fields: Fields) -> bool:
    existing = reader.optional(fields, "existing", lambda node: reader.boolean(node, "`existing`"), False)
    if existing and "segment" not in fields:
        reader.note(fields["existing"], "`existing` belongs to `segment`.", ("segment: NAME",))
    return existing


def _trigger(reader: Reader, kind: str, node: Node, common: dict[str, Any]) -> Enter:
    if kind == "on":
        return Enter("event", event=reader.string(node, "`on`"), **common)
    if kind == "segment":
        return Enter("segment", segment=reader.string(node, "`segment`"), **common)
    if kind == "schedule":
        text = reader.string(node, "`schedule`")
        return Enter("schedule", schedule=text, slots=reader.parsed(node, "`schedule`", values.schedule), **common)
    if kind == "date":
        return Enter("date", date=reader.parsed(node, "`date`", values.date_offset), **common)
    if not reader.boolean(node, "`api`"):
        raise reader.refuse(node, "`api: false` lets nobody enter.", ("api: true",))
    return Enter("api", **common)


def read_goal(reader: Reader, node: Node) -> Goal:
    """What the journey is for."""
    fields = reader.fields(node, "`goal`", ("when", "within", "value", "stay"))
    return Goal(
        when=read_rule(reader, reader.required(fields, "when", node, "`goal`", "when: RULE"), "goal"),
        within=reader.optional(fields, "within", lambda it: reader.parsed(it, "`within`", values.duration), MONTH),
        value=reader.optional(fields, "value", lambda value: reader.parsed(value, "`value`", values.goal_value), None),
        stay=reader.optional(fields, "stay", lambda value: reader.boolean(value, "`stay`"), False),
    )


def read_moved(reader: Reader, node: Node, ids: dict[str, Node]) -> tuple[Moved, ...]:
    """Renamed steps: `from` is gone from the file, `to` stands in it."""
    found: list[Moved] = []
    for item in reader.items(node, "`moved`"):
        with reader.collecting():
            fields = reader.fields(item, "An entry of `moved`", ("from", "to"))
            source = reader.required(fields, "from", item, "An entry of `moved`", "from: FORMER-ID")
            to = reader.required(fields, "to", item, "An entry of `moved`", "to: ID")
            move = Moved(read_id(reader, source, "`from`"), read_id(reader, to, "`to`"))
            if move.source in ids:
                reader.note(
                    source, f"The step `{move.source}` still stands in the file.", hint="`from` is a former id."
                )
            if move.to not in ids:
                reader.note(to, f"There is no step `{move.to}`.", hint=did_you_mean(move.to, ids))
            if move.source in [other.source for other in found]:
                reader.note(source, f"`{move.source}` is moved twice.")
            found.append(move)
    return tuple(found)


def former_ids(node: Node) -> dict[str, tuple[str, ...]]:
    """By id, the ids that a step had before, as far as `moved` reads: rules come before it, and name steps too."""
    found: dict[str, tuple[str, ...]] = {}
    for item in node.value if isinstance(node, SequenceNode) else ():
        names = {key.value: value.value for key, value in item.value} if isinstance(item, MappingNode) else {}
        source, to = names.get("from"), names.get("to")
        if isinstance(source, str) and isinstance(to, str):
            found[to] = (*found.get(to, ()), source)
    return found


def read_layout(reader: Reader, node: Node, ids: dict[str, Node]) -> dict[str, tuple[int, int]]:
    """Hand-placed steps. A place of a step that is gone is a warning."""
    found: dict[str, tuple[int, int]] = {}
    for name, (key, value) in reader.mapping(node, "`layout`").items():
        with reader.collecting():
            numbers = [reader.integer(item, "A coordinate") for item in reader.items(value, "A place")]
            if len(numbers) != 2 or any(abs(number) > FARTHEST for number in numbers):
                raise reader.refuse(value, "A place is two whole numbers.", ("[420, 610]",))
            if name in ids:
                found[name] = (numbers[0], numbers[1])
            else:
                message = f"`layout` places `{name}`, and no step has this id."
                reader.note(key, message, hint=did_you_mean(name, ids), severity="warning")
    return found


def read_tests(reader: Reader, node: Node) -> tuple[JourneyTest, ...]:
    """The tests that the file carries."""
    found: list[JourneyTest] = []
    for item in reader.items(node, "`tests`"):
        with reader.collecting():
            found.append(_test(reader, item))
    return tuple(found)


def _test(reader: Reader, node: Node) -> JourneyTest:
    fields = reader.fields(node, "A test", ("name", "contact", "events", "expect"))
    expected = reader.required(fields, "expect", node, "A test", "expect: {path: [], messages: []}")
    expect = reader.fields(expected, "`expect`", ("path", "messages"))
    contact: Pairs = reader.literals(fields["contact"], "`contact`") if "contact" in fields else ()
    events = reader.items(fields["events"], "`events`") if "events" in fields else []
    return JourneyTest(
        name=reader.string(reader.required(fields, "name", node, "A test", "name: TEXT"), "`name`"),
        contact=contact,
        events=tuple(_given(reader, item) for item in events),
        path=_strings(reader, expect, "path"),
        messages=_strings(reader, expect, "messages"),
        line=start(node)[0],
    )


def _given(reader: Reader, node: Node) -> GivenEvent:
    fields = reader.fields(node, "An event", ("at", "event", "properties"))
    at = reader.required(fields, "at", node, "An event", "at: 2 days")
    name = reader.required(fields, "event", node, "An event", "event: NAME")
    properties: Pairs = reader.literals(fields["properties"], "`properties`") if "properties" in fields else ()
    return GivenEvent(reader.parsed(at, "`at`", _moment), reader.string(name, "`event`"), properties)


def _moment(text: str) -> dt.datetime | Duration:
    if text in ("0", "start"):
        return Duration(0, "second")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return values.duration(text)
    if moment.tzinfo is None:
        raise LanguageError(f"`{text}` has no time zone.", expected=("2 days", "2026-11-20T10:00:00Z"))
    return moment


def _strings(reader: Reader, fields: Fields, key: str) -> tuple[str, ...] | None:
    if key not in fields:
        return None
    nodes = [] if is_null(fields[key]) else reader.items(fields[key], f"`{key}`")
    return tuple(reader.string(node, f"An entry of `{key}`") for node in nodes)
