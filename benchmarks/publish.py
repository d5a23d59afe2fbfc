"""Publishing over a crowd: who waits is taken along or out, a journey is stopped, and a whole town is noted to enter.

Run: python -m benchmarks.publish [PEOPLE [CASE …]]; a million and all cases without arguments. Each case is Cairn's own
path beside one SQL statement by hand that changes (or writes) the same rows, with nothing of the log, the counters and
the rules around it. Both meet a table that was just filled, vacuumed and checkpointed.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from benchmarks.bulk import vacuum
from benchmarks.measure import Figure, Meter, postgres, write
from engine import clock, memory, partitions, segments
from engine.db import Database
from journeys.language.choice import read_choice
from journeys.publish import publish
from journeys.runtime import catalogue as catalogues
from journeys.runtime import states, timed
from workers import pipeline

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
STEPS = "steps:\n  - wait: {days} days\n    id: rest\n"
WAITING = "journey: crowd\nenter: {{on: Signed Up}}\n" + STEPS
DATED = "journey: dated\nenter: {{date: 2 days before renews_at}}\n" + STEPS
MEMBERS = "journey: members\nenter: {{segment: everybody, existing: true}}\n" + STEPS
SLOTS = "journey: slots\nenter: {{schedule: every day 09:00}}\n" + STEPS
PEOPLE = text("""
insert into contacts (public_id, external_id, email, attributes)
select 'p' || i, 'c' || i, 'c' || i || '@bench.example',
       jsonb_build_object('plan', 'pro', 'renews_at', to_char(date '2026-04-01' + i % 300, 'YYYY-MM-DD'))
from generate_series(1, :count) i
""")
ENROL = text("""
insert into enrolments (journey_id, version_id, contact_id, status, phase, step_id, wake_at, deadline, arrived_at,
    entered_at, trigger_occurred_at, trigger_received_at)
select :journey_id, :version_id, i, 'active', 'waiting', 'rest', at + interval '9 days', at + interval '9 days', at, at,
    at, at
from (select i, cast(:now as timestamptz) - interval '1 day' + i * interval '50 ms' as at
      from generate_series(1, :count) i) given
""")
RESCHEDULE = """
update enrolments set version_id = :other, wake_at = arrived_at + interval '8 days',
    deadline = arrived_at + interval '8 days'
where version_id = :version_id and step_id = 'rest' and status = 'active'
"""
END = """
update enrolments set status = 'exited', reason = 'by hand', phase = null, wake_at = null, deadline = null,
    ended_at = :now
where version_id = :version_id and step_id = 'rest' and status = 'active'
"""
DATES = """
insert into entry_inbox (journey_id, contact_id, message_id, available_at)
select :journey_id, id, 'date:' || (attributes->>'renews_at'),
    (attributes->>'renews_at')::date::timestamptz - interval '2 days' from contacts
"""
NOTED = """
insert into entry_inbox (journey_id, contact_id, message_id, available_at)
select :journey_id, id, '', :now from contacts order by id
"""


class Run(NamedTuple):
    """Seconds, CPU of this process and PostgreSQL in microseconds a person, and this process's peak in MB."""

    seconds: float
    cpu_us: float
    peak_mb: float


class Town:
    """A workspace with `people` contacts, and journeys over them."""

    def __init__(self, database: Database, people: int) -> None:
        self.database, self.people, self.days = database, people, 9
        with database.transaction() as session:
            clock.set_virtual(session, NOW)
            partitions.ensure_ahead(session, NOW)
            session.execute(PEOPLE, {"count": people})
            session.execute(text("insert into attribute_definitions (name, type) values ('renews_at', 'text')"))
            segments.save(session, "everybody", 'plan is "pro"')
            segments.refresh(session, "everybody", NOW)
        vacuum(database, "contacts")
        vacuum(database, "segment_memberships")

    def publish(self, template: str, **choices: str) -> dict[str, Any]:
        """A text that differs from the last one by its wait; the ids of the journey and its version."""
        self.days -= 1
        with self.database.transaction() as session:
            chosen = {step: read_choice(choice) for step, choice in choices.items()}
            done = publish(session, template.format(days=self.days), NOW, "bench", chosen)
            return {"journey_id": done.journey.id, "version_id": done.version.id}

    def crowd(self) -> dict[str, Any]:
        """Everybody waits in a fresh version of the journey, and nobody else was ever in it."""
        with self.database.transaction() as session:
            session.execute(text("truncate enrolments, step_log, step_rollups, entry_inbox"))
        self.days = 9
        ids = self.publish(WAITING)
        with self.database.transaction() as session:
            session.execute(ENROL, {**ids, "now": NOW, "count": self.people})
        self.settle("enrolments")
        return ids

    def empty_inbox(self) -> None:
        """Nobody is noted to enter."""
        with self.database.transaction() as session:
            session.execute(text("truncate entry_inbox"))

    def settle(self, table: str) -> None:
        """As a database is that was not loaded a moment ago."""
        vacuum(self.database, table)
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("checkpoint")

    def by_hand(self, statement: str, values: Mapping[str, Any]) -> Run:
        """The statement, which must concern everybody."""

        def run() -> None:
            with self.database.transaction() as session:
                found: Any = session.execute(text(statement), values)
                assert found.rowcount == self.people, found.rowcount

        return self.timed(run)

    def timed(self, work: Callable[[], Any]) -> Run:
        """One run of `work`."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak of resident memory begins anew
        meter, started = Meter(os.getpid()), time.perf_counter()
        work()
        return Run(time.perf_counter() - started, meter.cpu() / self.people * 1e6, peak_mb())

    def count(self, statement: str) -> int:
        """How many rows."""
        with self.database.transaction() as session:
            return int(session.execute(text(f"select count(*) from {statement}")).scalar_one())


def peak_mb() -> float:
    """The peak of this process's resident memory since it was cleared."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def stay(town: Town) -> list[Figure]:
    """Nobody goes along: only the version is written."""
    town.crowd()
    run = town.timed(lambda: town.publish(WAITING, rest="stay"))
    assert town.count("enrolments where status = 'active'") == town.people
    return [Figure("publish, all stay", run.seconds * 1000, "ms", None, "", run.cpu_us, run.peak_mb)]


