"""A bounce that somebody passes on: attached, or in the text below the headers that mail programs write there."""

from __future__ import annotations

import re

from engine.bounces.clues import Clues

SUBJECT = re.compile(r"\s{0,4}(?:fwd?|wg|tr|rv|i|enc|doorst|pd|vs|vb|vl|ilt|转发|轉寄|전달)\s{0,2}[::]", re.IGNORECASE)
FROM = re.compile(
    r"(?:from|von|de|da|van|od|от|från|fra|lähettäjä|kimden|差出人|发件人|寄件者|보낸 사람)\s{0,2}[::]"
    r"(.{0,200}(?:mailer-?daemon|postmaster|mail delivery|microsoft ?exchange|delivery subsystem).{0,200})",
    re.IGNORECASE,
)
FIELD = re.compile(r"[^\W\d_][^:\n]{0,24}[::]")
TOPIC = re.compile(
    r"(?:subject|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|тема|ämne|emne|aihe|konu|件名|主题|主旨|제목)\s{0,2}[::](.{0,300})",
    re.IGNORECASE,
)


def whole(clues: Clues) -> list[bytes]:
    """The mails in a mail: those attached; and the one in its text, if its subject says that it was passed on."""
    found = list(clues.attached)
    if SUBJECT.match(clues.mail.first("subject")):
        found += _within(f"{clues.human}\n{clues.original_text}")
    return found


def _within(text: str) -> list[bytes]:
    """The mail below the first line that names a mail server as its sender, made whole again."""
    lines = [line.lstrip("> *").rstrip() for line in text.split("\n")[:400]]
    for number, line in enumerate(lines):
        sender = FROM.match(line)
        if sender:
            rest = lines[number + 1 :]
            head = next((place for place, each in enumerate(rest[:12]) if not FIELD.match(each)), 0)
            topic = next((match[1].strip() for each in rest[:head] if (match := TOPIC.match(each))), "")
            raw = f"From: {sender[1].strip()}\nReturn-Path: <>\nSubject: {topic}\n\n" + "\n".join(rest[head:])
            return [raw.encode("utf-8", "replace")]
    return []
