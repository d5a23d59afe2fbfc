"""Tokens of pixels, links and unsubscribing: whatever comes is ours, or the common 404. Bound: 1 ms a token."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from engine.signing import PAYLOAD, TAG_BYTES, Reference, Signer
from engine.tracking.links import location
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz, within

SIGNER = Signer(b"fuzz")
OTHER = Signer(b"another installation")
purposes = st.sampled_from(sorted(TAG_BYTES))
references = st.builds(
    Reference, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**55), 2**55 - 1), st.integers(0, 65_535)
)


@fuzz(150)
@given(purposes, purposes, references)
def test_a_token_is_read_for_its_purpose_alone(made: str, read: str, reference: Reference) -> None:
    token = SIGNER.token(made, reference)
    assert SIGNER.read(read, token) == (reference if made == read else None)
    assert OTHER.read(made, token) is None


@fuzz(300)
@given(purposes, references, st.floats(0, 1), st.integers(0, 3), hostile.texts | hostile.broken)
def test_a_damaged_token_says_nothing(purpose: str, reference: Reference, at: float, gone: int, piece: str) -> None:
    token = SIGNER.token(purpose, reference)
    begin = int(at * len(token))
    damaged = token[:begin] + piece + token[begin + gone :]
    with within(0.001, damaged):
        found = SIGNER.read(purpose, damaged)
    assert found is None or (found == reference and _bytes(damaged) == _bytes(token))


def _bytes(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4))


@fuzz(150)
@given(purposes, st.binary(max_size=60) | st.binary(min_size=PAYLOAD.size + 10, max_size=PAYLOAD.size + 17))
def test_forged_bytes_say_nothing(purpose: str, raw: bytes) -> None:
    assert SIGNER.read(purpose, base64.urlsafe_b64encode(raw).decode().rstrip("=")) is None


LINKS = (
    "https://example.com/a?b=1#c",
    "http://[::1]:80/",
    "HTTPS://user:pass@example.com:8/%7Ea",
    "https://münchen.de/ä",
)


@fuzz(200)
@given(hostile.mutated(LINKS, ("[", "]", "@", ":", "//", "\\", "%", "\t", " ")) | hostile.broken)
def test_only_whole_web_addresses_are_followed(url: str) -> None:
    with within(0.005, url):
        found = location(url)
    if found is not None:
        assert found.isascii() and found.isprintable()
        assert found.lower().startswith(("http://", "https://"))
