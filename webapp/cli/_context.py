"""What most commands need: the database of this installation, and its Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from engine.db import Database
from engine.settings import settings
from workers.embedded import Urls, servers


@contextmanager
def connected() -> Iterator[Database]:
    """The migrated database; embedded servers are started for the length of the block if nothing runs yet."""
    with servers(settings()) as urls:
        yield _open(urls)


@contextmanager
def connected_with_redis() -> Iterator[tuple[Database, Redis]]:
    """As `connected`, with the client of the Redis that carries the doorbells."""
    with servers(settings()) as urls, Redis.from_url(urls.redis_url) as redis:
        yield _open(urls), redis


def _open(urls: Urls) -> Database:
    database = Database(urls.database_url)
    if not urls.shared:  # the instance that runs here has migrated before it wrote down its sockets
        database.migrate()
    return database
