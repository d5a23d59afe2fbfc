"""What to write instead of what people often write, from everyday English and from other tools."""

from __future__ import annotations

import re

from engine.expr.screen import nearest
from engine.expr.tokens import VERBS, meant

_BEFORE, _AFTER = 30, 60
"""How much of the text around a place is looked at."""

_TEXTS = 'put texts in double quotes: "pro"'
_FIGURES = "write the number in figures, such as 30"
_AGO = "write more than 14 days ago, or less than 14 days ago"
_SEVERAL = "write at least 3 times, at most 3 times or exactly 3 times"
_DATE = "write the date as 2026-01-31"
_FULL = "write the number in full, such as 5000 or 0.5"
_COMMENT = "a rule takes no comments"

_PHRASES: tuple[tuple[str, str], ...] = (
    # Signs
    (r"==", "write is, or a single ="),
    (r"<>|≠", "write is not, or !="),
    (r"=>|≥", "write >="),
    (r"=<|≤", "write <="),
    (r"&&?", "write and"),
    (r"\|\|?", "write or"),
    (r"\bdid(n['’]?t| not)\b", "write never did"),
    (r"\bisn['’]?t\b", "write is not"),
    (r"\b(does|do|has|have|was)n['’]t\b", "write not before the condition"),
    (r"#|//|--", _COMMENT),
    (r"!", "write not"),
    (r"[$]?\{", "a rule holds no templates; use the name alone"),
    (r"['‘’«»‹›]", _TEXTS),
    (r"`", "a name in backticks ends with a backtick"),
    (r"%", "write a fraction as a number, such as 0.1"),
    (r"[$€£¥]", "write amounts without a currency sign"),
    # Numbers and dates
    (r"\b\d{1,2}[./-]\d{1,2}[./-]\d{4}\b|\b\d{4}[./]\d{1,2}[./]\d{1,2}\b", _DATE),
    (r"\b\d{1,3}(,\d{3})+\b|\b\d+(\.\d+)?[kKmM]\b|\b\d+(\.\d+)?[eE]\d+|\b0x\w+|\b\d+\.(?!\d)|(?<!\w)\.\d+", _FULL),
    (r"[-+]\s*inf(inity)?\b", "numbers are finite"),
    (r"\+\d", "leave out the sign"),
    (r"[+*/^]", "a rule does not calculate"),
    (r"\b\d+(-\w+|(min|h|d|w|m|y)\b)", "write a length of time as 30 days"),
    (r"\b\d+\.\d+ (minute|hour|day|week|month|year)s?\b", "write a whole number of a smaller unit: 36 hours"),
    # After what people did
    (r'(?<=["“”] )within the last\b', "write in the last 30 days"),
    (r'(?<=["“”] )in the next\b', "only what has happened is known; write in the last 30 days"),
    (r'(?<=["“”] )\d+ \w+ ago\b', "write in the last 3 days"),
    (r"\b(sum|count|average|min|max|first|last) (?!of\b)[^\W\d]", "write sum of total over"),
    (r"(?<=of )[\w.]+ (in|for|from|by)\b", "write sum of total over"),
    (r"\bwhere (not )?(in|did|never|opened|clicked|received)\b", "only comparisons of fields can stand inside where"),
    # Comparisons
    (r"\bnot equals?( to)?\b", "write is not"),
    (r"\bequals?( to)?\b|[\w`]\s*:", "write is"),
    (r"\b(greater|bigger|higher|larger) than\b|\babove\b", "write >"),
    (r"\b(smaller|lower|fewer) than\b|\bbelow\b", "write <"),
    (r"\blike\b", "write contains, starts with, ends with or matches"),
    (r"\b(includes?|including|containing|has|have)\b", "write contains"),
    (r"\b(begins?|begin with|starts?)\b", "write starts with"),
    (r"\bends?\b", "write ends with"),
    (r"\bexists?\b", "write is set"),
    (r"\bany (?!\()\w", 'put the condition in brackets: any (category is "shoes")'),
    (r"\b(one|any) of\b", 'write in ["a", "b"]'),
    (r'\bin\s+["“(]', 'put the values in square brackets: in ["a", "b"]'),
    (r"\b(older than|over) \d+ \w+|(?<!than )\b\d+ (minute|hour|day|week|month|year)s? ago\b", _AGO),
    (r"\bwithin (next|last)\b|\bwithin \d+ \w+|\bin the next\b", "write is within the next 3 days"),
    (r"\bwithin the (next|last)\b", "write is within the next 3 days, or in the last 3 days after what people did"),
    # What people did
    (r"\b(more|less|fewer) than \d+ times\b", _SEVERAL),
    (r"\b\d+ times\b|\bthrice\b|\bseveral times\b", _SEVERAL),
    (r"\b(in the )?(past|previous)\b|\b(in |during |over |within )(the )?last\b", "write in the last 30 days"),
    (r"\b(last|past|for|during|over) (the )?(last )?\d+\b", "write in the last 30 days"),
    (r"\b(since )?(yesterday|today|(last )?(mon|tues|wednes|thurs|fri|satur|sun)day)\b",
     "write in the last day, or a date such as 2026-01-31"),
    (r"\b(today|now|this (day|week|month|year))\b", "write in the last day, or a date such as 2026-01-31"),
    (r"\bafter \d{4}-", "write since 2026-01-31"),
    (r"\b(on|from) \d{4}-", "write between 2026-01-01 and 2026-01-31; both days belong to it"),
    (r"\bbetween \d+ and\b", "write two dates, such as between 2026-01-01 and 2026-01-31"),
    (r"\bdid (not|never)\b|\bnever [\"“]", "write never did"),
    (r"\b(has|have) done\b", "write did"),
    (r"\bfollowed by\b|\b(and )?afterwards\b", "write then"),
    (r"\bthen\b", "a sequence has two events; join two sequences with and"),
    (r"\b(opened|clicked|received|replied) (the|a|an|email|mail|message|to)\b", 'name the content: opened "welcome"'),
    (r"\b(avg|mean) of\b", "write average of"),
    (r"\b(total|number|amount) of\b", "write sum of, or count of"),
    # Belonging
    (r"\b(member of|belongs to|in the) (the )?(segment|list|journey)\b", 'write in segment "vip"'),
    (r'\bsubscribed ["“]', "write subscribed to"),
    (r"\bby (email|sms)\b", "write on email, or on sms"),
    (r"\bconsents? \w", "write consents to"),
    # The frame
    (r"^\s*(and|or)\b", "leave the first word out; a rule begins with a condition"),
    (r"^\s*(if|when|where|who|whose) \w", "leave the first word out; a rule begins with a condition"),
)  # fmt: skip
PHRASES = tuple((re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in _PHRASES)
_ENDINGS = (
    (re.compile(r"\b(more|less) than -?[\d.]+\Z", re.I), "compare a number by > or <; more than goes with days ago"),
    (re.compile(r"\bat (least|most) -?[\d.]+\Z", re.I), "write times after a count; compare a number by >= or <="),
)  # fmt: skip
_COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def hint(text: str, offset: int, terminals: set[str], found: str) -> str:
    """What to do about the text at `offset`, where one of `terminals` could stand and `found` does; "" if unclear."""
    return (
        _quoted(text, offset, terminals, found)
        or _number(found, terminals)
        or _unquoted(text, offset, found, terminals)
        or _phrase(text, offset)
        or _bracket(text, offset)
        or _keyword(text, offset, terminals)
        or ("join conditions with and, or with or" if terminals <= {"AND", "OR", "$END", "RPAR"} else "")
    )


def _quoted(text: str, offset: int, terminals: set[str], found: str) -> str:
    if "COMMA" in terminals and "RSQB" in terminals:
        return "put a comma between the values"
    if found[:1] not in '"“„':
        return ""
    if len(found) == 1:
        return 'a text ends with a double quote; write \\" for a quote inside'
    if "SEGMENT" in terminals:
        return f"write in segment {found}, in list {found} or in journey {found}"
    before = re.search(r"(\w+)\s+\Z", text[:offset])
    word = nearest(before[1], ["did", *VERBS]) if before else ""
    return _phrase(text, offset) or (f"Did you mean `{word}`?" if word and before and word != before[1].lower() else "")


def ending_hint(text: str, terminals: set[str]) -> str:
    """What a rule lacks that ends too early."""
    if "RPAR" in terminals and text.count("(") > text.count(")"):
        return "close the bracket"
    return next((hint for pattern, hint in _ENDINGS if pattern.search(text[-_AFTER:].rstrip())), "")


def _number(found: str, terminals: set[str]) -> str:
    word = found.lower()
    if "INTEGER" not in terminals or not word.isalpha():
        return ""
    if word in _COUNTED and "ONCE" in terminals:
        number = _COUNTED.index(word) + 1
        return f"write {number}, or {('once', 'twice')[number - 1]} without times" if number < 3 else f"write {number}"
    return _FIGURES if "UNIT" in terminals and not meant(found, 0, {"UNIT"}) else ""


def _unquoted(text: str, offset: int, found: str, terminals: set[str]) -> str:
    """A text without its quotes, of one word or of two."""
    if found[:1].isalpha() and "STRING" in terminals and not terminals & {"PATH", "IS"}:
        return f'put texts in double quotes: "{found}"'
    before = re.search(r"(?:\bis|\bnot|=|\bcontains|\bwith)\s+([^\W\d]\w*)\s+\Z", text[:offset], re.IGNORECASE)
    if before and found[:1].isalpha() and before[1].lower() not in ("greater", "equal", "one", "any"):
        follows = "AND" in terminals and found.lower() not in ("but", "xor")
        return f'put texts in double quotes: "{before[1]} {found}"' if follows else ""
    return ""


def _phrase(text: str, offset: int) -> str:
    start = max(0, offset - _BEFORE)
    near, place = text[start : offset + _AFTER], offset - start
    for pattern, said in PHRASES:
        if any(match.start() <= place < match.end() for match in pattern.finditer(near)):
            return said
    return ""


def _bracket(text: str, offset: int) -> str:
    return "there is no opening bracket for it" if text[offset] == ")" and text.count(")") > text.count("(") else ""


def _keyword(text: str, offset: int, terminals: set[str]) -> str:
    word = meant(text, offset, terminals)
    return f"Did you mean `{word}`?" if word else ""
