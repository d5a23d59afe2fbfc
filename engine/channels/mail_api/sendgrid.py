"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send, /for-developers/tracking-events/event.

Webhooks are signed with ECDSA over P-256 (…/getting-started-event-webhook-security-features).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from email.headerregistry import Address
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from engine.channels.http import Answer, Request, loaded
from engine.channels.mail_api.parts import parts_of
from engine.channels.mail_api.word import Kind, Word, moment, object_of, text
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
OFF = {"enable": False}
DROPPED: Mapping[str, Kind] = {
    "Bounced Address": "hard",
    "Invalid": "hard",
    "Unsubscribed Address": "complaint",
    "Spam Reporting Address": "complaint",
    "Spam Content": "policy",
}


class SendGrid:
    """Posts to `/v3/mail/send`."""

    def __init__(self, key: str, naming: Naming) -> None:
        self.naming = naming
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def request(self, item: Outgoing, data: bytes) -> Request:
        """`custom_args.cairn` comes back with each event. SendGrid's own tracking is switched off."""
        mail = parts_of(data)
        content = [("text/plain", mail.text), ("text/html", mail.html)]
        body: dict[str, Any] = {
            "personalizations": [{"to": [_address(mail.recipient)], "custom_args": {"cairn": self.naming.name(item)}}],
            "from": _address(mail.sender),
            "subject": mail.subject,
            "content": [{"type": kind, "value": value} for kind, value in content if value.strip()],
            "headers": mail.headers,
            "tracking_settings": {"click_tracking": OFF, "open_tracking": OFF, "subscription_tracking": OFF},
        }
        if mail.files:
            body["attachments"] = [{"filename": name, "type": kind, "content": data} for name, kind, data in mail.files]
        if mail.reply_to:
            body["reply_to"] = _address(mail.reply_to)
        return Request("POST", "/v3/mail/send", self._headers, json.dumps(body).encode())

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """202 with `X-Message-Id` and no body, or `errors` with `message` and `field`."""
        if answer.status == 202:
            own = {name.lower(): value for name, value in answer.headers.items()}.get("x-message-id", "")
            return Result(item.id, "accepted", 202, text=own, stage="dot")
        errors = answer.json().get("errors")
        told = [_told(one) for one in errors] if isinstance(errors, list) else []
        words = "; ".join(filter(None, told)) or f"HTTP {answer.status}"
        return Result(item.id, _outcome(answer.status), answer.status, text=words, stage="rcpt")


def _told(error: object) -> str:
    said = object_of(error)
    return f"{text(said.get('field'))} {text(said.get('message'))}".strip() or text(error)


def _address(given: Address) -> dict[str, str]:
    return {"email": given.addr_spec, **({"name": given.display_name} if given.display_name else {})}


def _outcome(status: int) -> Outcome:
    if status in (401, 403, 404, 405):
        return "not_tried"
    if status in (429, 503):
        return "retry"
    return "failed" if 400 <= status < 500 else "unknown"


def genuine(key: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the signature over timestamp and body was made by the key whose public part `key` is, DER in base64."""
    try:
        public = load_der_public_key(base64.b64decode(key))
        signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
    except (ValueError, binascii.Error):
        return False
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        public.verify(signature, headers.get(TIMESTAMP, "").encode() + body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def words(body: bytes) -> list[Word]:
    """An array of events; processed, open, click and the like say nothing of a message's fate."""
    events = loaded(body)
    found = [_word(one) for one in events if isinstance(one, dict)] if isinstance(events, list) else []
    return [word for word in found if word is not None]


def _word(said: Mapping[str, Any]) -> Word | None:
    event = text(said.get("event"))
    reason = text(said.get("reason")) or text(said.get("response"))
    kinds: dict[str, Kind] = {"delivered": "delivered", "deferred": "deferred", "spamreport": "complaint"}
    kind = kinds.get(event)
    if event == "dropped":
        kind = next((kind for words, kind in DROPPED.items() if words in reason), "soft")
    if event == "bounce":
        kind = ""
    if kind is None:
        return None
    own, name, recipient = (text(said.get(key)) for key in ("sg_event_id", "cairn", "email"))
    status, at = text(said.get("status")), moment(said.get("timestamp"))
    return Word(own, kind, name, recipient, status, reason, at, json.dumps(said).encode())
