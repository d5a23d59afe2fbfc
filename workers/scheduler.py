"""The scheduler: one leader among any number finds what is due and rings the workers."""

from __future__ import annotations

import datetime as dt
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock, log, partitions, retention, segments
from engine.channels.sms import references
from engine.contacts import consent
from engine.db import Database
from engine.receipts import store as receipts
from engine.settings import Settings
from engine.settings import settings as own_settings
from engine.texts import joining
from engine.webhooks import endpoints
from journeys import erasing
from workers import lease
from workers.due import due
from workers.enqueue import connect, ring

logger = structlog.get_logger()

LEASE = dt.timedelta(seconds=10)
RENEW = dt.timedelta(seconds=2)
LOOK_EVERY = dt.timedelta(seconds=20)
LEADERSHIP = "scheduler"
SLOTS_KEPT = dt.timedelta(days=7)

Action = Callable[[Session, dt.datetime], list[str]]
"""Works in the leader's transaction with the edges' clock; returns the jobs to ring for once it has committed."""


@dataclass(frozen=True)
class Schedule:
    """What is done how often. With `slots` each slot of time is taken once, whoever leads; without, doing it twice
    does no harm and nothing is written. `at_start` is done by every new leader too."""

    name: str
    every: dt.timedelta
    action: Action
    slots: bool = True
    at_start: bool = False


def find_due(session: Session, now: dt.datetime) -> list[str]:
    """Ring for what is due."""
    return due(session, now)


def refresh_segments(session: Session, now: dt.datetime) -> list[str]:  # noqa: ARG001 - the shape of an action
    """Ask for a full refresh of segments whose changes cannot be foretold."""
    return ["refresh"] if segments.mark_stale(session) else []


def make_partitions(session: Session, now: dt.datetime) -> list[str]:
    """Make the partitions of the months to come."""
    partitions.ensure_ahead(session, now)
    return []


def ask_mailbox(session: Session, now: dt.datetime) -> list[str]:  # noqa: ARG001 - the shape of an action
    """Look for bounces in the mailbox, if there is one."""
    return ["poll"] if own_settings().bounce_mailbox else []


def join_texts(session: Session, now: dt.datetime) -> list[str]:
    """Take the texts of which a piece has not come in time."""
    return ["match"] if joining.take_overdue(session, now) else []


def tidy(session: Session, now: dt.datetime) -> list[str]:
    """Forget what is of long ago (slots, deliveries, bounces in full, pieces and names of texts), end consent whose
    time is over, and scrub what came in late of those who were erased."""
    session.execute(text("delete from schedule_slots where taken_at < clock_timestamp() - :kept"), {"kept": SLOTS_KEPT})
    endpoints.forget(session, now)
    receipts.forget(session, now)
    joining.forget(session, now)
    references.forget(session, now)
    consent.expire(session, now)
    erasing.scrub_late(session, now)
    return []


def let_go(session: Session, now: dt.datetime) -> list[str]:
    """Raw data that is kept no longer."""
    retention.apply(session, now)
    return []


TIMETABLE = (
    Schedule("due", dt.timedelta(seconds=1), find_due, slots=False),
    Schedule("segments", dt.timedelta(minutes=1), refresh_segments),
    Schedule("mailbox", dt.timedelta(minutes=1), ask_mailbox),
    Schedule("texts", dt.timedelta(minutes=1), join_texts),
    Schedule("partitions", dt.timedelta(days=1), make_partitions, at_start=True),
    Schedule("tidy", dt.timedelta(minutes=10), tidy),
    Schedule("retention", dt.timedelta(minutes=30), let_go),
)


