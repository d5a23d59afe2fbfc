"""Feeds by slug, and their products: what is read replaces what was kept, and what cannot be read changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.errors import InvalidInput, NotFound
from engine.expr.ast import DEFAULT_ALIASES
from engine.feeds.query import query
from engine.feeds.reading import Read
from engine.model import Feed

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
LEAST, MOST = 5, 10_080
"""Minutes from fetch to fetch."""
MOST_TOLD = 10
KEPT_GONE = dt.timedelta(days=180)

GONE = text("""
update products set gone_at = :now
where feed_id = :feed and gone_at is null and product_id <> all(cast(:ids as text[]))
""")
REPLACE = text("""
insert into products (feed_id, product_id, position, fields)
select :feed, id, position, cast(fields as jsonb)
from unnest(cast(:ids as text[]), cast(:fields as text[])) with ordinality as u(id, fields, position)
on conflict (feed_id, product_id) do update
set position = excluded.position, fields = excluded.fields, gone_at = null
where (products.position, products.fields) is distinct from (excluded.position, excluded.fields)
    or products.gone_at is not null
""")
FORGET = text("delete from products where feed_id = :feed and gone_at < :before")
# Segment's spec names products in `products`, other shops in `items`; one alone stands in the event itself.
SOLD = text("""
update products p set sold = coalesce(found.orders, 0)
from products own left join (
    select id, count(*) as orders from (
        select e.message_id, jsonb_array_elements(
            jsonb_path_query_array(e.properties, '$.product_id')
            || jsonb_path_query_array(e.properties, '$.products[*].product_id')
            || jsonb_path_query_array(e.properties, '$.items[*].product_id')) #>> '{}' as id
        from events e where e.name = :name and e.occurred_at > :since and e.occurred_at <= :now
            and e.received_at >= cast(:since as timestamptz) - interval '5 minutes') each group by id
) found on found.id = own.product_id
where own.feed_id = :feed and p.feed_id = own.feed_id and p.product_id = own.product_id
    and p.sold <> coalesce(found.orders, 0)
""")
LISTED = text("""
select f.slug, f.url, f.every, f.fetched_at, f.tried_at, f.next_at, f.error, f.note,
    count(p.product_id) filter (where p.gone_at is null) as products
from feeds f left join products p on p.feed_id = f.id group by f.id order by f.slug
""")
SHOWN = text("""
select product_id, fields, sold from products where feed_id = :feed and gone_at is null order by position limit :most
""")
SHOWING = text("""
select c.slug, v.compiled -> 'products' as products from contents c
join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
where jsonb_array_length(coalesce(v.compiled -> 'products', '[]')) > 0""")
CLAIM = text("""
update feeds set next_at = :lease where id = (
    select id from feeds where next_at <= :now order by next_at limit 1 for update skip locked)
