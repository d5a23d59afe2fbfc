"""Product feeds on their pages."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from engine import clock
from engine.db import Database
from engine.feeds import store
from engine.feeds.reading import read
from tests.engine.feeds.shop import CSV
from tests.webapp.pages.conftest import post
from tests.webapp.pages.test_content_text import mail, own

__all__ = ["own"]


def test_feeds_are_listed_with_their_trouble_and_shown_with_their_products(app: Flask, marketer: FlaskClient) -> None:
    assert "No product feeds yet" in marketer.get("/feeds").text
    database: Database = app.extensions["cairn.database"]
    with database.transaction() as session:
        now = clock.now(session)
        feed = store.add(session, "shop", "https://shop.example/feed", 60, now)
        store.keep(session, feed.id, read(CSV), store.Known(), now)
        store.fail(session, feed.id, "feed: is answered with 500", now)
    page = marketer.get("/feeds").text
    assert 'href="/feeds/shop"' in page and "is answered with 500" in page
    shown = marketer.get("/feeds/shop").text
    assert "Linen shirt" in shown and "€1,024.90" in shown and "not available" in shown and "500" in shown
    assert marketer.get("/feeds/nothing").status_code == 404


@pytest.fixture
def emptied(shop_database: Database) -> Iterator[Database]:
    """The workspace without feeds, before and afterwards."""
    empty(shop_database)
    yield shop_database
    empty(shop_database)


def empty(database: Database) -> None:
    with database.transaction() as session:
        for table in ("products", "feeds"):
            session.execute(text(f"delete from {table}"))


def test_a_feed_is_made_of_a_file_changed_to_a_url_fetched_and_removed(
    marketer: FlaskClient, viewer: FlaskClient, emptied: Database
) -> None:
    given = {"name": "My Shop", "every": "60", "file": (BytesIO(CSV), "p.csv")}
    assert post(marketer, "/feeds/-/new", **given).location == "/feeds/my-shop"
    assert "Linen shirt" in marketer.get("/feeds/my-shop").text and "From a file" in marketer.get("/feeds/my-shop").text
    again = post(marketer, "/feeds/-/new", **given | {"file": (BytesIO(CSV), "p.csv")})
    assert again.status_code == 422 and "already a feed" in again.text
    for form, said in (
        ({"url": "ftp://x", "every": "60"}, "no http or https URL"),
        ({"url": "https://shop.example/f", "every": "1"}, "between 5 and"),
        ({"every": "60", "file": (BytesIO(b"nothing"), "p.csv")}, "no products"),
    ):
        refused = post(marketer, "/feeds/my-shop/edit", **form)
        assert refused.status_code == 422 and said in refused.text
    assert post(marketer, "/feeds/-/new", name="x", every="60").status_code == 422
    post(marketer, "/feeds/my-shop/edit", url="https://shop.example/f", every="30")
    page = marketer.get("/feeds/my-shop").text
    assert "being fetched" in page and "Linen shirt" in page and "hx-get" in page
    with emptied.transaction() as session:
        claimed = store.claim(session, clock.now(session))
        assert claimed and claimed[1] == "https://shop.example/f", "a worker finds it"
        store.fail(session, claimed[0], "feed: is answered with 500", clock.now(session))
    assert "being fetched" not in marketer.get("/feeds/my-shop").text
    post(marketer, "/feeds/my-shop/fetch")
    with emptied.transaction() as session:
        assert store.claim(session, clock.now(session))
    assert post(viewer, "/feeds/my-shop/remove").status_code == 403
    assert "Save feed" not in viewer.get("/feeds/my-shop/edit").text
    assert post(marketer, "/feeds/my-shop/remove").location == "/feeds"
    assert marketer.get("/feeds/my-shop").status_code == 404


def test_a_feed_that_a_content_shows_is_not_removed(marketer: FlaskClient, own: Database, emptied: Database) -> None:
    post(marketer, "/feeds/-/new", name="shop", every="60", file=(BytesIO(CSV), "p.csv"))
    shown = '{% products 2 from "shop" %}{{ product.title }}{% endproducts %}'
    post(marketer, "/contents/both/edit", text=mail(text=shown), number="1")
    post(marketer, "/feeds/shop/remove")
    page = marketer.get("/feeds/shop").text
    assert "still shown by the contents both" in page and 'Shown by <a class="link" href="/contents/both"' in page
