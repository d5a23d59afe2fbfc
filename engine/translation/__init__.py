"""Words for contacts in their language, from gettext catalogues (`LANGUAGE.po`) that any PO editor opens."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable
from importlib import resources

from engine.translation.matching import lookup

SOURCE = "en"
NAMES = {"en": "English", "ar": "العربية", "de": "Deutsch", "es": "Español", "fr": "Français"}
"""Every language that there is, as its speakers call it; English stands in the code."""

Translate = Callable[..., str]


def choose(wanted: Iterable[object]) -> str:
    """The first of the languages (tags such as `de-AT` or `de_CH`, or no text at all) that there is, or English."""
    return lookup(wanted, NAMES) or SOURCE


@functools.cache
def translator(language: str) -> Translate:
    """A function from an English text, and values for its `{names}`, to the text in the language.

    What a catalogue lacks stays English.
    """
    words = catalogue(language) if language != SOURCE else {}

    def translate(text: str, **values: object) -> str:
        return (words.get(text) or text).format(**values)

    return translate


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """Translations by English text. Raises FileNotFoundError for a language that there is not."""
    return read((resources.files(__name__) / f"{language}.po").read_text(encoding="utf-8"))


def read(text: str) -> dict[str, str]:
    """The entries of a PO file (gettext manual, chapter 10), without plurals and contexts, which have no use here."""
    found: dict[str, str] = {}
    parts, current = {"msgid": "", "msgstr": ""}, "msgid"
    for line in [*text.splitlines(), 'msgid ""']:
        keyword, _, quoted = line.partition(" ")
        if keyword in parts:
            if keyword == "msgid":
                found[parts["msgid"]] = parts["msgstr"]
            parts[keyword], current = ast.literal_eval(quoted), keyword
        elif line.startswith('"'):
            parts[current] += ast.literal_eval(line)
    found.pop("", None)
    return found
