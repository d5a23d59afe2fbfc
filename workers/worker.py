"""The worker: hears doorbells and runs jobs, in one process without forks; looks for itself when nobody rings."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException

from engine import clock, log, memory
from engine.db import Database
from engine.settings import Settings
from workers.due import due
from workers.enqueue import JOB_SECONDS, QUEUES, bell_key, connect
from workers.stopping import request_stop, stop_requested

IDLE_SECONDS = 5
"""A worker that heard nothing for so long looks for due work itself, so that losing Redis loses no work."""

logger = structlog.get_logger()


class StopWaiting(BaseException):
    """Breaks off the wait for a doorbell."""


class DoorbellWorker(SimpleWorker):
    """RQ's worker without its bookkeeping, which would cost 7 ms a job: a doorbell has no result and no history.

    It runs nothing but the functions in `workers.jobs.JOBS`. RQ would call whatever function a job names, so that
    writing to Redis would be enough to run code here.
    """

    def __init__(self, redis: Redis, database: Database, *, idle_seconds: int = IDLE_SECONDS) -> None:
        queues = [Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES]
        super().__init__(queues, connection=redis, serializer=JSONSerializer, prepare_for_work=False)
        self.database = database
        self.idle_seconds = idle_seconds
        self.working = False

    def work(self, *_: Any, **__: Any) -> bool:
        """Hear and work until `stop`. Returns whether any doorbell was heard."""
        heard = False
        with contextlib.suppress(StopWaiting):
            while not stop_requested():
                found = self.hear()
                self.working = True
                if found:
                    heard = True
                    self.execute_job(*found)
                else:
                    self.look_around()
                self.working = False
        return heard

    def hear(self) -> tuple[Job, Queue] | None:
        """The next doorbell, or None after `idle_seconds` without one, also while Redis is down."""
        started = time.monotonic()
        try:
            return Queue.dequeue_any(self.queues, self.idle_seconds, self.connection, serializer=JSONSerializer)
        except DequeueTimeout:
            return None
        except RedisError as error:
            logger.warning("redis_away", error=str(error))
            time.sleep(max(0.0, self.idle_seconds - (time.monotonic() - started)))
            return None
        except Exception:
            logger.exception("doorbell_unreadable")
            return None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Lift the bell's mark, so that who rings from now on is heard; then do the work."""
        name, args = queue.name, dict(job.kwargs)
        try:
            self.connection.delete(bell_key(name, args), job.key)
        except RedisError as error:
            logger.warning("redis_away", error=str(error))
        self.queues.append(self.queues.pop(self.queues.index(queue)))
        self.run(name, args)

    def look_around(self) -> None:
        """Do what is due without having been rung for."""
        try:
            with self.database.transaction() as session:
                names = due(session, clock.now(session))
        except Exception:
            logger.exception("sweep_failed")
            return
        for name in names:
            if not stop_requested():
                self.run(name, {})

    def run(self, name: str, args: dict[str, Any]) -> None:
        """One job. Whatever it raises is logged: its transaction is undone, and the next sweep finds the work again."""
        from workers.jobs import JOBS

        started = time.monotonic()
        try:
            with self.death_penalty_class(JOB_SECONDS, JobTimeoutException):
                JOBS[name](**args)
        except Exception:
            logger.exception("job_failed", job=name, args=args)
        else:
            logger.debug("job_done", job=name, args=args, seconds=round(time.monotonic() - started, 4))

    def stop(self, *_: Any) -> None:
        """End after the present job; called by signals, it breaks off the wait for a doorbell."""
        request_stop()
        if not self.working:
            raise StopWaiting


def run(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl-C. `settings` name the servers."""
    import workers.jobs  # noqa: F401 - now rather than when the first bell rings, which would wait for it

    assert settings.database_url and settings.redis_url
    log.configure(settings, "worker")
    database = Database(settings.database_url, workspace=settings.workspace_schema)
    worker = DoorbellWorker(connect(settings.redis_url), database)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    memory.expect_batches()
    logger.info("worker_started")
    worker.run("sweep", {})  # this process may stand in for one that was killed over messages
    worker.work()
    logger.info("worker_stopped")
