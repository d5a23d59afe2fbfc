"""Errors that say what to do next. `webapp.errors` maps them to HTTP, `webapp.cli` to exit codes."""

from __future__ import annotations

from dataclasses import dataclass


class CairnError(Exception):
    """Base of every error that Cairn raises on purpose; its text is written for the person who reads it."""


class ConfigurationError(CairnError):
    """A setting, a permission, a port or a server is not as it must be. The text says what to change."""


@dataclass
class NotFound(CairnError):
    """Nothing of this kind has this name or id."""

    kind: str
    id: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"There is no {self.kind} “{self.id}”."
        return f"{text} {self.hint}" if self.hint else text


@dataclass
class LanguageError(CairnError):
    """A rule, a journey or a template does not read.

    `line` and `column` count from 1 in the author's text; `expected` lists what could stand there.
    """

    message: str
    line: int = 1
    column: int = 1
    expected: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        parts = [f"line {self.line}, column {self.column}: {self.message}"]
        if self.expected:
            parts.append("expected: " + ", ".join(self.expected))
        if self.hint:
            parts.append("hint: " + self.hint)
        return "\n".join(parts)


@dataclass
class InvalidInput(CairnError):
    """A value given by a person or a program is not acceptable; `where` names the field, row or path."""

    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text.rstrip('.')}. {self.hint}" if self.hint else text


@dataclass
class Conflict(CairnError):
    """Somebody else changed the same thing meanwhile, so what was asked for is not done."""

    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.message[:1].upper()}{self.message[1:].rstrip('.')}."
        return f"{text} {self.hint}" if self.hint else text


@dataclass
class ProviderError(CairnError):
    """A channel provider refused or could not be reached. `permanent` errors are not tried again."""

    message: str
    permanent: bool = False
    code: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.message}".strip()
