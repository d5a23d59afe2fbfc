"""Product blocks in what is sent: chosen a batch at a time, by what each contact did, kept with the message."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import workspace
from engine.content import store as contents
from engine.db import Database
from engine.errors import LanguageError
from engine.events.record import NewEvent, record
from engine.feeds import store
from engine.feeds.choose import choose
from engine.feeds.reading import Read, read
from engine.messages import view
from engine.model import Message, MessageBlocks
from engine.previews import message as previews
from engine.workspace import Workspace
from tests.engine.channels.servers import scripted
from tests.engine.content.samples import content, mjml
from tests.engine.feeds.shop import JSON
from tests.engine.messages.ledger import Make, now, queue, save, signer
from tests.engine.messages.test_blocks import bodies, counted, people

HOUR = dt.timedelta(hours=1)
SHOP = Workspace(name="Shop", sender_address="hi@shop.example")
SOURCE = """---
subject: For you
---
<html><body><p>Look:</p>{% products 2 viewed or best sellers from "shop" not bought %}
<p><a href="{{ product.link }}">{{ product.title }}</a> {{ product.price|money("EUR") }}</p>
{% else %}<p>Nothing</p>{% endproducts %}</body></html>"""


def feed(session: Session, count: int = 6, slug: str = "shop") -> None:
    """Products 1 to `count`; those with even ids are socks, the last one is sold out."""
    products: dict[str, dict[str, Any]] = {
        str(n): {
            "id": str(n), "title": f"Thing <{n}>", "link": f"https://shop.example/{n}?a=1&b=2", "price": n + 0.5,
            "category": "hats" if n % 2 else "socks", "available": n != count,
        }
        for n in range(1, count + 1)
    }  # fmt: skip
    made = store.add(session, slug, None, 60, now)
    store.keep(session, made.id, Read(products), store.Known(), now)


def happened(session: Session, contact: int, name: str, *ids: str) -> None:
    """One event a product, the last one an hour ago."""
    events = [
        NewEvent(contact, name, now - HOUR * (len(ids) - n), f"{contact} {name} {n}", {"product_id": id_})
        for n, id_ in enumerate(ids)
    ]
    record(session, events, now)


def chosen(session: Session, query: str, *contacts: int) -> dict[int, list[str]]:
    found = choose(session, {query: contacts}, now)[query]
    return {contact: [each["id"] for each in products] for contact, products in found.items()}


def test_sources_come_one_after_the_other_until_there_are_enough(session: Session) -> None:
    one, two = people(session, {}, {})
    happened(session, one, "Product Viewed", "5", "2", "5", "6", "99")
    happened(session, one, "Product Added", "1")
    happened(session, two, "Order Completed", "4", "4", "3")
    feed(session)
    assert chosen(session, '2 from "shop"', one, two) == {one: ["1", "2"], two: ["1", "2"]}
    assert chosen(session, '4 viewed from "shop"', one, two) == {one: ["5", "2"], two: []}
    assert chosen(session, '3 carted or viewed or best sellers from "shop"', one, two) == {
        one: ["1", "5", "2"],
        two: ["4", "3", "1"],
    }
    assert chosen(session, "2 best sellers from “shop” not bought", one, two) == {one: ["4", "3"], two: ["1", "2"]}
    socks = '9 first from "shop" where category is "socks" and price < 5'
    assert chosen(session, socks, one) == {one: ["2", "4"]}
    assert chosen(session, '2 from "nothing"', one) == {one: []}


def test_the_workspace_says_what_events_are_called_and_how_many_days_count(session: Session) -> None:
    (one,) = people(session, {})
    happened(session, one, "Item Seen", "2", "3")
    record(session, [NewEvent(one, "Order Completed", now - HOUR * 24 * 20, "old", {"product_id": "5"})], now)
    feed(session)
    assert chosen(session, '4 viewed from "shop"', one) == {one: []}
    assert chosen(session, '1 best sellers from "shop"', one) == {one: ["5"]}
    workspace.save(session, viewed_event="Item Seen", best_seller_days=10, bought_days=10)
    feed(session)
    assert chosen(session, '4 viewed from "shop"', one) == {one: ["3", "2"]}
    assert chosen(session, '5 best sellers from "shop" not bought', one)[one][0] == "1"
    assert "5" in chosen(session, '5 from "shop" not bought', one)[one]


def test_a_feed_that_changes_is_seen_at_once(session: Session) -> None:
    feed(session)
    assert chosen(session, '9 from "shop"', 1)[1] == ["1", "2", "3", "4", "5"]
    feed(session, 3)
    assert chosen(session, '9 from "shop"', 1)[1] == ["1", "2"]


def test_everybody_gets_their_products_by_one_statement_a_batch(database: Database, make: Make) -> None:
    with database.transaction() as session:
        feed(session)
        one, two, three = people(session, {}, {}, {})
        happened(session, one, "Product Viewed", "4", "3")
        happened(session, two, "Order Completed", "1")
        queue(session, [one, two, three], save(session, "shop", source=SOURCE), journey_id=None, step_id=None)
    with scripted() as server, counted(database, "from events") as statements:
        make(server.url).send(database)
    texts = {to: body for to, (_, body) in bodies(server.messages).items()}
    assert "Thing <3>" in texts["user0@example.com"] and "€3.50" in texts["user0@example.com"]
    assert texts["user0@example.com"].index("<3>") < texts["user0@example.com"].index("<4>")
    assert "<1>" not in texts["user1@example.com"] and "<2>" in texts["user1@example.com"]
    assert len(statements) == 2  # what was viewed, what was bought
    with database.transaction() as session:
        kept = list(session.scalars(select(MessageBlocks.products).order_by(MessageBlocks.message_id)))
        assert kept == [{"1": ["3", "4"]}, {"1": ["2", "3"]}, {"1": ["1", "2"]}]
        links = session.scalars(select(Message.links).order_by(Message.id)).first()
        assert links is not None and sorted(links.values()) == [f"https://shop.example/{n}?a=1&b=2" for n in (3, 4)]


def test_in_the_browser_a_message_shows_the_products_that_were_sent(database: Database, make: Make) -> None:
    with database.transaction() as session:
        feed(session)
        [one] = people(session, {})
        happened(session, one, "Product Viewed", "4", "3")
        queue(session, [one], save(session, "shop", source=SOURCE), journey_id=None, step_id=None)
    with scripted() as server:
        make(server.url).send(database)
    with database.transaction() as session:
        feed(session, 3)
        happened(session, one, "Product Viewed", "1")
        key = session.execute(select(Message.id, Message.origin_at)).one()
        page = view.page(session, (key[0], key[1]), signer, "https://cairn.example")
    assert (
        page is not None and page.index("Thing &lt;3&gt;") < page.index("Thing &lt;4&gt;") and "&lt;1&gt;" not in page
    )


def test_previews_show_a_contacts_products_and_samples_some_of_the_feed(session: Session) -> None:
    feed(session)
    [one] = people(session, {})
    happened(session, one, "Product Viewed", "5")
    contents.save(
        session,
        content(mjml('{% products 1 viewed from "shop" %}{{ product.title }}{% else %}None{% endproducts %}')),
        "viewed",
        "email",
        now,
    )
    found = previews.find(session, "viewed")
    assert (
        "Thing <5>"
        in previews.render(session, found, previews.contact(session, one), SHOP, "https://c.example", now).text
    )
    assert "Thing <1>" in previews.render(session, found, previews.nobody(found), SHOP, "https://c.example", now).text


def test_a_text_message_shows_products_too(session: Session) -> None:
    made = store.add(session, "shop", None, 60, now)
    store.keep(session, made.id, read(JSON), store.Known(), now)
    body = 'You: {% products 2 from "shop" where price is set %}{{ product.title }} {{ product.link }}{% endproducts %}'
    contents.save(session, body, "texted", "sms", now)
    found = previews.find(session, "texted")
    shown = previews.render(session, found, previews.nobody(found), SHOP, "https://c.example", now)
    assert shown.text == "You: Linen shirt https://shop.example/1"


@pytest.mark.parametrize(
    ("query", "column", "message", "hint"),
    [
        ('4 from "shpo"', 68, "no product feed “shpo”", "Did you mean `shop`?"),
        ('4 viewd from "shop"', 62, "no products “viewd”", "Did you mean `viewed`?"),
        ('99 from "shop"', 60, "1 to 20 products", "several blocks"),
        ("the best", 60, "does not say which products", "products 4 viewed or"),
        ('4 from "shop" where category iss "a"', 89, "did not expect", ""),
        ('4 from "shop" where purchased', 80, "the product alone", "{% when"),
        ('4 from "shop" where category is contact.liked', 80, "the product alone", "{% when"),
    ],
)
def test_a_query_is_checked_when_it_is_saved(
    session: Session, query: str, column: int, message: str, hint: str
) -> None:
    store.add(session, "shop", None, 60, now)
    with pytest.raises(LanguageError) as refused:
        contents.save(session, content(mjml(f"{{% products {query} %}}x{{% endproducts %}}")), "x", "email", now)
    assert message in refused.value.message and hint in refused.value.hint
    assert (refused.value.line, refused.value.column) == (4, column)
