"""The room that a text takes, and what makes it wide."""

from __future__ import annotations

import pytest

from engine.rendering.room import Room, measure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Room(0, 0, 160, "GSM 03.38", "")),
        ("a" * 160, Room(1, 160, 0, "GSM 03.38", "")),
        ("a" * 161, Room(2, 161, 145, "GSM 03.38", "")),
        ("€[]", Room(1, 6, 154, "GSM 03.38", "")),
        ("şüş", Room(1, 3, 67, "UCS-2", "ş")),
        ("👋" * 36, Room(2, 72, 61, "UCS-2", "👋")),
    ],
)
def test_units_parts_and_what_is_left(text: str, expected: Room) -> None:
    assert measure(text) == expected
