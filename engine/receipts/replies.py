"""Whether a mail that is no bounce is a person's answer to a message of ours."""

from __future__ import annotations

import re

from engine.bounces.addresses import address, is_daemon
from engine.bounces.decoding import normal
from engine.bounces.mime import Mail
from engine.bounces.phrases import marks

MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]{1,255}>")
AUTOMATIC = ("x-autoreply", "x-autorespond", "x-vacation", "x-autoresponder", "list-id", "list-post", "feedback-id")


def answered(mail: Mail) -> str | None:
    """The token of the message that this mail answers, None when no person answers one (RFC 3834, section 2).

    The token is only read here; whoever uses it looks whether it went to the one who answers.
    """
    if is_automatic(mail):
        return None
    for name in ("in-reply-to", "references"):
        if match := MESSAGE_ID.search(mail.first(name)):
            return match[1]
    return None


def is_automatic(mail: Mail) -> bool:
    """Whether a machine, a list or nobody in particular wrote it."""
    submitted = mail.first("auto-submitted").strip().lower()
    sender = address(mail.first("from"))
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or mail.first("precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply", "auto-reply")
        or any(name in mail.headers for name in AUTOMATIC)
        or mail.first("return-path").replace(" ", "") == "<>"
        or mail.kind.startswith("multipart/report")
        or sender is None
        or is_daemon(sender)
        or "autoreplies" in marks().find(normal(mail.first("subject"))[:500])
    )
