"""Keyed hashes: tokens of links and pixels, and addresses that must be known again without being kept."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import struct
from collections.abc import Iterable
from typing import NamedTuple

from engine.settings import settings

KEY_ID = 1  # begins the tokens of mail that was sent when each had a digest of its own
SHARED = 2  # instead of the key id: the same key, the tag a part of a digest that several positions share
TAG_BYTES = {"open": 10, "click": 10, "unsubscribe": 16, "view": 16}
DIGEST_BYTES = 32
PAYLOAD = struct.Struct(">BqqH")  # key id or SHARED, message id, origin in microseconds, position
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Reference(NamedTuple):
    """What a token says: a message, and for clicks the position of the link."""

    message_id: int
    origin_us: int  # messages.origin_at in microseconds since 1970, UTC
    position: int = 0


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
    """HMAC-SHA256 with a key per purpose (`TAG_BYTES` and address), derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        keys = {
            purpose: hmac.digest(secret, f"cairn/{purpose}/{KEY_ID}".encode(), "sha256")
            for purpose in (*TAG_BYTES, "address")
        }
        self._keyed = {purpose: Keyed(key) for purpose, key in keys.items()}  # an email has a token for each link

    def token(self, purpose: str, reference: Reference) -> str:
        """A URL-safe token with a tag of at least 80 bits (unsubscribe: 128)."""
        return self.tokens(purpose, reference.message_id, reference.origin_us, (reference.position,))[0]

    def tokens(self, purpose: str, message_id: int, origin_us: int, positions: Iterable[int]) -> list[str]:
        """The tokens of several positions of a message.

        Neighbours take their tags from one digest: parts of a digest that do not overlap tell nothing of each other.
        """
        digest, size = self._keyed[purpose].digest, TAG_BYTES[purpose]
        made, tokens = -1, []
        for position in positions:
            block, place = divmod(position, DIGEST_BYTES // size)
            if block != made:
                made, shared = block, digest(PAYLOAD.pack(SHARED, message_id, origin_us, block))
            tag = shared[place * size : place * size + size]
            token = binascii.b2a_base64(PAYLOAD.pack(SHARED, message_id, origin_us, position) + tag, newline=False)
            tokens.append(token.translate(URL_SAFE, b"=").decode())
        return tokens

    def read(self, purpose: str, token: str) -> Reference | None:
        """What the token says, or None when it was not made here for this purpose. Never raises on any text."""
        if len(token) > 80:
            return None
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, UnicodeEncodeError):
            return None
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

    def address_hmac(self, channel: str, address: str) -> bytes:
        """The key under which an address is suppressed; email is compared without regard to case."""
        normal = address.strip().lower() if channel == "email" else address.strip()
        return self._keyed["address"].digest(f"{channel}:{normal}".encode())


@functools.cache
def signer() -> Signer:
    """The signer of this installation."""
    return Signer(settings().secret())
