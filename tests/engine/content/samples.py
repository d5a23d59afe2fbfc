"""Small contents and envelopes for the tests."""

from __future__ import annotations

import datetime as dt
import email
from email import policy
from email.message import EmailMessage
from typing import Any

from engine.content.compile import Compiled, compile_source
from engine.rendering.email import load
from engine.rendering.envelope import Envelope, RenderedEmail

noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def envelope(**changes: Any) -> Envelope:
    """An envelope in which every address is set."""
    fields: dict[str, Any] = {
        "token": "tok123",
        "from_address": "shop@example.com",
        "from_name": "The Shop",
        "to_address": "ann@example.org",
        "to_name": "Ann",
        "date": noon,
        "message_domain": "mail.example.com",
        "unsubscribe_url": "https://t.example.com/u/" + "x" * 90,
        "unsubscribe_mailto": "u+tok123@example.com",
        "preferences_url": "https://t.example.com/p/tok",
        "open_url": "https://t.example.com/o/tok",
        "click_urls": lambda positions: [f"https://t.example.com/c/tok/{position}" for position in positions],
        "postal_address": "1 Main Street, Springfield",
        "feedback_id": "camp:journey:stream:shop",
    }
    return Envelope(**(fields | changes))


def content(body: str, front: str = "subject: Hello") -> str:
    """A content file."""
    return f"---\n{front}\n---\n{body}"


def mjml(inside: str) -> str:
    """MJML of one section with one text."""
    column = f"<mj-column><mj-text>{inside}</mj-text></mj-column>"
    return f"<mjml><mj-body><mj-section>{column}</mj-section></mj-body></mjml>"


def column(inside: str) -> str:
    """MJML of one section with one column."""
    return f"<mjml><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>"


def compiled(body: str, front: str = "subject: Hello") -> Compiled:
    """A compiled email."""
    return compile_source(content(body, front), "email")


def rendered(body: str, context: dict[str, Any], front: str = "subject: Hello", **changes: Any) -> RenderedEmail:
    """A rendered email."""
    return load(compiled(body, front).data).render(context, envelope(**changes))


def parsed(message: RenderedEmail) -> EmailMessage:
    """The message as a mail program reads it."""
    found = email.message_from_bytes(message.data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def html_of(message: RenderedEmail) -> str:
    """The decoded HTML part."""
    part = parsed(message).get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def text_of(message: RenderedEmail) -> str:
    """The decoded text part."""
    part = parsed(message).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
