"""What DNS says of a sender, asked of a real server on loopback."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.channels import dkim
from engine.channels.dkim import Dkim
from engine.identities.checks import check
from engine.identities.dns import Dns
from engine.identities.records import needed, zone_line
from engine.identities.values import Identity
from engine.receipts.verp import return_path
from tests.names import Zone, dns_server

KEYS = Dkim(
    "shop.io",
    [
        dkim.parse("s1", dkim.new(ed25519=False), "test"),
        dkim.parse("s1-ed", dkim.new(ed25519=True), "test"),
    ],
)
SHOP = Identity(
    "shop", "Shop", "news@shop.io", "https://go.shop.io", "help@shop.io", dkim=KEYS, tracking_domain="go.shop.io"
)
SITE = "https://cairn.shop.io"
BOUNCES = return_path("bounces.shop.io")


def quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


def zone(**changes: Any) -> Zone:
    found: Zone = {f"{key.selector}._domainkey.shop.io": {"TXT": [quoted(key.record())]} for key in KEYS.keys}
    found |= {
        "shop.io": {"MX": ["10 mx.shop.io."]},
        "bounces.shop.io": {"TXT": ['"google-site-verification=x"', '"v=spf1 include:relay.example ~all"']},
        "_dmarc.shop.io": {"TXT": ['"v=DMARC1; p=none"']},
        "go.shop.io": {"CNAME": ["cairn.shop.io."]},
        "cairn.shop.io": {"A": ["192.0.2.7"]},
    }
    return found | changes


def look(records: Zone, identity: Identity = SHOP) -> dict[str, str]:
    with dns_server(records) as server:
        return {one.kind: one.state for one in check(identity, Dns(server), BOUNCES, SITE)}


def test_a_sender_whose_records_are_published_is_verified() -> None:
    assert set(look(zone()).values()) == {"verified"}


@pytest.mark.parametrize(
    ("changes", "kind", "state"),
    [
        ({"s1._domainkey.shop.io": {}}, "dkim", "missing"),
        ({"s1-ed._domainkey.shop.io": {"TXT": ['"v=DKIM1; k=ed25519; p="']}}, "dkim", "wrong"),
        ({"s1._domainkey.shop.io": {"TXT": ['"v=DKIM1; k=rsa; p=AAAA"']}}, "dkim", "wrong"),
        ({"s1._domainkey.shop.io": {"SERVFAIL": []}}, "dkim", "unknown"),
        ({"bounces.shop.io": {"TXT": ['"something else"']}}, "spf", "missing"),
        ({"bounces.shop.io": {"TXT": ['"v=spf1 -all"', '"v=spf1 mx -all"']}}, "spf", "wrong"),
        ({"bounces.shop.io": {"TXT": ['"v=spf1 +all"']}}, "spf", "wrong"),
        ({"_dmarc.shop.io": {}}, "dmarc", "missing"),
        ({"_dmarc.shop.io": {"TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}}, "dmarc", "wrong"),
        ({"go.shop.io": {}}, "links", "missing"),
        ({"go.shop.io": {"A": ["198.51.100.1"]}}, "links", "wrong"),
        ({"shop.io": {"MX": ["0 ."]}}, "answers", "wrong"),
        ({"shop.io": {}}, "answers", "missing"),
        ({"shop.io": {"A": ["192.0.2.9"]}}, "answers", "verified"),
    ],
)
def test_each_record_is_judged_by_itself(changes: Zone, kind: str, state: str) -> None:
    found = look(zone(**changes))
    assert found.pop(kind) == state
    assert set(found.values()) == {"verified"}


def test_the_policy_of_the_domain_above_holds_and_a_strict_one_wants_the_same_domain() -> None:
    below = Identity("shop", "Shop", "a@mail.shop.io", SITE, "help@shop.io", dkim=KEYS)
    assert look(zone(), below)["dmarc"] == "verified"
    strict = zone(**{"_dmarc.shop.io": {"TXT": ['"v=DMARC1; p=reject; adkim=s"']}})
    assert look(strict, below)["dmarc"] == "wrong"
    assert look(strict)["dmarc"] == "verified"


def test_a_server_that_says_nothing_costs_seconds_and_is_told_as_not_checked() -> None:
    silent = {name: {"SILENCE": list[str]()} for name in (*zone(), "_dmarc.io")}
    began = time.monotonic()
    with dns_server(silent) as server:
        found = check(SHOP, Dns(server, patience=0.3), BOUNCES, SITE)
    assert {one.state for one in found} == {"unknown"}
    assert time.monotonic() - began < 5
    assert all("could not be checked" in one.message for one in found)


def test_what_records_prints_is_what_the_check_wants() -> None:
    published: Zone = {"cairn.shop.io": {"A": ["192.0.2.7"]}, "shop.io": {"A": ["192.0.2.9"]}}
    for record in needed(SHOP, BOUNCES, SITE):
        name, kind, value = zone_line(*record[:3]).split(" ", 2)
        published.setdefault(name.rstrip("."), {})[kind] = [value]
    assert set(look(published).values()) == {"verified"}
