"""Contacts and their events in the course of a year, made inside PostgreSQL: some are busy, many are quiet."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from benchmarks.bulk import vacuum, without_indexes
from engine import partitions
from engine.db import Database

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAYS = 360
PEOPLE = text("""
insert into contacts (public_id, external_id, email, attributes, erased_at)
select md5(i::text), 'c' || i, 'c' || i || '@bench.example',
       jsonb_build_object('plan', (array['free', 'free', 'pro', 'team'])[1 + hash % 4], 'seats', hash / 7 % 40,
                          'first_name', 'Ann ' || hash % 1000, 'country', (array['de', 'fr', 'us'])[1 + hash / 3 % 3]),
       case when hash % 1000 = 0 then cast(:now as timestamptz) end
from (select i, abs(hashint8(i)::bigint) as hash from generate_series(1, :contacts) i) made
""")
HAPPENED = text("""
insert into events (message_id, received_at, occurred_at, contact_id, name, properties, source)
select 'bench-' || i, at + interval '1 second', at, 1 + floor(:contacts * power(hash % 1000003 / 1000003.0, 2))::bigint,
       name, jsonb_build_object('product', 'sku-' || hash % 5000)
             || case when name in ('Order Completed', 'Refunded')
                     then jsonb_build_object('revenue', (hash / 11 % 20000) / 100.0, 'currency', 'EUR') else '{}' end,
       'api'
from (select i, hash, date_trunc('second', :now - (:events - i) * (:days * interval '1 day' / :events)) as at,
             case when hash / 5 % 10 < 6 then 'Product Viewed' when hash / 5 % 10 < 9 then 'Order Completed'
                  when hash / 13 % 5 = 0 then 'Refunded' else 'Email Opened' end as name
      from (select i, abs(hashint8extended(i, 42) / 2) as hash
            from generate_series(cast(:first as bigint), cast(:last as bigint)) i
            where (i % 10 = 0) = :tenth) hashed) made
""")
NAMES = (
    """insert into attribute_definitions (name, type) values ('plan', 'text'), ('seats', 'number')""",
    """insert into event_definitions (name, properties) values ('Product Viewed', '{}'), ('Refunded', '{}'),
    ('Order Completed', '{"revenue": "number"}')""",
)


def people(database: Database, contacts: int) -> None:
    """Contacts with four attributes; one of a thousand is erased."""
    with database.transaction() as session:
        partitions.ensure(session, "events", [NOW - dt.timedelta(days=day) for day in range(DAYS + 1)])
        session.execute(PEOPLE, {"contacts": contacts, "now": NOW})
        for statement in NAMES:
            session.execute(text(statement))
    vacuum(database, "contacts")


def happenings(database: Database, contacts: int, events: int, *, tenth: bool) -> None:
    """One event of ten, or the others."""
    halves = [(1, events // 2), (events // 2 + 1, events)]
    with without_indexes(database, "events"), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda half: _insert(database, contacts, events, half, tenth), halves))


def _insert(database: Database, contacts: int, events: int, half: tuple[int, int], tenth: bool) -> None:
    values = {"contacts": contacts, "events": events, "now": NOW, "days": DAYS, "tenth": tenth}
    with database.transaction() as session:
        session.execute(HAPPENED, {**values, "first": half[0], "last": half[1]})
