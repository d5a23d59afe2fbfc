"""A journey as the canvas and the outline show it: plain data, ready for JSON.

Shape: `{journey, title, nodes, edges, lanes, outline}`.

- node: `{id, kind, label, line, parent, slot, exit, x, y}`; `@enter` and `@end` stand for both ends; x and y are None
  unless the author placed the step by hand.
- edge: `{id, source, target, slot, label, exit}`; `slot` is `next`, `timeout`, `fallback`, `do`, `otherwise`, or the
  place of a path in the file: `paths.0`, `any.1`.
- lane: `{step, slot, label, steps}`: the ids of one inner list in order; the outermost has step None and slot `steps`.
- outline: `[{id, kind, label, line, exit, lanes: [{slot, label, steps: [...]}]}]`.
"""

from __future__ import annotations

from typing import Any

from journeys.language.describe import describe, describe_enter
from journeys.language.durations import Duration
from journeys.language.program import Program, program
from journeys.language.steps import Branch, Email, Journey, Path, Repeat, Sms, Split, Step, WaitFor

ENTER = "@enter"
END = "@end"
Json = dict[str, Any]


def graph(journey: Journey) -> Json:
    """The canvas JSON of `journey`."""
    flat = program(journey)
    nodes = [_end_node(ENTER, "enter", describe_enter(journey.enter), journey.enter.line)]
    lanes: list[Json] = []
    _place(journey, journey.steps, None, "steps", "", nodes, lanes)
    nodes.append(_end_node(END, "end", "End", 0))
    edges = [_edge(ENTER, flat.first, "next", "", False)]
    for step in flat.steps.values():
        edges += _edges(flat, step)
    outline = [_outlined(step) for step in journey.steps]
    return {
        "journey": journey.slug,
        "title": journey.title,
        "nodes": nodes,
        "edges": edges,
        "lanes": lanes,
        "outline": outline,
    }


def slots(step: Step) -> list[tuple[str, str, tuple[Step, ...]]]:
    """The inner lists of a step: slot, label, steps."""
    if isinstance(step, WaitFor):
        rules = [(f"any.{i}", rule.when.text, rule.do) for i, rule in enumerate(step.rules)]
        side = "after" if isinstance(step.up_to, Duration) else "at"
        return [*rules, ("timeout", f"{side} {describe(step)}", step.timeout)]
    if isinstance(step, Branch):
        return [(f"paths.{i}", _condition(path), path.do) for i, path in enumerate(step.paths)]
    if isinstance(step, Split):
        return [(f"paths.{i}", f"{float(arm.share * 100):g}% {arm.name}", arm.do) for i, arm in enumerate(step.paths)]
    if isinstance(step, Repeat):
        return [("do", describe(step), step.do)]
    if isinstance(step, Email | Sms) and step.send.fallback:
        return [("fallback", "could not be sent", step.send.fallback)]
    return []


def _condition(path: Path) -> str:
    return "else" if path.when is None else path.when.text


def _end_node(name: str, kind: str, label: str, line: int) -> Json:
    return {
        "id": name,
        "kind": kind,
        "label": label,
        "line": line,
        "parent": None,
        "slot": "",
        "exit": False,
        "x": None,
        "y": None,
    }


def _place(
    journey: Journey,
    steps: tuple[Step, ...],
    parent: str | None,
    slot: str,
    label: str,
    nodes: list[Json],
    lanes: list[Json],
) -> None:
    lanes.append({"step": parent, "slot": slot, "label": label, "steps": [step.id for step in steps]})
    for step in steps:
        x, y = journey.layout.get(step.id, (None, None))
        node = _end_node(step.id, step.kind, describe(step), step.line)
        nodes.append(node | {"parent": parent, "slot": slot, "exit": step.exit, "x": x, "y": y})
        for inner, title, body in slots(step):
            _place(journey, body, step.id, inner, title, nodes, lanes)


def _edge(source: str, target: str | None, slot: str, label: str, leaves: bool) -> Json:
    end = END if target is None else target
    return {
        "id": f"{source}:{slot}",
        "source": source,
        "target": end,
        "slot": slot,
        "label": label,
        "exit": leaves and end == END,
    }


def _edges(flat: Program, step: Step) -> list[Json]:
    leaves = step.id in flat.leaves
    entries = list(flat.paths.get(step.id, ()))
    if step.id in flat.timeout:
        entries.append(flat.timeout[step.id])
    if step.id in flat.fallback:
        entries.append(flat.fallback[step.id])
    edges = [
        _edge(step.id, entry, slot, label, leaves) for (slot, label, _), entry in zip(slots(step), entries, strict=True)
    ]
    if isinstance(step, Branch) and all(path.when is not None for path in step.paths):
        edges.append(_edge(step.id, flat.following[step.id], "otherwise", "otherwise", leaves))
    if not isinstance(step, Branch | Split | WaitFor):
        edges.insert(0, _edge(step.id, flat.following[step.id], "next", "", leaves))
    return edges


def _outlined(step: Step) -> Json:
    lanes = [
        {"slot": slot, "label": label, "steps": [_outlined(inner) for inner in body]}
        for slot, label, body in slots(step)
    ]
    return {
        "id": step.id,
        "kind": step.kind,
        "label": describe(step),
        "line": step.line,
        "exit": step.exit,
        "lanes": lanes,
    }
