"""Which products each contact of a batch is shown. A process keeps the products of a feed until they change; what the
contacts did is asked for all of them at once, by one statement for each kind of event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.expr.ast import DEFAULT_ALIASES, Node
from engine.expr.evaluate import judge
from engine.expr.facts import Facts
from engine.expr.values import View
from engine.feeds.query import BEST, CARTED, FIRST, VIEWED, Query, query

Product = Mapping[str, Any]
BY_EVENTS = frozenset({VIEWED, CARTED})
BOUGHT = "bought"
MOST_EVENTS = 50

NAMED = text("""
select p.product_id, p.fields from products p join feeds f on f.id = p.feed_id
where f.slug = :slug and p.product_id = any(cast(:ids as text[]))""")
FEEDS = text("select slug, id, revision from feeds where slug = any(cast(:slugs as text[]))")
PRODUCTS = text("""
select fields, sold from products where feed_id = :feed and gone_at is null order by position""")
# By contact the products of its latest events, the latest first.
HISTORY = text("""
select c.id, e.products from unnest(cast(:ids as bigint[])) as c(id) cross join lateral (
    select jsonb_agg(found.products order by found.occurred_at desc) as products from (
        select occurred_at, jsonb_path_query_array(properties, '$.product_id')
            || jsonb_path_query_array(properties, '$.products[*].product_id')
            || jsonb_path_query_array(properties, '$.items[*].product_id') as products
        from events where contact_id = c.id and name = :name and occurred_at <= :now and occurred_at > :since
            and received_at >= cast(:since as timestamptz) - interval '5 minutes'
        order by occurred_at desc limit :most) found) e
where e.products is not null""")


@dataclass(frozen=True)
class Shelf:
    """The available products of a feed in its order, with their orders of late; `views` are selections of them."""

    revision: int
    products: Sequence[tuple[Product, int]]
    views: dict[str, Selection] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """Those that a condition holds for: in order, by their orders, and by id."""

    first: Sequence[Product]
    best: Sequence[Product]
    by_id: Mapping[str, Product]


shelves: WeakKeyDictionary[Any, dict[int, Shelf]] = WeakKeyDictionary()


def choose(
    session: Session, asked: Mapping[str, Collection[int]], now: dt.datetime, *, sample: bool = False
) -> dict[str, Mapping[int, list[Product]]]:
    """Query -> contact -> products. A feed that is not there has none. For a `sample` any products of the feed do."""
    queries = {each: query(each) for each in asked}
    selections = _selections(session, queries, now)
    known = {} if sample else _histories(session, asked, queries, now)
    found: dict[str, Mapping[int, list[Product]]] = {}
    for each, contacts in asked.items():
        wanted, selection = queries[each], selections[each]
        if sample:
            wanted = Query(wanted.count, (*wanted.sources, FIRST), wanted.feed)
        found[each] = {id_: _picked(wanted, selection, id_, known) for id_ in contacts}
    return found


def named(session: Session, feed: str, ids: Sequence[str]) -> list[Product]:
    """These products in this order, as they are today, also those that the feed does not name any more."""
    known = {id_: fields for id_, fields in session.execute(NAMED, {"slug": feed, "ids": literal(ids)})}  # noqa: C416
    return [known[id_] for id_ in ids if id_ in known]


def _picked(
    wanted: Query, selection: Selection, contact: int, known: Mapping[str, Mapping[int, list[str]]]
) -> list[Product]:
    left_out = set(known[BOUGHT].get(contact, ())) if wanted.new and BOUGHT in known else set()
    found: dict[str, Product] = {}
    for source in wanted.sources:
        for product in _candidates(source, selection, known.get(source, {}).get(contact, ())):
            if len(found) == wanted.count:
                break
            if product["id"] not in left_out:
                found.setdefault(product["id"], product)
    return list(found.values())


def _candidates(source: str, selection: Selection, history: Iterable[str]) -> Iterable[Product]:
    if source == FIRST:
        return selection.first
    if source == BEST:
        return selection.best
    return (selection.by_id[id_] for id_ in history if id_ in selection.by_id)


def _histories(
    session: Session, asked: Mapping[str, Collection[int]], queries: Mapping[str, Query], now: dt.datetime
) -> dict[str, Mapping[int, list[str]]]:
    """Kind of event -> contact -> ids of products, the latest first."""
    wanted: dict[str, set[int]] = {}
    for each, contacts in asked.items():
        kinds = {source for source in queries[each].sources if source in BY_EVENTS} | (
            {BOUGHT} if queries[each].new else set()
        )
        for kind in kinds:
            wanted.setdefault(kind, set()).update(contacts)
    found: dict[str, Mapping[int, list[str]]] = {}
    events = _events(workspace.load(session)) if wanted else {}
    for kind, ids in wanted.items():
        name, days = events[kind]
        values = {
            "ids": literal(sorted(ids)),
            "name": name,
            "now": now,
            "since": now - dt.timedelta(days=days),
            "most": MOST_EVENTS,
        }
        rows = session.execute(HISTORY, values)
        found[kind] = {id_: [str(one) for event in latest for one in event] for id_, latest in rows}
    return found


def _events(known: workspace.Workspace) -> dict[str, tuple[str, int]]:
    """By kind the name of the event and how many days count."""
    return {
        VIEWED: (known.viewed_event, known.viewed_days),
        CARTED: (known.carted_event, known.carted_days),
        BOUGHT: (known.event_aliases.get("purchased", DEFAULT_ALIASES["purchased"]), known.bought_days),
    }


def _selections(session: Session, queries: Mapping[str, Query], now: dt.datetime) -> dict[str, Selection]:
    slugs = literal({each.feed for each in queries.values()})
    kept = shelves.setdefault(session.get_bind(), {})
    known = {
        slug: _shelf(session, kept, id_, revision) for slug, id_, revision in session.execute(FEEDS, {"slugs": slugs})
    }
    nothing = Shelf(0, ())
    return {
        each: _selection(known.get(wanted.feed, nothing), each, wanted.where, now) for each, wanted in queries.items()
    }


def _shelf(session: Session, kept: dict[int, Shelf], feed_id: int, revision: int) -> Shelf:
    if feed_id not in kept or kept[feed_id].revision != revision:
        rows = session.execute(PRODUCTS, {"feed": feed_id})
        kept[feed_id] = Shelf(revision, [(row.fields, row.sold) for row in rows if row.fields["available"]])
    return kept[feed_id]


def _selection(shelf: Shelf, name: str, where: Node | None, now: dt.datetime) -> Selection:
    if name not in shelf.views:
        view = View(Facts(), now)
        held = [one for one in shelf.products if where is None or judge(where, view.within(one[0])).value]
        best = [product for product, _ in sorted(held, key=lambda one: -one[1])]
        first = [product for product, _ in held]
        shelf.views[name] = Selection(first, best, {product["id"]: product for product in first})
    return shelf.views[name]
