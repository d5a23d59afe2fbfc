"""An email taken apart for reading (RFC 5322, MIME)."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser

from workers.mailbox import decoded

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
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(raw)  # the newer policies raise on broken headers
        found = [part for part in message.walk() if part.get_content_disposition() != "attachment"]
    except RecursionError:
        return Parts(None, source, (), source)
    headers = tuple((name, decoded(str(value))) for name, value in message.items())
    return Parts(_content(found, "text/html"), _content(found, "text/plain"), headers, source)


def _content(parts: list[Message], kind: str) -> str | None:
    """The first part of this kind, decoded as its charset says; as UTF-8 where that is no charset."""
    part = next((part for part in parts if part.get_content_type() == kind and not part.is_multipart()), None)
    if part is None:
        return None
    try:
        payload = part.get_payload(decode=True)
    except (LookupError, ValueError, MessageError):
        payload = str(part.get_payload()).encode("utf-8", "replace")
    assert isinstance(payload, bytes)
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError, IndexError):
        text = payload.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()
