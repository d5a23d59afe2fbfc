"""From what a server said to a kind: the most specific evidence wins.

1. Codes about the sender; words that name a cause, in ORDER, in what was said of this recipient.
2. An enhanced status code with a specific meaning (RFC 3463, RFC 7372, RFC 7505, the IANA registry).
3. Words that only hint at a cause; what the server's sentences elsewhere in the mail say; words near each other.
4. The subject of the code, the SMTP reply, the class of the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from engine.bounces.combinations import hint
from engine.bounces.decoding import normal
from engine.bounces.dsn import REPLY, STATUS
from engine.bounces.failure import Failure
from engine.bounces.phrases import reasons

ORDER = (
    "sender",
    "spam",
    "blocked",
    "auth",
    "relay",
    "content",
    "full",
    "too_large",
    "unknown_domain",
    "unknown_user",
    "disabled",
    "moved",
    "temporary",
)
HINTS = ("maybe_hard", "maybe_policy", "maybe_soft")
KIND = {
    **dict.fromkeys(("sender", "spam", "blocked", "auth", "relay", "content", "maybe_policy"), "policy"),
    **dict.fromkeys(("unknown_domain", "unknown_user", "disabled", "moved", "maybe_hard"), "hard"),
    **dict.fromkeys(("full", "too_large", "temporary", "maybe_soft"), "soft"),
}
BY_STATUS = {
    "1.0": "",
    "1.7": "policy",
    "1.8": "policy",
    "2.1": "hard",
    "2.2": "soft",
    "2.3": "soft",
    "2.4": "soft",
    "3.4": "soft",
    "4.4": "hard",
    "4.7": "soft",
    "4.6": "soft",
    "4.310": "hard",
    "7.13": "hard",
    "7.17": "hard",
    "7.18": "hard",
    "5.0": "",
    "0.0": "",
}
ADDRESS = re.compile(r"[\w.+=&'/-]{1,64}@[\w.-]{1,255}")
HOST = re.compile(
    r"\b(host|talking to|mta|by|server|from|dns;|at|remote-mta:)\s{1,3}[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    re.IGNORECASE,
)
NO_CAUSE = re.compile(r"they may be blacklisted|problem report")  # a guess of cPanel's, and what Postfix asks for
SENDER_CODES = ("1.7", "1.8", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27")  # RFC 3463, 7372
ALSO_OF_MAILBOXES = ("been blocked", "is blocked", "was blocked", "bloccato", "bloqueado", "bloqueada", "bloque")
TRY_AGAIN = re.compile(  # "check the domain and try again" is advice
    r"(?<!and )try again|\bcould be reached|\btemporar\w{2,4} (?:been )?(?:suspend|disabl|deactivat|clos|lock|inactiv)"
)
HARD_REPLIES = ("550", "551", "553", "556", "511")
SOFT_REPLIES = ("552", "521", "554")


@dataclass(frozen=True, slots=True)
class Judged:
    """The kind, and the status that goes with it where one is known."""

    kind: str
    status: str | None


def judge(failure: Failure, around: str, human: str) -> Judged:
    """The kind of a failure. `around` are the sentences beside the recipient, `human` all of the mail's.

    They count less than what the report says: there may be a disclaimer among them, or a list of possible causes.
    """
    said = words(failure.diagnostic)
    codes = [failure.status, *_codes(failure.diagnostic or around)]
    reply = _reply(said)
    focus = _replied(said, reply.start()) if reply else said
    beside, everything = words(around), words(human)
    kind = (
        _of_the_sender(codes)
        or _by_words(focus, codes, reply[1] if reply else "")
        or _by_codes(codes)
        or (_by_words(said, codes, "") if reply else "")
        or (_by_hints(said) or hint(focus) if reply else "")
        or _by_words(beside, codes, "")
        or _by_words(everything, codes, "")
        or _by_hints(said)
        or hint(said)
        or ("" if failure.diagnostic else hint(beside))
        or _by_subject(codes)
        or _by_reply(reply[1] if reply else "", said)
        or _by_class(codes)
        or _by_hints(everything)
        or "soft"
    )
    return Judged(kind, _status(codes, reply[1] if reply else "", kind))


def _reply(said: str) -> re.Match[str] | None:
    """The reply of the server that refused: the first of class 5, else the first of class 4."""
    found = list(REPLY.finditer(said[:8000]))
    return next((each for each in found if each[1][0] == "5"), found[0] if found else None)


def _replied(said: str, start: int) -> str:
    """What follows a reply; one that a server quotes in brackets ends with them, and advice for anybody follows."""
    end = said.find("]", start) if said[:start].endswith("[") else -1
    return said[start:] if end < 0 else said[start:end]


def is_challenge(said: str) -> bool:
    """Whether the server holds the mail until its sender proves to be a person: it has not failed."""
    return "challenge" in reasons().find(normal(said[:2000]))


@lru_cache(maxsize=16)
def words(text: str) -> str:
    """A text for the comparison of words, without addresses and names of hosts: they may hold any word."""
    return NO_CAUSE.sub(" ", normal(HOST.sub(r"\1 ", ADDRESS.sub(" ", text[:8000]))))


def _codes(text: str) -> list[str]:
    return [match[0] for match in STATUS.finditer(text[:8000].replace("#", " ")) if match[1] != "2"]


def _by_words(said: str, codes: list[str], reply: str) -> str:
    found = _found(said)
    cause = next((each for each in ORDER if each in found), "")
    if cause == "blocked" and "disabled" in found and found["blocked"] in ALSO_OF_MAILBOXES:
        cause = "disabled"
    if not cause:
        return ""
    temporary = reply.startswith("4") or (not reply and any(code.startswith("4") for code in codes if code))
    if cause in ("unknown_domain", "disabled") and (temporary or TRY_AGAIN.search(said)):
        return "soft"
    return KIND[cause]


@lru_cache(maxsize=16)  # the same sentences are read for each recipient
def _found(said: str) -> dict[str, str]:
    return reasons().find(said[:8000])


def _of_the_sender(codes: list[str]) -> str:
    """Codes that are about the sender's address or authentication, however much the words speak of addresses."""
    return "policy" if any(code.partition(".")[2] in SENDER_CODES for code in codes) else ""


