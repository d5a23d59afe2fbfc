"""Keyed hashes: the short way gives what the standard library gives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

import pytest

from engine.signing import Keyed, Reference, Signer


@pytest.mark.parametrize("size", [0, 1, 19, 64, 200])
def test_keyed_digests_are_those_of_hmac(size: int) -> None:
    key = hashlib.sha256(b"key").digest()
    keyed = Keyed(key)
    assert keyed.digest(bytes(size)) == hmac.digest(key, bytes(size), "sha256")
    assert keyed.digest(bytes(size)) == keyed.digest(bytes(size))


def by_hand(purpose: str, *, kind: int, position: int, hashed: int, part: slice) -> str:
    """A token as a mailbox may hold it: `hashed` is the last field of what its tag was made of."""
    fields = (12, 1_700_000_000_000_000)
    key = hmac.digest(b"secret", f"cairn/{purpose}/1".encode(), "sha256")
    tag = hmac.digest(key, struct.pack(">BqqH", kind, *fields, hashed), "sha256")[part]
    return base64.urlsafe_b64encode(struct.pack(">BqqH", kind, *fields, position) + tag).decode().rstrip("=")


def test_tokens_in_mail_from_before_tags_were_shared_are_read() -> None:
    old = by_hand("click", kind=1, position=7, hashed=7, part=slice(10))
    assert Signer(b"secret").read("click", old) == Reference(12, 1_700_000_000_000_000, 7)


def test_a_token_made_now_takes_its_part_of_a_digest() -> None:
    made = Signer(b"secret").token("click", Reference(12, 1_700_000_000_000_000, 7))
    assert made == by_hand("click", kind=2, position=7, hashed=2, part=slice(10, 20))


@pytest.mark.parametrize("purpose", ["open", "click", "unsubscribe"])
def test_each_position_has_a_tag_of_its_own(purpose: str) -> None:
    signer = Signer(b"secret")
    wanted = tuple((purpose, position) for position in (0, 1, 2, 3, 4, 5, 6, 65_535))
    tokens = signer.tokens(12, 1_700_000_000_000_000, wanted)
    assert [signer.read(purpose, token).position for token in tokens] == [0, 1, 2, 3, 4, 5, 6, 65_535]  # type: ignore[union-attr]
    tags = [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[19:] for token in tokens]
    assert len(set(tags)) == len(tags)
    for position in range(1, 7):  # the tag of a neighbour, which a recipient knows, does not do
        raw = struct.pack(">BqqH", 2, 12, 1_700_000_000_000_000, position) + tags[position - 1]
        assert signer.read(purpose, base64.urlsafe_b64encode(raw).decode().rstrip("=")) is None


@pytest.mark.parametrize(("kind", "hashed"), [(0, 1), (3, 1), (1, 0), (2, 1), (255, 0)])
def test_no_other_kind_of_token_is_read(kind: int, hashed: int) -> None:
    for part in (slice(10), slice(10, 20), slice(20, 30)):
        forged = by_hand("click", kind=kind, position=4, hashed=hashed, part=part)
        right = kind == 2 and part == slice(10, 20)
        assert (Signer(b"secret").read("click", forged) is not None) is right