def reschedule(town: Town) -> list[Figure]:
    """All go along to the new version, and their wait is counted anew."""
    ids = town.crowd()
    ours = town.timed(lambda: town.publish(WAITING, rest="reschedule"))
    assert town.count("step_log where outcome = 'carried'") == town.people
    ids = town.crowd()
    other = town.publish(WAITING, rest="stay")["version_id"]
    return beside(
        "publish, all rescheduled", ours, town.by_hand(RESCHEDULE, ids | {"other": other}), "one UPDATE", town
    )


def leave(town: Town) -> list[Figure]:
    """All leave at the publish."""
    town.crowd()
    ours = town.timed(lambda: town.publish(WAITING, rest="exit"))
    assert town.count("step_log where outcome = 'exited'") == town.people
    return beside("publish, all leave", ours, town.by_hand(END, town.crowd() | {"now": NOW}), "one UPDATE", town)


def stop(town: Town) -> list[Figure]:
    """The journey is stopped, and a worker ends everybody, a batch a transaction."""
    town.crowd()
    taken: list[float] = []

    def run() -> None:
        started = time.perf_counter()
        with town.database.transaction() as session:
            states.change(session, "crowd", "stop", NOW, "bench")
        taken.append(time.perf_counter() - started)
        while pipeline.end_stopped(town.database):
            pass

    ours = town.timed(run)
    assert town.count("step_log where outcome = 'stopped'") == town.people
    found = beside("stop, until all are out", ours, town.by_hand(END, town.crowd() | {"now": NOW}), "one UPDATE", town)
    return [*found, Figure("stop, the command itself", taken[0] * 1000, "ms")]


def dates(town: Town) -> list[Figure]:
    """A journey that people enter by a date of theirs: all dates are written down."""
    ours = town.timed(lambda: town.publish(DATED))
    assert town.count("entry_inbox where message_id like 'date:%'") == town.people
    again = town.timed(lambda: town.publish(DATED))
    town.empty_inbox()
    by_hand = town.by_hand(DATES, {"journey_id": 0})
    return [
        *beside("publish, everybody by a date", ours, by_hand, "one INSERT", town),
        Figure("the next version of it", again.seconds, "s", again.seconds / by_hand.seconds, "one INSERT",
               again.cpu_us, again.peak_mb),
    ]  # fmt: skip


def members(town: Town) -> list[Figure]:
    """The members of a segment are let in at the first publish: all are written down."""
    town.empty_inbox()
    ours = town.timed(lambda: town.publish(MEMBERS))
    assert town.count("entry_inbox") == town.people
    town.empty_inbox()
    by_hand = town.by_hand(NOTED, {"journey_id": 0, "now": NOW})
    return beside("publish, a segment's members", ours, by_hand, "one INSERT", town)


def slots(town: Town) -> list[Figure]:
    """A slot of a schedule comes: everybody is written down."""
    journey_id, later = town.publish(SLOTS)["journey_id"], NOW + dt.timedelta(days=1)
    town.empty_inbox()

    def run() -> None:
        with town.database.transaction() as session:
            timed.let_in(session, catalogues.load(session), journey_id, later)

    ours = town.timed(run)
    assert town.count("entry_inbox") == town.people
    town.empty_inbox()
    by_hand = town.by_hand(NOTED, {"journey_id": 0, "now": NOW})
    return beside("a slot of a schedule, everybody", ours, by_hand, "one INSERT", town)


def beside(name: str, ours: Run, by_hand: Run, reference: str, town: Town) -> list[Figure]:
    """Both as people a second; the ratio is of the rates."""
    rates = [town.people / run.seconds for run in (by_hand, ours)]
    return [
        Figure(f"{reference} ({by_hand.seconds:.1f} s)", rates[0], "/s", None, "", by_hand.cpu_us),
        Figure(f"{name} ({ours.seconds:.1f} s)", rates[1], "/s", rates[1] / rates[0], reference, ours.cpu_us,
               ours.peak_mb),
    ]  # fmt: skip


CASES: dict[str, Callable[[Town], list[Figure]]] = {
    case.__name__: case for case in (stay, reschedule, leave, stop, dates, members, slots)
}


def main(people: int, names: list[str]) -> None:
    """One case after the other."""
    with postgres() as (_, database, _home):
        memory.expect_batches()
        town = Town(database, people)
        write("publish", [figure for name in names or CASES for figure in CASES[name](town)])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2:])
