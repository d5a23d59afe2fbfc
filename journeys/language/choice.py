"""What a publisher chooses for those who are at a step of an older version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from engine.errors import InvalidInput
from journeys.language.difference import Difference
from journeys.language.problems import did_you_mean

EVERY = "*"
"""Stands for every step that has no choice of its own."""
What = Literal["stay", "reschedule", "move", "exit"]


class Choice(NamedTuple):
    """stay: on the version that they entered. reschedule: at the same step of the new version, timers by its text.
    move: to the step `to` of the new version, as if they reached it now. exit: their entry ends."""

    what: What
    to: str = ""

    def __str__(self) -> str:
        return f"move:{self.to}" if self.to else self.what


STAY, RESCHEDULE, EXIT = Choice("stay"), Choice("reschedule"), Choice("exit")
Choices = Mapping[str, Choice]
"""Step id, as it is called where people stand, or EVERY -> what becomes of them."""


def read_choice(text: str) -> Choice:
    """`stay`, `reschedule`, `exit` or `move:ID`. Raises InvalidInput."""
    plain = {"stay": STAY, "reschedule": RESCHEDULE, "exit": EXIT}
    if text in plain:
        return plain[text]
    what, _, to = text.partition(":")
    if what == "move" and to:
        return Choice("move", to)
    raise InvalidInput(f"`{text}` is no choice", hint="Choose stay, reschedule, exit, or move:STEP.")


def choice_of(step_id: str, targets: Mapping[str, str], choices: Choices) -> Choice:
    """What becomes of those at a step; `targets` as in `Difference`. Without a word people stay, but a rename keeps
    those who wait: they go along to the new id. EVERY cannot take along whose step is gone: they stay."""
    if step_id in choices:
        return choices[step_id]
    if EVERY in choices:
        chosen = choices[EVERY]
        return STAY if chosen == RESCHEDULE and step_id not in targets else chosen
    return RESCHEDULE if targets.get(step_id, step_id) != step_id else STAY


def refuse_unknown(
    choices: Choices, differences: Iterable[Difference], known: Iterable[str], new: Iterable[str]
) -> None:
    """Raises InvalidInput for a choice that cannot be carried out. `known` are all ids at which somebody may stand,
    `new` those of the new text."""
    known, new = set(known), set(new)
    targets = new.union(*(one.targets for one in differences))
    for step_id, choice in choices.items():
        if step_id not in known and step_id != EVERY:
            raise InvalidInput(
                f"there is no step `{step_id}` at which somebody could be", hint=did_you_mean(step_id, known)
            )
        if choice.what == "move" and choice.to not in new:
            message = f"`{step_id}`: the new text has no step `{choice.to}` to move to"
            raise InvalidInput(message, hint=did_you_mean(choice.to, new))
        if choice == RESCHEDULE and step_id != EVERY and step_id not in targets:
            message = f"`{step_id}` is not in the new text, so nobody can be rescheduled at it"
            raise InvalidInput(message, hint="Choose stay, exit, or move:STEP; or name its new id under `moved:`.")
