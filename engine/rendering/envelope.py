"""What a message needs besides its content: who, when, and the addresses of its links; and what comes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)  # frozen, it would take five times as long to make, for each message
class Envelope:
    """Of one email to one contact. Nobody changes one.

    `token` names the message (Message-ID `<token@message_domain>`); `date` is aware. `click_urls` gives the tracking
    addresses of links by their positions. `plain_urls` promises that they, `open_url`, `unsubscribe_url` and
    `preferences_url` are http
    addresses of letters, digits and `/:?%_.,+~@-`, which need no encoding anywhere. `postal_address` may hold several
    lines. A `transactional` message has no header for unsubscribing, nor a link for it in the standard footer.
    `from_wins`: it is from this sender whatever the content says.
    `unsubscribe_mailto` is an address that unsubscribes by mail (RFC 2369). `headers` are added as they are:
    names and values must be ASCII.
    """

    token: str
    from_address: str
    to_address: str
    date: dt.datetime
    message_domain: str
    from_name: str = ""
    from_wins: bool = False
    to_name: str = ""
    reply_to: str = ""
    unsubscribe_url: str = ""
    unsubscribe_mailto: str = ""
    preferences_url: str = ""
    confirm_url: str = ""
    view_url: str = ""
    open_url: str = ""
    click_urls: Callable[[Iterable[int]], list[str]] | None = None
    plain_urls: bool = False
    postal_address: str = ""
    feedback_id: str = ""
    transactional: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_urls(self) -> tuple[str, ...]:
        """Addresses of Cairn's own pages, which are never tracked."""
        pages = (self.unsubscribe_url, self.preferences_url, self.confirm_url, self.view_url)
        return tuple(page for page in pages if page)


@dataclass(slots=True)
class RenderedEmail:
    """A complete RFC 5322 message with CRLF line ends, not dot-stuffed and not signed: no line begins with a dot.

    `recipient` is the forward path for RCPT TO, its domain in ASCII; `smtputf8` says that it, and the To header, hold
    non-ASCII and need that extension (RFC 6531). `missing` names the variables that had no value; `dynamic_links` maps
    positions to this contact's destinations. `size` is the length of `data` in bytes.
    """

    data: bytes
    subject: str
    recipient: str
    missing: tuple[str, ...]
    dynamic_links: dict[int, str]
    size: int
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """A text message: its parts at 160/153 (GSM 03.38) or 70/67 (UCS-2) characters, and what was missing."""

    text: str
    parts: int
    encoding: str
    missing: tuple[str, ...] = ()
