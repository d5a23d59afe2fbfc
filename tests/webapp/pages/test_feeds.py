"""Product feeds on their pages."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from engine import clock
from engine.db import Database
from engine.feeds import store
from engine.feeds.reading import read
from tests.engine.feeds.shop import CSV


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
