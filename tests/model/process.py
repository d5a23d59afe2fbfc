"""The other end of a worker process: give it orders, see where it stands, let it go on or kill it."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from multiprocessing.connection import Listener
from typing import Any

import psutil
from sqlalchemy import text

from engine.db import Database
from tests.model import child

PATIENCE = 60.0
GLANCE = 0.02
numbers = itertools.count(1)
BACKENDS = text(
    "select count(*), count(*) filter (where wait_event_type = 'Lock') from pg_stat_activity "
    "where application_name = :name"
)


class Nursery:
    """Where workers come from: forks of a process that has done everything once already."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.listener = Listener(family="AF_UNIX")
        spawn = multiprocessing.get_context("spawn")
        self.template = spawn.Process(target=child.template, args=(self.listener.address, dict(environment)))
        self.template.start()
        self.control = self.listener.accept()

    def worker(self, name: str) -> tuple[Any, int]:
        """A new worker: the connection to it, and its process id. PostgreSQL knows it by `name`."""
        self.control.send(name)
        channel = self.listener.accept()
        return channel, channel.recv()

    def close(self) -> None:
        """No more workers."""
        self.control.send("")
        self.template.join(10)
        self.listener.close()


class Worker:
    """A worker process. state: idle, held (at the point `at`), blocked (waits for a lock that a held one has), dead."""

    def __init__(self, database: Database, nursery: Nursery) -> None:
        self.database, self.nursery = database, nursery
        self.state, self.at, self.job = "dead", "", ""

    def order(self, job: str, point: str = "", nth: int = 1) -> None:
        """Do a job, up to the `nth` arrival at a point if one is named."""
        assert self.state in ("idle", "dead")
        if self.state == "dead":
            self._start()
        self.job, self.state = job, "running"
        self.channel.send((job, point, nth))
        self.wait()

    def go_on(self) -> None:
        """Go on from where it is held."""
        assert self.state == "held"
        self.state = "running"
        self.channel.send("go")
        self.wait()

    def wait(self) -> None:
        """Until it is done, held, or cannot go on before somebody else does. Raises AssertionError with its error."""
        until = time.monotonic() + PATIENCE
        while not self.channel.poll(GLANCE):
            assert time.monotonic() < until, f"{self.job} hangs"
            if self._backends()[1]:
                self.state = "blocked"
                return
        word, detail = self.channel.recv()
        assert word != "error", f"{self.job} failed:\n{detail}"
        self.state, self.at = ("held", detail) if word == "at" else ("idle", "")

    def kill(self) -> None:
        """SIGKILL, and wait until PostgreSQL has seen it, unless it still runs a statement of the dead."""
        if self.state == "dead":
            return
        os.kill(self.pid, signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while psutil.pid_exists(self.pid) or (self.state != "blocked" and self._backends()[0]):
            assert time.monotonic() < until, "the killed worker or its connection lives on"
            time.sleep(0.002)
        self.channel.close()
        self.state, self.at = "dead", ""

    def _start(self) -> None:
        self.name = f"model-{next(numbers)}"
        self.channel, self.pid = self.nursery.worker(self.name)
        self.state = "idle"

    def _backends(self) -> tuple[int, int]:
        with self.database.transaction() as session:
            alive, waiting = session.execute(BACKENDS, {"name": self.name}).one()
            return int(alive), int(waiting)
