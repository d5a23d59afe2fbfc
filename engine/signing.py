"""Keyed hashes: tokens of links and pixels, and addresses that must be known again without being kept."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import struct
from typing import NamedTuple

from engine.settings import settings

KEY_ID = 1
TAG_BYTES = {"open": 10, "click": 10, "unsubscribe": 16, "view": 16}
PAYLOAD = struct.Struct(">BqqH")  # key id, message id, origin in microseconds, position
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
        self._keys = {
            purpose: hmac.digest(secret, f"cairn/{purpose}/{KEY_ID}".encode(), "sha256")
            for purpose in (*TAG_BYTES, "address")
        }
        self._keyed = {purpose: Keyed(key) for purpose, key in self._keys.items()}  # an email has a token for each link

    def token(self, purpose: str, reference: Reference) -> str:
        """A URL-safe token with a tag of at least 80 bits (unsubscribe: 128)."""
        payload = PAYLOAD.pack(KEY_ID, *reference)
        tag = self._keyed[purpose].digest(payload)[: TAG_BYTES[purpose]]
        token = binascii.b2a_base64(payload + tag, newline=False)
        return token.translate(URL_SAFE, b"=").decode()

    def read(self, purpose: str, token: str) -> Reference | None:
        """What the token says, or None when it was not made here for this purpose. Never raises on any text."""
        if len(token) > 80:
            return None
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, UnicodeEncodeError):
            return None
        payload, tag = raw[: PAYLOAD.size], raw[PAYLOAD.size :]
        if len(tag) != TAG_BYTES[purpose]:
            return None
        expected = hmac.digest(self._keys[purpose], payload, "sha256")[: TAG_BYTES[purpose]]
        if not hmac.compare_digest(tag, expected):
            return None
        key_id, message_id, origin_us, position = PAYLOAD.unpack(payload)
        return Reference(message_id, origin_us, position) if key_id == KEY_ID else None

    def address_hmac(self, channel: str, address: str) -> bytes:
        """The key under which an address is suppressed; email is compared without regard to case."""
        normal = address.strip().lower() if channel == "email" else address.strip()
        return self._keyed["address"].digest(f"{channel}:{normal}".encode())


@functools.cache
def signer() -> Signer:
    """The signer of this installation."""
    return Signer(settings().secret())
