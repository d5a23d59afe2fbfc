"""Reads the corpora beside it: a rule, and below it, indented, what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.expr import ast, parse, since_entry_default
from tests.corpora.rules.town import names

HERE = Path(__file__).parent
JOURNEY = "In a journey"


@dataclass(frozen=True)
class Accepted:
    """A rule, its canonical text, its English, and the ids of the contacts of whom it is true."""

    rule: str
    written: str
    english: str
    true_of: frozenset[int]
    in_a_journey: bool

    @property
    def node(self) -> ast.Node:
        return since_entry_default(parse(self.rule)) if self.in_a_journey else parse(self.rule)


@dataclass(frozen=True)
class Refused:
    """A text, and the lines that tell what is wrong with it."""

    rule: str
    told: tuple[str, ...]


def entries(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Heading, rule, and the indented lines below it."""
    heading, rule, told = "", "", []
    for line in [*(HERE / name).read_text("utf-8").split("\n"), ""]:
        if line.startswith("  "):
            told.append(line.removeprefix("  "))
        elif rule and told:
            yield heading, rule, told
            rule, told = "", []
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line and line[0] not in "# ":
            rule = line


def accepted() -> list[Accepted]:
    """The rules that read. `written` is left out where it is the rule as it stands."""
    return [_accepted(*entry) for entry in entries("accepted.txt")]


def _accepted(heading: str, rule: str, lines: list[str]) -> Accepted:
    told = dict(line.split(": ", 1) for line in lines)
    return Accepted(rule, told.get("written", rule), told["english"], _ids(told["true of"]), heading == JOURNEY)


def refused(name: str) -> list[Refused]:
    """The texts of `refused.txt` or `doubtful.txt`; under “With escapes” \\n and \\uXXXX stand for the characters."""
    return [
        Refused(rule.encode().decode("unicode_escape") if heading == "With escapes" else rule, tuple(told))
        for heading, rule, told in entries(name)
    ]


def _ids(said: str) -> frozenset[int]:
    """`ann, bob`, `nobody`, `everybody`, `everybody but ann, bob`."""
    listed = said.removeprefix("everybody but ").split(", ")
    named = {number for number, name in enumerate(names(), 1) if name in listed}
    if said.startswith("everybody"):
        return frozenset(range(1, len(names()) + 1)) - named
    assert said == "nobody" or len(named) == len(listed), said
    return frozenset(named)
