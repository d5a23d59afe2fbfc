"""Keyed hashes: tokens of links and pixels, and addresses that must be known again without being kept."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import NamedTuple

from engine.settings import settings

KEY_ID = 1  # begins the tokens of mail that was sent when each had a digest of its own
SHARED = 2  # instead of the key id: the same key, the tag a part of a digest that several positions share
TAG_BYTES = {"open": 10, "click": 10, "unsubscribe": 16, "view": 16}
DIGEST_BYTES = 32
PAYLOAD = struct.Struct(">BqqH")  # key id or SHARED, message id, origin in microseconds, position
MESSAGE, POSITION = struct.Struct(">Bqq"), struct.Struct(">H")  # PAYLOAD in two parts
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Reference(NamedTuple):
    """What a token says: a message, and for clicks the position of the link."""

    message_id: int
    origin_us: int  # messages.origin_at in microseconds since 1970, UTC
    position: int = 0


Cut = tuple[bytes, int, int, bytes]  # a position, where its tag begins and ends in the digest, the padding
Block = tuple[Callable[[bytes], bytes], bytes, list[Cut]]  # a key's digest, the last part of what it hashes


class Plan(NamedTuple):
    """How the tokens of some positions are made: digests with their cuts, and where each token is in the text."""

    blocks: tuple[Block, ...]
    places: tuple[tuple[int, int], ...]


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
        self._planned = functools.lru_cache(maxsize=256)(self._plan)

    def token(self, purpose: str, reference: Reference) -> str:
        """A URL-safe token with a tag of at least 80 bits (unsubscribe: 128)."""
        return self.tokens(reference.message_id, reference.origin_us, ((purpose, reference.position),))[0]

    def tokens(self, message_id: int, origin_us: int, wanted: tuple[tuple[str, int], ...]) -> list[str]:
        """The tokens of a message for several (purpose, position).

        Neighbours take their tags from one digest: parts of a digest that do not overlap tell nothing of each other.
        Each is padded to a multiple of three bytes, so that all are written in base64 at once.
        """
        plan = self._planned(wanted)
        message = MESSAGE.pack(SHARED, message_id, origin_us)
        parts: list[bytes] = []
        for digest, block, cuts in plan.blocks:
            shared = digest(message + block)
            for position, start, end, padding in cuts:
                parts += (message, position, shared[start:end], padding)
        text = binascii.b2a_base64(b"".join(parts), newline=False).translate(URL_SAFE).decode()
        return [text[start:end] for start, end in plan.places]

    @staticmethod
    def _cut(purpose: str, position: int) -> tuple[int, Cut]:
        """The number of the digest that a position takes its tag from, and which part of it."""
        size = TAG_BYTES[purpose]
        block, place = divmod(position, DIGEST_BYTES // size)
        padding = bytes(-(PAYLOAD.size + size) % 3)
        return block, (POSITION.pack(position), place * size, place * size + size, padding)

    def _plan(self, wanted: tuple[tuple[str, int], ...]) -> Plan:
        """What is the same for all messages with these tokens. Runs of one digest are put together."""
        blocks: list[Block] = []
        places, start, last = [], 0, None
        for purpose, position in wanted:
            block, cut = self._cut(purpose, position)
            if last != (purpose, block):
                blocks.append((self._keyed[purpose].digest, POSITION.pack(block), []))
                last = (purpose, block)
            blocks[-1][2].append(cut)
            length = PAYLOAD.size + TAG_BYTES[purpose]
            places.append((start, start + -(-length * 4 // 3)))
            start += (length + len(cut[3])) * 4 // 3
        return Plan(tuple(blocks), tuple(places))

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
