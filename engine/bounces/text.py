"""Bounces without a report: the recipients and what was said of each, in the formats of many servers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import lru_cache

from engine.bounces.addresses import address, addresses, is_daemon, same
from engine.bounces.clues import Clues, original_recipients
from engine.bounces.combinations import hint
from engine.bounces.decoding import normal
from engine.bounces.dsn import EXPANDED, REPLY, STATUS
from engine.bounces.failure import Failure
from engine.bounces.phrases import reasons

LINES, NEXT_LINES = 400, 14
HINTED = {"maybe_hard", "maybe_policy", "maybe_soft"}
LABEL = re.compile(r"\s{0,8}(?:from|to|subject|sent|date|cc|betreff|objet|asunto)\s{0,3}:", re.IGNORECASE)
LEAD = re.compile(
    r"(?:rcpt to|recipients?|to|address|final recipient|destinat\w{1,8}|addressee|user|mailbox|for|550|551|553"
    r"|554|5\d\d|4\d\d|an|empf\w{1,10}|destinataire|para|a|aan|till|til|smtp|adres\w{0,3}|кому|адрес\w{0,3})"
    r"\s{0,3}[:=#]?\s{0,3}[<(\"'\[]{0,2}$",
    re.IGNORECASE,
)
ANNOUNCED = re.compile(
    r"following (?:\w{1,20} )?(?:recipient|address|destination|user|person|mailbox|group|people|location)|did not reach"
    r"|(?:recipients?|address(?:es)?|groups|an|to|til|para|destinataires?)(?:\(s\)|\(es\))?(?: failed)?:\s{0,3}$"
    r"|folgende|siguientes|seguintes|seguenti|suivant|volgende|następując|следующ|följande|følgende|seuraav|následující"
    r"|宛先|受信者|以下|下列|다음|받는 사람",
    re.IGNORECASE,
)
FROM = re.compile(r"\b(?:from|by|von|de|da|contact|sender|postmaster)[:\s]{1,4}[<\"'(\[]{0,2}$", re.IGNORECASE)
OURS = ("to", "delivered-to", "x-original-to", "from", "sender", "reply-to", "return-path", "errors-to")
SENT_BY = ("from", "return-path", "sender", "reply-to", "errors-to")


def failures(clues: Clues) -> list[Failure]:
    """One for each recipient; one without a recipient when no address can be found."""
    said = clues.human
    failed = _failed_header(clues)
    if failed:
        return [Failure(each, diagnostic=about(said, each), expanded=_expanded(said, each)) for each in failed]
    found = _candidates(clues)
    if found:
        return [Failure(each, diagnostic=about(said, each), expanded=_expanded(said, each)) for each in found]
    others = original_recipients(clues)[:1]
    return [Failure(each, diagnostic=about(said, each)) for each in others] or [Failure(None, diagnostic=clipped(said))]


def _failed_header(clues: Clues) -> list[str]:
    """X-Failed-Recipients, which Exim and Gmail write."""
    values = ",".join(clues.mail.headers.get("x-failed-recipients", []))[:4000]
    return _unique(found for piece in values.split(",") if (found := address(piece)))


def _unique(found: Iterable[str]) -> list[str]:
    kept: dict[str, str] = {}
    for each in found:
        kept.setdefault(each.casefold(), each)
    return list(kept.values())[:50]


def _excluded(clues: Clues) -> set[str]:
    """The addresses that are ours or the server's, not the recipient's."""
    out = set()
    for headers, names in ((clues.mail.headers, OURS), (clues.original, SENT_BY)):
        for name in names:
            for value in headers.get(name, [])[:5]:
                out |= {each.casefold() for _, _, each in addresses(value[:2000], 10)}
    return out


def _candidates(clues: Clues) -> list[str]:
    """The addresses that stand where servers put failed recipients, best kind of place first."""
    excluded = _excluded(clues)
    expected = {each.casefold() for each in original_recipients(clues)}
    places: dict[int, list[str]] = {3: [], 2: [], 1: []}
    before = ""
    for line in _announced(clues.human.split("\n")[:LINES]):
        if "message-id" in line.lower():
            continue
        for start, _, found in addresses(line[:1000], 20):
            key = found.casefold()
            if is_daemon(found) or (key in excluded and key not in expected):
                continue
            rank = 1 if FROM.search(line[:start]) else 3 if key in expected else _rank(line, start, before)
            places[rank].append(found)
        before = line
    best = next((places[rank] for rank in (3, 2) if places[rank]), [])
    return _unique(best) or library(clues) or _unique(places[1])[:1]


def _announced(lines: list[str]) -> list[str]:
    """The lines after one that says that the recipients follow, if an address comes after it; else all of them."""
    for number, line in enumerate(lines):
        if ANNOUNCED.search(line) and any("@" in each for each in lines[number : number + 6]):
            return lines[number:]
    return lines


def _rank(line: str, start: int, before: str) -> int:
    """2 where servers put recipients: at the beginning of a line that is not within a sentence, or after a label."""
    if not line[:start].strip(" \t<>(\"'[*-•·|:"):
        return 1 if start == 0 and len(before) > 50 and not before.rstrip().endswith((":", ".")) else 2
    return 2 if LEAD.search(line[:start]) else 1


def about(said: str, recipient: str) -> str:
    """What is said of a recipient: its line and those after it, up to the next that begins with an address."""
    lines = said.split("\n")
    for number, line in enumerate(lines[:LINES]):
        place = line.casefold().find(recipient.casefold()) if recipient else -1
        if place >= 0:
            taken = [line[max(0, place - 200) :]]
            blank = False
            for following in lines[number + 1 : number + 1 + NEXT_LINES]:
                start = following.lstrip(" \t<")[:80]
                if "@" in start.split(" ")[0] and not same(start[: len(recipient)], recipient):
                    break
                blank = blank or not following.strip()
                taken.append(following)
            return _with_cause(clipped(f"{_heading(lines, number)}\n" + "\n".join(taken)), lines)
    return clipped(said)


def _heading(lines: list[str], number: int) -> str:
    """The line that announces a list of recipients, where it says what is the matter with all of them."""
    above = next((line for line in reversed(lines[max(0, number - 12) : number]) if line.rstrip().endswith(":")), "")
    return above if hint(normal(above[:300])) in ("hard", "soft") else ""


def _with_cause(block: str, lines: list[str]) -> str:
    """What is beside the recipient; where no server speaks there, the line of the mail in which one does."""
    if REPLY.search(block) or STATUS.search(block) or _cause(block):
        return block
    elsewhere = _telling("\n".join(lines[:LINES]))
    return elsewhere or (block if " " in block else clipped("\n".join(lines)))


@lru_cache(maxsize=4)  # one mail asks for each of its recipients
def _telling(said: str) -> str:
    """The first line with a server's reply; else the first that names a cause; else nothing."""
    lines = said.split("\n")
    replies = (line for line in lines if STATUS.search(line) or REPLY.search(line.strip()))
    causes = (line for line in lines[:60] if not LABEL.match(line) and _cause(line))
    return clipped(next(replies, "") or next(causes, ""))


def _cause(text: str) -> bool:
    """Whether words in a text name a cause, not only hint at one."""
    return bool(reasons().find(normal(text[:2000])).keys() - HINTED)


def clipped(text: str) -> str:
    """Its first 3,000 characters on one line."""
    return " ".join(text[:3000].split())


def _expanded(said: str, final: str) -> str | None:
    place = said.find(final)
    match = EXPANDED.search(said, place, place + len(final) + 300) if place >= 0 else None
    return address(match[1]) if match else None


def library(clues: Clues) -> list[str]:
    """What flufl.bounce, which knows many old formats, finds in the mail's sentences."""
    from email.message import Message  # these two are needed only for what nothing else understood

    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").disabled = True  # it logs what its detectors stumble over
    message = Message()
    message["from"] = clues.mail.first("from")[:500] or "unknown@invalid"
    for name in ("subject", "x-mailer"):
        if value := clues.mail.first(name):
            message[name] = value[:500]
    message.set_payload("\n".join(line[:300] for line in clues.human.split("\n", 200)[:200]))
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # foreign code on foreign bytes: a mail that it stumbles over has no address for us
        return []
    return [each.decode("utf-8", "replace") for each in sorted(permanent | temporary)]
