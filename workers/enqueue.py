"""Doorbells: tell the workers that there is something to do. Losing one loses no work, as sweeps find what is due."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from engine.errors import ConfigurationError

QUEUES = ("send", "match", "advance", "campaigns", "hits", "receipts", "refresh", "sweep", "deliver", "poll")
"""One queue a job, in the order in which an idle worker looks at them first."""

BELL_SECONDS = 30
"""How long a bell silences its like at most, should it be lost before a worker hears it."""

JOB_SECONDS = 900
"""A job that runs longer is interrupted. Jobs end by themselves far earlier."""


def connect(url: str) -> Redis:
    """A client that gives up quickly: whoever rings must not wait for a Redis that is down."""
    try:
        return Redis.from_url(
            url, socket_timeout=15, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1), health_check_interval=30
        )
    except ValueError as error:
        raise ConfigurationError(f"REDIS_URL is no address of a Redis: {error}") from error


def ring(redis: Redis, job: str, **args: str | int | bool) -> bool:
    """Ask for a run of `JOBS[job](**args)`; one unheard bell a (job, args) is enough.

    The worker lifts the mark before it starts the job, so a bell that rings while the job runs causes another run.
    Returns whether a bell was hung up; False also when Redis cannot be reached, which the next sweep makes good.
    """
    try:
        if not redis.set(bell_key(job, args), 1, nx=True, ex=BELL_SECONDS):
            return False
        with redis.pipeline(transaction=False) as pipeline:
            Queue(job, connection=redis, serializer=JSONSerializer, default_timeout=JOB_SECONDS).enqueue_call(
                f"workers.jobs.{job}",
                kwargs=args,
                job_id=job_id(job, args),
                result_ttl=0,
                failure_ttl=0,
                ttl=600,
                description=job,
                pipeline=pipeline,
            )
            pipeline.execute()
        return True
    except RedisError:
        return False


def bell_key(job: str, args: dict[str, Any]) -> str:
    """The mark that such a bell hangs unheard."""
    return f"cairn:bell:{job}:{json.dumps(args, sort_keys=True)}"


def job_id(job: str, args: dict[str, Any]) -> str:
    """A readable id in the letters that RQ takes: the job, its arguments and something unique."""
    words = [job, *(f"{name}-{value}" for name, value in sorted(args.items())), uuid.uuid4().hex[:12]]
    return re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(words))[:120]
