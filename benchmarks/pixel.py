"""Pixels and durable clicks against the same pixel in plain Flask that stores nothing.

Run: python -m benchmarks.pixel [REQUESTS]
"""

from __future__ import annotations

import datetime as dt
import itertools
import sys

from sqlalchemy import text

from benchmarks import load
from benchmarks.measure import Figure, Meter, postgres, write
from benchmarks.webserver import SECRET, cairn, plain_flask
from engine import partitions
from engine.db import Database
from engine.model import Content, ContentLink, ContentVersion
from engine.settings import Settings
from engine.signing import Signer
from engine.urls import MessageUrls

MESSAGES = 2_000
CONNECTIONS = 64
MESSAGE = text("""
insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, content_id, content_version_id, channel,
  state, queued_at, send_after, accepted_at)
select :now, n, 'hello', 1, n, :content, :version, 'email', 'accepted', :now, :now, :now
from generate_series(1, :count) n returning id""")


def seed(database: Database) -> list[MessageUrls]:
    """Messages with one link each."""
    now = dt.datetime.now(dt.UTC)
    signer = Signer(Settings(secret_key=SECRET).secret())  # type: ignore[arg-type]
    with database.transaction() as session:
        partitions.ensure_ahead(session, now, months=1)
        content = Content(slug="bench", channel="email")
        session.add(content)
        session.flush()
        version = ContentVersion(content_id=content.id, number=1, source="", compiled={})
        session.add(version)
        session.flush()
        session.add(ContentLink(content_version_id=version.id, position=0, url="https://shop.example/"))
        session.flush()
        values = {"now": now, "content": content.id, "version": version.id, "count": MESSAGES}
        ids = session.execute(MESSAGE, values).scalars().all()
    return [MessageUrls("", signer, id_, now) for id_ in ids]


def measure(port: int, parent: int, paths: list[str], count: int) -> tuple[load.Load, float, float]:
    """Warm up, then `count` requests: what came back, CPU in microseconds a request, peak memory in MB."""
    requests = [load.get(path) for path in paths]
    load.run(port, iter(requests[:500]), CONNECTIONS)
    meter = Meter(parent)
    result = load.run(port, itertools.islice(itertools.cycle(requests), count), CONNECTIONS)
    cpu, peak = meter.cpu(), meter.peak_mb()
    return result, cpu / count * 1e6, peak


def main(count: int) -> None:
    """Reference, pixel and click one after the other on the same machine."""
    with postgres() as (url, database, home):
        messages = seed(database)
        pixels, clicks = [m.open() for m in messages], [m.click(0) for m in messages]
        with plain_flask() as (port, child):
            flask, flask_cpu, flask_peak = measure(port, child.pid, pixels, count)
        with cairn(url, home) as (port, child):
            opened, open_cpu, _ = measure(port, child.pid, pixels, count)
            clicked, click_cpu, peak = measure(port, child.pid, clicks, count)
        with database.transaction() as session:
            rows = session.execute(text("select kind, count(*) from hits group by 1"))
            stored = {kind: number for kind, number in rows}  # noqa: C416 - rows are no pairs for mypy
    assert opened.statuses.keys() == {200}, opened.statuses
    assert clicked.statuses.keys() == {302}, clicked.statuses
    assert stored == {"open": count + 500, "click": count + 500}, stored
    reference = "plain Flask, nothing stored"
    write(
        "pixel",
        [
            Figure("plain Flask pixel", flask.rate, "/s", cpu_us_per_unit=flask_cpu, peak_mb=flask_peak),
            Figure("pixel", opened.rate, "/s", opened.rate / flask.rate, reference, open_cpu, peak),
            Figure("click, durable", clicked.rate, "/s", clicked.rate / flask.rate, reference, click_cpu, peak),
            Figure("pixel, CPU", flask_cpu / open_cpu, "x cheaper", flask_cpu / open_cpu, reference),
            Figure("click p50", clicked.latency(0.5), "ms"),
            Figure("click p99", clicked.latency(0.99), "ms"),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
