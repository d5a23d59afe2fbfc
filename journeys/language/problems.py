"""What is wrong with a file, with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.errors import LanguageError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error stops publishing, a warning does not. `line` and `column` count from 1."""

    severity: Severity
    line: int
    column: int
    message: str
    expected: tuple[str, ...] = ()
    hint: str = ""

    def error(self) -> LanguageError:
        """The problem as the exception that `parse` raises."""
        return LanguageError(self.message, self.line, self.column, self.expected, self.hint)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or an empty string."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return f"Did you mean `{names[near[0]]}`?" if near else ""


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By place, each once."""
    return sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.severity, problem.message))
