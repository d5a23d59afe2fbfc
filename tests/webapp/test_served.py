"""What must hold of the running server: durable answers, restarts of PostgreSQL, no Redis, an orderly end."""

from __future__ import annotations

import datetime as dt
import gzip
import http.client
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from engine import users
from engine.db import Database
from engine.signing import Signer
from engine.urls import MessageUrls
from tests.engine.tracking.seeds import message
from tests.webapp.served import Served, serve, settings_secret, track
from workers.embedded import start_postgres

SIGNER = Signer(settings_secret())


@dataclass
class Machine:
    """A PostgreSQL of its own with a workspace; Redis is down all the time."""

    home: Path
    server: Any
    database: Database
    key: str
    current: Served | None = None

    def serve(self) -> Served:
        return serve(self.server.url, "served", self.home, f"unix://{self.home}/no-redis.sock")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server.url, options="-c search_path=cairn_served") as connection:
            return connection.execute(query.encode()).fetchall()

    def urls(self) -> MessageUrls:
        with self.database.transaction() as session:
            made = message(session, dt.datetime.now(dt.UTC), links=("https://shop.example/a",), topic="news")
        return MessageUrls("", SIGNER, made.id, made.origin_at)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with TemporaryDirectory(prefix="cairn-served-") as folder:
        home = Path(folder)
        server = start_postgres(home)
        database = Database(server.url, workspace="cairn_served")
        database.migrate()
        with database.transaction() as session:
            key = users.create_api_key(session, "tests")
        made = Machine(home, server, database, key)
        yield made
        if made.current is not None and made.current.child.poll() is None:
            made.current.end()
        database.close()
        made.server.stop()


@pytest.fixture
def served(machine: Machine) -> Served:
    """A server that tests share; one that a test has ended is started anew."""
    if machine.current is None or machine.current.child.poll() is not None:
        machine.current = machine.serve()
    return machine.current


def post_all(served: Served, key: str, ids: list[str], patience: float = 60) -> None:
    """Deliver each id on one connection, again and again until the answer is 200, as the libraries do."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    until = time.monotonic() + patience
    for id_ in ids:
        body, headers = track(key, id_)
        while True:
            connection.request("POST", "/v1/track", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
            assert answer.status == 503, answer.status
            assert int(answer.getheader("Retry-After") or 0) > 0
            assert time.monotonic() < until
            time.sleep(0.05)
    connection.close()


def test_64_clients_at_once_without_redis(machine: Machine, served: Served) -> None:
    with ThreadPoolExecutor(64) as pool:
        work = [pool.submit(post_all, served, machine.key, [f"a-{c}-{n}" for n in range(10)]) for c in range(64)]
        for future in work:
            future.result()
    assert machine.rows("select count(*), count(distinct message_id) from events where message_id like 'a-%'") == [
        (640, 640)
    ]
    body, headers = track(machine.key, "gzip-1")
    status, _, _ = served.request("POST", "/v1/track", gzip.compress(body), headers | {"Content-Encoding": "gzip"})
    assert status == 200
    urls = machine.urls()
    status, answered, _ = served.request("GET", urls.click(0))
    assert (status, answered["location"]) == (302, "https://shop.example/a")
    status, answered, page = served.request("GET", urls.unsubscribe())
    assert (status, b"<form method" in page) == (200, True)
    assert served.request("GET", "/c/%00%ff")[0] == 404
    assert served.request("GET", "/healthz")[0] == 200
    assert served.request("GET", "/")[0] in (200, 302, 303)


def test_what_was_acknowledged_survives_a_crash_of_postgres_and_the_site_recovers(
    machine: Machine, served: Served
) -> None:
    with ThreadPoolExecutor(16) as pool:
        work = [pool.submit(post_all, served, machine.key, [f"b-{c}-{n}" for n in range(60)]) for c in range(16)]
        time.sleep(0.3)
        machine.server.child.send_signal(signal.SIGQUIT)  # as `pg_ctl stop -m immediate`: no checkpoint, no goodbye
        machine.server.child.wait(30)
        machine.server.stop()
        body, headers = track(machine.key, "b-during")
        status, answered, _ = served.request("POST", "/v1/track", body, headers)
        assert (status, answered["retry-after"]) == (503, "5")
        assert served.request("GET", "/healthz")[0] == 200
        assert served.request("GET", "/readyz")[0] == 503
        machine.server = start_postgres(machine.home)
        for future in work:
            future.result()
    assert machine.rows("select count(*), count(distinct message_id) from events where message_id like 'b-%-%'") == [
        (960, 960)
    ]
    assert served.request("GET", "/readyz")[0] == 200


def test_nothing_of_a_token_or_key_is_logged(machine: Machine, served: Served) -> None:
    urls = machine.urls()
    served.request("GET", urls.click(0))
    log = (machine.home / "web.log").read_text()
    assert machine.key not in log
    assert urls.click(0)[3:] not in log


def test_an_orderly_end_writes_the_pixels_that_were_answered(machine: Machine, served: Served) -> None:
    urls = machine.urls()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    for _ in range(100):
        connection.request("GET", urls.open())
        assert connection.getresponse().read().startswith(b"GIF89a")
    connection.close()
    served.end()
    assert machine.rows(f"select count(*) from hits where message_id = {urls.message_id}") == [(100,)]


def test_the_port_is_free_after_the_parent_was_killed(machine: Machine, served: Served) -> None:
    served.end(signal.SIGKILL)
    until = time.monotonic() + 10
    while served.listening():
        assert time.monotonic() < until, "the worker outlived its parent"
        time.sleep(0.05)


def test_a_worker_that_dies_is_replaced_by_the_same_parent(machine: Machine, served: Served) -> None:
    [worker] = _workers(served)
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 60
    while worker in _workers(served) or not served.listening():
        assert time.monotonic() < until and served.child.poll() is None
        time.sleep(0.05)
    assert served.request("GET", "/readyz")[0] == 200


def _workers(served: Served) -> list[int]:
    children = Path(f"/proc/{served.child.pid}/task/{served.child.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]
