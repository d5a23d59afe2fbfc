"""Twilio Programmable Messaging: requests, error codes, signatures, receipts and texts.

https://www.twilio.com/docs/messaging/api/message-resource, /docs/api/errors, /docs/usage/security#validating-requests
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

from engine.channels.http import Answer, Request
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result
from engine.channels.sms.gateway import Gateway
from engine.channels.sms.keywords import Keyword

FORM = "application/x-www-form-urlencoded"
REFUSED: dict[int, str] = {
    21211: "5.1.1",  # no valid number
    21214: "5.1.1",  # cannot be reached
    21217: "5.1.1",  # no valid number
    21610: "5.2.1",  # has sent STOP to this sender
    21614: "5.1.1",  # not a mobile number
    21408: "5.7.1",  # the account may not send to this region
    21612: "5.7.1",  # this sender cannot reach it
    30004: "5.7.1",  # blocked
    30005: "5.1.1",  # unknown handset
    30006: "5.1.1",  # landline, or a carrier that cannot be reached
    30007: "5.7.1",  # filtered as spam
    30034: "5.7.1",  # the sender is not registered for US A2P 10DLC
}
"""Codes that speak of this number or this text, with the class of RFC 3463 that the rest of Cairn goes by."""
LATER = frozenset({14107, 20429, 20500, 20503, 30001, 30022})
TOO_FAST = frozenset({14107, 20429, 30001, 30022})
OURS = frozenset({20003, 20004, 20005, 20008, 20403, 20404, 21212, 21603, 21606, 21659, 21701, 21703})
"""Account, credentials or sender are wrong: no text is at fault, and each would fare alike."""

Kind = Literal["delivered", "hard", "soft", "policy"]
DELIVERED = frozenset({"delivered", "read"})
LOST = frozenset({"undelivered", "failed"})

OPT_OUT: Mapping[str, Keyword] = {"STOP": "stop", "START": "start", "HELP": "help"}
"""`OptOutType`: what Advanced Opt-Out has recognised, by keywords of its own, and answered by itself."""


class Twilio:
    """Posts to `/2010-04-01/Accounts/SID/Messages.json`."""

    def __init__(self, gateway: Gateway, naming: Naming) -> None:
        self.gateway, self.naming = gateway, naming
        account = base64.b64encode(f"{gateway.user}:{gateway.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {account}", "Accept": "application/json", "Content-Type": FORM}
        self._path = f"/2010-04-01/Accounts/{quote(gateway.user, safe='')}/Messages.json"

    def request(self, item: Outgoing, data: bytes) -> Request:
        """`StatusCallback` names the message by a token of ours."""
        service = self.gateway.options.get("service")
        fields = {"To": item.recipient, "Body": data.decode()}
        fields |= {"MessagingServiceSid": service} if service else {"From": self.gateway.sender}
        if url := self.naming.receipt_url(item):
            fields["StatusCallback"] = url
        return Request("POST", self._path, self._headers, urlencode(fields).encode())

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """201 with the message's `sid`, or an error with `code` and `message`."""
        status, said = answer.status, answer.json()
        if status in (200, 201) and said.get("sid"):
            return Result(
                item.id, "accepted", status, text=f"{said['sid']} {said.get('status', '')}".strip(), stage="dot"
            )
        code = said.get("code")
        code = code if isinstance(code, int) else 0
        words = f"{code or ''} {said.get('message', '')}".strip() or f"HTTP {status}"
        enhanced = "4.7.0" if status == 429 or code in TOO_FAST else REFUSED.get(code, "")
        return Result(item.id, _outcome(status, code), status, enhanced, words, "rcpt")


def _outcome(status: int, code: int) -> Outcome:
    if code in OURS or (status in (401, 403, 404) and code not in REFUSED):
        return "not_tried"
    if code in LATER or status == 429 or status == 503:
        return "retry"
    if status >= 500 or status < 400:
        return "unknown"
    return "failed"


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """`X-Twilio-Signature` of a form posted to `url`: HMAC-SHA1 of the address and the sorted, distinct fields."""
    pairs = sorted(set(fields))
    signed = url + "".join(name + value for name, value in pairs)
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def genuine(token: str, url: str, fields: Iterable[tuple[str, str]], given: str) -> bool:
    """Whether the signature fits our address, as it was given or with the port that stands for its scheme."""
    pairs, parts = list(fields), urlsplit(url)
    bare, port = parts.hostname or "", 443 if parts.scheme == "https" else 80
    spelt = {url, *(parts._replace(netloc=place).geturl() for place in (bare, f"{bare}:{port}"))}
    return any(hmac.compare_digest(signature(token, one, pairs).encode(), given.encode()) for one in spelt)


def receipt_kind(fields: Mapping[str, str]) -> Kind | None:
    """delivered, hard, soft, policy, or None for a state on the way. Statuses may come twice and out of order."""
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    if status in DELIVERED:
        return "delivered"
    if status not in LOST:
        return None
    code = fields.get("ErrorCode", "")
    enhanced = REFUSED.get(int(code), "") if code.isdigit() else ""
    if enhanced.startswith("5.7."):
        return "policy"
    return "hard" if enhanced else "soft"
