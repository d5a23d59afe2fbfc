"""Kannel's `sendsms` interface, its delivery reports and its texts (Kannel 1.4.5 User's Guide, chapters 6 and 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from engine.channels.http import Answer, Request
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result
from engine.channels.sms.gateway import Gateway
from engine.channels.sms.text import is_gsm

PATH = "/cgi-bin/sendsms"
DELIVERED, NOT_DELIVERED, BUFFERED, TO_CENTRE, REJECTED = 1, 2, 4, 8, 16
Kind = Literal["delivered", "soft"]
MASK = DELIVERED | NOT_DELIVERED | REJECTED
GSM, UCS2 = "0", "2"
TAKEN = (b"0:", b"3:")  # "0: Accepted for delivery", "3: Queued for later delivery"


class Kannel:
    """Gets `sendsms`. Kannel cuts texts itself, if its `sendsms-user` has `concatenation = true` and `max-messages`."""

    def __init__(self, gateway: Gateway, naming: Naming) -> None:
        self.gateway, self.naming = gateway, naming

    def request(self, item: Outgoing, data: bytes) -> Request:
        """`dlr-url` names the message by a token of ours; Kannel fills `%d` and `%A` in."""
        own, options, text = self.gateway, self.gateway.options, data.decode()
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
        if url := self.naming.receipt_url(item):
            fields |= {"dlr-mask": str(MASK), "dlr-url": f"{url}?type=%d&answer=%A&id=%F"}
        return Request("GET", f"{options.get('path', PATH)}?{urlencode(fields)}", {})

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """202 and a line that begins with 0 or 3; 403 for a wrong password, 503 for later."""
        status, words = answer.status, answer.body.decode("utf-8", "replace").strip()[:300]
        if status in (200, 202) and answer.body.startswith(TAKEN):
            return Result(item.id, "accepted", status, text=words, stage="dot")
        if status in (401, 403):
            return Result(item.id, "not_tried", status, text=words or "the gateway refuses us", stage="connect")
        if status == 503:
            return Result(item.id, "retry", status, "4.3.2", words, "rcpt")
        outcome: Outcome = "failed" if 400 <= status < 500 else "unknown"
        return Result(item.id, outcome, status, text=words or f"HTTP {status}", stage="rcpt")


def receipt_kind(fields: Mapping[str, str]) -> Kind | None:
    """delivered, soft, or None for a state on the way. Kannel does not say whether a number exists."""
    kind = fields.get("type", "")
    if kind == str(DELIVERED):
        return "delivered"
    return "soft" if kind in (str(NOT_DELIVERED), str(REJECTED)) else None
