"""A rendered email taken apart, for vendors that take no MIME. What a vendor writes itself is left out."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import default
from typing import NamedTuple

from engine.channels.provider import RenderFailure

WRITTEN_BY_VENDORS = frozenset(
    ("from", "to", "subject", "reply-to", "date", "message-id", "mime-version", "content-type",
     "content-transfer-encoding", "dkim-signature")
)  # fmt: skip


class File(NamedTuple):
    """An attachment; `content` is in base64, as vendors take it."""

    name: str
    kind: str
    content: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Addresses with their names, the bodies, and the headers that go along, such as List-Unsubscribe, unfolded."""

    sender: Address
    recipient: Address
    reply_to: Address | None
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    files: list[File]


def parts_of(data: bytes) -> Parts:
    """Read what the renderer wrote. Raises RenderFailure."""
    mail = message_from_bytes(data, policy=default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    sender, recipient = _address(mail, "From"), _address(mail, "To")
    if sender is None or recipient is None:
        raise RenderFailure("the sender's or the recipient's address does not read")
    kept = {name: _flat(str(value)) for name, value in mail.items() if name.lower() not in WRITTEN_BY_VENDORS}
    return Parts(
        sender,
        recipient,
        _address(mail, "Reply-To"),
        _flat(str(mail["Subject"] or "")),
        text.get_content() if text else "",
        html.get_content() if html else "",
        kept,
        [_file(part) for part in mail.iter_attachments()] if mail.get_content_type() == "multipart/mixed" else [],
    )


def _file(part: Message) -> File:
    content = "".join(str(part.get_payload()).split())
    return File(part.get_filename() or "file", part.get_content_type(), content)


def _address(mail: EmailMessage, name: str) -> Address | None:
    held = mail[name]
    addresses = held.addresses if held is not None else ()
    return addresses[0] if addresses else None


def _flat(value: str) -> str:
    return " ".join(value.split())
