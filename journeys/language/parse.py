"""A journey file to a `Journey`, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from engine.errors import LanguageError
from journeys.language import values
from journeys.language.draft import read_id
from journeys.language.problems import Problem, in_order
from journeys.language.read_parts import former_ids, read_enter, read_goal, read_layout, read_moved, read_tests
from journeys.language.read_sends import read_send
from journeys.language.read_steps import StepReader
from journeys.language.reader import Fields, Reader
from journeys.language.rules import read_rule
from journeys.language.steps import Enter, Journey, RuleText, SendOptions, Step
from journeys.language.tree import compose

KEYS = ("journey", "title", "enter", "holdout", "goal", "exit", "send", "steps", "moved", "layout", "tests")
MOST_STEPS = 1000
MOST_EXITS = 50


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a text: the journey, if there is no error, and the problems in the file's order.

    `partial` is what could be read despite errors; None if the text is not YAML.
    """

    journey: Journey | None
    partial: Journey | None
    problems: list[Problem]
    reader: Reader


def parse(text: str, aliases: Iterable[str] | None = None) -> Journey:
    """The journey that `text` writes; `aliases` are the workspace's names for events, such as `purchased`.

    Raises LanguageError for the first mistake in the file's order.
    """
    reading = read(text, aliases)
    if reading.journey is None:
        raise next(problem for problem in reading.problems if problem.severity == "error").error()
    return reading.journey


def read(text: str, aliases: Iterable[str] | None = None) -> Reading:
    """Read as much as can be read and collect every problem; never raises LanguageError."""
    reader = Reader(text, None if aliases is None else frozenset(aliases))
    try:
        root = compose(text)
    except LanguageError as error:
        problem = Problem("error", error.line, error.column, error.message, error.expected, error.hint)
        return Reading(None, None, [problem], reader)
    journey = _journey(reader, root)
    broken = any(problem.severity == "error" for problem in reader.problems)
    return Reading(None if broken else journey, journey, in_order(reader.problems), reader)


def _exits(reader: Reader, node: Node) -> tuple[RuleText, ...]:
    nodes = list(node.value) if isinstance(node, SequenceNode) else [node]
    if len(nodes) > MOST_EXITS:
        raise reader.refuse(node, f"A journey has at most {MOST_EXITS} exit rules.", hint="Join rules with `or`.")
    found: list[RuleText] = []
    for item in nodes:
        with reader.collecting():
            found.append(read_rule(reader, item, "exit"))
    return tuple(found)


def _steps(reader: StepReader, node: Node) -> tuple[Step, ...]:
    found = reader.read(node, "`steps`")
    if isinstance(node, SequenceNode) and not node.value:
        raise reader.reader.refuse(node, "A journey has at least one step.", ("- email: CONTENT",))
    if len(reader.ids) > MOST_STEPS:
        raise reader.reader.refuse(node, f"A journey has at most {MOST_STEPS} steps; this one has {len(reader.ids)}.")
    return found


def _holdout(reader: Reader, node: Node) -> Fraction:
    return reader.parsed(node, "`holdout`", values.share)


def _journey(reader: Reader, root: MappingNode) -> Journey:
    fields: Fields = {}
    with reader.collecting():
        fields = reader.fields(root, "A journey", KEYS)
    for key, example in (("journey", "journey: NAME"), ("enter", "enter:"), ("steps", "steps:")):
        with reader.collecting():
            reader.required(fields, key, root, "A journey", example)
    if "moved" in fields:
        reader.former = former_ids(fields["moved"])
    steps = StepReader(reader)
    no_rules: tuple[RuleText, ...] = ()
    return Journey(
        slug=reader.optional(fields, "journey", lambda node: read_id(reader, node, "The name of a journey"), ""),
        title=reader.optional(fields, "title", lambda node: reader.string(node, "`title`"), ""),
        enter=reader.optional(fields, "enter", lambda node: read_enter(reader, node), Enter("api")),
        holdout=reader.optional(fields, "holdout", lambda node: _holdout(reader, node), Fraction(0)),
        goal=reader.optional(fields, "goal", lambda node: read_goal(reader, node), None),
        exits=reader.optional(fields, "exit", lambda node: _exits(reader, node), no_rules),
        send=reader.optional(fields, "send", lambda node: read_send(reader, node), SendOptions()),
        steps=reader.optional(fields, "steps", lambda node: _steps(steps, node), ()),
        moved=reader.optional(fields, "moved", lambda node: read_moved(reader, node, steps.ids), ()),
        layout=reader.optional(fields, "layout", lambda node: read_layout(reader, node, steps.ids), {}),
        tests=reader.optional(fields, "tests", lambda node: read_tests(reader, node), ()),
        source=reader.text,
    )
