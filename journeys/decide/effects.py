"""What a step does to its contact besides moving it on. The executor carries it out in the commit that moves the row,
the simulator on its copy of the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Attributes take literals, in this order; a name may be dotted."""

    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AddPoints:
    """The number under the attribute `name` (dotted) grows by `points`; where there is none, from 0."""

    name: str
    points: int


@dataclass(frozen=True, slots=True)
class ChangeLists:
    """The contact is put on some lists and taken off others, by slug."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """The contact has done `name`, with these properties, now."""

    name: str
    properties: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class StartJourney:
    """The contact is to enter the journey with this slug, if its rules let it."""

    journey: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """A call of the endpoint `to` (its slug), or a note to a colleague: by mail where `to` has an @.

    `template` is what the note says, None for a call; `store` is the attribute that takes the response, if any.
    """

    to: str
    template: str | None = None
    store: str = ""


Effect: TypeAlias = SetAttributes | AddPoints | ChangeLists | EmitEvent | StartJourney | Deliver
