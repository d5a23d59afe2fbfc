"""A workspace with one journey, people at its first wait, and two ways to move them: Cairn's and one by hand."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import text

from benchmarks.measure import Meter
from engine import partitions
from engine.content import store
from engine.db import Database
from journeys.publish import publish
from journeys.runtime import catalogue as catalogues
from journeys.runtime.advance import BATCH, advance

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ENTERED = NOW - dt.timedelta(days=1)
JOURNEY = """journey: bench
enter: {on: Signed Up}
steps:
  - wait: 1 day
    id: first
  - branch: Plan
    id: plan
    paths:
      - when: plan is "pro"
        name: pro
        do: [{email: hello, id: to-pro}]
      - when: seats >= 20
        name: large
        do: [{email: hello, id: to-large}]
      - else:
        name: small
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
ENROL = text("""
insert into enrolments (journey_id, version_id, contact_id, status, phase, step_id, wake_at, deadline, entered_at,
    trigger_occurred_at, trigger_received_at)
select :journey_id, :version_id, id, 'active', 'waiting', 'first', at, at, :entered, :entered, :entered
from (select id, cast(:first as timestamptz) + (id - :start) / :a_wake * cast(:pause as interval) as at
      from generate_series(cast(:start as bigint), cast(:start as bigint) + :count - 1) id) given
""")
BY_SQL = text("""
with due as (
    select e.id, e.contact_id, e.entered_at from enrolments e
    where e.version_id = :version_id and e.status = 'active' and e.wake_at <= :now order by e.wake_at limit :limit
    for update skip locked),
decided as (
    select due.*, case when c.attributes->>'plan' = 'pro' then 'pro'
        when (c.attributes->>'seats')::int >= 20 then 'large' else 'small' end as path
    from due join contacts c on c.id = due.contact_id),
moved as (
    update enrolments e set step_id = 'second', phase = 'waiting', wake_at = :later, deadline = :later,
        arrived_at = :now, steps_taken = steps_taken + 3 from decided d where e.id = d.id returning 1),
logged as (
    insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)
    select :now, d.id, d.contact_id, :version_id, l.step, 1, l.outcome, l.detail
    from decided d cross join lateral (values ('first', 'passed', null),
        ('plan', 'branched', jsonb_build_object('path', d.path)), ('to-' || d.path, 'queued', null),
        ('second', 'waiting', null)) l(step, outcome, detail)
    returning 1),
counted as (
    insert into step_rollups (journey_id, step_id, outcome, day, count)
    select :journey_id, step, outcome, cast(:now as date), n from (
        select 'to-' || path as step, 'queued' as outcome, count(*) as n from decided group by 1
        union all select l.step, l.outcome, (select count(*) from decided)
        from (values ('first', 'passed'), ('plan', 'branched'), ('second', 'waiting')) l(step, outcome)) counts
    on conflict (journey_id, step_id, outcome, day) do update set count = step_rollups.count + excluded.count
    returning 1)
insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id, channel,
    queued_at, send_after)
select entered_at, id, 'to-' || path, 1, contact_id, :journey_id, :version_id, :content_id, 'email', :now, :now
from decided
""")
WRITTEN = {
    "enrolments": "to_jsonb(t) - 'id'",
    "step_log": "to_jsonb(t) - '{id,enrolment_id}'::text[]",
    "messages": "to_jsonb(t) - '{id,enrolment_id,token}'::text[]",
    "step_rollups": "to_jsonb(t)",
}
"""What both ways must write alike: all but random tokens and the ids that a sequence gave."""


class Run(NamedTuple):
    """Enrolments a second, and CPU of this process and PostgreSQL together in microseconds an enrolment."""

    rate: float
    cpu_us: float


class Bench:
    """A workspace in `database` with `people` contacts and the journey, live."""

    def __init__(self, database: Database, people: int) -> None:
        self.database, self.people = database, people
        database.migrate()
        with database.transaction() as session:
            partitions.ensure_ahead(session, NOW)
            version = store.save(session, CONTENT, "hello", "email", NOW)
            done = publish(session, JOURNEY, NOW, "benchmark")
            self.ids = {"journey_id": done.journey.id, "version_id": done.version.id, "content_id": version.content_id}
            session.execute(PEOPLE, {"count": people})
            self.catalogue = catalogues.load(session)

    def empty(self) -> None:
        """Nobody in the journey."""
        with self.database.transaction() as session:
            session.execute(text("truncate enrolments, step_log, messages, step_rollups"))

    def park(
        self, start: int, count: int, first: dt.datetime, a_wake: int = 1, pause: dt.timedelta = dt.timedelta(0)
    ) -> None:
        """Contacts from `start` on, at the first wait; `a_wake` of them wake at `first`, as many a `pause` later, …"""
        given = {"start": start, "count": count, "first": first, "a_wake": a_wake, "pause": pause, "entered": ENTERED}
        with self.database.transaction() as session:
            session.execute(ENROL, self.ids | given)

    def settle(self) -> None:
        """As a database is that was not loaded a moment ago: analysed, hint bits set, checkpointed."""
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'vacuum analyze "{self.database.workspace}".enrolments')
            connection.exec_driver_sql("checkpoint")

    def by_cairn(self, count: int, now: dt.datetime = NOW) -> Run:
        """The executor, a batch a transaction."""
        version = self.catalogue.versions[self.ids["version_id"]]

        def batch() -> int:
            with self.database.transaction() as session:
                return advance(session, self.catalogue, version, now)

        return _timed(batch, count)

    def by_sql(self, count: int, now: dt.datetime = NOW) -> Run:
        """One statement a batch of the same size."""
        values = {**self.ids, "now": now, "later": now + dt.timedelta(days=3), "limit": BATCH}

        def batch() -> int:
            with self.database.transaction() as session:
                rows: Any = session.execute(BY_SQL, values)
                return int(rows.rowcount)

        return _timed(batch, count)

    def written(self) -> dict[str, str]:
        """A digest of each table's rows."""
        with self.database.transaction() as session:
            return {
                table: str(
                    session.execute(
                        text(
                            f"select md5(string_agg(r, ' ' order by r)) from (select ({what})::text "
                            f"as r from {table} t) rows"
                        )
                    ).scalar()
                )
                for table, what in WRITTEN.items()
            }


def _timed(batch: Callable[[], int], count: int) -> Run:
    """Batches until `count` are done, which must be all that are due."""
    meter, started, done = Meter(os.getpid()), time.perf_counter(), 0
    while moved := batch():
        done += moved
    assert done == count, (done, count)
    return Run(count / (time.perf_counter() - started), meter.cpu() / count * 1e6)
