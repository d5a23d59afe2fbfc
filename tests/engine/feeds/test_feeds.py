"""Feeds from a URL: fetched when they are due, kept as long as nothing better comes."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from engine import clock
from engine.db import Database
from engine.events.record import NewEvent, record
from engine.feeds import store
from engine.settings import settings
from tests.engine.feeds.shop import JSON, LINES, Shop, serving
from workers import feeding


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop that may be reached although it is on this machine."""
    monkeypatch.setenv("CAIRN_WEBHOOK_NETWORKS", "127.0.0.1")
    settings.cache_clear()
    with serving() as shop:
        yield shop
    settings.cache_clear()


def add(database: Database, url: str) -> None:
    with database.transaction() as session:
        store.add(session, "shop", url, 60, clock.now(session))


def fetched(database: Database) -> tuple[list[str], str | None]:
    """One round: the ids kept, and what is wrong."""
    with database.transaction() as session:
        session.execute(text("update feeds set next_at = now() - interval '1 s'"))
    assert feeding.feeds(database) == 1 and feeding.feeds(database) == 0
    with database.transaction() as session:
        feed = store.find(session, "shop")
        return [each.product_id for each in store.shown(session, feed, 100)], feed.error


def test_a_feed_that_has_not_changed_is_not_read_again(database: Database, shop: Shop) -> None:
    shop.headers = {"ETag": '"v1"', "Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT"}
    add(database, shop.url)
    assert fetched(database) == (["1", "2"], None)
    assert fetched(database) == (["1", "2"], None)
    assert [each.get("if-none-match") for each in shop.asked] == [None, '"v1"']
    assert shop.asked[1]["if-modified-since"] == "Mon, 01 Jun 2026 00:00:00 GMT"
    with database.transaction() as session:
        assert store.find(session, "shop").revision == 1


def test_a_bad_feed_keeps_the_last_good_one_and_says_so(database: Database, shop: Shop) -> None:
    add(database, shop.url)
    assert fetched(database)[0] == ["1", "2"]
    for status, body, reason in ((500, JSON, "500"), (200, b"[]", "no products"), (200, JSON[:-9], "no JSON")):
        shop.status, shop.body = status, body
        ids, error = fetched(database)
        assert ids == ["1", "2"] and reason in str(error)
    shop.status, shop.body = 200, gzip.compress(LINES[:70] + LINES[70:].replace(b'"2"', b'"3"'))
    assert fetched(database) == (["1", "3"], None)
    with database.transaction() as session:
        gone = session.execute(text("select product_id from products where gone_at is not null")).scalars().all()
    assert gone == ["2"]


def test_a_feed_inside_our_own_network_is_not_asked(
    database: Database, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAIRN_WEBHOOK_NETWORKS")
    settings.cache_clear()
    add(database, shop.url)
    ids, error = fetched(database)
    assert ids == [] and "no public address" in str(error) and shop.asked == []


def test_redirects_are_followed_to_addresses_that_may_be_reached_only(database: Database, shop: Shop) -> None:
    shop.status, shop.headers = 302, {"Location": "http://127.0.0.2:1/"}
    add(database, shop.url)
    assert "127.0.0.2 is no public address" in str(fetched(database)[1])
    shop.headers = {"Location": "/again"}
    assert "redirects more than 3 times" in str(fetched(database)[1])
    assert [each["path"] for each in shop.asked[1:]] == ["/feed", *["/again"] * 3]


def test_orders_of_late_are_counted_by_product(database: Database, shop: Shop) -> None:
    add(database, shop.url)
    with database.transaction() as session:
        now = clock.now(session)
        orders = [
            {"products": [{"product_id": 2}, {"product_id": "1"}]},
            {"product_id": "2"},
            {"items": [{"product_id": "2"}]},
        ]
        record(session, [NewEvent(1, "Order Completed", now, f"o{n}", each) for n, each in enumerate(orders)], now)
        record(session, [NewEvent(1, "Order Completed", now - dt.timedelta(days=31), "old", orders[1])], now)
    fetched(database)
    with database.transaction() as session:
        assert [each.sold for each in store.shown(session, store.find(session, "shop"), 9)] == [1, 3]