@dataclass
class Scheduler:
    """Takes part in the election and, while it leads, keeps the timetable."""

    database: Database
    redis: Redis
    timetable: tuple[Schedule, ...] = TIMETABLE
    duration: dt.timedelta = LEASE
    renew_every: dt.timedelta = RENEW
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}")
    held: lease.Lease | None = None

    def __post_init__(self) -> None:
        self._clockwork = BackgroundScheduler(timezone=dt.UTC, job_defaults={"coalesce": True, "max_instances": 1})
        self._taken: dict[str, dt.datetime] = {}

    def start(self) -> None:
        """Begin; returns at once."""
        self._plan("election", self.renew_every, self.elect)
        for schedule in self.timetable:
            self._plan(schedule.name, min(schedule.every, LOOK_EVERY), partial(self.keep, schedule))
        self._clockwork.start()

    def stop(self) -> None:
        """End, and give the leadership up, so that a successor starts at once."""
        self._clockwork.shutdown(wait=True)
        if self.held:
            with logged("release"), self.database.transaction() as session:
                lease.release(session, self.held)
            self.held = None

    def elect(self) -> None:
        """Win or prolong the leadership. Who has just won does what every start has to do."""
        with logged("election"):
            with self.database.transaction() as session:
                won = lease.acquire(session, LEADERSHIP, self.holder, self.duration)
            before, self.held = self.held, won
            if won and won != before:
                logger.info("leading", fence=won.fence)
                for schedule in self.timetable:
                    if schedule.at_start:
                        self._act(won, schedule, None)

    def keep(self, schedule: Schedule) -> None:
        """Do what the schedule asks for now, if this is the leader and nobody has done it in this slot."""
        held, slot = self.held, slot_at(dt.datetime.now(dt.UTC), schedule.every)
        if held is None or (schedule.slots and self._taken.get(schedule.name) == slot):
            return
        if self._act(held, schedule, slot if schedule.slots else None):
            self._taken[schedule.name] = slot

    def _act(self, held: lease.Lease, schedule: Schedule, slot: dt.datetime | None) -> bool:
        """One transaction of the leader, then the doorbells. False if it failed or the leadership is over."""
        try:
            with self.database.transaction() as session:
                jobs = self._transact(session, held, schedule, slot)
        except lease.LeaseLost:
            logger.warning("leadership_lost", fence=held.fence)
            self.held = None
            return False
        except Exception:
            logger.exception("schedule_failed", schedule=schedule.name)
            return False
        for job in jobs:
            ring(self.redis, job)
        return True

    def _transact(self, session: Session, held: lease.Lease, schedule: Schedule, slot: dt.datetime | None) -> list[str]:
        """The leader's work in its transaction: only reading it needs no lock, as a doorbell too many does no harm."""
        if not schedule.slots:
            lease.check(session, held)
            return schedule.action(session, clock.now(session))
        lease.guard(session, held, self.duration)
        if slot is not None and not lease.take_slot(session, schedule.name, slot, held):
            return []
        return schedule.action(session, clock.now(session))

    def _plan(self, name: str, every: dt.timedelta, function: Callable[[], Any]) -> None:
        start, seconds = dt.datetime.now(dt.UTC), every.total_seconds()
        self._clockwork.add_job(
            function, "interval", seconds=seconds, id=name, next_run_time=start, misfire_grace_time=None
        )


def slot_at(moment: dt.datetime, every: dt.timedelta) -> dt.datetime:
    """The start of the slot that holds `moment`, counted from 1970 in UTC."""
    seconds = every.total_seconds()
    return dt.datetime.fromtimestamp(moment.timestamp() // seconds * seconds, dt.UTC)


@contextmanager
def logged(what: str) -> Iterator[None]:
    """Write an error down and go on: the database may be away for a while."""
    try:
        yield
    except Exception:
        logger.exception(f"{what}_failed")


def run(settings: Settings) -> None:
    """Keep the timetable until SIGTERM or Ctrl-C. `settings` name the servers."""
    assert settings.database_url and settings.redis_url
    log.configure(settings, "scheduler")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    database = Database(settings.database_url, workspace=settings.workspace_schema)
    scheduler = Scheduler(database, connect(settings.redis_url))
    scheduler.start()
    stopped.wait()
    scheduler.stop()
