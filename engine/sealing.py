"""Secrets at rest: encrypted and authenticated under the installation's keys, apart by what they are for."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

Keys = tuple[bytes, ...]
"""The first one seals, all of them open: so a key can be changed while what older ones sealed is still there."""


def seal(values: Sequence[str], keys: Keys, purpose: str) -> bytes:
    """Texts as one token; only `unseal` with one of the same keys and the same purpose reads them."""
    return _box(keys[0], purpose).encrypt(json.dumps(list(values)).encode())


def unseal(sealed: bytes, keys: Keys, purpose: str) -> list[str] | None:
    """What `seal` was given; None if none of the keys opens it."""
    if not keys:
        return None
    try:
        found: list[str] = json.loads(MultiFernet([_box(key, purpose) for key in keys]).decrypt(sealed))
    except InvalidToken:
        return None
    return found


def reseal(sealed: bytes, keys: Keys, purpose: str) -> bytes | None:
    """The same under the first key, as it is if that has sealed it; None if none of the keys opens it."""
    found = unseal(sealed, keys[:1], purpose)
    if found is not None:
        return sealed
    found = unseal(sealed, keys[1:], purpose)
    return seal(found, keys, purpose) if found is not None else None


@functools.lru_cache(maxsize=64)
def _box(key: bytes, purpose: str) -> Fernet:
    derived = hmac.digest(hashlib.sha256(key).digest(), purpose.encode(), "sha256")
    return Fernet(base64.urlsafe_b64encode(derived))
