"""A rendered email read again, by whoever looks at what was made: previews and preflights."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8


def read(data: bytes) -> EmailMessage:
    """The email as a mail program reads it."""
    return message_from_bytes(data, policy=SMTPUTF8, _class=EmailMessage)


def body(mail: EmailMessage, kind: str) -> str:
    """Its `html` or its `plain` text, beside files or not; empty where it has none."""
    found = mail.get_body((kind,))
    return str(found.get_content()) if found is not None else ""
