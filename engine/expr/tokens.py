"""Names of the grammar's tokens for people, and hints for what people often write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.expr.screen import nearest

_WORDS = {
    "IN_THE_LAST": "in the last", "AT_LEAST": "at least", "AT_MOST": "at most", "STARTS_WITH": "starts with",
    "ENDS_WITH": "ends with", "BETWEEN_DATE": "between",
}  # fmt: skip
_NAMES = {
    "$END": "the end", "PATH": "a name", "STRING": "a quoted text", "INTEGER": "a number", "DECIMAL": "a number",
    "DATE": "a date", "OPERATOR": "a comparison (>, >=, <, <=, =, !=)", "LPAR": "(", "RPAR": ")", "LSQB": "[",
    "RSQB": "]", "COMMA": ",", "UNIT": "a unit (minutes, hours, days, weeks, months, years)", "TIMES": "times",
    "VERB": "opened, clicked, received, replied, unsubscribed, bounced",
    "AGGREGATE": "sum of, count of, average of, min of, max of, first of, last of",
}  # fmt: skip
_SPELLED = {
    "VERB": ["opened", "clicked", "received", "replied", "unsubscribed", "bounced"],
    "UNIT": ["minutes", "hours", "days", "weeks", "months", "years"],
    "TIMES": ["times"],
    "AGGREGATE": ["sum of", "count of", "average of", "min of", "max of", "first of", "last of"],
}
_SPECIAL = (
    ("==", "write is, or a single ="),
    ("<>", "write is not, or !="),
    ("&&", "write and"),
    ("||", "write or"),
    ("!", "write not"),
    ("'", 'put texts in double quotes: "pro"'),
    ("‘", 'put texts in double quotes: "pro"'),
    ('"', 'a text ends with a double quote; write \\" for a quote inside'),
    ("%", "write a fraction as a number, such as 0.1"),
    ("$", "write amounts without a currency sign"),
    ("€", "write amounts without a currency sign"),
    ("{", "a rule holds no templates; use the name alone"),
)
_COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
RESERVED = frozenset(["and", "or", "not", "never", "did", "in", "is", "where", "true", "false", "null"])
"""Words that are no names at the start of a condition or value; as names they stand in backticks."""


def human(terminals: Iterable[str]) -> tuple[str, ...]:
    """What could stand at a place, in words, sorted; names and values come first."""
    chosen = set(terminals)
    if "PATH" in chosen and "NEVER" not in chosen:
        chosen -= {"VERB", "SUBSCRIBED", "CONSENTS"}
    names = {_NAMES.get(t) or _WORDS.get(t) or t.lower() for t in chosen}
    return tuple(sorted(names, key=lambda name: (not name.startswith("a "), name)))


def keywords(terminals: Iterable[str]) -> list[str]:
    """The words among the terminals, as they are written."""
    spelled = [_SPELLED.get(t) or [_WORDS.get(t, t.lower())] for t in terminals if t in _SPELLED or t not in _NAMES]
    return [word for words in spelled for word in words]


def special_hint(text: str, offset: int, terminals: set[str]) -> str:
    """A hint for signs and words that other languages use."""
    for sign, hint in _SPECIAL:
        if text.startswith(sign, offset) or (offset and text.startswith(sign, offset - 1) and len(sign) == 2):
            return hint
    word = (re.findall(r"\w+", text[offset:]) or [""])[0]
    if "INTEGER" in terminals and word.lower() in _COUNTED:
        number = _COUNTED.index(word.lower()) + 1
        return f"write {number}, or {('once', 'twice')[number - 1]} without times" if number < 3 else f"write {number}"
    if word and "STRING" in terminals and terminals <= {"STRING", "STEP"}:
        return f'put texts in double quotes: "{word}"'
    if text[offset] == ")" and text.count(")") > text.count("("):
        return "there is no opening bracket for it"
    return ""


def meant(text: str, offset: int, terminals: set[str]) -> str:
    """The keyword that the next one, two or three words were most likely meant to be, or ""."""
    words = re.findall(r"\w+", text[offset : offset + 80])
    known = keywords(terminals)
    for size in (1, 2, 3):
        same = [word for word in known if abs(word.count(" ") + 1 - size) <= (size > 1)]
        found = nearest(" ".join(words[:size]), same) if len(words) >= size else ""
        if found and found != " ".join(words[:size]).lower():
            return found
    return ""