def _by_hints(said: str) -> str:
    found = _found(said)
    if "maybe_soft" in found and (reply := _reply(said)) and reply[1].startswith("4"):
        return "soft"
    return next((KIND[each] for each in HINTS if each in found), "")


def _by_codes(codes: list[str]) -> str:
    for code in codes:
        kind = _by_code(code)
        if kind:
            return kind
    return ""


def _by_code(code: str) -> str:
    """The kind of a status whose subject and detail say something; nothing for generic ones."""
    if not code or code.startswith("2"):
        return ""
    level, _, rest = code.partition(".")
    subject = rest.split(".")[0]
    if level == "4":
        return "soft" if rest != "0.0" else ""
    if rest in BY_STATUS:
        return BY_STATUS[rest]
    return {"1": "hard", "7": "policy"}.get(subject, "")


def _by_subject(codes: list[str]) -> str:
    """The server's system, the network and the content are not the address's fault (RFC 3463 3.4, 3.5, 3.7)."""
    return "soft" if any(code.split(".")[1] in ("3", "4", "6") for code in codes if code) else ""


def _by_reply(reply: str, said: str) -> str:
    if reply.startswith("4"):
        return "soft"
    if "end of data" in said or "data command" in said or "mail from" in said:
        return "policy"
    if reply in HARD_REPLIES:
        return "hard"
    return "soft" if reply in SOFT_REPLIES else ""


def _by_class(codes: list[str]) -> str:
    return "soft" if any(code.startswith(("4", "5")) for code in codes) else ""


def _status(codes: list[str], reply: str, kind: str) -> str | None:
    """The most specific code; the class of the SMTP reply where there is none."""
    known = [code for code in codes if code]
    specific = [code for code in known if not code.endswith(".0.0")]
    agreeing = [code for code in specific if _by_code(code) == kind]
    chosen = (agreeing[:1] if specific and _by_code(specific[0]) else []) or specific or known
    if chosen:
        return chosen[0]
    return f"{reply[0]}.0.0" if reply else None
