"""Names of the grammar's tokens for people, and the word that was probably meant."""

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
_VALUE = frozenset(["PATH", "STRING", "INTEGER", "DECIMAL", "DATE", "TRUE", "FALSE", "AGGREGATE", "VERB", "SUBSCRIBED",
                    "CONSENTS"])  # fmt: skip
_COUNT = frozenset(["AT_LEAST", "AT_MOST", "EXACTLY", "ONCE", "TWICE"])
_TIME = frozenset(["IN_THE_LAST", "SINCE", "BEFORE", "BETWEEN_DATE", "EVER"])
_COMPARED = frozenset(["OPERATOR", "IS", "IN", "NOT", "CONTAINS", "MATCHES", "STARTS_WITH", "ENDS_WITH", "BETWEEN",
                       "BETWEEN_DATE", "MORE", "LESS", "ANY"])  # fmt: skip
_AFTER_IS = _COMPARED | {"SET", "NULL", "BEFORE", "AFTER", "WITHIN"}
_GROUPS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (frozenset(["DID", "NEVER"]), _VALUE | {"DID", "NEVER", "NOT", "IN", "LPAR"}, "a condition"),
    (frozenset(["IS", "THEN"]), _COMPARED | _COUNT | _TIME | {"THEN", "WITHOUT", "WHERE", "AND", "OR", "$END", "RPAR"},
     "a comparison (is, is not, >, in, contains, …)"),
    (frozenset(["IS", "OPERATOR"]), _COMPARED, "a comparison (is, is not, >, in, contains, …)"),
    (frozenset(["STRING", "TRUE", "SET"]), _VALUE | _AFTER_IS,
     'a value ("pro", 5, true, …), or not, set, in or within'),
    (frozenset(["STRING", "TRUE"]), _VALUE, 'a value ("pro", 5, true, …)'),
    (_COUNT, _COUNT, "a count (at least 2 times, …)"),
    (_TIME - {"BETWEEN_DATE"}, _TIME, "a time (in the last 30 days, …)"),
)  # fmt: skip
VERBS = ["opened", "clicked", "received", "replied", "unsubscribed", "bounced"]
_SPELLED = {
    "VERB": VERBS,
    "UNIT": ["minutes", "hours", "days", "weeks", "months", "years"],
    "TIMES": ["times"],
    "AGGREGATE": ["sum of", "count of", "average of", "min of", "max of", "first of", "last of"],
}
RESERVED = frozenset(["and", "or", "not", "never", "did", "in", "is", "where", "true", "false", "null"])
"""Words that are no names at the start of a condition or value; as names they stand in backticks."""


def human(terminals: Iterable[str]) -> tuple[str, ...]:
    """What could stand at a place, in words; what belongs together is told as one, with examples."""
    left = set(terminals)
    names = []
    for marks, members, name in _GROUPS:
        if marks <= left:
            left -= members
            names.append(name)
    single = {_NAMES.get(t) or _WORDS.get(t) or t.lower() for t in left}
    return (*names, *sorted(single, key=lambda name: (not name.startswith("a "), name)))


def keywords(terminals: Iterable[str]) -> list[str]:
    """The words among the terminals, as they are written."""
    spelled = [_SPELLED.get(t) or [_WORDS.get(t, t.lower())] for t in terminals if t in _SPELLED or t not in _NAMES]
    return [word for words in spelled for word in words]


def meant(text: str, offset: int, terminals: set[str]) -> str:
    """The keyword that the next one, two or three words were most likely meant to be, or ""."""
    if not re.match(r"\w", text[offset : offset + 1]):
        return ""
    words = re.findall(r"\w+", text[offset : offset + 80])
    known = keywords(terminals)
    for size in (1, 2, 3):
        same = [word for word in known if abs(word.count(" ") + 1 - size) <= (size > 1)]
        found = nearest(" ".join(words[:size]), same) if len(words) >= size else ""
        if found and found != " ".join(words[:size]).lower():
            return found
    return ""
