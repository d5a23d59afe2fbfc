"""Whether an SPF record names an address: records as they are in use, answered by a real DNS server."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from engine.channels.dkim import Dkim
from engine.identities import spf
from engine.identities.checks import Check, check
from engine.identities.dns import CannotTell, Dns
from engine.identities.values import Identity
from tests.names import Zone, dns_server

ZONE: Zone = {
    "v4.io": {"TXT": ['"v=spf1 ip4:192.0.2.0/24 -all"'], "A": ["198.51.100.1"], "AAAA": ["2001:db8::1"]},
    "v6.io": {"TXT": ['"v=spf1 ip6:2001:db8::/32 ~all"']},
    "hosts.io": {"TXT": ['"v=spf1 a:v4.io/24 mx -all"'], "MX": ["10 mx.hosts.io."]},
    "mx.hosts.io": {"A": ["203.0.113.9"]},
    "over.io": {"TXT": ['"v=spf1 include:v4.io ?all"']},
    "elsewhere.io": {"TXT": ['"v=spf1 redirect=v4.io"']},
    "exists.io": {"TXT": ['"v=spf1 exists:v4.io -all"']},
    "empty.io": {"TXT": ['"v=spf1"']},
    "none.io": {"TXT": ['"something else"']},
    "macro.io": {"TXT": ['"v=spf1 exists:%{i}.list.io -all"']},
    "ptr.io": {"TXT": ['"v=spf1 ptr -all"']},
    "loop.io": {"TXT": ['"v=spf1 include:pool.io -all"']},
    "pool.io": {"TXT": ['"v=spf1 include:loop.io -all"']},
    "void.io": {"TXT": ['"v=spf1 a:x1.io a:x2.io a:x3.io -all"']},
    "gone.io": {"TXT": ['"v=spf1 include:none.io -all"']},
    "typo.io": {"TXT": ['"v=spf1 ip4:192.0.2.0/33 -all"']},
    "word.io": {"TXT": ['"v=spf1 relay.example -all"']},
    "twice.io": {"TXT": ['"v=spf1 -all"', '"v=spf1 mx -all"']},
}


@pytest.mark.parametrize(
    ("domain", "address", "result"),
    [
        ("v4.io", "192.0.2.9", "pass"),
        ("v4.io", "203.0.113.9", "fail"),
        ("v4.io", "2001:db8::9", "fail"),
        ("v6.io", "2001:db8::9", "pass"),
        ("v6.io", "192.0.2.9", "softfail"),
        ("hosts.io", "198.51.100.77", "pass"),
        ("hosts.io", "2001:db8::1", "pass"),
        ("hosts.io", "203.0.113.9", "pass"),
        ("hosts.io", "192.0.2.9", "fail"),
        ("over.io", "192.0.2.9", "pass"),
        ("over.io", "203.0.113.9", "neutral"),
        ("elsewhere.io", "203.0.113.9", "fail"),
        ("exists.io", "2001:db8::9", "pass"),
        ("empty.io", "192.0.2.9", "neutral"),
        ("none.io", "192.0.2.9", "none"),
    ],
)
def test_an_address_is_named_or_not(domain: str, address: str, result: str) -> None:
    with dns_server(ZONE) as server:
        assert spf.Question(Dns(server), ipaddress.ip_address(address)).result(domain) == result


@pytest.mark.parametrize("domain", ["loop.io", "void.io", "gone.io", "typo.io", "word.io", "twice.io"])
def test_a_record_that_is_an_error_to_receivers_is_told(domain: str) -> None:
    with dns_server(ZONE) as server, pytest.raises(spf.Broken):
        spf.Question(Dns(server), ipaddress.ip_address("203.0.113.9")).result(domain)


@pytest.mark.parametrize("domain", ["macro.io", "ptr.io"])
def test_what_depends_on_the_single_message_is_not_known(domain: str) -> None:
    with dns_server(ZONE) as server, pytest.raises(CannotTell):
        spf.Question(Dns(server), ipaddress.ip_address("203.0.113.9")).result(domain)


def told(domain: str, relays: str, *, signed: bool = True) -> Check:
    identity = Identity("shop", "", f"a@{domain}", "https://x", relays=relays)
    identity = replace(identity, dkim=Dkim(domain, [])) if signed else identity
    with dns_server(ZONE) as server:
        [found] = [one for one in check(identity, Dns(server), None, "https://x") if one.kind == "spf"]
    return found


def test_the_record_is_compared_with_where_the_relays_are_reached() -> None:
    assert "mx.hosts.io among them" in told("hosts.io", "smtp://u:p@mx.hosts.io:587").message
    other = told("v4.io", "smtp://mx.hosts.io")
    assert other.state == "verified" and "not 203.0.113.9, where mx.hosts.io is reached" in other.message
    assert told("v4.io", "smtp://mx.hosts.io", signed=False).state == "unknown", "nothing but SPF speaks for it"
    assert "only it knows" in told("v4.io", "smtp://127.0.0.1:25 postmark://T@api.postmarkapp.com").message
    assert "cannot be told" in told("macro.io", "smtp://192.0.2.9").message


def test_a_record_that_does_not_count_is_wrong() -> None:
    found = told("loop.io", "smtp://192.0.2.9")
    assert found.state == "wrong" and "more than 10 questions" in found.message
