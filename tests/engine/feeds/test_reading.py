"""Files of products in the forms in use."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.feeds.fields import amount
from engine.feeds.reading import read
from tests.engine.feeds.shop import CSV, JSON, LINES, RSS


def test_csv_with_other_names_signs_and_a_row_that_is_no_product() -> None:
    found = read(CSV)
    assert list(found.products) == ["1", "2", "3"]
    assert found.products["1"] == {
        "id": "1", "title": "Linen shirt", "link": "https://shop.example/1", "image": "https://shop.example/1.jpg",
        "price": 1024.9, "currency": "EUR", "availability": "in stock", "available": True, "category": "shirts",
        "colour": "blue",
    }  # fmt: skip
    assert found.products["2"]["title"] == 'Wool "socks" two lines' and not found.products["3"]["available"]
    assert (found.refused, found.reason) == (1, "row 4: it has no id")


def test_json_and_json_lines() -> None:
    found = read(JSON).products
    assert (found["1"]["price"], found["1"]["currency"]) == (24.9, "EUR")
    assert (found["2"]["image"], found["2"]["title"]) == ("https://shop.example/2.jpg", "Socks")
    assert [each["title"] for each in read(LINES).products.values()] == ["Shirt", "Hat"]


def test_rss_with_googles_names() -> None:
    found = read(RSS).products
    assert found["1"] == {
        "id": "1", "title": "Shirt & tie", "link": "https://shop.example/1", "image": "https://shop.example/1.jpg",
        "price": 24.9, "currency": "USD", "availability": "in_stock", "available": True, "category": "shirts",
    }  # fmt: skip
    assert (found["2"]["sale_price"], found["2"]["currency"], found["2"]["title"]) == (1009.5, "USD", "Hat")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no products"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><rss><item><id>&a;</id></item></rss>', "document type"),
        (RSS[:-20], "no XML"),
        (JSON[:-5], "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"id,title,link\n1,\xff,https://x.example", "no UTF-8"),
        (b'id,title,link\n1,"a,https://x.example', "no CSV"),
        (b"id,title,link\n1,a,javascript:x\n2,b,https://x.example\n3,,https://x.example", "row 1: its link"),
        (b"<html><body>Not found</body></html>", "no products"),
    ],
)
def test_what_is_no_feed_is_refused_with_its_reason(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(data)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234,50 €", 1234.5),
        ("USD 1,234.50", 1234.5),
        ("1,234", 1234),
        ("12", 12),
        ("0.5", 0.5),
        ("x", None),
        ("-5", None),
        ("1e5", None),
        ("EUR12", 12),
    ],
)
def test_prices_read_in_both_notations(text: str, number: float | None) -> None:
    assert amount(text) == number


def test_titles_are_read_as_people_see_them_and_doubled_ids_are_told() -> None:
    rows = "id,title,link,price,currency\n1,<b>Socks</b> &amp; more <3,https://e.example/1,5,eur\n1,Twice,https://e.example/1,6,eur\n"
    found = read(rows.encode())
    assert found.products["1"]["title"] == "Socks & more <3" and found.products["1"]["currency"] == "EUR"
    assert found.note() == "1 row has the id of an earlier one"
