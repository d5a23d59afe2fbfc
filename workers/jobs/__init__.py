"""Jobs by name. A job works until nothing is due or its time is up, then rings for what follows from it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from engine import clock
from engine.db import Database
from engine.settings import settings
from workers import campaigning, delivering, feeding, pipeline, polling, sending
from workers.due import due
from workers.enqueue import connect, ring


@dataclass(frozen=True)
class Servers:
    """The servers of this process."""

    database: Database
    redis: Redis


@functools.cache
def servers() -> Servers:
    """Opened once a process; the settings name them."""
    own = settings()
    assert own.database_url and own.redis_url
    return Servers(Database(own.database_url, workspace=own.workspace_schema), connect(own.redis_url))


def match() -> None:
    """Events in: waits met, exits, goals, entries."""
    if pipeline.match(servers().database):
        _ring_for_what_follows()


def refresh() -> None:
    """Segments, and changes of contacts."""
    if pipeline.refresh(servers().database):
        _ring_for_what_follows()


def advance() -> None:
    """People who are due."""
    if pipeline.advance(servers().database):
        _ring_for_what_follows()


def campaigns() -> None:
    """Campaigns: audiences frozen, messages queued, winners chosen, goals counted."""
    if campaigning.campaigns(servers().database):
        _ring_for_what_follows()


def send() -> None:
    """Messages out."""
    sending.send(servers().database)


def hits() -> None:
    """Opens and clicks in."""
    if pipeline.hits(servers().database):
        _ring_for_what_follows()


def rejudge() -> None:
    """Stored hits, judged again."""
    pipeline.rejudge(servers().database)
    _ring_for_what_follows()


def receipts() -> None:
    """Bounces, complaints and deliveries in."""
    if pipeline.receipts(servers().database):
        _ring_for_what_follows()


def poll() -> None:
    """Bounces out of a mailbox."""
    if polling.poll(servers().database, settings()):
        _ring_for_what_follows()


def feeds() -> None:
    """Product feeds in."""
    feeding.feeds(servers().database)


def sweep() -> None:
    """Messages that a worker left behind when it died."""
    sending.reap(servers().database)


def deliver() -> None:
    """Webhooks and notes to colleagues out, responses in."""
    if delivering.deliver(servers().database):
        _ring_for_what_follows()


def _ring_for_what_follows() -> None:
    with servers().database.transaction() as session:
        names = due(session, clock.now(session))
    for name in names:
        ring(servers().redis, name)


JOBS: dict[str, Callable[..., None]] = {
    "match": match,
    "refresh": refresh,
    "advance": advance,
    "campaigns": campaigns,
    "send": send,
    "hits": hits,
    "rejudge": rejudge,
    "receipts": receipts,
    "poll": poll,
    "feeds": feeds,
    "sweep": sweep,
    "deliver": deliver,
}
