"""The ways out of a step: rules of a wait, paths of a branch, arms of a split."""

from __future__ import annotations

import string
from fractions import Fraction

from ruamel.yaml.nodes import Node

from journeys.language import values
from journeys.language.draft import Draft, is_null
from journeys.language.reader import Fields, Reader
from journeys.language.steps import Arm, Path, WaitRule

MOST_PATHS = 26


def read_wait_rules(draft: Draft) -> tuple[WaitRule, ...]:
    """`wait_for: RULE`, or `wait_for:` with `any:`, a list of `when` and `do`."""
    reader, value = draft.reader, draft.value
    if "any" not in draft.fields:
        if is_null(value):
            raise reader.refuse(value, "`wait_for` has no rule.", ("wait_for: RULE", "any:"))
        return (WaitRule(draft.rule(value), name="a"),)
    if not is_null(value):
        reader.note(value, "`wait_for` has a rule and `any` too.", ("wait_for:",), "Move the rule into `any`.")
    found: list[WaitRule] = []
    for index, item in enumerate(_entries(reader, draft.fields["any"], "`any`")):
        with reader.collecting():
            inner = reader.fields(item, "A rule of `any`", ("when", "do", "name"))
            do = draft.inner("do", inner)
            when = draft.rule(reader.required(inner, "when", item, "A rule of `any`", "when: RULE"))
            found.append(WaitRule(when, do, _name(reader, inner, index)))
    _refuse_same_names(reader, draft.fields["any"], [rule.name for rule in found])
    return tuple(found)


def read_paths(draft: Draft) -> tuple[Path, ...]:
    """The paths of a branch; `else:` may stand last."""
    reader = draft.reader
    entries = _entries(reader, draft.required("paths", "paths:"), "`paths`")
    found: list[Path] = []
    for index, item in enumerate(entries):
        with reader.collecting():
            inner = reader.fields(item, "A path", ("when", "else", "do", "name"))
            do = draft.inner("do", inner)
            if "else" in inner:
                _check_else(reader, item, inner, last=index + 1 == len(entries))
                found.append(Path(None, do, _name(reader, inner, index, "else")))
            else:
                when = draft.rule(reader.required(inner, "when", item, "A path", "when: RULE"))
                found.append(Path(when, do, _name(reader, inner, index)))
    _refuse_same_names(reader, draft.fields["paths"], [path.name for path in found])
    if len(found) == 1 and found[0].when is None:
        reader.note(draft.node, "A branch with `else` alone chooses nothing.", ("when: RULE",))
    return tuple(found)


def read_arms(draft: Draft) -> tuple[Arm, ...]:
    """The arms of a split; their shares sum to 100 %."""
    reader = draft.reader
    listed = draft.required("paths", "paths:")
    entries = _entries(reader, listed, "`paths`")
    found: list[Arm] = []
    for index, item in enumerate(entries):
        with reader.collecting():
            inner = reader.fields(item, "An arm of a split", ("share", "do", "name"))
            do = draft.inner("do", inner)
            share = reader.required(inner, "share", item, "An arm of a split", "share: 50%")
            found.append(Arm(reader.parsed(share, "`share`", values.share), do, _name(reader, inner, index)))
    total = sum((arm.share for arm in found), Fraction(0))
    if len(found) == len(entries) and total != 1:
        message = f"The shares sum to {float(total * 100):.6g}%, not to 100%."
        reader.note(listed, message, ("100%",), "Thirds can be written `1/3`.")
    _refuse_same_names(reader, listed, [arm.name for arm in found])
    return tuple(found)


def _entries(reader: Reader, node: Node, what: str) -> list[Node]:
    entries = reader.items(node, what)
    if not entries:
        raise reader.refuse(node, f"{what} is empty.", ("- …",))
    if len(entries) > MOST_PATHS:
        raise reader.refuse(node, f"{what} has more than {MOST_PATHS} entries.")
    return entries


def _check_else(reader: Reader, item: Node, inner: Fields, last: bool) -> None:
    if "when" in inner:
        reader.note(inner["when"], "A path has `when` or `else`, not both.")
    if not last:
        reader.note(item, "`else` stands last: paths after it would never be taken.")
    node = inner["else"]
    if not is_null(node):
        reader.note(node, "`else` takes no value.", ("else:",), "Put its steps below `do:`, beside `else:`.")


def _name(reader: Reader, inner: Fields, index: int, default: str = "") -> str:
    letter = default or string.ascii_lowercase[index]
    return reader.optional(inner, "name", lambda node: reader.string(node, "`name`", 64), letter)


def _refuse_same_names(reader: Reader, node: Node, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            reader.note(node, f"Two paths are called `{name}`.", hint="Reports tell them apart by name.")
