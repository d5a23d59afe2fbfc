"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, /user-manual/webhooks.

Webhooks are signed with HMAC-SHA256 over timestamp and token.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from urllib3.filepost import encode_multipart_formdata

from engine.channels.http import Answer, Request
from engine.channels.mail_api.word import Kind, Word, moment, object_of, text
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result

REASONS: Mapping[str, Kind] = {
    "suppress-bounce": "hard",
    "suppress-complaint": "complaint",
    "suppress-unsubscribe": "complaint",
    "espblock": "policy",
}


class Mailgun:
    """Posts MIME to `/v3/DOMAIN/messages.mime`."""

    def __init__(self, key: str, domain: str, naming: Naming) -> None:
        self.naming = naming
        self._target = f"/v3/{quote(domain, safe='')}/messages.mime"
        self._authorization = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()

    def request(self, item: Outgoing, data: bytes) -> Request:
        """The mail as it was rendered; `v:cairn` comes back with each event."""
        fields: dict[str, str | tuple[str, bytes, str]] = {
            "to": item.recipient,
            "message": ("message.eml", data, "message/rfc822"),
            "o:tracking": "no",
            "v:cairn": self.naming.name(item),
        }
        body, kind = encode_multipart_formdata(fields)
        return Request("POST", self._target, {"Authorization": self._authorization, "Content-Type": kind}, body)

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """200 with `id` and `message`, or `message` alone."""
        said = answer.json()
        if answer.status == 200 and said.get("id"):
            return Result(item.id, "accepted", 200, text=text(said["id"]), stage="dot")
        words = text(said.get("message")) or f"HTTP {answer.status}"
        return Result(item.id, _outcome(answer.status), answer.status, text=words, stage="rcpt")


def _outcome(status: int) -> Outcome:
    if status in (401, 402, 403, 404):
        return "not_tried"
    if status in (429, 503):
        return "retry"
    return "failed" if 400 <= status < 500 else "unknown"


def genuine(key: str, body: bytes) -> bool:
    """Whether `signature` in the body was made with the account's signing key."""
    signed = object_of(Answer(200, {}, body).json().get("signature"))
    told = text(signed.get("timestamp")) + text(signed.get("token"))
    expected = hmac.digest(key.encode(), told.encode(), "sha256").hex()
    return bool(told) and hmac.compare_digest(expected.encode(), text(signed.get("signature")).encode())


def words(body: bytes) -> list[Word]:
    """delivered, failed, rejected and complained; other events say nothing of a message's fate."""
    said = object_of(Answer(200, {}, body).json().get("event-data"))
    kind = _kind(said)
    if kind is None:
        return []
    status = object_of(said.get("delivery-status"))
    reason = text(status.get("message")) or text(status.get("description")) or text(said.get("reason"))
    code = text(status.get("enhanced-code")) or text(status.get("code"))
    name = text(object_of(said.get("user-variables")).get("cairn"))
    at = moment(said.get("timestamp"))
    return [Word(text(said.get("id")), kind, name, text(said.get("recipient")), code, reason, at)]


def _kind(said: Mapping[str, object]) -> Kind | None:
    event = text(said.get("event"))
    if event == "failed" and said.get("severity") == "temporary":
        return "deferred"
    if event == "failed":
        return REASONS.get(text(said.get("reason")), "")
    kinds: dict[str, Kind] = {"delivered": "delivered", "complained": "complaint", "rejected": "policy"}
    return kinds.get(event)
