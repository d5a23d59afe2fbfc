"""One call: where it may go, what it is signed with, how it is bounded."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Iterator

import pytest

from engine.errors import ConfigurationError, InvalidInput
from engine.webhooks import call
from engine.webhooks.address import Forbidden, is_public, networks, parse_url, resolve
from engine.webhooks.call import Answer, post, value_of
from engine.webhooks.outcome import change, delay
from engine.webhooks.secrets import new_secret, seal, signature, unseal
from tests.webhooks import Hook, listening

LOOPBACK = networks("127.0.0.0/8")
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as server:
        yield server


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
        ("3fff::1", False),
    ],
)
def test_only_what_lies_on_the_internet_is_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
    ],
)
def test_addresses_of_our_own_are_refused_however_they_are_written(url: str) -> None:
    with pytest.raises(Forbidden):
        resolve(parse_url(url), ())


def test_a_network_of_our_own_is_reached_when_it_is_allowed(hook: Hook) -> None:
    url = parse_url(hook.url)
    assert "no public address" in post(url, b"{}", {}, ()).error
    assert hook.calls == []
    assert post(url, b"{}", {}, LOOPBACK) == Answer(200, {})


def test_one_address_of_our_own_among_others_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Forbidden):
        resolve(parse_url("http://both.example/"), ())


def test_the_name_is_looked_up_once_and_that_address_is_called(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers otherwise the second time reaches nothing else."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def first_public(host: object, port: object, *rest: object, **more: object) -> object:
        asked.append(host)
        return real("127.0.0.1", port, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", first_public)
    url = parse_url(hook.url.replace("127.0.0.1", "rebinding.example"))
    assert post(url, b"{}", {}, LOOPBACK).status == 200
    assert asked.count("rebinding.example") == 1
    assert hook.calls[0][0]["host"] == f"rebinding.example:{hook.port}"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "x.example",
        "http://",
        "http://a:b@x.example/",
        "http://x.example/\r\nX: y",
        "http://x:99999/",
        "http://ä.example/",
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_url(url)


def test_redirects_are_not_followed(hook: Hook) -> None:
    hook.answer(302, Location=hook.url)
    assert post(parse_url(hook.url), b"{}", {}, LOOPBACK).status == 302
    assert len(hook.calls) == 1


def test_a_receiver_that_drips_is_cut_off(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "WHOLE_SECONDS", 0.5)
    hook.drip = 0.2
    hook.answer(200, "x" * 100)
    answer = post(parse_url(hook.url), b"{}", {}, LOOPBACK)
    assert answer.status is None and answer.error


def test_nobody_listening_is_an_answer_too() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "refused" in post(parse_url(f"http://127.0.0.1:{port}/"), b"{}", {}, LOOPBACK).error


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", None),
        (b'{"id": 7}', {"id": 7}),
        (b"[1, null]", [1, None]),
        (b"thanks\n", "thanks"),
        (b'{"a": NaN}', {"a": None}),
        (b'"a\\u0000b"', '"a\\u0000b"'),
        (b'"a\\\\u0000b"', "a\\u0000b"),
        (b'{"id": 1e999}', '{"id": 1e999}'),
        (b"[" * 99 + b"]" * 99, json.loads("[" * 99 + "]" * 99)),
        (b"[" * 100 + b"]" * 100, "[" * 100 + "]" * 100),
        (b"[" * 960 + b"]" * 960, "[" * 960 + "]" * 960),
        (b"\xff\x00", "�"),
        (b"[" * 5000, "[" * 5000),
        (b'"\\ud800"', '"\\ud800"'),
        (b"x" * 16_385, None),
    ],
)
def test_a_response_is_kept_as_an_attribute_can_hold_it(body: bytes, value: object) -> None:
    assert value_of(body) == value


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification: symmetric signatures, version 1."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_may_change_over_to_a_new_secret_in_its_own_time() -> None:
    old, new = new_secret(), new_secret()
    signed = signature([new, old], "msg_1", 5, b"{}").split()
    for secret in (new, old):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, b"msg_1.5.{}", hashlib.sha256).digest()).decode()
        assert f"v1,{expected}" in signed


def test_secrets_are_kept_sealed() -> None:
    secret = new_secret()
    sealed = seal([secret], (b"key",))
    assert secret.encode() not in sealed and unseal(sealed, (b"key",)) == [secret]
    with pytest.raises(ConfigurationError):
        unseal(sealed, (b"another",))


def test_tries_are_further_and_further_apart() -> None:
    waits = [delay(attempt, 1.0).total_seconds() for attempt in (1, 2, 3, 8, 100)]
    assert waits == [5, 20, 80, 21600, 21600]


@pytest.mark.parametrize(
    ("answer", "age", "state", "blames"),
    [
        (Answer(204), 0, "delivered", False),
        (Answer(302), 0, "pending", False),
        (Answer(400), 0, "pending", False),
        (Answer(401), 0, "pending", True),
        (Answer(410), 0, "pending", True),
        (Answer(503), 0, "pending", True),
        (Answer(error="refused"), 0, "pending", True),
        (Answer(503), 3, "failed", True),
        (Answer(error="no text", hopeless=True), 0, "failed", False),
    ],
)
def test_what_follows_from_an_answer(answer: Answer, age: int, state: str, blames: bool) -> None:
    found = change(answer, 1, NOW - dt.timedelta(days=age), NOW, 1.0)
    assert (found.state, found.blames) == (state, blames)


def test_a_receiver_may_ask_for_time() -> None:
    assert change(Answer(429, retry_after=90), 1, NOW, NOW, 1.0).next_at == NOW + dt.timedelta(seconds=90)
