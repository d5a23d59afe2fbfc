"""What most commands need: the database of this installation, and its Redis."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from engine.db import Database
from engine.settings import Settings, settings
from workers.database import open_database
from workers.embedded import Urls, running, servers
from workers.enqueue import connect


@contextmanager
def connected() -> Iterator[Database]:
    """The migrated database; embedded servers are started for the length of the block if nothing runs yet."""
    with servers(settings()) as urls:
        database = _open(urls)
        yield database
        database.close()


@contextmanager
def connected_with_redis() -> Iterator[tuple[Database, Redis]]:
    """As `connected`, with the client of the Redis that carries the doorbells."""
    with servers(settings()) as urls, connect(urls.redis_url) as redis:
        database = _open(urls)
        yield database, redis
        database.close()


@contextmanager
def adopted() -> Iterator[Settings]:
    """Settings that name the servers, for the long-running processes; under `cairn up` they come from it."""
    with servers(settings()) as urls:
        _adopt(urls)
        yield settings()


@contextmanager
def connected_to_send() -> Iterator[Database]:
    """As `connected`, for commands that send in this process: they name what `cairn up` has settled too."""
    with servers(settings()) as urls:
        _adopt(urls)
        database = _open(urls)
        yield database
        database.close()


def site_url() -> str:
    """The base of links to the site: CAIRN_PUBLIC_URL, else where this home runs, else where it would."""
    own = settings()
    site = None if own.public_url else running.read(own.home)
    return site.address if site and site.address else own.site_url


def _adopt(urls: Urls) -> None:
    os.environ |= {"DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url}
    if urls.smtp_url:
        os.environ["CAIRN_SMTP_URL"] = urls.smtp_url
    if urls.address and not settings().public_url:
        os.environ["CAIRN_PUBLIC_URL"] = urls.address
    settings.cache_clear()


def _open(urls: Urls) -> Database:
    if urls.migrated:
        return Database(urls.database_url, workspace=settings().workspace_schema)
    return open_database(settings(), urls)
