"""Which piece of a longer text a text is. Pure.

3GPP TS 23.040, sections 9.2.3.24.1 and 9.2.3.24.8; SMPP 3.4, sections 5.3.2.22 to 5.3.2.24.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORT, WIDE = 0x00, 0x08
"""Information elements: a reference of 8 or of 16 bits, how many pieces there are, which of them this is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`number` counts from 1 to `total`; a sender gives all pieces of a text the same `reference`."""

    reference: int
    total: int
    number: int


def piece(reference: int | None, total: int | None, number: int | None) -> Piece | None:
    """None for a text in one piece, and for numbers that cannot be."""
    if reference is None or total is None or number is None or not 1 <= number <= total <= 255 or total == 1:
        return None
    return Piece(reference, total, number)


def of_header(header: bytes) -> Piece | None:
    """What a user data header, its length first, says. A broken one says nothing."""
    place, end = 1, min(len(header), header[0] + 1 if header else 0)
    while place + 2 <= end:
        element, length = header[place], header[place + 1]
        said = header[place + 2 : min(place + 2 + length, end)]
        if element == SHORT and len(said) == length == 3:
            return piece(said[0], said[1], said[2])
        if element == WIDE and len(said) == length == 4:
            return piece(int.from_bytes(said[:2], "big"), said[2], said[3])
        place += 2 + length
    return None
