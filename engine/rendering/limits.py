"""What one render may take. The Jinja sandbox bounds nothing, so every construct that multiplies is counted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from itertools import islice
from typing import Any

from jinja2 import Undefined

from engine.rendering.errors import LimitError

max_steps = 20_000
max_text = 500_000
max_range = 1_000
max_number_bits = 256


class State:
    """Of one render: the names found missing, in order, and the steps taken by loops and calls."""

    __slots__ = ("missing", "steps")

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.steps = 0

    def charge(self, steps: int) -> None:
        """Count loop rounds and calls. Raises LimitError past `max_steps`."""
        self.steps += steps
        if self.steps > max_steps:
            raise LimitError(f"The template takes more than {max_steps:,} loop rounds and calls.")

    def report(self, name: str) -> None:
        """Remember a missing variable once."""
        if name and name not in self.missing:
            self.missing.append(name)


current: ContextVar[State] = ContextVar("render_state")


def bounded_text(value: Any) -> Any:
    """`value`, unless it is a text or a list past `max_text`. Raises LimitError."""
    if isinstance(value, (str, list, tuple)) and len(value) > max_text:
        raise LimitError(f"The template builds a value of more than {max_text:,} characters.")
    return value


def bounded_loop(value: Any, name: str = "") -> Any:
    """The items a loop will run over, charged before the first round; none, and a report, for a missing value."""
    state = current.get()
    if value is None or isinstance(value, Undefined):
        state.report(name or getattr(value, "_undefined_name", None) or "")
        return []
    if not isinstance(value, Iterable):
        return []
    items = list(value) if isinstance(value, (list, tuple, Mapping)) else list(islice(value, max_steps + 1))
    state.charge(len(items))
    return items


def bounded_range(*arguments: int) -> range:
    """`range` of at most `max_range` numbers. Raises LimitError."""
    numbers = range(*arguments)
    if len(numbers) > max_range:
        raise LimitError(f"range() gives at most {max_range:,} numbers.")
    return numbers


def bounded_binary(operator: str, left: Any, right: Any) -> Any:
    """`* ** % +` of values that cannot explode: numbers and texts of a sane size. Raises LimitError."""
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        return left if isinstance(left, Undefined) else right
    if operator == "+":
        return bounded_text(left + right)
    if not (isinstance(left, (int, float)) or hasattr(left, "as_tuple")) or isinstance(right, (str, list, tuple)):
        raise LimitError(f"“{operator}” takes numbers only.")
    if operator == "**" and (abs(right) > max_number_bits or abs(left) > 2**32):
        raise LimitError("The power is too large.")
    result = {"*": lambda: left * right, "**": lambda: left**right, "%": lambda: left % right}[operator]()
    if isinstance(result, int) and result.bit_length() > max_number_bits * 32:
        raise LimitError("The number is too large.")
    return result
