"""Counting the contacts of rules of different kinds, against one scan over all events of the same database.

Run: python -m benchmarks.rules [CONTACTS]; ten events a contact.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from benchmarks.measure import Figure, postgres, write
from engine import partitions
from engine.db import Database
from engine.expr import parse
from engine.expr.compile_sql import matching
from engine.expr.load import load

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAYS = 360
EVENTS = 10
RUNS = 3
RULES = {
    "attribute": 'plan is "pro" and seats >= 20',
    "count in a window": "purchased at least 2 times in the last 30 days",
    "absence in a window": 'not did "Product Viewed" in the last 60 days',
    "sum": 'sum of revenue over "Order Completed" in the last 90 days > 200',
    "sequence": 'did "Product Viewed" then "Order Completed" within 40 days',
    "nested": '(plan is "pro" or purchased in the last 7 days) and never did "Refunded"',
    "last seen": "last_seen_at more than 14 days ago",
}
PEOPLE = text("""
insert into contacts (public_id, external_id, email, attributes)
select 'p' || i, 'c' || i, 'c' || i || '@bench.example',
       jsonb_build_object('plan', case when i % 3 = 0 then 'pro' else 'free' end, 'seats', i % 40)
from generate_series(1, :count) i
""")
HAPPENED = text("""
insert into events (message_id, received_at, occurred_at, contact_id, name, properties, source)
select 'm' || i, at, at, 1 + (i::bigint * 7919) % :count,
       case when i % 3 = 0 then 'Order Completed' when i % 50 = 1 then 'Refunded' else 'Product Viewed' end,
       jsonb_build_object('revenue', i % 97), 'import'
from (select i, cast(:now as timestamptz) - (i::bigint * 104729 % (:days * 86400)) * interval '1 second' as at
      from generate_series(1, :events) i) made
""")


def fill(database: Database, count: int) -> None:
    """Contacts, and ten events of each in the course of a year."""
    with database.transaction() as session:
        partitions.ensure(session, "events", [NOW - dt.timedelta(days=day) for day in range(DAYS + 1)])
        session.execute(PEOPLE, {"count": count})
        session.execute(HAPPENED, {"count": count, "events": count * EVENTS, "now": NOW, "days": DAYS})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("contacts", "events"):
            connection.exec_driver_sql(f'vacuum analyze "{database.workspace}".{table}')


def timed(session: Session, statement: Any) -> tuple[float, int]:
    """The median milliseconds of a few runs, and the result."""
    seconds, found = [], 0
    for _ in range(RUNS):
        started = time.perf_counter()
        found = session.execute(statement).scalar_one()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000, found


def main(count: int) -> None:
    """Fill a database, then count by each rule."""
    with postgres() as (_, database, _home):
        fill(database, count)
        with database.transaction() as session:
            schema = load(session)
            scan, _ = timed(
                session, text("select count(*) from (select contact_id, max(occurred_at) from events group by 1) e")
            )
            figures = [Figure(f"one pass over {count * EVENTS:,} events", scan, "ms")]
            for name, rule in RULES.items():
                chosen = matching(parse(rule), schema, NOW).subquery()
                spent, found = timed(session, select(func.count()).select_from(chosen))
                figures.append(
                    Figure(f"{name} ({found:,} contacts)", spent, "ms", spent / scan, "one pass over events")
                )
    write("rules", figures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
