"""A content in several languages: files that are compiled, saved and numbered together, and who gets which of them.

The default is the file of the content's own name. A variant takes over all that its front matter does not say, but no
words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.content.compile import Compiled
from engine.content.snippets import Library
from engine.errors import LanguageError
from engine.translation import matching

DEFAULT = ""
MOST = 50

Compile = Callable[[str, str, "frozenset[str] | None", "str | None", str, Library], Compiled]


class VariantError(LanguageError):
    """What is wrong in the file of one language; `language` is empty for the default."""

    def __init__(self, language: str, error: LanguageError) -> None:
        super().__init__(error.message, error.line, error.column, error.expected, error.hint)
        self.language = language


@dataclass(frozen=True)
class Variants:
    """The versions of a content by language, as `contents.variants` holds them; `default` is for all others."""

    by_language: Mapping[str, int]
    default: int
    known: dict[tuple[object, object], int] = field(default_factory=dict)

    def of(self, contact: Mapping[str, Any]) -> int:
        """The version for a contact; a batch asks once for each language."""
        asked = matching.wanted(contact)
        if not all(each is None or isinstance(each, str) for each in asked):
            return self._chosen(asked)
        found = self.known.get(asked)
        if found is None:
            found = self.known[asked] = self._chosen(asked)
        return found

    def _chosen(self, asked: tuple[object, object]) -> int:
        tag = matching.lookup(asked, self.by_language)
        return self.default if tag is None else int(self.by_language[tag])


def compile_all(
    texts: Mapping[str, str], channel: str, known: frozenset[str] | None, run: Compile, library: Library
) -> dict[str, Compiled]:
    """The artefact of each file by its language, the default under `DEFAULT` and first.

    Warnings of a variant name what it has and the default lacks, or the other way round. Raises VariantError.
    """
    base = texts[DEFAULT]
    found: dict[str, Compiled] = {}
    for language in sorted(texts):
        try:
            one = run(texts[language], channel, known, base if language else None, language, library)
            found[language] = one if language == DEFAULT else compared(found[DEFAULT], one, language)
        except LanguageError as error:
            raise VariantError(language, error) from error
    return found


def compared(default: Compiled, one: Compiled, language: str) -> Compiled:
    """The variant with its warnings about what differs from the default. Raises LanguageError."""
    own = default.data["language"]
    if not own:
        raise LanguageError(
            "The content has variants, but its own file does not say its language.", hint="language: en"
        )
    if own == language:
        raise LanguageError(f"There are two files in {language}.", hint="take one of them away")
    return Compiled(one.data, one.warnings + list(differences(default.data, one.data)))


def differences(default: Mapping[str, Any], one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Warnings about a variant: variables and links of one of the two only, a text that is not translated."""
    here, there = one["language"], default["language"]
    found = []
    for kind, only, lacks, values in (
        ("variables", here, there, set(one["variables"]) - set(default["variables"])),
        ("variables", there, here, set(default["variables"]) - set(one["variables"])),
        ("links", here, there, addresses(one) - addresses(default)),
        ("links", there, here, addresses(default) - addresses(one)),
    ):
        if values:
            message = f"Only {only} has the {kind} {listed(values)}."
            found.append(warning(kind, message, f"add them to {lacks}, if it should say the same"))
    if default.get("preheader", "").strip() and not one["preheader"].strip():
        found.append(warning("translation", f"{there} has a preheader, {here} has none.", "translate it"))
    for part in ("subject", "text"):
        if len(default.get(part, "")) > 1 and default[part] == one[part]:
            message = f"The {part} is the same in {here} as in {there}."
            found.append(warning("translation", message, "translate it, or take the variant away"))
    return found


def addresses(compiled: Mapping[str, Any]) -> set[str]:
    """Where the links of an artefact lead."""
    return {link["url"] for link in compiled["links"]}


def listed(values: set[str]) -> str:
    """At most three of them, and how many more there are."""
    first = ", ".join(value[:80] for value in sorted(values)[:3])
    return first + (f" and {len(values) - 3} more" if len(values) > 3 else "")


def warning(kind: str, message: str, hint: str) -> dict[str, Any]:
    """As the other warnings of a version; it concerns the file as a whole."""
    return {"kind": kind, "line": 1, "message": message, "hint": hint}


def checked(texts: Mapping[str, str]) -> dict[str, str]:
    """The files by language as `save` takes them. Raises LanguageError for a name that is no language."""
    if len(texts) > MOST:
        raise LanguageError(f"A content has {MOST} languages at most.")
    wrong = [tag for tag in texts if matching.canonical(tag) != tag]
    if wrong:
        raise LanguageError(f"“{wrong[0]}” is no language.", hint="de, or pt-BR")
    return dict(texts)


def chosen(contact: Mapping[str, Any], versions: Mapping[str, int], default: int) -> str:
    """The language that a contact gets of a content with these versions."""
    found = Variants(versions, default).of(contact)
    return next(tag for tag, version in versions.items() if version == found)


def why(contact: Mapping[str, Any], languages: Iterable[str]) -> str:
    """Why a contact gets the language they get, as the end of a sentence; empty for a content without variants."""
    available = list(languages)
    said = [(name, tag) for name, tag in zip(("language", "locale"), matching.wanted(contact), strict=True) if tag]
    for name, tag in said if available else ():
        if matching.lookup([tag], available):
            return f"the contact's {name} is “{tag}”"
    if not available:
        return ""
    spoken = ", ".join(f"“{tag}”" for _, tag in said)
    return f"there is no variant for {spoken}" if spoken else "the contact has no language"
