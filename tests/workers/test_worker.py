"""Doorbells and the worker that hears them, on a real Redis."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import text

from engine.db import Database
from engine.settings import Settings
from workers import jobs, stopping
from workers.embedded import start_redis
from workers.enqueue import bell_key, connect, job_id, ring
from workers.worker import DoorbellWorker, run


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the jobs were asked to do; the job `send` ends the worker."""
    notes: list[str] = []

    def note(name: str) -> Callable[..., None]:
        return lambda **args: notes.append(f"{name} {json.dumps(args)}")

    def end() -> None:
        notes.append("end")
        stopping.request_stop()

    monkeypatch.setattr(jobs, "JOBS", {name: note(name) for name in ("match", "advance", "refresh")} | {"send": end})
    monkeypatch.setattr(stopping, "_requested", threading.Event())
    return notes


def work(database: Database, redis: Redis, idle_seconds: int = 1) -> None:
    DoorbellWorker(redis, database, idle_seconds=idle_seconds).work()


def waiting(redis: Redis, job: str) -> int:
    return len(Queue(job, connection=redis, serializer=JSONSerializer))


def test_one_bell_hangs_for_the_same_work(redis: Redis) -> None:
    assert [ring(redis, "match"), ring(redis, "match"), ring(redis, "match", journey=7)] == [True, False, True]
    assert waiting(redis, "match") == 2


def test_a_bell_that_rings_while_its_job_runs_is_heard(
    redis: Redis, database: Database, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ring_again(round: int = 1) -> None:
        heard.append(f"round {round}")
        assert ring(redis, "match") or round > 1
        if len(heard) == 3:
            ring(redis, "send")

    monkeypatch.setitem(jobs.JOBS, "match", ring_again)
    ring(redis, "match")
    work(database, redis)
    assert heard[:3] == ["round 1"] * 3


def test_arguments_arrive_and_nothing_is_left_behind(redis: Redis, database: Database, heard: list[str]) -> None:
    ring(redis, "advance", version=7, reason="two words: ü")
    ring(redis, "send")
    DoorbellWorker(redis, database).execute_job(*_next(redis, "advance"))
    work(database, redis)
    assert heard == ['advance {"version": 7, "reason": "two words: \\u00fc"}', "end"]
    assert set(redis.scan_iter()) == {b"rq:queues"}


def _next(redis: Redis, name: str) -> tuple[Job, Queue]:
    queues = [Queue(each, connection=redis) for each in (name, "none")]
    found = Queue.dequeue_any(queues, None, connection=redis, serializer=JSONSerializer)
    assert found
    return found


def test_only_registered_jobs_run_whatever_redis_names(
    redis: Redis, database: Database, heard: list[str], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    Queue("match", connection=redis, serializer=JSONSerializer).enqueue_call("os.mkdir", kwargs={"path": str(mark)})
    Queue("match", connection=redis).enqueue_call("os.mkdir", args=(str(mark),))  # pickled
    ring(redis, "send")
    work(database, redis)
    work(database, redis)
    assert not mark.exists()
    assert "end" in heard


def test_a_job_that_fails_stops_nobody(
    redis: Redis, database: Database, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("poison")

    monkeypatch.setitem(jobs.JOBS, "match", fail)
    ring(redis, "match")
    worker = DoorbellWorker(redis, database)
    worker.execute_job(*_next(redis, "match"))
    ring(redis, "send")
    worker.work()
    assert heard == ["end"]


def queue_an_event(database: Database) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "insert into event_inbox (available_at, contact_id, name, occurred_at, received_at, message_id) "
                "values (now(), 1, 'x', now(), now(), 'm')"
            )
        )


@pytest.mark.parametrize("away", [False, True])
def test_an_idle_worker_finds_work_without_a_bell_even_when_redis_is_down(
    database: Database, heard: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, away: bool
) -> None:
    server = start_redis(tmp_path)
    client = connect(server.url)
    monkeypatch.setitem(jobs.JOBS, "match", jobs.JOBS["send"])
    queue_an_event(database)
    if away:
        server.stop()
        assert ring(client, "match") is False
    started = time.monotonic()
    work(database, client)
    assert heard == ["end"]
    assert 0.9 < time.monotonic() - started < 5
    if not away:
        server.stop()


def test_an_idle_worker_hears_a_bell_within_milliseconds(redis: Redis, database: Database, heard: list[str]) -> None:
    rung: list[float] = []

    def later() -> None:
        time.sleep(0.3)
        rung.append(time.monotonic())
        ring(connect(f"unix://{redis.connection_pool.connection_kwargs['path']}"), "send")

    thread = threading.Thread(target=later)
    thread.start()
    work(database, redis, idle_seconds=5)
    assert time.monotonic() - rung[0] < 0.5
    thread.join()


def test_job_ids_keep_to_the_letters_that_rq_takes() -> None:
    made = job_id("advance", {"version": 7, "name": "Ü b/c" * 50})
    assert made.startswith("advance-") and len(made) <= 120
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in made)
    assert job_id("match", {}) != job_id("match", {})
    assert bell_key("match", {"a": 1, "b": 2}) == bell_key("match", {"b": 2, "a": 1})


def test_a_starting_worker_settles_what_a_killed_one_left(
    database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def stop(self: DoorbellWorker) -> bool:
        done.append("work")
        return False

    monkeypatch.setattr(DoorbellWorker, "work", stop)
    monkeypatch.setitem(jobs.JOBS, "sweep", lambda: done.append("sweep"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run(Settings(DATABASE_URL=database.url, REDIS_URL=redis_url))
    assert done == ["sweep", "work"]
