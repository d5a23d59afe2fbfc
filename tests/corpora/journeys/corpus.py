"""Reads `broken.txt`: files that do not read, and what their authors are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "broken.txt"
_ESCAPES = re.compile(r"\\(t|x[0-9a-f]{2}|u[0-9a-f]{4})")


@dataclass(frozen=True)
class Broken:
    """A file and the lines that tell what is wrong with it."""

    name: str
    text: str
    told: tuple[str, ...]


def broken() -> list[Broken]:
    """All of them, in order."""
    found = []
    for part in FILE.read_text("utf-8").split("\n== ")[1:]:
        name, *lines = part.rstrip("\n").split("\n")
        text = "".join(f"{line}\n" for line in lines if not line.startswith("-- "))
        told = tuple(line.removeprefix("-- ") for line in lines if line.startswith("-- "))
        found.append(Broken(name, _written(text), told))
    return found


def _written(text: str) -> str:
    """With the characters that the file spells out."""
    plain = _ESCAPES.sub(lambda found: found[0].encode().decode("unicode_escape"), text)
    return plain.replace("[*2000", "[" * 2000)
