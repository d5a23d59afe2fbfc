"""From a trigger event over HTTP to the email that the SMTP server accepted, on an otherwise idle embedded site.

Run: python -m benchmarks.latency [EVENTS]. The reference is the bare sum of the parts' medians.
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
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.measure import Figure, write
from engine import users
from engine.content import store
from engine.db import Database
from engine.settings import Settings
from journeys.publish import publish
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
select e.trigger_received_at, e.entered_at, m.queued_at, m.claimed_at, m.accepted_at
from messages m join enrolments e on e.id = m.enrolment_id where e.trigger_message_id = :id
""")
PARTS = ("commit", "doorbell and match", "advance", "claim", "render and SMTP")
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
    _, entered, queued, claimed, accepted = wait_for(site.database, message_id)
    marks = [started, answered, entered, queued, claimed, accepted]
    return [(b - a).total_seconds() for a, b in itertools.pairwise(marks)] + [(accepted - started).total_seconds()]


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
    """A site of its own in a temporary home."""
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
        settings = Settings(home=Path(folder))
        with supervised(settings, port=0, report=lambda _: None) as site:
            key = prepare(site.database)
            host = site.address.removeprefix("http://")
            connection = http.client.HTTPConnection(host, timeout=30)
            sign_up(site, connection, key, 0)
            samples = [sign_up(site, connection, key, number) for number in range(1, count + 1)]
    columns = [sorted(column) for column in zip(*samples, strict=True)]
    medians = [statistics.median(column) * 1000 for column in columns]
    whole, bare = columns[-1], sum(medians[:-1])
    figures = [Figure(name, value, "ms") for name, value in zip(PARTS, medians, strict=False)]
    figures += [
        Figure("event to accepted email, median", medians[-1], "ms", medians[-1] / bare, "sum of the parts"),
        Figure("event to accepted email, p99", whole[int(0.99 * (len(whole) - 1))] * 1000, "ms"),
    ]
    write("latency", figures)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
