"""Files that make one thing in several languages: `welcome.mjml` and beside it `welcome.de.mjml`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.content.store import channels
from engine.content.variants import DEFAULT
from engine.errors import InvalidInput
from engine.translation.matching import canonical


@dataclass(frozen=True)
class Family:
    """A file and its variants by language; the file of the default language is the first, under `DEFAULT`."""

    slug: str
    channel: str
    files: dict[str, Path]


def of(given: Iterable[Path]) -> list[Family]:
    """The families of some files, each once, with what lies beside them.

    Raises InvalidInput for an ending that is none, and for a variant without the file that it is a variant of.
    """
    bases = dict.fromkeys(_base(file) for file in given)
    return [Family(base.stem, channels[base.suffix], {DEFAULT: base} | _beside(base)) for base in bases]


def _base(file: Path) -> Path:
    """The file of the default language."""
    if file.suffix not in channels:
        raise InvalidInput("a content or snippet file ends with .mjml, .html or .txt", where=str(file))
    name, _, tag = file.stem.rpartition(".")
    if not name or canonical(tag) is None:
        return file
    base = file.with_name(name + file.suffix)
    if not base.exists():
        hint = f"Put {base.name} beside it, or take the last dot out of its name."
        raise InvalidInput(f"is the {tag} variant of a file that is not there", where=str(file), hint=hint)
    return base


def _beside(base: Path) -> dict[str, Path]:
    """The variants of a file by their languages."""
    named = ((file.stem.removeprefix(base.stem + "."), file) for file in base.parent.glob(f"*{base.suffix}"))
    found = {canonical(tag): file for tag, file in named if file.stem == f"{base.stem}.{tag}"}
    return {tag: found[tag] for tag in sorted(tag for tag in found if tag)}
