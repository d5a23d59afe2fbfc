"""Keyed hashes: tokens of links and pixels, and addresses that must be known again without being kept."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import struct
from collections.abc import Sequence
from typing import NamedTuple

from engine.settings import settings

KEY_ID = 1  # begins the tokens of mail that was sent when each had a digest of its own
SHARED = 2  # of mail from when the links of a message shared digests
TOGETHER = 3  # of mail since: all tokens of a message are cut from a text of base64, so their parts have whole triplets
TAG_BYTES = {"open": 10, "click": 10} | dict.fromkeys(("unsubscribe", "view", "preferences", "confirm"), 16)
"""Of the first two kinds."""
DIGEST_BYTES = 32
PAYLOAD = struct.Struct(">BqqH")  # of the first two: kind, message id, origin in microseconds, position
LEAD = struct.Struct(">BH")  # of the third: kind, position; then message id in 8 bytes and origin in 7
BODY_BYTES = 15
BRIEF_TAG, BRIEF_LENGTH = 11, 24  # of links in texts, which have little room: bytes of the tag, characters in all
CLICKS, CLICK_BYTES = 5, 12  # tags of links in a digest of BLAKE2b
OWN = {"open": (0, 12), "unsubscribe": (12, 30), "preferences": (30, 48), "bounce": (48, 58)}
"""Where their tags are in a digest that they share."""
APART = {"view": (0, 18), "confirm": (18, 36), "reply": (36, 46)}  # in another one, as few messages need them
BLOCK = struct.Struct(">BH")  # what is hashed after the body: the kind of digest, and its number or the position
SHARED_BLOCK, LINK_BLOCK, APART_BLOCK = range(3)
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Reference(NamedTuple):
    """What a token says: a message, and for clicks the position of the link."""

    message_id: int
    origin_us: int  # messages.origin_at in microseconds since 1970, UTC
    position: int = 0


class Plan(NamedTuple):
    """How the tokens of some positions are made: what is hashed, how each begins, where its tag is in the text."""

    blocks: tuple[bytes, ...]
    cuts: tuple[tuple[str, slice], ...]


class Keyed:
    """HMAC-SHA256 (RFC 2104) with both of its hashes keyed beforehand: half of what `hmac` takes for a short text."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, data: bytes) -> bytes:
        """The same as `hmac.digest(key, data, "sha256")`, for keys of at most 64 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


class Signer:
    """Keyed hashes with keys derived from the installation's secret.

    `sealing` are keys for secrets at rest, the first of which seals.

    Addresses and older tokens have HMAC-SHA256 and a key per purpose, tokens made now keyed BLAKE2b (RFC 7693).
    """

    def __init__(self, secret: bytes, sealing: Sequence[bytes] = ()) -> None:
        keys = {
            purpose: hmac.digest(secret, f"cairn/{purpose}/{KEY_ID}".encode(), "sha256")
            for purpose in (*TAG_BYTES, "address")
        }
        self._keyed = {purpose: Keyed(key) for purpose, key in keys.items()}  # an email has a token for each link
        self._message = hashlib.blake2b(key=hmac.digest(secret, b"cairn/message/3", "sha256"))
        own = hmac.digest(secret, b"cairn/sealed", "sha256")
        self.sealing_keys = (*sealing, own, secret)  # for `engine.sealing`; the last sealed webhooks' once

    def token(self, purpose: str, reference: Reference) -> str:
        """A URL-safe token with a tag of 96 bits; of 144 for what changes a consent."""
        return self.tokens(reference.message_id, reference.origin_us, ((purpose, reference.position),))[0]

    def tokens(self, message_id: int, origin_us: int, wanted: tuple[tuple[str, int], ...]) -> list[str]:
        """The tokens of a message for several (purpose, position); the origin within 1,100 years of 1970."""
        return self.cut(message_id, origin_us, plan(tuple([(*each, "") for each in wanted])))

    def cut(self, message_id: int, origin_us: int, planned: Plan) -> list[str]:
        """The tokens of a message that were planned, each behind what stands before it.

        Neighbours take their tags from one digest: parts of a digest that do not overlap tell nothing of each other.
        """
        blocks, cuts = planned
        body = message_id.to_bytes(8, "big", signed=True) + origin_us.to_bytes(7, "big", signed=True)
        parts = [body, *[self._digest(body + block) for block in blocks]]
        text = binascii.b2a_base64(b"".join(parts), newline=False).translate(URL_SAFE).decode()
        named = text[: BODY_BYTES * 4 // 3]
        return [lead + named + text[where] for lead, where in cuts]

    def brief(self, message_id: int, position: int) -> str:
        """The token of a link in a text: 24 characters, a tag of 88 bits. It says nothing of the message's origin."""
        body = self._brief(message_id, position)
        return base64.urlsafe_b64encode(body + self._digest(b"brief" + body)[:BRIEF_TAG]).decode()

    def _brief(self, message_id: int, position: int) -> bytes:
        return position.to_bytes(1, "big") + message_id.to_bytes(6, "big")

    def read_brief(self, token: str) -> tuple[int, int] | None:
        """The message id and position that `brief` was given, or None for what was not made here. Never raises."""
        if len(token) != BRIEF_LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        body, tag = raw[:-BRIEF_TAG], raw[-BRIEF_TAG:]
        if not hmac.compare_digest(tag, self._digest(b"brief" + body)[:BRIEF_TAG]):
            return None
        return int.from_bytes(body[1:], "big"), body[0]

    def bounce(self, message_id: int, origin_us: int) -> str:
        """The name of a message in a bounce address: 40 letters and digits in lower case (base32), a tag of 80 bits."""
        return self._named(BOUNCE, message_id, origin_us)

    def reply(self, message_id: int, origin_us: int) -> str:
        """The name of a message in a Reply-To, as `bounce` spells it."""
        return self._named(REPLY, message_id, origin_us)

    def _named(self, place: tuple[bytes, int, int], message_id: int, origin_us: int) -> str:
        body = message_id.to_bytes(8, "big", signed=True) + origin_us.to_bytes(7, "big", signed=True)
        block, start, end = place
        number = int.from_bytes(body + self._digest(body + block)[start:end], "big")
        return "".join([PAIRS[number >> shift & 1023] for shift in SHIFTS])

    def read_bounce(self, name: str) -> Reference | None:
        """The message that a bounce address names, or None when it was not made here. Never raises on any text."""
        return self._read_named(BOUNCE, name)

    def read_reply(self, name: str) -> Reference | None:
        """The message that a Reply-To names, as `read_bounce`."""
        return self._read_named(REPLY, name)

    def _read_named(self, place: tuple[bytes, int, int], name: str) -> Reference | None:
        if len(name) != BOUNCE_LENGTH or not name.isascii():
            return None
        try:
            raw = base64.b32decode(name.upper())
        except binascii.Error:
            return None
        body, tag = raw[:BODY_BYTES], raw[BODY_BYTES:]
        block, start, end = place
        if not hmac.compare_digest(tag, self._digest(body + block)[start:end]):
            return None
        return Reference(*(int.from_bytes(part, "big", signed=True) for part in (body[:8], body[8:])))

    def _digest(self, data: bytes) -> bytes:
        """The 60 bytes of which tags are cut."""
        keyed = self._message.copy()
        keyed.update(data)
        return keyed.digest()[: CLICKS * CLICK_BYTES]

    def read(self, purpose: str, token: str) -> Reference | None:
        """What the token says, or None when it was not made here for this purpose. Never raises on any text."""
        if len(token) > 80:
            return None
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, UnicodeEncodeError):
            return None
        if raw[:1] == bytes([TOGETHER]):
            return self._read(purpose, raw)
        payload, tag, size = raw[: PAYLOAD.size], raw[PAYLOAD.size :], TAG_BYTES[purpose]
        if len(tag) != size:
            return None
        kind, message_id, origin_us, position = PAYLOAD.unpack(payload)
        place = 0
        if kind == SHARED:
            block, place = divmod(position, DIGEST_BYTES // size)
            payload = PAYLOAD.pack(SHARED, message_id, origin_us, block)
        elif kind != KEY_ID:
            return None
        expected = self._keyed[purpose].digest(payload)[place * size : place * size + size]
        return Reference(message_id, origin_us, position) if hmac.compare_digest(tag, expected) else None

    def _read(self, purpose: str, raw: bytes) -> Reference | None:
        lead, body, tag = raw[: LEAD.size], raw[LEAD.size : LEAD.size + BODY_BYTES], raw[LEAD.size + BODY_BYTES :]
        if not tag:
            return None
        position = LEAD.unpack(lead)[1]
        block, start, end = place(purpose, position)
        if not hmac.compare_digest(tag, self._digest(body + block)[start:end]):
            return None
        message_id, origin_us = (int.from_bytes(part, "big", signed=True) for part in (body[:8], body[8:]))
        return Reference(message_id, origin_us, position)

    def door(self, name: str) -> str:
        """The token in the address of a door for a service that cannot sign: 144 bits, always the same."""
        return base64.urlsafe_b64encode(self._keyed["address"].digest(f"door:{name}".encode())[:18]).decode()

    def fingerprint(self) -> str:
        """Tells whether HMACs of addresses were made with the same secret; says nothing of the secret."""
        return self._keyed["address"].digest(b"fingerprint").hex()[:16]

    def address_hmac(self, channel: str, address: str) -> bytes:
        """The key under which an address is suppressed; email is compared without regard to case."""
        normal = address.strip().lower() if channel == "email" else address.strip()
        return self._keyed["address"].digest(f"{channel}:{normal}".encode())


def place(purpose: str, position: int) -> tuple[bytes, int, int]:
    """What is hashed for a token besides the message, and the bytes of that digest that are its tag.

    The first link is at position 1, so a message with up to five takes one digest for them.
    """
    if purpose in APART:
        return BLOCK.pack(APART_BLOCK, position), *APART[purpose]
    if purpose != "click":
        return BLOCK.pack(SHARED_BLOCK, position), *OWN[purpose]
    block, number = divmod(position + CLICKS - 1, CLICKS)
    return BLOCK.pack(LINK_BLOCK, block), number * CLICK_BYTES, (number + 1) * CLICK_BYTES


BOUNCE = place("bounce", 0)
REPLY = place("reply", 0)
BOUNCE_LENGTH = 40
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
PAIRS = [
    first + second for first in LETTERS for second in LETTERS
]  # base32 two letters at a time, as each send needs it
SHIFTS = tuple(range(190, -1, -10))


@functools.lru_cache(maxsize=256)
def plan(wanted: tuple[tuple[str, int, str], ...]) -> Plan:
    """What is the same for all messages with these tokens: (purpose, position, what stands before it)."""
    places = [place(purpose, position) for purpose, position, _ in wanted]
    blocks = tuple(dict.fromkeys(block for block, _, _ in places))
    begins = {block: BODY_BYTES + number * CLICKS * CLICK_BYTES for number, block in enumerate(blocks)}
    leads = [
        before + base64.b64encode(LEAD.pack(TOGETHER, position)).translate(URL_SAFE).decode()
        for _, position, before in wanted
    ]
    cuts = [slice((begins[block] + start) * 4 // 3, (begins[block] + end) * 4 // 3) for block, start, end in places]
    return Plan(blocks, tuple(zip(leads, cuts, strict=True)))


@functools.cache
def signer() -> Signer:
    """The signer of this installation."""
    return Signer(settings().secret(), settings().keys_to_seal())
