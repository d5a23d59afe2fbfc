"""From a trigger event over HTTP to the email that the SMTP server accepted, on an otherwise idle embedded site.

Run: python -m benchmarks.latency [EVENTS]. The parts are read from the instants that the site's own ledger keeps.
The reference is the bare sum of the same parts, measured in turn with them: one process that does the work of one event
step after step, in a workspace of its own on the same servers, and three doorbells through the same Redis. What the
site takes longer is waiting: for a process to hear, for another to give way.
"""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from benchmarks.measure import Figure, write
from engine import users
from engine.content import store
from engine.db import Database
from engine.events.ingest import Call, apply
from engine.messages.sending import Sender
from engine.settings import Settings
from engine.signing import Signer
from journeys.gate import exit_check
from journeys.publish import publish
from workers import pipeline
from workers.enqueue import bell_key, connect, ring
from workers.site import Site, supervised

JOURNEY = "journey: hello\nenter: {on: Signed Up, again: always}\nsteps:\n  - email: hello\n    id: hello\n"
CONTENT = """---
subject: Hello {{ first_name }}
defaults: {first_name: you}
---
<mjml><mj-body><mj-section><mj-column><mj-text>Welcome, {{ first_name }}.
<a href="https://shop.example/">Look around</a></mj-text></mj-column></mj-section></mj-body></mjml>
"""
TIMES = text("""
select e.entered_at, m.queued_at, m.claimed_at, l.received_at, m.accepted_at
from messages m join enrolments e on e.id = m.enrolment_id join local_messages l on l.message_token = m.token
where e.trigger_message_id = :id
""")
PARTS = (
    "commit: the request until its answer",
    "doorbell: until match has the contact",
    "match, and the doorbell to advance",
    "advance, and the doorbell to send",
    "claim and render, until the server has it",
    "SMTP: its reply, until the result",
)
PATIENCE = 30.0


def prepare(database: Database) -> str:
    """Publish the journey; the API key."""
    now = dt.datetime.now(dt.UTC)
    with database.transaction() as session:
        store.save(session, CONTENT, "hello", "email", now)
        publish(session, JOURNEY, now, "benchmark")
        return users.create_api_key(session, "benchmark")


def sign_up(site: Site, connection: http.client.HTTPConnection, key: str, number: int) -> list[float]:
    """One event of a new contact; the seconds of each part."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    message_id = f"signed-up-{number}"
    person = {"userId": f"u{number}", "context": {"traits": {"email": f"u{number}@bench.example"}}}
    introduce = {"userId": f"u{number}", "traits": {"email": f"u{number}@bench.example"}}
    call(connection, "/v1/identify", introduce, headers)
    time.sleep(0.3)
    started = dt.datetime.now(dt.UTC)
    call(connection, "/v1/track", {**person, "event": "Signed Up", "messageId": message_id}, headers)
    answered = dt.datetime.now(dt.UTC)
    marks = [started, answered, *wait_for(site.database, message_id)]
    return [*((b - a).total_seconds() for a, b in itertools.pairwise(marks)), (marks[-1] - started).total_seconds()]


class Bare:
    """The same work without the site: a workspace that no worker knows, on the site's servers."""

    def __init__(self, site: Site, home: Path) -> None:
        self.redis = connect(site.urls.redis_url)
        self.bell = Queue("bare", connection=self.redis, serializer=JSONSerializer)
        self.database = Database(site.urls.database_url, workspace="cairn_bare")
        self.database.migrate()
        prepare(self.database)
        self.sender = Sender(home, site.urls.smtp_url, site=site.address, signer=Signer(site.settings.secret()))

    def event(self, number: int) -> list[float]:
        """The seconds of commit, three doorbells, match, advance, and send with its SMTP."""
        self._record(Call("identify", f"i{number}", now(), f"u{number}", traits={"email": f"u{number}@bare.example"}))
        return [
            timed(lambda: self._record(Call("track", f"t{number}", now(), f"u{number}", name="Signed Up"))),
            3 * timed(self._ring),
            timed(lambda: pipeline.match(self.database)),
            timed(lambda: pipeline.advance(self.database)),
            timed(lambda: self.sender.send(self.database, exit_check=exit_check)),
        ]

    def _record(self, one: Call) -> None:
        with self.database.transaction() as session:
            apply(session, [one], now())

    def _ring(self) -> None:
        ring(self.redis, "bare")
        assert Queue.dequeue_any([self.bell], 1, self.redis, serializer=JSONSerializer)
        self.redis.delete(bell_key("bare", {}))

    def close(self) -> None:
        """End its connections."""
        self.sender.close()
        self.database.close()
        self.redis.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def now() -> dt.datetime:
    """Real UTC."""
    return dt.datetime.now(dt.UTC)


def call(connection: http.client.HTTPConnection, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    """POST and insist on 200."""
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.read() and answer.status == 200, answer.status


def wait_for(database: Database, message_id: str) -> Any:
    """The ledger's instants, once the message is accepted."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with database.transaction() as session:
            row = session.execute(TIMES, {"id": message_id}).one_or_none()
        if row is not None and row.accepted_at is not None:
            return row
        time.sleep(0.02)
    raise AssertionError(f"{message_id} was not sent within {PATIENCE} s")


def main(count: int) -> None:
    """A site of its own in a temporary home; event after event, through the site and bare."""
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
        settings = Settings(home=Path(folder))
        with supervised(settings, port=0, report=lambda _: None) as site:
            key, bare = prepare(site.database), Bare(site, Path(folder) / "bare")
            connection = http.client.HTTPConnection(site.address.removeprefix("http://"), timeout=30)
            sign_up(site, connection, key, 0)
            bare.event(0)
            runs = [(sign_up(site, connection, key, n), bare.event(n)) for n in range(1, count + 1)]
            bare.close()
    samples, alone = zip(*runs, strict=True)
    medians = [statistics.median(column) * 1000 for column in zip(*samples, strict=True)]
    reference = sum(statistics.median(column) for column in zip(*alone, strict=True)) * 1000
    whole = sorted(sample[-1] for sample in samples)
    figures = [Figure(name, value, "ms") for name, value in zip(PARTS, medians, strict=False)]
    names = ("commit", "three doorbells", "match", "advance", "claim, render and SMTP")
    medians_alone = [statistics.median(column) * 1000 for column in zip(*alone, strict=True)]
    figures += [Figure(f"bare: {name}", value, "ms") for name, value in zip(names, medians_alone, strict=True)]
    figures += [
        Figure("event to accepted email, median", medians[-1], "ms", medians[-1] / reference, "bare sum of the parts"),
        Figure("event to accepted email, p99", whole[int(0.99 * (len(whole) - 1))] * 1000, "ms"),
    ]
    write("latency", figures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
