"""Amazon SES: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, and its events over SNS.

Requests are signed by AWS Signature Version 4; SNS signs its messages with a certificate of its own
(https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from engine.channels.http import Answer, Host, Request
from engine.channels.mail_api.word import Kind, Word, moment, object_of, text
from engine.channels.naming import Naming
from engine.channels.provider import Outcome, Outgoing, Result

TARGET = "/v2/email/outbound-emails"
SNS_HOST = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/[^\s]{1,300}")
CERTIFICATE = re.compile(SNS_HOST.pattern.partition("[^")[0] + r"SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
"""Other addresses of that host answer with what their askers wrote, so a certificate from there proves nothing."""
LATER = ("TooManyRequests", "LimitExceeded", "Throttling", "ServiceUnavailable")
OURS = (
    *("AccountSuspended", "SendingPaused", "MailFromDomainNotVerified", "NotFound", "AccessDenied"),
    *("InvalidClientToken", "SignatureDoesNotMatch", "UnrecognizedClient"),
)
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
TRANSIENT: Mapping[str, Kind] = {"ContentRejected": "policy", "AttachmentRejected": "policy"}


class Ses:
    """Posts raw MIME to `/v2/email/outbound-emails`."""

    def __init__(
        self, key: str, secret: str, host: Host, region: str, configuration: str | None, naming: Naming
    ) -> None:
        self.key, self.secret, self.host, self.region = key, secret, host, region
        self.configuration, self.naming = configuration, naming

    def request(self, item: Outgoing, data: bytes) -> Request:
        """The tag `cairn` comes back with each event."""
        body: dict[str, Any] = {
            "Destination": {"ToAddresses": [item.recipient]},
            "Content": {"Raw": {"Data": base64.b64encode(data).decode()}},
            "EmailTags": [{"Name": "cairn", "Value": self.naming.name(item)}],
        }
        if self.configuration:
            body["ConfigurationSetName"] = self.configuration
        raw = json.dumps(body).encode()
        now = dt.datetime.now(dt.UTC)  # a signature holds for minutes around the real time
        headers = {"Content-Type": "application/json", "Host": self.host.name, "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}"}
        signed = authorization(self.key, self.secret, self.region, "ses", "POST", TARGET, headers, raw)
        return Request("POST", TARGET, {**headers, "Authorization": signed}, raw)

    def result(self, item: Outgoing, answer: Answer) -> Result:
        """200 with `MessageId`, or an exception's name and message."""
        said = answer.json()
        if answer.status == 200 and said.get("MessageId"):
            return Result(item.id, "accepted", 200, text=text(said["MessageId"]), stage="dot")
        named = {name.lower(): value for name, value in answer.headers.items()}.get("x-amzn-errortype", "")
        words = f"{named.partition(':')[0]} {said.get('message') or said.get('Message') or ''}".strip()
        return Result(item.id, _outcome(answer.status, named), answer.status, text=words or f"HTTP {answer.status}",
                      stage="rcpt")  # fmt: skip


def _outcome(status: int, named: str) -> Outcome:
    if named.startswith(LATER) or status in (429, 503):
        return "retry"
    if named.startswith(OURS) or status in (401, 403, 404):
        return "not_tried"
    return "failed" if 400 <= status < 500 else "unknown"


def authorization(
    key: str, secret: str, region: str, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> str:
    """The header Authorization of AWS Signature Version 4, over all `headers`; `X-Amz-Date` is among them."""
    lower = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lower)
    listed = "".join(f"{name}:{value}\n" for name, value in lower)
    path, _, query = target.partition("?")
    canonical = "\n".join([method, path, query, listed, names, hashlib.sha256(body).hexdigest()])
    stamp = headers["X-Amz-Date"]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    told = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signing = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.digest(signing, told.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"


def genuine(said: Mapping[str, Any], certificate: bytes) -> bool:
    """Whether SNS signed the message with the certificate (PEM). Version 2 is SHA-256, version 1 SHA-1."""
    asked = [name for name in SIGNED if name in said and not (name == "Subject" and said[name] is None)]
    if said.get("Type") == "Notification":
        asked = [name for name in asked if name not in ("SubscribeURL", "Token")]
    told = "".join(f"{name}\n{said[name]}\n" for name in asked)
    method = hashes.SHA256() if said.get("SignatureVersion") == "2" else hashes.SHA1()
    try:
        signature = base64.b64decode(text(said.get("Signature")), validate=True)
        public = x509.load_pem_x509_certificate(certificate).public_key()
        if not isinstance(public, rsa.RSAPublicKey):
            return False
        public.verify(signature, told.encode(), padding.PKCS1v15(), method)
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def words(body: bytes) -> list[Word]:
    """What the event in an SNS notification says of each recipient."""
    said = Answer(200, {}, body).json()
    event = Answer(200, {}, text(said.get("Message")).encode()).json()
    kind = text(event.get("eventType") or event.get("notificationType"))
    mail = object_of(event.get("mail"))
    tags = object_of(mail.get("tags")).get("cairn")
    name = text(tags[0]) if isinstance(tags, list) and tags else ""
    own = f"{mail.get('messageId', '')}:{kind}"
    if kind == "Delivery":
        told = object_of(event.get("delivery"))
        reason, at = text(told.get("smtpResponse")), moment(told.get("timestamp"))
        return [Word(f"{own}:{one}", "delivered", name, one, "", reason, at) for one in _list(told, "recipients")]
    if kind == "Complaint":
        told = object_of(event.get("complaint"))
        reason, at = text(told.get("complaintFeedbackType")), moment(told.get("timestamp"))
        people = [text(object_of(one).get("emailAddress")) for one in _list(told, "complainedRecipients")]
        return [Word(f"{own}:{one}", "complaint", name, one, "", reason, at) for one in people]
    if kind == "Bounce":
        return _bounced(object_of(event.get("bounce")), own, name)
    if kind == "Reject":
        reason = text(object_of(event.get("reject")).get("reason"))
        return [Word(own, "policy", name, "", "", reason, moment(mail.get("timestamp")))]
    return []


def _bounced(told: Mapping[str, object], own: str, name: str) -> list[Word]:
    kind: Kind = TRANSIENT.get(text(told.get("bounceSubType")), "")
    if told.get("bounceType") == "Permanent" and not kind:
        kind = "hard" if told.get("bounceSubType") in ("NoEmail", "Suppressed", "OnAccountSuppressionList") else ""
    if told.get("bounceType") == "Transient" and not kind:
        kind = "soft"
    people = [object_of(one) for one in _list(told, "bouncedRecipients")]
    at = moment(told.get("timestamp"))
    return [
        Word(f"{own}:{text(one.get('emailAddress'))}", kind, name, text(one.get("emailAddress")),
             text(one.get("status")), text(one.get("diagnosticCode")), at)
        for one in people
    ]  # fmt: skip


def _list(told: Mapping[str, object], key: str) -> list[Any]:
    found = told.get(key)
    return found if isinstance(found, list) else []
