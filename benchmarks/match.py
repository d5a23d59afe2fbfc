"""Events against 100 live journeys, as `workers.pipeline.match` works them off, against COPY of the same events.

Run: python -m benchmarks.match [EVENTS [CONTACTS]]. The medians of three alternating runs.

The journeys start on 40 events with different `where`; a quarter each waits for an answer, has a goal, an exit, or asks
the contact's plan. 5 % of the events do something: they enter, meet a wait, meet a goal and earn money, or exit. Of the
others, nearly half have names that nobody listens to; the rest have names that are heard, but other properties. The
reference copies the events, in binary, into `events`, `event_keys` and `event_inbox`.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from typing import Any

from sqlalchemy import text

from benchmarks.measure import Figure, Meter, postgres, write
from engine import memory, partitions
from engine.db import Database, driver
from journeys.publish import publish
from workers import pipeline

NOW = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
JOURNEYS, TRIGGERS, RUNS = 100, 40, 3
STEPS = {
    "answer": '- wait_for: did "Answered" where (journey is "j{n}")\n    id: wait\n    up_to: 90 days',
    "goal": "- wait: 90 days\n    id: wait",
    "exit": "- wait: 90 days\n    id: wait",
    "plan": "- wait: 90 days\n    id: wait",
}
FRAMES = {
    "answer": "",
    "goal": 'goal: {{when: did "Order Completed" where (journey is "j{n}"), value: event.revenue}}\n',
    "exit": 'exit: did "Cancelled" where (journey is "j{n}")\n',
    "plan": "",
}
WHERE = {
    "answer": 'event.kind is "k{n}"',
    "goal": 'event.kind is "k{n}" and event.seats >= 2',
    "exit": 'event.kind is "k{n}" or event.kind is "all"',
    "plan": 'event.kind is "k{n}" and plan is "pro"',
}
KINDS = tuple(STEPS)
PEOPLE = text("""
insert into contacts (external_id, email, attributes)
select 'c' || i, 'c' || i || '@bench.example', '{"plan": "pro", "city": "Berlin"}' from generate_series(1, :count) i
""")
# Contact i is in journey i % 100 from the start, if that one waits, has a goal or an exit: three of four are parked.
PARKED = text("""
insert into enrolments (journey_id, version_id, contact_id, status, phase, step_id, wake_at, deadline, arrived_at,
    entered_at, trigger_occurred_at, trigger_received_at, goal_until)
select j.id, j.live_version_id, c.id, 'active', 'waiting', 'wait', far, far, entered, entered, entered, entered, far
from contacts c join journeys j on j.slug = 'j' || c.id % 100 and c.id % 4 < 3,
     (select cast(:now as timestamptz) - interval '1 day' as entered,
             cast(:now as timestamptz) + interval '60 days' as far) instants
""")
# Of 200 events 5 enter, 2 answer, 1 buys, 2 cancel; 100 are heard, but change nothing; 90 have names that nobody hears.
EVENTS = text("""
create table made as
select 'm' || i as message_id, cast(:now as timestamptz) as received_at,
    cast(:now as timestamptz) - (:events - i) * interval '1 millisecond' as occurred_at, contact_id, name,
    jsonb_build_object('kind', case when place < 5 then 'k' || target else 'none' end, 'seats', i % 7 + 2,
        'journey', case when place between 5 and 9 then 'j' || contact_id % 100 else 'none' end, 'revenue', i % 90,
        'path', '/p/' || i % 999, 'title', 'A page of the shop', 'referrer', 'https://search.example/?q=' || i % 97)
        as properties
from generate_series(1, :events) i, lateral (select i % 200 as place, i / 200 as block) numbered,
lateral (select (block * 5 + place) * 7 % 100 as target, case
    when place in (5, 6) then 8 * block + 4 * (place - 5) + 4
    when place = 7 then 4 * block + 1
    when place in (8, 9) then 8 * block + 4 * (place - 8) + 2
    when place < 5 then 1 + (block * 5 + place)::bigint * 7919 % :count
    else 1 + i::bigint * 7919 % :count end as contact_id) aimed,
lateral (select case when place < 5 then 'Action ' || target % 40
    when place in (5, 6) or place between 60 and 79 then 'Answered' when place = 7 then 'Order Completed'
    when place in (8, 9) or place between 80 and 109 then 'Cancelled' when place < 60 then 'Action ' || i % 40
    else 'Page Viewed' end as name) named
