"""Durable ingest over HTTP, single and in batches, against the bare database doing the same writes.

Run: python -m benchmarks.ingest [EVENTS]
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
import psycopg
from psycopg.types.json import Jsonb

from benchmarks import load
from benchmarks.measure import Figure, Meter, postgres, write
from benchmarks.webserver import cairn
from engine import partitions, users
from engine.db import Database

CONTACTS = 1_000
BATCH = 100
CONNECTIONS = 64
PROPERTIES = {"revenue": 49.9, "currency": "USD", "order_id": "A-1001", "products": [{"sku": "tea", "quantity": 2}]}
EVENTS = (
    "events(message_id, received_at, occurred_at, contact_id, name, properties, context, source)",
    ("text", "timestamptz", "timestamptz", "int8", "text", "bytea", "bytea", "text"),
)
INBOX = (
    "event_inbox(available_at, contact_id, name, occurred_at, received_at, message_id, properties, triggers)",
    ("timestamptz", "int8", "text", "timestamptz", "timestamptz", "text", "bytea", "bool"),
)
"""Binary COPY carries no types, so jsonb is handed over as the bytes that it is on the wire: 1 and the text."""
INSERT = "insert into {} values ({})"


def event_rows(prefix: str, count: int, properties: Any) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...], str]]:
    """What one event writes: its row, its inbox row, its key."""
    now = dt.datetime.now(dt.UTC)
    for n in range(count):
        key, contact = f"{prefix}-{n}", n % CONTACTS + 1
        event = (key, now, now, contact, "Order Completed", properties, None, "api")
        yield event, (now, contact, "Order Completed", now, now, key, properties, True), key


def by_copy(connection: psycopg.Connection[Any], count: int) -> tuple[float, float]:
    """Events a second, and CPU in microseconds an event, by COPY into the same tables, a commit a batch of 10,000."""
    rows = list(event_rows("copy", count, b"\1" + json.dumps(PROPERTIES).encode()))
    meter, started = Meter(psutil.Process().pid), time.perf_counter()
    for start in range(0, count, 10_000):
        part = rows[start : start + 10_000]
        keys = ("event_keys(message_id)", ("text",))
        for (target, types), column in ((keys, [(key,) for _, _, key in part]), (EVENTS, [e for e, _, _ in part]),
                                        (INBOX, [i for _, i, _ in part])):  # fmt: skip
            with connection.cursor() as cursor, cursor.copy(f"copy {target} from stdin (format binary)") as out:
                out.set_types(types)
                for row in column:
                    out.write_row(row)
        connection.commit()
    return count / (time.perf_counter() - started), meter.cpu() / count * 1e6


def by_insert(connection: psycopg.Connection[Any], count: int) -> tuple[float, float]:
    """The same by one INSERT into each of the three tables and a commit for every event."""
    statements = [
        INSERT.format(target, ", ".join(["%s"] * len(types)))
        for target, types in (EVENTS, INBOX, ("event_keys(message_id)", ("text",)))
    ]
    rows = list(event_rows("insert", count, Jsonb(PROPERTIES)))
    meter, started = Meter(psutil.Process().pid), time.perf_counter()
    for event, inbox, key in rows:
        for statement, values in zip(statements, (event, inbox, (key,)), strict=True):
            connection.execute(statement.encode(), values)
        connection.commit()
    return count / (time.perf_counter() - started), meter.cpu() / count * 1e6


def call(prefix: str, n: int) -> dict[str, Any]:
    """A track call of a known contact."""
    who = {"userId": f"u{n % CONTACTS}", "messageId": f"{prefix}-{n}"}
    return {"type": "track", "event": "Order Completed", "properties": PROPERTIES, **who}


def singles(prefix: str, count: int, headers: str) -> list[bytes]:
    """One call a request."""
    return [load.post("/v1/track", json.dumps(call(prefix, n)).encode(), headers) for n in range(count)]


def batches(prefix: str, count: int, headers: str) -> list[bytes]:
    """A hundred calls a request."""
    parts = ([call(prefix, n) for n in range(start, start + BATCH)] for start in range(0, count, BATCH))
    return [load.post("/v1/batch", json.dumps({"batch": part}).encode(), headers) for part in parts]


def prepare(database: Database) -> str:
    """Partitions and a key; returns the header that carries it."""
    with database.transaction() as session:
        partitions.ensure_ahead(session, dt.datetime.now(dt.UTC), months=1)
        key = users.create_api_key(session, "bench")
    return f"Authorization: Basic {base64.b64encode(f'{key}:'.encode()).decode()}\r\n"


def measure(
    port: int, parent: int, requests: list[bytes], connections: int, events: int
) -> tuple[load.Load, float, float, float]:
    """What came back, events a second, CPU in microseconds an event (web and PostgreSQL), peak memory in MB."""
    meter, own = Meter(psutil.Process().pid), time.process_time()
    result = load.run(port, iter(requests), connections)
    cpu, peak = meter.cpu() - (time.process_time() - own), Meter(parent).peak_mb()
    assert result.statuses.keys() == {200}, result.statuses
    return result, events / result.seconds, cpu / events * 1e6, peak


def main(count: int) -> None:
    """The bare database and the server one after the other on the same machine."""
    few = count // 10
    with postgres() as (url, database, home):
        headers = prepare(database)
        with cairn(url, home) as (port, child):
            contacts = CONTACTS // BATCH * BATCH
            load.run(port, iter(batches("warm", contacts, headers)), 4)
            batched = measure(port, child.pid, batches("batch", count, headers), 8, count)
            single = measure(port, child.pid, singles("single", few, headers), CONNECTIONS, few)
        with psycopg.connect(url, options=f"-c search_path={database.workspace}") as connection:
            copied, inserted = by_copy(connection, count), by_insert(connection, few)
            stored = connection.execute("select count(*) from events").fetchone()
    assert stored == (contacts + 2 * (count + few),), stored
    write(
        "ingest",
        [
            Figure("COPY into the same tables", copied[0], "events/s", cpu_us_per_unit=copied[1]),
            Figure("batches of 100 over HTTP, durable", batched[1], "events/s", batched[1] / copied[0], "COPY",
                   *batched[2:]),
            Figure("INSERT and commit an event", inserted[0], "events/s", cpu_us_per_unit=inserted[1]),
            Figure("single at 64 connections, durable", single[1], "events/s", single[1] / inserted[0],
                   "INSERT + commit", *single[2:]),
            Figure("single p50", single[0].latency(0.5), "ms"),
            Figure("single p99", single[0].latency(0.99), "ms"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
