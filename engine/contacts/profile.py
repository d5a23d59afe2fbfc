"""What a caller says of one contact, checked and normalised before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from engine.contacts import normal
from engine.errors import InvalidInput

COLUMNS = ("email", "phone", "timezone", "locale")
RESERVED = frozenset({"id", "external_id", "created_at", "anonymous_id", *COLUMNS})
NAME_LENGTH = 200
KEY_LENGTH = 512
VALUE_BYTES = 100_000
NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})


class Profile(NamedTuple):
    """Names that find a contact, and values to write. None and absent mean: leave as it is.

    `attributes` maps names to JSON values; None there, and a column's name in `removed`, take the value away.
    """

    external_id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    phone: str | None = None
    timezone: str | None = None
    locale: str | None = None
    attributes: Mapping[str, Any] = NO_ATTRIBUTES
    removed: frozenset[str] = frozenset()


NOTHING_ELSE = Profile()[1:]
"""What follows the external id in a profile that says no more than that."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one value. When `kept` it was stored as given, otherwise it was left out."""

    name: str
    value: str
    error: str
    fix: str
    kept: bool = False


def clean(profile: Profile, *, attributes_checked: bool = False) -> tuple[Profile, tuple[Problem, ...]]:
    """The profile as `identify` wants it, and what was wrong with it.

    Email and phone are normalised, keys trimmed. Values that cannot be stored are left out and reported. Raises
    InvalidInput when a key (external id, anonymous id) cannot be used or when nothing names the contact. With
    `attributes_checked` the attributes are taken as they are.
    """
    if profile.external_id and profile[1:] == NOTHING_ELSE:
        identifier = key("external_id", profile.external_id)
        return (profile if identifier == profile.external_id else Profile(identifier)), ()
    problems: list[Problem] = []
    changes: dict[str, Any] = {}
    for name in ("external_id", "anonymous_id"):
        named: str | None = getattr(profile, name)
        if named is not None and (identifier := key(name, named)) != named:
            changes[name] = identifier
    for name in COLUMNS:
        given: str | None = getattr(profile, name)
        if given is not None and (usable := _column(name, given, problems)) != given:
            changes[name] = usable
    if profile.attributes and not attributes_checked:
        changes["attributes"] = attributes(profile.attributes, problems)
    cleaned = profile._replace(**changes) if changes else profile
    if not (cleaned.external_id or cleaned.email or cleaned.anonymous_id):
        for problem in problems:
            if problem.name == "email":
                raise InvalidInput(problem.error, where="email", hint=problem.fix)
        raise InvalidInput("nothing names the contact", hint="Give an external id, an email or an anonymous id.")
    return cleaned, tuple(problems)


def key(name: str, value: str) -> str:
    """An identifier, trimmed. Raises InvalidInput when it is empty, too long or holds NUL."""
    value = value.strip()
    if not value:
        raise InvalidInput("is empty", where=name, hint="Give a value or leave it out.")
    if len(value) > KEY_LENGTH:
        raise InvalidInput(f"is longer than {KEY_LENGTH} characters", where=name, hint="Use a shorter identifier.")
    if unstorable(value):
        raise InvalidInput("holds characters that cannot be stored", where=name, hint="Take out NUL characters.")
    return value


def attributes(given: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Those of the attributes that can be stored; what is wrong with the others is added to `problems`."""
    usable = {}
    for name, value in given.items():
        error = _name_error(name) or value_error(value)
        if error:
            problems.append(Problem(name[:NAME_LENGTH], str(value)[:100], *error))
        else:
            usable[name] = value
    return usable


def value_error(value: Any) -> tuple[str, str] | None:
    """Why a JSON value cannot be stored, and how to put it right; None when it can."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, str) and len(value) < 1000):
        return ("holds characters that cannot be stored", "Take out NUL.") if _bad_text(value) else None
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return "is not a JSON value", "Numbers must be finite; use text, numbers, true, false, lists or objects."
    if len(text) > VALUE_BYTES:
        return f"is longer than {VALUE_BYTES:,} characters", "Shorten it."
    if has_nul(text) or unstorable(text):
        return "holds characters that cannot be stored", "Take out NUL."
    return None


def unstorable(text: str) -> bool:
    """Whether PostgreSQL refuses the text: NUL, or half of a surrogate pair."""
    if text.isascii():
        return "\0" in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return "\0" in text


def has_nul(encoded: str) -> bool:
    """Whether encoded JSON holds an escaped NUL, which jsonb refuses."""
    return "\\u0000" in encoded and "\\u0000" in encoded.replace("\\\\", "")


def _bad_text(value: Any) -> bool:
    return isinstance(value, str) and unstorable(value)


def _name_error(name: str) -> tuple[str, str] | None:
    if name in RESERVED:
        return "is the name of a field, not of an attribute", "Choose another name."
    if not name.strip() or len(name) > NAME_LENGTH:
        return f"is not a name of 1 to {NAME_LENGTH} characters", "Rename it."
    return ("holds characters that cannot be stored", "Take out NUL.") if unstorable(name) else None


def _column(name: str, value: str, problems: list[Problem]) -> str | None:
    """The normal form of a column's value; None when it is left out."""
    if unstorable(value) or len(value) > KEY_LENGTH:
        problems.append(Problem(name, value[:100], "cannot be stored", f"Use at most {KEY_LENGTH} characters, no NUL."))
        return None
    try:
        return normal.BY_COLUMN[name](value)
    except normal.Kept as doubt:
        problems.append(Problem(name, value, doubt.message, doubt.hint, kept=True))
        return value.strip()
    except InvalidInput as error:
        problems.append(Problem(name, value, error.message, error.hint))
        return None
