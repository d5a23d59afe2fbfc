"""Product feeds that are due, one after the other: fetched with no transaction open, then kept in one."""

from __future__ import annotations

import time

import structlog

from engine import clock
from engine.db import Database
from engine.errors import InvalidInput
from engine.feeds import store
from engine.feeds.reading import read
from engine.settings import settings
from engine.webhooks.address import networks, parse_url
from engine.webhooks.download import Fetched, fetch

logger = structlog.get_logger()
SECONDS = 20.0


def feeds(database: Database, seconds: float = SECONDS) -> int:
    """Fetch what is due for about so many seconds. Returns how many feeds were looked at."""
    until, done = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        with database.transaction() as session:
            claimed = store.claim(session, clock.now(session))
        if claimed is None:
            return done
        one(database, *claimed)
        done += 1
    return done


def add(database: Database, slug: str, source: str | bytes, every: int) -> str:
    """Make a feed of a URL or of a file's bytes, or give it another one; the reason why nothing was kept, or nothing.

    Raises InvalidInput for a file that is no feed, and for what is no URL.
    """
    if isinstance(source, str):
        parse_url(source)
    found = read(source) if isinstance(source, bytes) else None
    with database.transaction() as session:
        now = clock.now(session)
        id_ = store.add(session, slug, source if isinstance(source, str) else None, every, now).id
        if found is not None:
            store.keep(session, id_, found, store.Known(), now)
    return one(database, id_, source, store.Known()) if isinstance(source, str) else ""


def again(database: Database, slug: str) -> str:
    """Fetch a feed now, changed or not; the reason why nothing was kept, or nothing. Raises NotFound, InvalidInput."""
    with database.transaction() as session:
        feed = store.find(session, slug)
        id_, url = feed.id, feed.url
    if url is None:
        raise InvalidInput("was given as a file", slug, "Give it the new file.")
    return one(database, id_, url, store.Known())


def one(database: Database, feed_id: int, url: str | None, known: store.Known) -> str:
    """Fetch and keep one; the reason why nothing was kept, or nothing."""
    try:
        fetched = fetch(url, known, networks(settings().webhook_networks)) if url else Fetched(None, known)
        products = None if fetched.data is None else read(fetched.data)
    except InvalidInput as error:
        logger.warning("a product feed was not read", feed=feed_id, error=str(error))
        with database.transaction() as session:
            store.fail(session, feed_id, str(error), clock.now(session))
        return str(error)
    with database.transaction() as session:
        store.keep(session, feed_id, products, fetched.known, clock.now(session))
    return ""
