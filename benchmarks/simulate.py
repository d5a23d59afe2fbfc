"""A draft replayed over history by `workers.simulate`, against COPY of the same rows out of the database.

Run: python -m benchmarks.simulate [PEOPLE]. Each signs up once within 90 days, and has two more events that the draft
reads. The draft has a holdout, a cap, a goal, an exit, a branch, two waits and three mails. The target: a million
entries over three million relevant events within two minutes on two quiet cores.

The reference copies out, in binary, the contacts and the events that the replay reads.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
import time

from sqlalchemy import text

from benchmarks.bulk import vacuum
from benchmarks.measure import Figure, Meter, postgres, write
from engine import partitions
from engine.db import Database, driver
from workers.simulate import simulate

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = START + dt.timedelta(days=120)
DRAFT = """
journey: onboarding
enter: {on: Signed Up, where: email is set}
holdout: 10%
goal: {when: did "Order Completed", within: 30 days, value: event.total}
exit: [not subscribed to "news" on email]
send: {topic: news, cap: 3 per week}
steps:
  - {email: welcome, id: welcome}
  - wait_for: did "Project Created"
    id: started
    up_to: 3 days
    timeout: [{email: need-a-hand, id: hand}]
  - wait: 2 days
    id: pause
  - branch: Plan
    id: plan
    paths:
      - when: plan is "pro"
        do: [{email: tips, id: tips, quiet: 21:00-08:00 contact}]
      - else:
"""
PEOPLE = text("""
insert into contacts (external_id, email, attributes)
select 'c' || i, 'c' || i || '@bench.example',
    jsonb_build_object('plan', case when i % 3 = 0 then 'pro' else 'free' end, 'city', 'Berlin', 'seats', i % 9)
from generate_series(1, :count) i
""")
EVENTS = text("""
insert into events (message_id, received_at, occurred_at, contact_id, name, properties, source)
select 'm' || kind || '-' || i, at, at, i, name, jsonb_build_object('total', i % 90, 'path', '/p/' || i % 999), 'import'
from generate_series(1, :count) i,
    (values (0, 'Signed Up', 0), (1, 'Project Created', 1), (2, 'Order Completed', 4)) kinds (kind, name, days),
    lateral (select cast(:start as timestamptz) + (i % 90 + days * (i % 4)) * interval '1 day'
        + (i % 86000) * interval '1 second' as at) instants
order by i, kind
""")
REFERENCE = (
    "copy (select id, public_id, email, phone, timezone, locale, external_id, created_at, attributes from contacts)"
    " to stdout (format binary)",
    "copy (select contact_id, name, occurred_at, received_at, message_id, properties from events)"
    " to stdout (format binary)",
)


def populate(database: Database, people: int) -> None:
    """Contacts with ids from 1 and their three events."""
    with database.transaction() as session:
        session.execute(text("insert into topics (slug, name) values ('news', 'News')"))
        session.execute(PEOPLE, {"count": people})
        partitions.ensure(session, "events", [START + dt.timedelta(days=day) for day in range(0, 130, 10)])
        session.execute(EVENTS, {"count": people, "start": START})
    vacuum(database, "contacts", "events")


def copied_out(database: Database) -> float:
    """Seconds to read the rows with nothing done to them."""
    started = time.perf_counter()
    with database.transaction() as session:
        for statement in REFERENCE:
            with driver(session).cursor().copy(statement) as rows:
                for _ in rows:
                    pass
    return time.perf_counter() - started


def peak_mb() -> float:
    """The largest peak of this process and of the pool's, which have ended; PostgreSQL's are not among them."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def main(people: int) -> None:
    """Print and write the figures."""
    with postgres() as (_, database, _home):
        populate(database, people)
        bare = copied_out(database)
        meter = Meter(os.getpid())
        started = time.perf_counter()
        _, tally = simulate(database, DRAFT, START, END)
        seconds = time.perf_counter() - started
        cpu = meter.cpu()
        assert tally.entries == people and tally.sent.total() > people // 2
        rate = people / seconds
        write(
            "simulate",
            [
                Figure(
                    f"{people:,} entries over {3 * people:,} events",
                    rate,
                    "entries/s",
                    ratio=bare / seconds,
                    reference="COPY out of the same rows",
                    cpu_us_per_unit=cpu / people * 1e6,
                    peak_mb=peak_mb(),
                ),
                Figure("seconds for a million entries", 1e6 / rate, "s"),
            ],
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
