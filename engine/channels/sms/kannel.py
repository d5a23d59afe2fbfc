"""Kannel's `sendsms` interface, its delivery reports and its texts (Kannel 1.4.5 User's Guide, chapters 6 and 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from engine.channels.provider import Outcome, Outgoing, Result
from engine.channels.sms.gateway import Gateway
from engine.channels.sms.http import Request
from engine.channels.sms.text import is_gsm

PATH = "/cgi-bin/sendsms"
DELIVERED, NOT_DELIVERED, BUFFERED, TO_CENTRE, REJECTED = 1, 2, 4, 8, 16
Kind = Literal["delivered", "soft"]
MASK = DELIVERED | NOT_DELIVERED | REJECTED
GSM, UCS2 = "0", "2"
TAKEN = (b"0:", b"3:")  # "0: Accepted for delivery", "3: Queued for later delivery"


class Kannel:
    """Gets `sendsms`. Kannel cuts texts itself, if its `sendsms-user` has `concatenation = true` and `max-messages`."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, item: Outgoing, text: str) -> Request:
        """`dlr-url` names the message by a token of ours; Kannel fills `%d` and `%A` in."""
        own, options = self.gateway, self.gateway.options
        fields = {
            "username": own.user,
            "password": own.password,
            "from": own.sender,
            "to": item.recipient,
            "text": text,
            "charset": "UTF-8",
            "coding": GSM if is_gsm(text) else UCS2,
        }
        if "smsc" in options:
            fields["smsc"] = options["smsc"]
        if item.receipt_url:
            joint = "&" if urlsplit(item.receipt_url).query else "?"
            fields |= {"dlr-mask": str(MASK), "dlr-url": f"{item.receipt_url}{joint}type=%d&answer=%A&id=%F"}
        return Request("GET", options.get("path", PATH), fields, {})

    def result(self, item: Outgoing, status: int, body: bytes) -> Result:
        """202 and a line that begins with 0 or 3; 403 for a wrong password, 503 for later."""
        words = body.decode("utf-8", "replace").strip()[:300]
        if status in (200, 202) and body.startswith(TAKEN):
            return Result(item.id, "accepted", status, text=words, stage="dot")
        if status in (401, 403):
            return Result(item.id, "not_tried", status, text=words or "the gateway refuses us", stage="connect")
        if status == 503:
            return Result(item.id, "retry", status, text=words, stage="rcpt")
        outcome: Outcome = "failed" if 400 <= status < 500 else "unknown"
        return Result(item.id, outcome, status, text=words or f"HTTP {status}", stage="rcpt")


def receipt_kind(fields: Mapping[str, str]) -> Kind | None:
    """delivered, soft, or None for a state on the way. Kannel does not say whether a number exists."""
    kind = fields.get("type", "")
    if kind == str(DELIVERED):
        return "delivered"
    return "soft" if kind in (str(NOT_DELIVERED), str(REJECTED)) else None
