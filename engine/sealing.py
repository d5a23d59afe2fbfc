"""Secrets at rest: encrypted and authenticated under the installation's key, apart by what they are for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken


def seal(values: Sequence[str], key: bytes, purpose: str) -> bytes:
    """Texts as one token; only `unseal` with the same key and purpose reads them."""
    return _box(key, purpose).encrypt(json.dumps(list(values)).encode())


def unseal(sealed: bytes, key: bytes, purpose: str) -> list[str] | None:
    """What `seal` was given; None if the installation's key is another one now."""
    try:
        found: list[str] = json.loads(_box(key, purpose).decrypt(sealed))
    except InvalidToken:
        return None
    return found


def _box(key: bytes, purpose: str) -> Fernet:
    derived = hmac.digest(hashlib.sha256(key).digest(), purpose.encode(), "sha256")
    return Fernet(base64.urlsafe_b64encode(derived))
