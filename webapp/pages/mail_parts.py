"""An email taken apart for reading (RFC 5322, MIME)."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

LARGEST_SOURCE = 500_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message consists of; text is decoded, `headers` are unfolded and in order."""

    html: str | None
    text: str | None
    headers: tuple[tuple[str, str], ...]
    source: str


def read_parts(channel: str, raw: bytes) -> Parts:
    """The parts of an email; an SMS is its text. Never raises on bad bytes: they are shown as they can be."""
    source = raw[:LARGEST_SOURCE].decode("utf-8", "replace")
    if channel == "sms":
        return Parts(None, source, (), source)
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    headers = tuple((name, str(value)) for name, value in message.items())
    return Parts(_content(message, "html"), _content(message, "plain"), headers, source)


def _content(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    charset = part.get_content_charset("utf-8")
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