""")
TABLES = {
    "event_keys": ("message_id", "message_id"),
    "events": (
        "message_id, received_at, occurred_at, contact_id, name, properties, source",
        "message_id, received_at, occurred_at, contact_id, name, properties, 'api'",
    ),
    "event_inbox": (
        "available_at, contact_id, name, occurred_at, received_at, message_id, properties",
        "received_at, contact_id, name, occurred_at, received_at, message_id, properties",
    ),
}
EMPTY = """
truncate event_keys, events, event_inbox, change_inbox, enrolments, step_log, step_rollups, entry_rollups, conversions
"""
DONE = text("""
select count(*) filter (where outcome = 'entered'), count(*) filter (where outcome = 'met'),
       count(*) filter (where outcome = 'converted'), count(*) filter (where outcome = 'exited') from step_log
""")


def journey(n: int) -> str:
    """The n-th journey's file."""
    kind = KINDS[n % 4]
    where = WHERE[kind].format(n=n)
    enter = f"enter:\n  on: Action {n % TRIGGERS}\n  where: '{where}'\n"
    return f"journey: j{n}\n{enter}{FRAMES[kind].format(n=n)}steps:\n  {STEPS[kind].format(n=n)}\n"


class Bench:
    """A workspace with its journeys and people, and the events as bytes for COPY."""

    def __init__(self, database: Database, events: int, contacts: int) -> None:
        self.database, self.events, self.contacts = database, events, contacts
        values = {"now": NOW, "events": events, "count": contacts}
        with database.transaction() as session:
            partitions.ensure_ahead(session, NOW)
            session.execute(PEOPLE, values)
            session.execute(EVENTS, values)
            for n in range(JOURNEYS):
                publish(session, journey(n), NOW, "benchmark")
            self.bytes = {table: self._read(session, columns) for table, (_, columns) in TABLES.items()}

    def _read(self, session: Any, columns: str) -> list[bytes]:
        query = f"copy (select {columns} from made order by occurred_at) to stdout (format binary)"
        with driver(session).cursor().copy(query) as out:
            return [bytes(piece) for piece in out]

    def reset(self) -> None:
        """Nothing happened yet; the parked are parked."""
        with self.database.transaction() as session:
            session.execute(text(EMPTY))
            session.execute(PARKED, {"now": NOW})
        self.settle("enrolments", "contacts")

    def settle(self, *tables: str) -> None:
        """Statistics and a checkpoint, so that a run pays for its own work only."""
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                connection.exec_driver_sql(f'vacuum (analyze) "{self.database.workspace}".{table}')
            connection.exec_driver_sql("checkpoint")

    def copy(self) -> float:
        """Seconds to copy all events into the three tables, in one commit."""
        self.reset()
        started = time.perf_counter()
        with self.database.transaction() as session:
            for table, (columns, _) in TABLES.items():
                with driver(session).cursor().copy(f"copy {table} ({columns}) from stdin (format binary)") as into:
                    for piece in self.bytes[table]:
                        into.write(piece)
        return time.perf_counter() - started

    def match(self) -> tuple[float, float]:
        """Seconds, and CPU seconds with those of PostgreSQL, until the inbox that `copy` filled is empty."""
        self.settle("events", "event_inbox")
        meter, started, done = Meter(os.getpid()), time.perf_counter(), 0
        while done < self.events:
            done += pipeline.match(self.database)
        seconds, cpu = time.perf_counter() - started, meter.cpu()
        with self.database.transaction() as session:
            happened = tuple(session.execute(DONE).one())
        assert abs(sum(happened) / self.events - 0.05) < 0.004, happened
        return seconds, cpu


def main(events: int, contacts: int) -> None:
    """Copy and match in turn, so that both meet the same machine."""
    memory.expect_batches()
    with postgres() as (_, database, _home):
        bench = Bench(database, events, contacts)
        runs = [(bench.copy(), *bench.match()) for _ in range(RUNS)]
        peak = Meter(os.getpid()).peak_mb()
    copied, matched, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
    ratio = statistics.median(copy / match for copy, match, _ in runs)
    write(
        "match",
        [
            Figure("COPY of the events", events / copied, "events/s"),
            Figure("match", events / matched, "events/s", ratio, "COPY of the events", cpu / events * 1e6, peak),
        ],
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [200_000, 50_000][len(numbers) :]))
