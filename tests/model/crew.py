"""The workers of the model: jobs up to a point, deaths, and what the test itself does beside those that stand still."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis.stateful import RuleBasedStateMachine
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.journeys.runtime.world import World
from tests.model.moves import FLOW, Task
from tests.model.process import Worker
from tests.model.site import Servers, clear


class Nothing(Exception):
    """There is nothing to do it with."""


class Crew(RuleBasedStateMachine):
    """An empty workspace with two workers."""

    servers: Servers

    def __init__(self) -> None:
        super().__init__()
        clear(self.servers)
        self.database, self.mail = self.servers.database, self.servers.mail
        self.world = World(self.database, self.mail)
        self.workers = [Worker(self.database, self.servers.nursery) for _ in range(2)]

    def _write(self, write: Callable[[Session], object]) -> None:
        with self.database.transaction() as session:
            write(session)

    def _done(self, action: Callable[[], object]) -> bool:
        """Do it; False if a lock that a held worker has was in its way, and nothing happened."""
        try:
            action()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            return False
        except (LockNotAvailable, Nothing):
            return False
        return True

    def _flow(self, number: int, task: Task) -> None:
        """All jobs in the order in which work flows, up to the one that is stopped or to the end."""
        for job in FLOW:
            self._work(number, task if task.job == job else Task(job))
            if self.workers[number].state != "idle":
                return

    def _work(self, number: int, task: Task) -> None:
        self.order(number, task.job, task.point, task.nth)
        if task.dies and self.workers[number].state == "held":
            self.kill(number)

    def order(self, number: int, job: str, point: str = "", nth: int = 1) -> None:
        """Give a worker a job. One that stands still goes on instead."""
        worker = self.workers[number]
        if worker.state == "held":
            self.go_on(number)
        elif worker.state == "blocked":
            worker.wait()
        else:
            worker.order(job, point, nth)

    def go_on(self, number: int) -> None:
        self.workers[number].go_on()
        self._look_at_the_blocked()

    def kill(self, number: int) -> None:
        self.workers[number].kill()
        self._look_at_the_blocked()

    def _look_at_the_blocked(self) -> None:
        for worker in self.workers:
            if worker.state == "blocked":
                worker.wait()
