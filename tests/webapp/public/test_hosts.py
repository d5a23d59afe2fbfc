"""A tracking domain answers what stands in messages, and nothing else of the site."""

from __future__ import annotations

from engine import clock
from engine.db import Database
from engine.identities import store
from engine.identities.store import Form
from engine.identities.values import House
from tests.webapp.calling import SIGNER, serving
from webapp.public.hosts import TrackingHosts


def test_at_a_tracking_domain_there_are_no_pages_and_no_programming_interface(database: Database) -> None:
    form = Form(slug="shop", name="Shop", address="a@shop.example", tracking_domain="go.shop.example")
    with database.transaction() as session:
        store.put(session, form, House("http://x", SIGNER.sealing_keys), "ann", clock.now(session))
    with serving(database) as site:
        there, here = {"Host": "go.shop.example"}, {"Host": "cairn.example"}
        assert site.client.get("/o/nothing", headers=there).status_code == site.client.get("/o/nothing").status_code
        assert site.client.get("/u/nothing", headers=there).data == site.client.get("/u/nothing", headers=here).data
        for path in ("/readyz", "/v1/messages/x", "/v1/track"):
            assert site.client.get(path, headers=there).data == b"There is nothing here.\n"
            assert site.client.get(path, headers=here).data != b"There is nothing here.\n"
        for spelling in ("GO.shop.example:8443", "go.shop.example.", "go.shop.example.:443"):
            assert site.client.get("/readyz", headers={"Host": spelling}).status_code == 404
        assert site.client.get("/healthz", headers=there).status_code == 200


def test_a_domain_that_is_new_is_known_soon_and_the_last_list_holds_while_the_database_is_away(
    database: Database,
) -> None:
    at = [0.0]
    hosts = TrackingHosts(database, lambda: at[0])
    asked = {"PATH_INFO": "/login", "HTTP_HOST": "go.shop.example"}
    assert not hosts.refuses(asked)
    form = Form(slug="shop", name="Shop", address="a@shop.example", tracking_domain="go.shop.example")
    with database.transaction() as session:
        store.put(session, form, House("http://x", SIGNER.sealing_keys), "ann", clock.now(session))
    at[0] = 20.0
    assert hosts.refuses(asked)
    assert not hosts.refuses(asked | {"PATH_INFO": "/c/x"})
