"""Names of the grammar's tokens for people, and hints for what people often write."""

from __future__ import annotations

from collections.abc import Iterable

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
RESERVED = frozenset(["and", "or", "not", "never", "did", "in", "true", "false", "null"])
"""Words that are no names at the start of a condition or value; as names they stand in backticks."""


def human(terminals: Iterable[str]) -> tuple[str, ...]:
    """What could stand at a place, in words, sorted; names and values come first."""
    names = {_NAMES.get(t) or _WORDS.get(t) or t.lower() for t in terminals}
    return tuple(sorted(names, key=lambda name: (not name.startswith("a "), name)))


def keywords(terminals: Iterable[str]) -> list[str]:
    """The words among the terminals, as they are written."""
    spelled = [_SPELLED.get(t) or [_WORDS.get(t, t.lower())] for t in terminals if t in _SPELLED or t not in _NAMES]
    return [word for words in spelled for word in words]


def special_hint(text: str, offset: int) -> str:
    """A hint for signs that other languages use."""
    for sign, hint in _SPECIAL:
        if text.startswith(sign, offset) or (offset and text.startswith(sign, offset - 1) and len(sign) == 2):
            return hint
    return ""
