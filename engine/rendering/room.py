"""How much room a text takes: parts, characters as they are counted, and what makes it wide. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import smsutil

ALPHABETS = {True: ("GSM 03.38", 160, 153), False: ("UCS-2", 70, 67)}
"""Of each its name, and the room of a text in one part, and of each of several (3GPP TS 23.038, TS 23.040)."""
EXTENSION = frozenset("^{}[]~\\|€\f")


@dataclass(frozen=True, slots=True)
class Room:
    """`used` counts units: characters, those of GSM's extension twice, and in UCS-2 emoji twice. `left` are those that
    the last part still holds. `wide` are characters that GSM lacks, each once: one of them more than halves a part.
    """

    parts: int
    used: int
    left: int
    alphabet: str
    wide: str


def measure(text: str) -> Room:
    """The room that a text takes as it is; none has none."""
    if not text:
        return Room(0, 0, 160, ALPHABETS[True][0], "")
    is_gsm = bool(smsutil.is_valid_gsm(text))
    name, alone, each = ALPHABETS[is_gsm]
    units = [_units(part.content, is_gsm) for part in smsutil.split(text).parts]
    room = alone if len(units) == 1 else each
    wide = "" if is_gsm else "".join(dict.fromkeys(c for c in text if not smsutil.is_valid_gsm(c)))
    return Room(len(units), sum(units), room - units[-1], name, wide)


def _units(text: str, is_gsm: bool) -> int:
    if is_gsm:
        return len(text) + sum(1 for c in text if c in EXTENSION)
    return len(text.encode("utf-16-be")) // 2
