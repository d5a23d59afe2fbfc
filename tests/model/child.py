"""A worker as a process of its own that does one job when told to, and stops at named points to be killed there."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Client
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine.settings import settings
from tests.model.stops import Stops
from workers import jobs, scheduler, sending
from workers.scheduler import TIMETABLE, Schedule, Scheduler
from workers.worker import DoorbellWorker

LEASE = dt.timedelta(seconds=10)


def template(address: str, environment: Mapping[str, str]) -> None:
    """Do each job once, so that all is imported, compiled and cached; then fork a worker for each name that comes.

    When it forks it holds no connection, no lock and no thread, so a fork is like a process that has just started.
    """
    os.environ.update(environment)
    settings.cache_clear()
    scheduler.logger = Loud()
    stops = Stops()
    for job in ("refresh", "match", "advance", "campaigns", "send", "hits", "receipts", "sweep"):
        jobs.JOBS[job]()
    sending.close()
    jobs.servers().database.close()
    jobs.servers().redis.close()
    while threading.active_count() > 1:
        time.sleep(0.01)
    with Client(address) as parent:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while name := parent.recv():
            if os.fork() == 0:
                parent.close()
                obey(address, name, stops)
                os._exit(0)


def obey(address: str, name: str, stops: Stops) -> None:
    """Take orders (job, point, nth) until the other end closes. Answers: at, done, error."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ["PGAPPNAME"] = name
    stops.channel = channel = Client(address)
    channel.send(os.getpid())
    process = Process()
    with contextlib.suppress(EOFError):
        while True:
            job, point, nth = channel.recv()
            stops.order(point, nth)
            channel.send(process.report(job))


class Process:
    """What a worker and a scheduler keep between two jobs."""

    def __init__(self) -> None:
        servers = jobs.servers()
        self.worker = Strict(servers.redis, servers.database, idle_seconds=1)
        tick = Schedule("tick", dt.timedelta(days=1), tally)
        self.scheduler = Scheduler(servers.database, servers.redis, (TIMETABLE[0], tick), duration=LEASE)

    def report(self, job: str) -> tuple[str, str]:
        """Do it; how it ended."""
        try:
            self.run(job)
        except Exception:
            return "error", traceback.format_exc()
        return "done", job

    def run(self, job: str) -> None:
        """A job by name; or a turn of the worker's loop, or of the scheduler's."""
        if job == "turn":
            self.turn()
        elif job == "schedule":
            self.scheduler.elect()
            for schedule in self.scheduler.timetable:
                self.scheduler.keep(schedule)
        else:
            jobs.JOBS[job]()

    def turn(self) -> None:
        """Answer a doorbell if one hangs; else look around, as after five idle seconds."""
        found = self.worker.hear() if any(queue.count for queue in self.worker.queues) else None
        if found:
            self.worker.execute_job(*found)
        else:
            self.worker.look_around()


class Strict(DoorbellWorker):
    """A worker that does not survive an error."""

    def run(self, name: str, args: dict[str, Any]) -> None:
        """One job, whose errors are the test's."""
        jobs.JOBS[name](**args)


class Loud:
    """A scheduler writes its errors down and goes on; here they are the test's, but for the loss of a connection."""

    def exception(self, message: str, **details: object) -> None:
        """Raise what is being handled."""
        if not isinstance(sys.exception(), DBAPIError) or not sys.exception().connection_invalidated:
            raise

    def info(self, message: str, **details: object) -> None:
        """Nothing to see."""

    warning = info


def tally(session: Session, now: dt.datetime) -> list[str]:
    """The action of a schedule that has to happen once a slot."""
    session.execute(text("insert into slot_tally default values"))
    return []
