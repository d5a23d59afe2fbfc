"""The lint of MJML: unknown components and attributes, wrong nesting, Jinja tags where they cannot stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from difflib import get_close_matches

from engine.content import components
from engine.content.elements import Element, Place, Reader, places
from engine.content.source import Text
from engine.content.tags import Tag, blocks, filler, masked
from engine.errors import LanguageError


def lint(source: Text, tags: list[Tag]) -> list[str]:
    """Check an MJML body and say where each Jinja tag stands.

    Returns, per tag: `attribute`, `content`, `structure` (between components) or `outside` (before or after <mjml>).
    Raises LanguageError with the author's line.
    """
    reader = Reader(Text(masked(source.text, tags), source.line))
    stretches = places(reader)
    for index, element in enumerate(reader.elements):
        if element.opens:
            check_element(reader, element, parent_of(reader, stretches, index))
    starts = [place.start for place in stretches]
    found = [stretches[bisect_right(starts, tag.start) - 1] for tag in tags]
    check_blocks(tags, found)
    return [kind_of(reader, tag, place) for tag, place in zip(tags, found, strict=True)]


def parent_of(reader: Reader, stretches: list[Place], index: int) -> str:
    """The name of the element around element number `index`; empty at the top."""
    parents = stretches[1 + 2 * index].parents
    return reader.elements[parents[-1]].name if parents else ""


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint with the nearest known name, or none."""
    near = get_close_matches(name, list(names), 1, 0.6)
    return f"Did you mean `{near[0]}`?" if near else ""


def check_element(reader: Reader, element: Element, parent: str) -> None:
    """A component must be known, stand where it may, and have known attributes. Raises LanguageError."""
    name = element.name
    if name == "mj-include":
        raise reader.fault("mj-include is not allowed.", element.start, "put the text into this file")
    if name == "script" or any(key.startswith("on") for key, _ in element.attributes if not name.startswith("mj-")):
        raise reader.fault("Scripts do not run in mail.", element.start, "remove it")
    if not name.startswith("mj"):
        if parent not in components.content and parent.startswith("mj"):
            hint = nearest("mj-" + name, components.known) or "put HTML into <mj-text> or <mj-raw>"
            raise reader.fault(f"<{name}> cannot stand in <{parent}>.", element.start, hint)
        return
    if name not in components.known:
        raise reader.fault(f"<{name}> is no MJML component.", element.start, nearest(name, components.known))
    allowed = components.children.get(parent, frozenset())
    if name not in allowed:
        homes = [f"<{home}>" for home, inside in components.children.items() if home and name in inside]
        around = f"in <{parent}>" if parent else "at the top"
        hint = "it belongs in " + " or ".join(homes) if homes else ""
        raise reader.fault(f"<{name}> cannot stand {around}.", element.start, hint)
    check_attributes(reader, element, parent)


def check_attributes(reader: Reader, element: Element, parent: str) -> None:
    """Attributes must be known to the component. Raises LanguageError."""
    known = components.known[element.name]
    if known == components.anything or (parent == "mj-attributes" and element.name == "mj-class"):
        return
    for name, _ in element.attributes:
        if filler in name:
            raise reader.fault(
                "A Jinja tag cannot stand for an attribute.", element.start, 'put it into the quotes: a="{{ b }}"'
            )
        if name not in known:
            raise reader.fault(f"<{element.name}> has no attribute “{name}”.", element.start, nearest(name, known))


def check_blocks(tags: list[Tag], found: list[Place]) -> None:
    """A block must end inside the element and attribute in which it begins. Raises LanguageError."""
    opened: list[tuple[Tag, Place]] = []
    for tag, place in zip(tags, found, strict=True):
        if tag.kind != "{%":
            continue
        if tag.word in blocks and not (tag.word == "set" and "=" in tag.text):
            opened.append((tag, place))
        elif opened and tag.word in {"elif", "else", blocks[opened[-1][0].word]}:
            begin, home = opened.pop() if tag.word.startswith("end") else opened[-1]
            same_tag = home.start == place.start or not (home.attribute or place.attribute)
            if home.parents != place.parents or not same_tag:
                hint = f"its {{% {begin.word} %}} stands on line {begin.line}; both belong side by side"
                raise LanguageError(f"{{% {tag.word} %}} stands in another element.", tag.line, tag.column, hint=hint)


def kind_of(reader: Reader, tag: Tag, place: Place) -> str:
    """Where a tag stands. Raises LanguageError where none can."""
    if place.attribute:
        return "attribute"
    parent = reader.elements[place.parents[-1]].name if place.parents else ""
    if tag.kind == "{#":
        return "content"
    if not parent:
        return "outside"
    if parent in components.content or not parent.startswith("mj"):
        return "content"
    if tag.kind == "{{":
        hint = "put it into <mj-text>, or into <mj-raw>"
        raise LanguageError(f"Text cannot stand in <{parent}>.", tag.line, tag.column, hint=hint)
    if parent not in components.containers:
        hint = "put the whole of it into the block"
        raise LanguageError(f"A Jinja block cannot stand in <{parent}>.", tag.line, tag.column, hint=hint)
    return "structure"
