"""Postmark: https://postmarkapp.com/developer/api/email-api, /developer/webhooks/webhooks-overview.

Postmark does not sign its webhooks: what protects them is the token in their address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.channels.http import Answer, Request
from engine.channels.mail_api.parts import parts_of
from engine.channels.mail_api.word import Kind, Word, moment, object_of, text
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result

INACTIVE, NOT_ALLOWED, RATE = 406, 405, 429
OURS = frozenset({10, 400, 401, 402, 412, 413, 1101, 1221, 1226, NOT_ALLOWED})
"""Wrong token, a sender that is not confirmed, an account that may not send, an unknown stream: no mail is at fault."""
BOUNCES: Mapping[str, Kind] = {
    "HardBounce": "hard",
    "BadEmailAddress": "hard",
    "AddressChange": "hard",
    "ManuallyDeactivated": "hard",
    "SoftBounce": "soft",
    "Transient": "deferred",
    "DnsError": "soft",
    "Unknown": "soft",
    "SpamNotification": "policy",
    "Blocked": "policy",
    "DMARCPolicy": "policy",
    "VirusNotification": "policy",
    "SpamComplaint": "complaint",
}
"""Other types (AutoResponder, ChallengeVerification, OpenRelayTest …) are no bounces."""


class Postmark:
    """Posts to `/email`."""

    def __init__(self, token: str, stream: str, naming: Naming) -> None:
        self.stream, self.naming = stream, naming
        self._headers = {"X-Postmark-Server-Token": token, "Accept": "application/json"}
        self._headers["Content-Type"] = "application/json"

    def request(self, item: Outgoing, data: bytes) -> Request:
        """`Metadata.cairn` comes back with each receipt."""
        mail = parts_of(data)
        body: dict[str, Any] = {
            "From": str(mail.sender),
            "To": str(mail.recipient),
            "Subject": mail.subject,
            "TextBody": mail.text,
            "HtmlBody": mail.html or None,
            "ReplyTo": str(mail.reply_to) if mail.reply_to else None,
            "Headers": [{"Name": name, "Value": value} for name, value in mail.headers.items()],
            "Attachments": [{"Name": name, "ContentType": kind, "Content": data} for name, kind, data in mail.files],
            "MessageStream": self.stream,
            "Metadata": {"cairn": self.naming.name(item)},
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        return Request("POST", "/email", self._headers, json.dumps(body).encode())

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """200 with `ErrorCode` 0, or 422 with another."""
        said = answer.json()
        code = said.get("ErrorCode")
        words = f"{code if code else ''} {said.get('Message', '')}".strip() or f"HTTP {answer.status}"
        if answer.status == 200 and code == 0:
            return Result(item.id, "accepted", 200, text=f"{said.get('MessageID', '')}", stage="dot")
        enhanced = "5.1.1" if code == INACTIVE else ""
        return Result(item.id, _outcome(answer.status, code), answer.status, enhanced, words, "rcpt")


def _outcome(status: int, code: object) -> Outcome:
    if status in (401, 403, 404) or code in OURS:
        return "not_tried"
    if status in (RATE, 503):
        return "retry"
    return "failed" if 400 <= status < 500 else "unknown"


def words(body: bytes) -> list[Word]:
    """Bounce, Delivery and SpamComplaint; other records say nothing of a message's fate."""
    said = Answer(200, {}, body).json()
    kind = _kind(said)
    if kind is None:
        return []
    own = text(said.get("ID")) or f"{text(said.get('MessageID'))}:{said.get('RecordType')}"
    recipient = text(said.get("Email") or said.get("Recipient"))
    at = moment(said.get("BouncedAt") or said.get("DeliveredAt"))
    name = text(object_of(said.get("Metadata")).get("cairn"))
    reason = text(said.get("Details")) or text(said.get("Description"))
    return [Word(own, kind, name, recipient, text(said.get("Type")), reason, at)]


def _kind(said: Mapping[str, Any]) -> Kind | None:
    record = said.get("RecordType")
    if record == "Delivery":
        return "delivered"
    if record == "SpamComplaint":
        return "complaint"
    return BOUNCES.get(text(said.get("Type"))) if record == "Bounce" else None
