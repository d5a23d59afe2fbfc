"""What is refused before parsing: too long, too deep, characters that hide or reorder text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from engine.errors import LanguageError

MAX_BYTES = 20_000
MAX_DEPTH = 100
MAX_WORDS = 4_000
"""Words and signs, so that every rule is read within 50 ms; a list holds at most some 2,000 items."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LEXEME = re.compile(r'"(?:\\.|[^"\\])*"|[“„](?:\\.|[^”“\\])*[”“]|`[^`\n]*`|[\w.]+|\S', re.DOTALL)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of a character."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def screen(text: str) -> None:
    """Raise LanguageError unless the text is fit to be parsed."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise LanguageError(
            f"the rule is longer than {MAX_BYTES:,} bytes", hint="save its parts as segments and use in segment"
        )
    hidden = _HIDDEN.search(text)
    if hidden:
        line, column = place(text, hidden.start())
        message = f"the character U+{ord(hidden[0]):04X} is not allowed: it is invisible or reorders the text"
        raise LanguageError(message, line, column, hint="type the text again instead of pasting it")
    _refuse_bulk(text)


def _refuse_bulk(text: str) -> None:
    """Count words, and brackets and `not`s that stand inside each other, without building anything."""
    outer: list[int] = []
    total = nots = 0
    for number, lexeme in enumerate(_LEXEME.finditer(text)):
        if number >= MAX_WORDS:
            line, column = place(text, lexeme.start())
            message = f"the rule has more than {MAX_WORDS:,} words and signs"
            raise LanguageError(message, line, column, hint="keep long lists as a list of contacts")
        token = lexeme[0].lower()
        if token in ("(", "["):
            outer.append(nots + 1)
            total += nots + 1
            nots = 0
        elif token in (")", "]"):
            total -= outer.pop() if outer else 0
            nots = 0
        else:
            nots = nots + 1 if token == "not" else 0
        if total + nots > MAX_DEPTH:
            line, column = place(text, lexeme.start())
            raise LanguageError(
                f"the rule is nested deeper than {MAX_DEPTH} levels", line, column, hint="save its parts as segments"
            )


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` was most likely meant to be, or ""."""
    candidates = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), list(candidates), n=1, cutoff=0.6)
    return candidates[found[0]] if found else ""
