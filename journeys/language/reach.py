"""Which steps lie ahead of a step, and which may lie behind whoever stands at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from journeys.language.program import Program


def ahead(program: Program, step_id: str) -> set[str]:
    """Steps that may be reached after `step_id`; in a loop it is one of them itself."""
    return _reached(_exits(program), step_id)


def behind(program: Program, step_id: str) -> set[str]:
    """Steps from which `step_id` may be reached; in a loop it is one of them itself."""
    entrances: dict[str, set[str]] = defaultdict(set)
    for source, targets in _exits(program).items():
        for target in targets:
            entrances[target].add(source)
    return _reached(entrances, step_id)


def _exits(program: Program) -> dict[str, set[str]]:
    """For each step, where it may lead at once."""
    found: dict[str, set[str]] = {}
    for step_id in program.steps:
        ways = {program.following[step_id], *program.paths.get(step_id, ())}
        ways |= {program.timeout.get(step_id), program.fallback.get(step_id)}
        found[step_id] = {way for way in ways if way is not None}
    return found


def _reached(edges: Mapping[str, Iterable[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(edges.get(start, ()))
    while waiting:
        step_id = waiting.pop()
        if step_id not in found:
            found.add(step_id)
            waiting += edges.get(step_id, ())
    return found
