"""The pages of senders."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from engine import workspace
from engine.db import Database
from engine.identities import store
from engine.identities.house import house
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, post

SHOP = {
    "slug": "shop",
    "name": "The Shop",
    "address": "news@shop.io",
    "selector": "s1",
    "tracking_domain": "go.shop.io",
}
RELAY = "smtp://me:hunter2@mx.shop.io:587"


def test_administrators_make_change_and_remove_a_sender(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    assert "Short name" in admin.get("/settings/senders/-/new").text
    assert post(admin, "/settings/senders/-/new", **SHOP, relays=RELAY).status_code == 302
    page = admin.get("/settings/senders/shop").text
    assert "s1._domainkey.shop.io" in page and "go.shop.io" in page and "mx.shop.io:587" in page
    assert "hunter2" not in page and "PRIVATE" not in page
    assert post(admin, "/settings/senders/-/new", **SHOP).status_code == 422
    assert post(admin, "/settings/senders/shop", name="Shop", address="other@shop.io").status_code == 302
    with shop_database.transaction() as session:
        found = store.find(session, "shop", house())
    assert (found.name, found.relays, found.dkim is not None) == ("Shop", RELAY, True)
    refused = post(admin, "/settings/senders/shop", name="Shop", address="nobody")
    assert refused.status_code == 422 and "is no email address" in refused.text
    assert post(admin, "/settings/senders/shop/default").status_code == 302
    with shop_database.transaction() as session:
        assert workspace.load(session).identity == "shop"
    post(admin, "/settings/senders/shop/remove")
    assert "It is not removed" in admin.get("/settings/senders/shop").text
    post(admin, "/settings/senders/workspace/default")
    post(admin, "/settings/senders/shop/remove")
    assert admin.get("/settings/senders/shop").status_code == 404


def test_new_keys_are_switched_to_or_forgotten(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    page, kept = "/settings/senders/keyed", {"name": "K", "address": "a@keyed.io", "return_path": "b.keyed.io"}
    post(admin, "/settings/senders/-/new", slug="keyed", selector="k1", **kept)
    post(admin, page, selector="k2", **kept)
    shown = admin.get(page).text
    assert "Switch to the new signing keys" in shown and "k2._domainkey.keyed.io" in shown and "b.keyed.io" in shown
    assert post(admin, f"{page}/keys", what="switch").status_code == 302
    assert "Not switched" in admin.get(page).text
    post(admin, f"{page}/keys", what="switch", unchecked="on")
    assert "k1._domainkey" not in admin.get(page).text
    post(admin, page, selector="k3", **kept)
    post(admin, f"{page}/keys", what="drop")
    assert "k3._domainkey" not in admin.get(page).text
    assert post(admin, f"{page}/keys", what="drop").status_code == 404
    post(admin, f"{page}/remove")


def test_what_dns_says_is_shown_when_asked(app: Flask, shop_database: Database) -> None:
    admin = at_work(app, shop_database, sample.ADMIN)
    assert "Could not be checked" not in admin.get("/settings/senders/workspace").text
    assert "Could not be checked" in admin.get("/settings/senders/workspace?check=1").text


def test_others_only_see_them(marketer: FlaskClient, viewer: FlaskClient) -> None:
    for client in (marketer, viewer):
        assert client.get("/settings/senders").status_code == 200
        assert "Save</button>" not in client.get("/settings/senders/workspace").text
        assert client.get("/settings/senders/-/new").status_code == 403
        for path in ("-/new", "workspace", "workspace/default", "workspace/remove", "workspace/keys"):
            assert post(client, f"/settings/senders/{path}", **SHOP).status_code == 403
