"""`/hooks/sms/…`: where gateways deliver receipts and the texts of people.

Twilio signs its requests; Kannel signs nothing, so its addresses hold a token of ours that nobody else can make.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes
from xml.sax.saxutils import escape

from sqlalchemy.exc import SQLAlchemyError

from engine import clock, urls
from engine.channels.sms import kannel, twilio
from engine.channels.sms.gateway import Gateway
from engine.channels.sms.pieces import of_header
from engine.contacts.normal import dialled
from engine.db import Database
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.signing import Signer
from engine.texts.incoming import Incoming, take
from engine.texts.joining import Part, take_part
from webapp.native import NOT_FOUND, TEXT, Answer, Environ, Headers, clean, not_allowed, receive

PREFIX = "/hooks/sms/"
INCOMING = "incoming"
BODY_BYTES = 64 * 1024
XML: Headers = (("Content-Type", "text/xml; charset=utf-8"), ("Cache-Control", "no-store"))
STORED = Answer(200, TEXT, b"")
LATER = Answer(503, (*TEXT, ("Retry-After", "5")), b"Not stored. Come again.\n")
FORBIDDEN = Answer(403, TEXT, b"The signature does not fit this address: check CAIRN_PUBLIC_URL.\n")

HEADER = re.compile(r"(?:^|&)udh=([^&]{1,1000})")

Fields = Mapping[str, str]


def incoming_url(site: str, gateway: Gateway, signer: Signer) -> str:
    """What to enter at the gateway as the address for incoming texts."""
    if gateway.kind == "twilio":
        return f"{site}{PREFIX}{INCOMING}"
    fill = "from=%p&to=%P&text=%a&id=%I&charset=UTF-8&udh=%u"
    return f"{site}{PREFIX}{INCOMING}/{signer.door(INCOMING)}?{fill}"


@dataclass(frozen=True, slots=True)
class Texts:
    """What the addresses work with. Without a gateway none of them exists."""

    database: Database
    signer: Signer
    site: str
    gateway: Gateway | None = None
    ring: Callable[[], object] = bool  # journeys have something to look at

    def answer(self, environ: Environ) -> Answer:
        """200 once it is stored; 403 for a wrong signature, the common 404 for a wrong token, 503 for later."""
        if self.gateway is None or self.gateway.kind == "smpp":
            return NOT_FOUND
        if environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return not_allowed("GET", "POST")
        pairs = _pairs(environ)
        if self.gateway.kind == "twilio" and not self._signed(environ, pairs, self.gateway.password):
            return FORBIDDEN
        path: str = environ["PATH_INFO"][len(PREFIX) :]
        door = self._incoming(path) if path.startswith(INCOMING) else self._receipt(path)
        try:
            return door(self.gateway, dict(pairs)) if door else NOT_FOUND
        except SQLAlchemyError:
            return LATER

    def _signed(self, environ: Environ, pairs: list[tuple[str, str]], password: str) -> bool:
        """Twilio signs the address that it was given: by CAIRN_PUBLIC_URL, whatever a proxy made of it."""
        query = environ.get("QUERY_STRING", "")
        url = self.site + environ["PATH_INFO"] + (f"?{query}" if query else "")
        given = clean(environ.get("HTTP_X_TWILIO_SIGNATURE", ""), 100)
        posted = pairs if environ["REQUEST_METHOD"] == "POST" else []
        return twilio.genuine(password, url, posted, given)

    def _incoming(self, path: str) -> Callable[[Gateway, Fields], Answer] | None:
        assert self.gateway is not None
        _, _, token = path.partition("/")
        ours = hmac.compare_digest(token.encode(), self.signer.door(INCOMING).encode())
        return self._take if ours or self.gateway.kind == "twilio" else None

    def _take(self, gateway: Gateway, fields: Fields) -> Answer:
        """Store a text and answer it in the gateway's own way: TwiML, or a body that Kannel texts back."""
        incoming = _of_twilio(fields) if gateway.kind == "twilio" else _of_kannel(fields)
        if not incoming.sender or not incoming.reference:
            return Answer(400, TEXT, b"This is no text: it lacks its sender or its id.\n")
        piece = of_header(unquote_to_bytes(fields.get("udh", ""))) if gateway.kind == "kannel" else None
        with self.database.transaction() as session:
            now = clock.now(session)
            if piece:
                part = Part(incoming.sender, incoming.recipient, piece, incoming.body.encode(), "utf-8")
                said = take_part(session, str(gateway), part, now)
            else:
                said = take(session, str(gateway), incoming, now)
        self.ring()
        if gateway.kind == "kannel":
            return Answer(200, TEXT, said.encode())
        inside = f"<Message>{escape(said)}</Message>" if said else ""
        return Answer(200, XML, f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'.encode())

    def _receipt(self, token: str) -> Callable[[Gateway, Fields], Answer] | None:
        found = self.signer.read_bounce(token)
        if found is None:
            return None

        def note(gateway: Gateway, fields: Fields) -> Answer:
            said = _twilio_receipt(fields) if gateway.kind == "twilio" else _kannel_receipt(fields)
            if said is None:
                return STORED
            kind, status, reason, own = said
            receipt = Receipt(
                provider=str(gateway),
                provider_id=f"{own or token}:{kind}:{status}",
                kind=kind,
                channel="sms",
                message=(found.message_id, urls.origin_at(found)),
                status=status,
                reason=reason,
            )
            with self.database.transaction() as session:
                store(session, [receipt], clock.now(session), self.signer)
            return STORED

        return note


def _pairs(environ: Environ) -> list[tuple[str, str]]:
    """The fields. A header of Kannel's is bytes and no text: it stays as it was written."""
    raw = receive(environ, BODY_BYTES) if environ["REQUEST_METHOD"] == "POST" else b""
    text = raw.decode("utf-8", "replace") if raw else environ.get("QUERY_STRING", "")
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=200) if text.count("&") < 200 else []
    header = HEADER.search(text)
    return [(name, header[1] if header and name == "udh" else clean(value, 4000)) for name, value in pairs]


def _of_twilio(fields: Fields) -> Incoming:
    """https://www.twilio.com/docs/messaging/guides/webhook-request"""
    sender, recipient = dialled(fields.get("From", "")), dialled(fields.get("To", ""))
    understood = twilio.OPT_OUT.get(fields.get("OptOutType", "").upper())
    return Incoming(fields.get("MessageSid", ""), sender, recipient, fields.get("Body", ""), understood)


def _of_kannel(fields: Fields) -> Incoming:
    sender, recipient = dialled(fields.get("from", "")), dialled(fields.get("to", ""))
    return Incoming(fields.get("id", ""), sender, recipient, fields.get("text", ""))


def _twilio_receipt(fields: Fields) -> tuple[twilio.Kind, str, str, str] | None:
    kind = twilio.receipt_kind(fields)
    code, said = fields.get("ErrorCode", ""), fields.get("MessageStatus", "")
    return (kind, code or said, f"{said} {code}".strip(), fields.get("MessageSid", "")) if kind else None


def _kannel_receipt(fields: Fields) -> tuple[kannel.Kind, str, str, str] | None:
    kind = kannel.receipt_kind(fields)
    return (kind, fields.get("type", ""), fields.get("answer", ""), "") if kind else None
