"""Due enrolments through wait -> branch -> send -> wait, with log and messages, against one SQL statement.

Run: python -m benchmarks.journey [ENROLMENTS]. The median of five alternating runs.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import sys
import time

from sqlalchemy import text

from benchmarks.measure import Figure, postgres, write
from engine import memory, partitions
from engine.content import store
from engine.db import Database
from journeys.publish import publish
from journeys.runtime import catalogue as catalogues
from journeys.runtime.advance import advance

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
JOURNEY = """journey: bench
enter: {on: Signed Up}
steps:
  - wait: 1 day
    id: first
  - branch: Plan
    id: plan
    paths:
      - when: plan is "pro"
        do: [{email: hello, id: to-pro}]
      - when: seats >= 20
        do: [{email: hello, id: to-large}]
      - else:
        do: [{email: hello, id: to-small}]
  - wait: 3 days
    id: second
"""
CONTENT = (
    "---\nsubject: Hello\n---\n<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
    "</mj-body></mjml>"
)
PEOPLE = text("""
insert into contacts (public_id, external_id, email, attributes)
select 'p' || i, 'c' || i, 'c' || i || '@bench.example',
       jsonb_build_object('plan', case when i % 3 = 0 then 'pro' else 'free' end, 'seats', i % 40)
from generate_series(1, :count) i
""")
ENROLLED = text("""
insert into enrolments (journey_id, version_id, contact_id, status, phase, step_id, wake_at, deadline, entered_at,
    trigger_occurred_at, trigger_received_at)
select :journey_id, :version_id, id, 'active', 'waiting', 'first', :now, :now, :entered, :entered, :entered
from contacts
""")
EMPTY = ("truncate enrolments, step_log, messages, step_rollups", "checkpoint")
BY_SQL = text("""
with due as (
    select e.id, e.contact_id, e.entered_at from enrolments e
    where e.version_id = :version_id and e.status = 'active' and e.wake_at <= :now order by e.wake_at limit :limit
    for update skip locked),
decided as (
    select due.*, case when c.attributes->>'plan' = 'pro' then 'to-pro'
        when (c.attributes->>'seats')::int >= 20 then 'to-large' else 'to-small' end as step
    from due join contacts c on c.id = due.contact_id),
moved as (
    update enrolments e set step_id = 'second', phase = 'waiting', wake_at = :later, deadline = :later,
        arrived_at = :now, steps_taken = steps_taken + 3 from decided d where e.id = d.id returning 1),
logged as (
    insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome)
    select :now, d.id, d.contact_id, :version_id, l.step, 1, l.outcome from decided d cross join lateral (values
        ('first', 'passed'), ('plan', 'branched'), (d.step, 'queued'), ('second', 'waiting')) l(step, outcome)
    returning 1)
insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id, channel,
    queued_at, send_after)
select entered_at, id, step, 1, contact_id, :journey_id, :version_id, :content_id, 'email', :now, :now from decided
""")


class Bench:
    """A workspace with a published journey."""

    def __init__(self, database: Database, count: int) -> None:
        self.database, self.count = database, count
        self.entered = NOW - dt.timedelta(days=1)
        with database.transaction() as session:
            partitions.ensure_ahead(session, NOW)
            version = store.save(session, CONTENT, "hello", "email", NOW)
            done = publish(session, JOURNEY, NOW, "benchmark")
            self.ids = {"journey_id": done.journey.id, "version_id": done.version.id, "content_id": version.content_id}
            session.execute(PEOPLE, {"count": count})

    def park(self) -> None:
        """Everybody at the first wait, due now."""
        with self.database.transaction() as session:
            session.execute(text(EMPTY[0]))
            session.execute(ENROLLED, {**self.ids, "now": NOW, "entered": self.entered})
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'analyze "{self.database.workspace}".enrolments')
            connection.exec_driver_sql(EMPTY[1])

    def by_cairn(self) -> float:
        """Enrolments a second through the executor."""
        self.park()
        started, done = time.perf_counter(), 0
        with self.database.transaction() as session:
            catalogue = catalogues.load(session)
        version = catalogue.versions[self.ids["version_id"]]
        while True:
            with self.database.transaction() as session:
                moved = advance(session, catalogue, version, NOW)
            if not moved:
                break
            done += moved
        assert done == self.count, done
        return done / (time.perf_counter() - started)

    def by_sql(self) -> float:
        """Enrolments a second through one statement a batch of the same size."""
        self.park()
        values = {**self.ids, "now": NOW, "later": NOW + dt.timedelta(days=3), "limit": 5000}
        started, done = time.perf_counter(), 0
        while done < self.count:
            with self.database.transaction() as session:
                done += session.execute(BY_SQL, values).rowcount  # type: ignore[attr-defined]
        return done / (time.perf_counter() - started)


def main(count: int) -> None:
    """Alternate, so that both meet the same machine."""
    with postgres() as (_, database, _home):
        bench = Bench(database, count)
        memory.expect_batches()
        bench.by_sql()
        sql, cairn = zip(*((bench.by_sql(), bench.by_cairn()) for _ in range(5)), strict=True)
    reference, value = statistics.median(sql), statistics.median(cairn)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    write(
        "journey",
        [
            Figure("one SQL statement", reference, "/s"),
            Figure("executor", value, "/s", value / reference, "one SQL statement", peak_mb=peak),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
