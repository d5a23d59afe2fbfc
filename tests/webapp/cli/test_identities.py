"""`cairn identities`, and the warm-ups of `cairn rates`."""

from __future__ import annotations

import pytest

from engine.settings import settings
from tests.names import Zone, dns_server
from tests.webapp.cli.test_data_commands import Cairn, cairn

__all__ = ["cairn"]


def test_an_identity_is_made_shown_chosen_and_removed_without_its_secrets(cairn: Cairn) -> None:
    made = cairn(
        *("identities", "add", "shop", "news@shop.io", "--name", "Shop", "--selector", "s1"),
        *("--relays", "smtp://me:hunter2@mx.shop.io", "--tracking-domain", "go.shop.io"),
    )
    assert made.exit_code == 0
    shown = cairn("identities", "show", "shop").output
    assert "from\tShop <news@shop.io>" in shown and "relays\tmx.shop.io:25" in shown
    assert "s1 (rsa-sha256), s1-ed (ed25519-sha256)" in shown and "hunter2" not in shown
    records = cairn("identities", "records", "shop").output
    assert "s1._domainkey.shop.io. TXT" in records and "go.shop.io. " in records and "_dmarc.shop.io. TXT" in records
    assert cairn("identities", "default", "shop").exit_code == 0
    assert "* shop" in cairn("identities", "list").output
    assert cairn("identities", "remove", "shop").exit_code == 1
    assert cairn("identities", "default", "workspace").exit_code == 0
    assert cairn("identities", "remove", "shop").exit_code == 0
    assert cairn("identities", "show", "shop").exit_code == 4


def test_the_check_says_what_to_do_and_fails_where_something_is_wrong(
    cairn: Cairn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cairn("identities", "add", "shop", "news@shop.io")
    with dns_server({"shop.io": {"MX": ["10 mx.shop.io."], "TXT": ['"v=spf1 mx -all"']}}) as server:
        monkeypatch.setenv("CAIRN_DNS_SERVER", server)
        settings.cache_clear()
        told = cairn("identities", "check", "shop")
    settings.cache_clear()
    assert told.exit_code == 1
    assert "not verified           shop.io does not say what to do with mail that proves nothing" in told.output
    assert "v=DMARC1; p=none" in told.output


def test_new_keys_are_used_once_dns_has_them(cairn: Cairn, monkeypatch: pytest.MonkeyPatch) -> None:
    cairn("identities", "add", "shop", "news@shop.io", "--selector", "s1")
    assert cairn("identities", "rotate", "shop").exit_code == 4, "there are none to switch to"
    assert "signs with s1 (rsa-sha256)" in cairn("identities", "rotate", "shop", "s2").output
    zone: Zone = {}
    with dns_server(zone) as server:
        monkeypatch.setenv("CAIRN_DNS_SERVER", server)
        settings.cache_clear()
        told = cairn("identities", "rotate", "shop")
        assert told.exit_code == 1 and "no key at s2._domainkey.shop.io" in told.output
        for line in cairn("identities", "records", "shop").output.splitlines():
            if "_domainkey" in line:
                name, _, value = line.partition(". TXT ")
                zone[name] = {"TXT": [value]}
        assert set(zone) == {f"{each}._domainkey.shop.io" for each in ("s1", "s1-ed", "s2", "s2-ed")}
        assert cairn("identities", "rotate", "shop").exit_code == 0
    settings.cache_clear()
    assert "dkim\ts2 (rsa-sha256), s2-ed (ed25519-sha256)" in cairn("identities", "show", "shop").output
    cairn("identities", "rotate", "shop", "s3")
    assert "new keys\ts3" in cairn("identities", "show", "shop").output
    assert cairn("identities", "rotate", "shop", "--drop").exit_code == 0
    assert "new keys" not in cairn("identities", "show", "shop").output


def test_a_warm_up_is_begun_listed_and_ended(cairn: Cairn) -> None:
    assert "for 10 days" in cairn("rates", "warm-up", "workspace").output
    assert "day 1 of 10: 0 of 50 messages today" in cairn("rates", "list").output
    assert cairn("rates", "warm-up", "nobody").exit_code == 4
    assert cairn("rates", "warm-up", "workspace", "50 daily").exit_code == 1
    assert cairn("rates", "warmed-up", "workspace").exit_code == 0
    assert cairn("rates", "warmed-up", "workspace").exit_code == 4
