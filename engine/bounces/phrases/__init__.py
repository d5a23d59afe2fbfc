"""The words of servers by language, and how they are looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from engine.bounces.decoding import normal
from engine.bounces.phrases import (
    asian,
    baltic,
    dutch,
    eastern,
    english,
    english_signs,
    french,
    german,
    italian,
    nordic,
    polish,
    portuguese,
    russian,
    southern,
    spanish,
    turkish,
)

OTHERS = (
    german,
    french,
    spanish,
    portuguese,
    italian,
    dutch,
    polish,
    russian,
    nordic,
    asian,
    turkish,
    eastern,
    southern,
    baltic,
)
WORD = re.compile(r"\w+")
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\u1100-\u11ff\uac00-\ud7a3]")

Entry = tuple[str, str, str]  # category, how the phrase begins, and a pattern of all of it where that is not all


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Most patterns are never needed, and compiling all takes longer than reading a mail."""
    return re.compile(pattern)


class Finder:
    """Phrases by category, looked for in one pass over the words of a text.

    A phrase matches from the beginning of a word; in it `*` stands for up to 60 characters, `$` at its end for the end
    of a word; `|` stands between phrases. Phrases of scripts without blanks between words match anywhere.
    """

    __slots__ = ("anywhere", "by_start")

    def __init__(self, tables: Iterable[Mapping[str, str]]) -> None:
        self.by_start: dict[str, list[Entry]] = {}
        self.anywhere: list[Entry] = []
        for table in tables:
            for category, phrases in table.items():
                for phrase in phrases.split("|"):
                    self._add(category, phrase.strip())

    def _add(self, category: str, phrase: str) -> None:
        pieces = [normal(piece) for piece in phrase.rstrip("$").split("*")]
        end = r"(?!\w)" if phrase.endswith("$") else ""
        starred = len(pieces) > 1 or end
        pattern = r".{0,60}?".join(map(re.escape, pieces)) + end if starred else ""
        if UNSPACED.match(pieces[0]):
            self.anywhere.append((category, pieces[0], pattern))
            return
        self.by_start.setdefault(pieces[0][:3], []).append((category, pieces[0], pattern))

    def find(self, text: str) -> dict[str, str]:
        """The categories that the normal text has phrases of, each with the phrase that comes first."""
        found: dict[str, str] = {}
        for word in WORD.finditer(text):
            position = word.start()
            for category, phrase, pattern in self.by_start.get(text[position : position + 3], ()):
                if category not in found and text.startswith(phrase, position):
                    match = _compiled(pattern).match(text, position) if pattern else None
                    if match or not pattern:
                        found[category] = match[0] if match else phrase
        for category, phrase, pattern in self.anywhere:
            if category not in found and phrase in text and (not pattern or _compiled(pattern).search(text)):
                found[category] = phrase
        return found


@cache
def reasons() -> Finder:
    """Why a server did not deliver, in all languages."""
    return Finder([english.reasons, *(each.reasons for each in OTHERS)])


@cache
def marks() -> Finder:
    """What a text is: subjects of bounces, their openings, delays, answers of machines, confirmations."""
    return Finder([english_signs.signs, *(each.signs for each in OTHERS)])
