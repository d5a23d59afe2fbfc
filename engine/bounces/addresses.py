"""Email addresses in text of any kind."""

from __future__ import annotations

import re

from engine.bounces.decoding import words_of

LOCAL = re.compile(r"""(?:"[^"\n]{1,62}"|[\w.!#$%&'*+/=?^{|}~\u2600-\u27bf\ufe0f\U0001f000-\U0001faff-]{1,64})\Z""")
DOMAIN = re.compile(r"(?:\w(?:[\w-]{0,61}\w)?\.){1,10}(?:xn--[\w-]{1,59}|[^\W\d_]{1,24})(?![\w])")
ANY_DOMAIN = re.compile(r"[#\w\[](?:[\w.:-]{0,250}[\w\]])?")
PREFIX = re.compile(r"(?:smtp|dda:smtp|rfc822|rfc-822|mailto)[=:]", re.IGNORECASE)
DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|post[-_.]?master|mailerdaemon|mail-?deamon|mailer-?deamon|majordomo"
    r"|no-?reply|do-?not-?reply|double-?bounce|mailadmin|mailsystem|admin-?mail|abuse|symantec.*|microsoftexchange[0-9a-f]*)@",
    re.IGNORECASE,
)
XTEXT = re.compile(r"\+([2-7][0-9A-F])")
UTF8_ADDR = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


def addresses(text: str, limit: int = 200) -> list[tuple[int, int, str]]:
    """Start, end and text of the addresses in the first `limit` places that have an @."""
    found = []
    at = text.find("@")
    while at >= 0 and limit > 0:
        limit -= 1
        local, domain = LOCAL.search(text[max(0, at - 66) : at]), DOMAIN.match(text, at + 1, at + 255)
        if local and domain:
            name = PREFIX.sub("", local[0]).lstrip(".'=/*-!#&")
            if name.endswith("'"):
                name = ""
            if name and ".." not in name and not name.endswith("."):
                found.append((at - len(name), domain.end(), f"{name}@{domain[0]}"))
        at = text.find("@", at + 1)
    return found


def address(text: str) -> str | None:
    """The first address in a text, such as a To header; one in angle brackets before others."""
    start = text.rfind("<")
    inside = addresses(text[start:], 2) if start >= 0 else []
    found = inside or addresses(text, 5)
    return found[0][2] if found else None


def typed_address(value: str) -> str | None:
    """The address in `rfc822; <a@b>` or `utf-8; …` (RFC 3464 2.3.1, RFC 6533 3); xtext is read (RFC 3461 4)."""
    kind, semicolon, rest = value.partition(";")
    text = words_of(rest if semicolon else value)
    text = UTF8_ADDR.sub(lambda match: _character(match[1]), text)
    decoded = XTEXT.sub(lambda match: _xtext(match, kind), text)
    return address(decoded) or address(text) or _odd(text)


def _odd(text: str) -> str | None:
    """An address with a domain that no other place would be believed in, such as a bare host name."""
    local, at, domain = text.strip().strip("<>").rpartition("@")
    found, place = LOCAL.search(local), ANY_DOMAIN.match(domain)
    return f"{found[0]}@{place[0]}" if at and found and place else None


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 else ""


def _xtext(match: re.Match[str], kind: str) -> str:
    character = chr(int(match[1], 16))
    return match[0] if character.isalnum() and "utf-8" not in kind.lower() else character


def same(one: str, other: str) -> bool:
    """Whether two addresses are the same to a server that ignores case."""
    return one.casefold() == other.casefold()


def is_daemon(text: str) -> bool:
    """Whether the address is one that machines write from."""
    return bool(DAEMON.match(text))
