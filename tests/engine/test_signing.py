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


def test_tokens_in_mail_from_when_links_shared_digests_are_read() -> None:
    old = by_hand("click", kind=2, position=7, hashed=2, part=slice(10, 20))
    assert Signer(b"secret").read("click", old) == Reference(12, 1_700_000_000_000_000, 7)


@pytest.mark.parametrize(
    ("purpose", "position", "hashed", "part"),
    [
        ("open", 0, b"\0\0\0", slice(12)),
        ("unsubscribe", 0, b"\0\0\0", slice(12, 30)),
        ("preferences", 0, b"\0\0\0", slice(30, 48)),
        ("view", 3, b"\2\0\3", slice(18)),
        ("confirm", 0, b"\2\0\0", slice(18, 36)),
        ("click", 1, b"\1\0\1", slice(12)),
        ("click", 7, b"\1\0\2", slice(12, 24)),
    ],
)
def test_a_token_made_now_takes_its_part_of_a_digest(purpose: str, position: int, hashed: bytes, part: slice) -> None:
    key = hmac.digest(b"secret", b"cairn/message/3", "sha256")
    body = struct.pack(">qq", 12, 1_700_000_000_000_000)
    body = body[:8] + body[9:]
    tag = hashlib.blake2b(body + hashed, key=key).digest()[part]
    made = Signer(b"secret").token(purpose, Reference(12, 1_700_000_000_000_000, position))
    assert made == base64.urlsafe_b64encode(struct.pack(">BH", 3, position) + body + tag).decode()


@pytest.mark.parametrize("purpose", ["open", "click", "unsubscribe"])
def test_each_position_has_a_tag_of_its_own(purpose: str) -> None:
    signer = Signer(b"secret")
    wanted = tuple((purpose, position) for position in (0, 1, 2, 3, 4, 5, 6, 65_535))
    tokens = signer.tokens(12, 1_700_000_000_000_000, wanted)
    assert tokens == [signer.tokens(12, 1_700_000_000_000_000, (each,))[0] for each in wanted]
    assert [signer.read(purpose, token).position for token in tokens] == [0, 1, 2, 3, 4, 5, 6, 65_535]  # type: ignore[union-attr]
    raws = [base64.urlsafe_b64decode(token) for token in tokens]
    assert len({raw[18:] for raw in raws}) == len(tokens)
    for position in range(1, 7):  # the tag of a neighbour, which a recipient knows, does not do
        raw = raws[position][:18] + raws[position - 1][18:]
        assert signer.read(purpose, base64.urlsafe_b64encode(raw).decode()) is None


def test_the_purposes_of_a_message_do_not_stand_for_each_other() -> None:
    signer, reference = Signer(b"secret"), Reference(12, -5, 0)
    purposes = ("open", "click", "unsubscribe", "view", "preferences", "confirm")
    for made in purposes:
        token = signer.token(made, reference)
        assert [read for read in purposes if signer.read(read, token)] == [made]
        assert signer.read(made, token) == reference


@pytest.mark.parametrize(("kind", "hashed"), [(0, 1), (3, 1), (1, 0), (2, 1), (255, 0)])
def test_no_other_kind_of_token_is_read(kind: int, hashed: int) -> None:
    for part in (slice(10), slice(10, 20), slice(20, 30)):
        forged = by_hand("click", kind=kind, position=4, hashed=hashed, part=part)
        right = kind == 2 and part == slice(10, 20)
        assert (Signer(b"secret").read("click", forged) is not None) is right