returning id, url, etag, last_modified
""")


class Known(NamedTuple):
    """What the last answer of a URL said of itself (RFC 9110, section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


def add(session: Session, slug: str, url: str | None, every: int, now: dt.datetime) -> Feed:
    """Make a feed, or change where it comes from; `url` is one, or None for a file. Raises InvalidInput."""
    if not SLUG.match(slug):
        raise InvalidInput("is no slug", slug, "Use letters, digits and - _ . only, at most 100.")
    if not LEAST <= every <= MOST:
        raise InvalidInput(f"is not between {LEAST} and {MOST:,} minutes", "every")
    feed = session.scalars(select(Feed).where(Feed.slug == slug).with_for_update()).one_or_none()
    if feed is None:
        feed = Feed(slug=slug, url=url, every=every, next_at=now)
        session.add(feed)
    elif feed.url != url:
        feed.etag = feed.last_modified = None
    feed.url, feed.every, feed.next_at = url, every, now
    session.flush()
    return feed


def find(session: Session, slug: str) -> Feed:
    """Raises NotFound."""
    feed = session.scalars(select(Feed).where(Feed.slug == slug.replace("\0", ""))).one_or_none()
    if feed is None:
        raise NotFound("feed", slug, "`cairn feeds list` shows those that there are.")
    return feed


def users(session: Session, slug: str) -> list[str]:
    """The contents whose current version shows products of a feed."""
    rows = session.execute(SHOWING).all()
    return sorted({row.slug for row in rows for each in row.products if query(each["text"]).feed == slug})


def again(session: Session, slug: str, now: dt.datetime) -> None:
    """Have a worker fetch a feed now, changed or not. Raises NotFound, and InvalidInput for one that is a file."""
    feed = find(session, slug)
    if feed.url is None:
        raise InvalidInput("was given as a file", slug, "Give it the new file.")
    feed.next_at, feed.tried_at, feed.etag, feed.last_modified = now, None, None, None


def remove(session: Session, slug: str) -> None:
    """Forget a feed with its products. Raises NotFound, and InvalidInput while contents show its products."""
    feed = find(session, slug)
    if held := users(session, slug):
        more = f" and {len(held) - MOST_TOLD} more" if len(held) > MOST_TOLD else ""
        message = f"is still shown by the contents {', '.join(held[:MOST_TOLD])}{more}"
        raise InvalidInput(message, f"feed {slug}", "Take its products out of them first.")
    session.execute(text("delete from products where feed_id = :feed"), {"feed": feed.id})
    session.delete(feed)


def listed(session: Session) -> Sequence[Any]:
    """All feeds with the number of their products."""
    return session.execute(LISTED).all()


def shown(session: Session, feed: Feed, most: int) -> Sequence[Any]:
    """The first products of a feed: `product_id`, `fields`, `sold`."""
    return session.execute(SHOWN, {"feed": feed.id, "most": most}).all()


def claim(session: Session, now: dt.datetime) -> tuple[int, str | None, Known] | None:
    """A feed that is due: its id, URL and what its last answer said. Whoever dies over it leaves it for ten minutes."""
    row = session.execute(CLAIM, {"now": now, "lease": now + dt.timedelta(minutes=10)}).first()
    return (row.id, row.url, Known(row.etag, row.last_modified)) if row else None


def keep(session: Session, feed_id: int, read: Read | None, known: Known, now: dt.datetime) -> None:
    """Write down what was read, or (None) that nothing has changed, and how often each product was ordered of late."""
    feed = session.get(Feed, feed_id, with_for_update=True)
    if feed is None:
        return
    changed = 0
    if read is not None:
        changed = _replace(session, feed_id, read, now)
        feed.note = read.note()
    if read is not None or feed.url:
        feed.etag, feed.last_modified = known
        feed.tried_at = feed.fetched_at = now
        feed.error = None
    feed.next_at = now + dt.timedelta(minutes=feed.every)
    own = workspace.load(session)
    name, since = own.event_aliases.get("purchased", DEFAULT_ALIASES["purchased"]), dt.timedelta(own.best_seller_days)
    changed += _count(session, SOLD, {"feed": feed_id, "name": name, "since": now - since, "now": now})
    feed.revision += changed > 0


def fail(session: Session, feed_id: int, error: str, now: dt.datetime) -> None:
    """Write down why nothing was read; what was kept stays."""
    feed = session.get(Feed, feed_id, with_for_update=True)
    if feed is not None:
        feed.error, feed.tried_at, feed.next_at = error, now, now + dt.timedelta(minutes=feed.every)


def _replace(session: Session, feed_id: int, read: Read, now: dt.datetime) -> int:
    """How many products are new, changed or gone."""
    ids = literal(read.products)
    fields = literal([json.dumps(each) for each in read.products.values()])
    gone = _count(session, GONE, {"feed": feed_id, "ids": ids, "now": now})
    changed = _count(session, REPLACE, {"feed": feed_id, "ids": ids, "fields": fields})
    session.execute(FORGET, {"feed": feed_id, "before": now - KEPT_GONE})
    return gone + changed


def _count(session: Session, statement: Any, values: dict[str, Any]) -> int:
    result: Any = session.execute(statement, values)
    return int(result.rowcount)
