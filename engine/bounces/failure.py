"""What a server said of one recipient, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """`action` and `status` as in RFC 3464, empty where unknown; `diagnostic` is what was said of this recipient."""

    recipient: str | None
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    expanded: str | None = None
    """The address that the mail was sent to, where the report tells it apart from where it was forwarded."""
    piped: bool = False
    """Whether it went to a program on the server that reports."""
