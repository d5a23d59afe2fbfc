"""References to a message of ours in what came back. They are only read here; whoever uses one verifies it."""

from __future__ import annotations

import re

from engine.bounces.clues import Clues

TO_NAMES = ("to", "delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "x-envelope-to", "x-rcpt-to", "cc")
VERP = re.compile(r"(?<![\w.-])[\w.-]{1,30}[-+=]([a-z2-7]{24,64})@", re.IGNORECASE)
MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]{1,255}>")
UNSUBSCRIBE = re.compile(r"/u/([A-Za-z0-9_-]{16,80})")


def token(clues: Clues) -> str | None:
    """The VERP token of the bounce's own address; else what the original's headers hold; else its quoted text."""
    for name in TO_NAMES:
        for value in clues.mail.headers.get(name, [])[:10]:
            if match := VERP.search(value):
                return match[1]
    original = clues.original
    for name, pattern in (("return-path", VERP), ("message-id", MESSAGE_ID), ("list-unsubscribe", UNSUBSCRIBE)):
        for value in original.get(name, [])[:3]:
            if match := pattern.search(value):
                return match[1]
    return None
