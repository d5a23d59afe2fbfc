"""The words of servers by language, and how they are looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from engine.bounces.decoding import normal
from engine.bounces.phrases import english, signs

WORD = re.compile(r"\w+")
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u1100-\u11ff\uac00-\ud7a3]")


class Finder:
    """Phrases by category, looked for in one pass over the words of a text.

    A phrase matches from the beginning of a word; in it `*` stands for up to 60 characters, `$` at its end
    for the end of a word; `|` stands between phrases. Phrases of scripts without blanks between words match anywhere.
    """

    __slots__ = ("anywhere", "by_start")

    def __init__(self, tables: Iterable[Mapping[str, str]]) -> None:
        self.by_start: dict[str, list[tuple[str, str, re.Pattern[str] | None]]] = {}
        self.anywhere: list[tuple[str, str]] = []
        for table in tables:
            for category, phrases in table.items():
                for phrase in phrases.split("|"):
                    self._add(category, phrase.strip())

    def _add(self, category: str, phrase: str) -> None:
        pieces = [normal(piece) for piece in phrase.rstrip("$").split("*")]
        end = " " if phrase.endswith("$") else ""
        if UNSPACED.match(pieces[0]):
            self.anywhere.append((category, pieces[0]))
            return
        first = pieces[0] + (end if len(pieces) == 1 else "")
        pattern = re.compile(r".{0,60}?".join(map(re.escape, pieces)) + end) if len(pieces) > 1 else None
        start = WORD.search(first)
        skipped = start.start() if start else 0
        self.by_start.setdefault(first[skipped : skipped + 3], []).append((category, first[skipped:], pattern))

    def find(self, text: str) -> dict[str, str]:
        """The categories that the normal text has phrases of, each with the phrase that comes first."""
        found: dict[str, str] = {}
        text += " "
        for word in WORD.finditer(text):
            position = word.start()
            for category, phrase, pattern in self.by_start.get(text[position : position + 3], ()):
                if category not in found and text.startswith(phrase, position):
                    match = pattern.match(text, position) if pattern else None
                    if match or not pattern:
                        found[category] = match[0] if match else phrase
        for category, phrase in self.anywhere:
            if category not in found and phrase in text:
                found[category] = phrase
        return found


@cache
def reasons() -> Finder:
    """Why a server did not deliver, in all languages."""
    return Finder((english.reasons,))


@cache
def marks() -> Finder:
    """What a text is: subjects of bounces, their openings, delays, answers of machines, confirmations."""
    return Finder((signs.signs,))
