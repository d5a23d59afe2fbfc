"""What an SMPP gateway delivers: receipts and texts (SMPP 3.4, sections 4.6.1, 5.2.12 and appendix B)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.channels.sms.pieces import Piece, of_header, piece
from engine.channels.sms.text import codec, parted, readable

RECEIPT, TYPE_OF_MESSAGE = 0x04, 0x3C
Kind = Literal["delivered", "soft"]
BY_WORD: Mapping[str, Kind] = {
    "DELIVRD": "delivered",
    "EXPIRED": "soft",
    "DELETED": "soft",
    "UNDELIV": "soft",
    "REJECTD": "soft",
}
"""ENROUTE, ACCEPTD and UNKNOWN are on the way. No state says that a number does not exist."""
BY_STATE: Mapping[int, Kind] = {2: "delivered", 3: "soft", 4: "soft", 5: "soft", 8: "soft"}
ID = re.compile(r"\bid:\s*([^\s]{1,64})", re.IGNORECASE)
STAT = re.compile(r"\bstat:\s*([A-Z]{1,10})", re.IGNORECASE)
ERR = re.compile(r"\berr:\s*([0-9A-Z]{1,10})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery receipt. `kind` is None for a state on the way; `reference` is the gateway's name for the text."""

    reference: str
    kind: Kind | None
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Texted:
    """A text of a person. SMPP gives it no name: `digest` stands for its content.

    `piece` says which of several pieces it is, whose bytes are `data` in the codec `coding`.
    """

    sender: str
    recipient: str
    body: str
    digest: str
    piece: Piece | None
    data: bytes
    coding: str


def read(pdu: Any) -> Told | Texted:
    """What a `deliver_sm` says. Its optional parameters are believed before its text."""
    raw: bytes = getattr(pdu, "message_payload", None) or pdu.short_message or b""
    header, data = parted(raw, int(pdu.esm_class or 0))
    coding = codec(int(pdu.data_coding or 0))
    text = readable(data, coding)
    named = _text(getattr(pdu, "receipted_message_id", None))
    if named or int(pdu.esm_class or 0) & TYPE_OF_MESSAGE == RECEIPT:
        return _told(text, named, getattr(pdu, "message_state", None))
    sender, recipient = _text(pdu.source_addr), _text(pdu.destination_addr)
    digest = hashlib.sha256(f"{sender}\0{recipient}\0".encode() + raw).hexdigest()[:32]
    return Texted(sender, recipient, text, digest, of_header(header) or _segment(pdu), data, coding)


def _segment(pdu: Any) -> Piece | None:
    """The piece by SMPP's own parameters, which some gateways have in the header's place."""
    names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
    return piece(*(getattr(pdu, name, None) for name in names))


def _told(text: str, named: str, state: int | None) -> Told:
    word = (found[1].upper() if (found := STAT.search(text)) else "")[:7]
    error = found[1] if (found := ERR.search(text)) else ""
    reference = named or (found[1] if (found := ID.search(text)) else "")
    kind = BY_WORD.get(word) if word else BY_STATE.get(int(state or 0))
    return Told(reference, kind, error, f"{word or f'state {state}'} {error}".strip())


def _text(value: bytes | str | None) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value or ""
    return text.strip("\0 ")
