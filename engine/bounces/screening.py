"""Whether a mail without a report is a bounce at all."""

from __future__ import annotations

import re

from engine.bounces.addresses import address, addresses, is_daemon
from engine.bounces.clues import Clues, original_recipients
from engine.bounces.decoding import normal
from engine.bounces.dsn import REPLY, STATUS
from engine.bounces.phrases import marks, reasons

DAEMON_NAMES = re.compile(
    r"mail(?:er)?[ _-]?(?:delivery|daemon|deamon|administrator|system|router)"
    r"|delivery sub-?system|post-?master|mailer-daemon"
    r"|mail transport|system administrator|systemadministrator|microsoft exchange"
    r"|administrateur syst|mail server|internet mail"
)
THRESHOLD = 4
FINAL = re.compile(r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])|(?<![\d.])5[0-7]\d[ -]")
DENIED = re.compile(
    r"\b(?:(?:not|no|non|nicht|pas|nao|niet|nie|inte|ikke|ei|nem|ne|не|нет)\b|fail|unable|could|cannot|can't|undeliver|reject"
    r"|refus|unzustell|kein)|ません|てきな|无法|無法|未能|退|못|실패"
)
NO_REPLY = re.compile(r"(?:no|do-?not)-?reply|majordomo|abuse", re.IGNORECASE)  # people send by these too
LIST_HEADERS = {"list-id", "list-unsubscribe", "list-post"}
NAMED = re.compile(r"^\s{0,4}<[^<>\s]{1,64}@[^<>\s]{1,200}>:", re.MULTILINE)  # how qmail, Postfix and their kin begin
REPLY_LINE = re.compile(r"^\s{0,8}5[0-5]\d[ -]", re.MULTILINE)  # a server's reply on a line of its own
ALONE = re.compile(r"(?:^|:)\s{0,8}[<\"'*\s]{0,4}[^<>\s@]{1,64}@[^<>\s\"']{1,200}[>\"']?[:.,]?\s{0,4}$", re.MULTILINE)
REPLIES = ("re:", "aw:", "antw:", "sv:", "odp:", "ynt:", "vs:", "rv:")


def is_bounce(clues: Clues) -> bool:
    """Signs are added up: who sent it, how it is called, how it begins, and what a server said in it."""
    mail = clues.mail
    if "x-failed-recipients" in mail.headers:
        return not _delayed(clues)
    if clues.report_type == "disposition-notification":
        return "reject" in mail.first("auto-submitted").lower() or "reject" in mail.first("subject").lower()
    subject = marks().find(normal(mail.first("subject"))[:500])
    own = "\n".join(line for line in clues.human[:8000].split("\n") if not line.lstrip().startswith(">"))
    text = normal(own)
    body = marks().find(text)
    coded = bool(STATUS.search(text)) + bool(REPLY.search(text))
    certain = "certain" in body or bool(NAMED.search(own)) or clues.report_type == "delivery-status"
    sender = _sender(clues)
    if not (certain or coded or "subjects" in subject or "intros" in body):
        return sender == 3 and not (subject or body) and _returns_one(clues, own)
    if not (sender or clues.report_type or _is_laid_out(own) or (certain and "subjects" in subject) or clues.original):
        return False
    if not (certain or coded or "@" in own or clues.original):  # nobody is named, and nothing is quoted
        return False
    score = sender + 2 * ("subjects" in subject) + 2 * ("intros" in body) + 3 * certain
    score += coded + bool(reasons().find(text)) - _against(clues, subject)
    confirmed = "delivered" in body and not coded and not DENIED.search(text)
    return score >= (THRESHOLD if sender > 1 else THRESHOLD + 1) and not confirmed and not _delayed(clues)


def _returns_one(clues: Clues, own: str) -> bool:
    """Whether a server that says nothing in a language of ours names an address and sends a mail to it back."""
    named = {found.casefold() for _, _, found in addresses(own, 20)}
    return bool(ALONE.search(own)) and any(each.casefold() in named for each in original_recipients(clues))


def _is_laid_out(said: str) -> bool:
    """Whether a recipient or a reply stands on a line of its own, as servers write; people quote within sentences."""
    return bool(REPLY_LINE.search(said) or NAMED.search(said) or ALONE.search(said))


def is_from_a_person(clues: Clues) -> bool:
    """Whether nothing but its text looks like a server's mail."""
    subject = clues.mail.first("subject")
    called = "subjects" in marks().find(normal(subject)[:500]) and not subject.lower().startswith(REPLIES)
    return not (_sender(clues) or clues.report_type or called)


def _sender(clues: Clues) -> int:
    """How much the sender looks like a server: 0 to 3."""
    value = clues.mail.first("from")
    found = address(value) or value
    empty = clues.mail.first("return-path").replace(" ", "") == "<>"
    machine = (is_daemon(found + "@") and not NO_REPLY.match(found)) or bool(DAEMON_NAMES.search(normal(value)))
    return 2 * (machine or value == "<>") + empty


def _against(clues: Clues, subject: dict[str, str]) -> int:
    headers = clues.mail.headers
    against = 4 * ("autoreplies" in subject and "subjects" not in subject)
    if not _sender(clues):  # a list that bounces come to adds its headers to them
        against += bool(LIST_HEADERS & headers.keys())
        against += 4 * ("subjects" in subject and _begins_as_an_absence(clues, subject))
    against += 3 * bool({"x-autoreply", "x-autorespond", "x-vacation", "x-autoresponder"} & headers.keys())
    if _sender(clues) < 2:  # servers call their bounces so too
        against += 2 * clues.mail.first("auto-submitted").lower().startswith("auto-replied")
    precedence = clues.mail.first("precedence").lower()
    against += 3 * (precedence in ("auto_reply", "auto-reply", "list"))
    answering = clues.mail.first("subject").lower().startswith(REPLIES)
    quoting = _sender(clues) > 1 and bool(REPLY_LINE.search(clues.human[:8000]))
    return against + 2 * (answering and not quoting)


def _begins_as_an_absence(clues: Clues, subject: dict[str, str]) -> bool:
    """Whether the subject opens with what machines of absent people say; what follows is theirs to choose."""
    return normal(clues.mail.first("subject")).startswith(subject.get("autoreplies", "\0"))


def _delayed(clues: Clues) -> bool:
    """Whether it is a warning that the server goes on trying."""
    subject = marks().find(normal(clues.mail.first("subject"))[:500])
    body = marks().find(normal(clues.human[:8000]))
    if "delays" in subject or "delays" in body:
        return "permanent" not in body or not FINAL.search(clues.human[:8000])
    maybe = "maybe_delays" in subject or "maybe_delays" in body
    over = "permanent" in body or "permanent" in subject or bool(REPLY_LINE.search(clues.human[:8000]))
    return maybe and not over
