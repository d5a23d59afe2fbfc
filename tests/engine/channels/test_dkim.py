"""DKIM signatures, judged by dkimpy's verifier."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.channels.dkim import Dkim, Key, load
from engine.channels.smtp.envelope import prepare
from engine.errors import ConfigurationError
from engine.rendering.email import load as load_renderer
from tests.engine.content.samples import compiled, envelope

texts = st.text(
    st.one_of(st.sampled_from(list(".= \t\n\r<>&é☃😀a-\x0b\x85")), st.characters(exclude_categories=["Cs"])),
    max_size=90,
)
BODY = (
    "<html><body><p>{{ a }} and  two\tblanks. {% if b %}{{ b }}{% endif %} <a href='https://x.example/'>x</a></p>"
    "<pre>\n    {{ c }}\n</pre></body></html>"
)


class VerifyKey:
    """What dkimpy asks of PyNaCl to verify Ed25519."""

    def __init__(self, key: bytes, encoder: object) -> None:
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

    def verify(self, message: bytes, signature: bytes) -> bool:
        self.key.verify(signature, message)
        return True


@pytest.fixture(autouse=True, scope="module")
def verifier() -> Iterator[None]:
    """dkimpy with `cryptography` in the place of PyNaCl."""
    nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(ValueError=ValueError, BadSignatureError=InvalidSignature),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkim, "nacl", nacl, raising=False)
        rendered("x", "", "")
        keys()
        yield


@cache
def keys() -> tuple[Key, ...]:
    return (
        Key("big", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        Key("ed", Ed25519PrivateKey.generate()),
    )


@cache
def renderer() -> Any:
    return load_renderer(compiled(BODY, "subject: 'Dear {{ a }}'").data)


def rendered(a: str, b: str, c: str, name: str = "Ann") -> bytes:
    return renderer().render({"a": a, "b": b, "c": c}, envelope(to_name=name)).data


def accepted(message: bytes) -> list[bool]:
    """Whether dkimpy accepts each signature."""
    records = {f"{key.selector}._domainkey.example.com.".encode(): key.record().encode() for key in keys()}
    judge = dkim.DKIM(message, minkey=2048)

    def one(index: int) -> bool:
        try:
            return bool(judge.verify(idx=index, dnsfunc=lambda name, timeout=5: records[name]))
        except dkim.ValidationError:
            return False

    return [one(index) for index in range(message.count(b"DKIM-Signature:"))]


@settings(deadline=None)
@given(texts.filter(str.strip), texts, texts, texts)
def test_every_rendered_message_is_accepted_with_both_keys(a: str, b: str, c: str, name: str) -> None:
    message = rendered("x" + a, b, c, name)
    assert prepare(message) == message
    body = message.partition(b"\r\n\r\n")[2]
    assert not re.search(rb"[ \t]{2}|\t|[ \t]\r\n|\r\n\r\n\Z", body)
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert accepted(Dkim("example.com", keys()).sign(message)) == [True, True]


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    message = rendered("Ann", "b", "c")
    signed = Dkim("example.com", keys()).sign(message)
    start = signed.index(b"\r\n\r\n") if data.draw(st.booleans()) else signed.index(b"Subject: ") + 9
    at = data.draw(st.integers(start, len(signed) - 3).filter(lambda n: chr(signed[n]).isalnum()))
    changed = bytearray(signed)
    changed[at] = ord("%")
    unsigned_field = signed[signed.rindex(b"\r\n", 0, at) :].startswith(b"\r\nX-Cairn-Message")
    assert accepted(bytes(changed)) == [unsigned_field] * 2


@pytest.mark.parametrize("field", ["From: Eve <eve@example.com>", "Reply-To: eve@evil.example", "Cc: x@evil.example"])
def test_a_field_that_is_added_breaks_the_signature(field: str) -> None:
    signed = Dkim("example.com", keys()).sign(renderer().render({"a": "x"}, envelope(reply_to="")).data)
    assert accepted(signed) == [True, True]
    with_more = signed.replace(b"\r\nFrom:", f"\r\n{field}\r\nFrom:".encode(), 1)
    assert accepted(with_more) == [False, False]


def test_what_receivers_ask_for_is_signed() -> None:
    signed = Dkim("example.com", keys()).sign(rendered("x", "", ""))
    for field in signed.split(b"DKIM-Signature:")[1:]:
        names = re.search(rb"h=([^;]*);", field)
        assert names
        listed = names[1].replace(b"\r\n ", b"").split(b":")
        assert listed.count(b"from") == 2
        assert {b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id", b"to", b"subject"} <= set(listed)
        assert b"c=relaxed/relaxed;" in field
        assert b" l=" not in field
    assert max(map(len, signed.split(b"\r\n"))) <= 998


def pem(private: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return bytes(private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def test_keys_come_from_pem_files_and_weak_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for key in keys():
        path.write_bytes(pem(key.private))
        assert load(key.selector, path).record() == key.record()
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for private, reason in ((weak, "1024 bits"), (ec.generate_private_key(ec.SECP256R1()), "neither RSA nor Ed25519")):
        path.write_bytes(pem(private))
        with pytest.raises(ConfigurationError, match=reason):
            load("s", path)
    path.write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="no PEM"):
        load("s", path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load("s", tmp_path / "none")
