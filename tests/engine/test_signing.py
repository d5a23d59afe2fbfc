"""Keyed hashes: the short way gives what the standard library gives."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from engine.signing import Keyed


@pytest.mark.parametrize("size", [0, 1, 19, 64, 200])
def test_keyed_digests_are_those_of_hmac(size: int) -> None:
    key = hashlib.sha256(b"key").digest()
    keyed = Keyed(key)
    assert keyed.digest(bytes(size)) == hmac.digest(key, bytes(size), "sha256")
    assert keyed.digest(bytes(size)) == keyed.digest(bytes(size))
