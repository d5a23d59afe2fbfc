"""Queued messages to Postfix `smtp-sink`, ledger committed, against `smtp-source -d` with the same bytes.

Run: python -m benchmarks.send [MESSAGES [ROUNDS]]. The senders are as `cairn up` runs them: two processes with the
default number of connections each. The reference, a C client that renders nothing and commits nothing, gets as many
connections as both together. Medians of alternating rounds; the count is the sink's own.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.measure import Figure, Meter, postgres, write
from benchmarks.postfix import Sink, sink, source
from benchmarks.sender import CONNECTIONS, SITE, Senders, senders, signer
from engine import partitions, workspace
from engine.content import store
from engine.db import Database
from engine.messages.claim import claim
from engine.messages.compose import Composer, load_renderers
from journeys.publish import publish

PROCESSES = 2
JOURNEY = "journey: bench\nenter: {on: Signed Up}\nsteps:\n  - email: news\n    id: news\n"
CONTENT = """---
subject: "{{ first_name }}, three things for {{ city }}"
---
<mjml><mj-body>
<mj-section><mj-column><mj-text>Hello {{ first_name }} {{ last_name }},</mj-text>
<mj-text>here is what is new in {{ city }}. You have {{ points }} points.</mj-text>
<mj-text>{% if plan == "pro" %}On the {{ plan }} plan you choose first.{% else %}Upgrade and choose first.{% endif %}
</mj-text><mj-button href="https://shop.example/new?utm_source=mail">See what is new</mj-button></mj-column>
</mj-section>
<mj-section><mj-column><mj-text><a href="https://shop.example/one">A bicycle</a> that folds to the size of a
suitcase and rides like one that does not.</mj-text></mj-column>
<mj-column><mj-text><a href="https://shop.example/two">A lamp</a> that follows the sun, so that you need not.</mj-text>
</mj-column><mj-column><mj-text><a href="https://shop.example/three">A tent</a> for two and their dog, up in four
minutes, in rain.</mj-text></mj-column></mj-section>
<mj-section><mj-column><mj-text>Questions? <a href="https://shop.example/help">Ask us</a>.</mj-text></mj-column>
</mj-section></mj-body></mjml>
"""
PEOPLE = text("""
insert into contacts (public_id, external_id, email, attributes)
select 'p' || i, 'c' || i, 'c' || i || '@bench.example', jsonb_build_object('first_name', 'Ann' || i % 999,
    'last_name', 'Smith', 'city', 'Springfield', 'plan', case when i % 3 = 0 then 'pro' else 'free' end,
    'points', i % 5000) from generate_series(1, :count) i
""")
ENROLLED = text("""
insert into enrolments (journey_id, version_id, contact_id, entry_key, status, ended_at, entered_at,
    trigger_occurred_at, trigger_received_at)
select :journey_id, :version_id, id, :key, 'completed', :now, :now, :now, :now from contacts
""")
QUEUED = text("""
insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id, channel,
    queued_at, send_after)
select entered_at, id, 'news', 1, contact_id, journey_id, version_id, :content_id, 'email', :now, :now
from enrolments where entered_at = :now order by id
""")
AFTER = ("vacuum analyze contacts", "vacuum analyze enrolments", "analyze messages", "checkpoint")
STATES = text("select state, count(*) from messages where origin_at = :now group by 1")


class Bench:
    """A workspace with a journey whose people each have a message to get."""

    def __init__(self, database: Database, count: int) -> None:
        self.database, self.count = database, count
        now = dt.datetime.now(dt.UTC)
        with database.transaction() as session:
            partitions.ensure_ahead(session, now)
            version = store.save(session, CONTENT, "news", "email", now)
            done = publish(session, JOURNEY, now, "benchmark")
            self.ids = {"journey_id": done.journey.id, "version_id": done.version.id, "content_id": version.content_id}
            session.execute(PEOPLE, {"count": count})

    def queue(self) -> dt.datetime:
        """A message for everybody, due now; gives the `origin_at` of all of them."""
        now = dt.datetime.now(dt.UTC)
        with self.database.transaction() as session:
            session.execute(ENROLLED, {**self.ids, "now": now, "key": str(now)})
            session.execute(QUEUED, {**self.ids, "now": now})
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'set search_path to "{self.database.workspace}"')
            for statement in AFTER:
                connection.exec_driver_sql(statement)
        return now

    def sample(self, path: Path) -> int:
        """Write one of the messages as it is sent into a file, for the reference; gives its size in bytes."""
        now = self.queue()
        with Session(self.database.engine) as session:  # never commits, so the message stays queued
            claimed = claim(session, "email", now, limit=1, journal="", signer=signer, needs_consent=False)
            (message,) = claimed.messages
            renderers = load_renderers(session, [message.content_version_id])
            composer = Composer(workspace.load(session), renderers, signer, SITE, now)
            data = composer.outgoing(message).render().data
        path.write_bytes(data.replace(b"\r\n", b"\n"))
        return len(data)

    def check(self, now: dt.datetime, received: int) -> None:
        """The sink and the ledger must agree that every message has been sent."""
        with self.database.transaction() as session:
            states = {row[0]: row[1] for row in session.execute(STATES, {"now": now})}
        assert states == {"accepted": self.count}, states
        assert received == self.count, received


@dataclass
class Measured:
    """Rates a second of both, and the CPU time of a message in microseconds, by part."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    peak_mb: float = 0.0


def alternate(bench: Bench, running: Senders, target: Sink, home: Path, rounds: int) -> Measured:
    """Rounds of the reference and of the product, so that both meet the same machine."""
    done, count = Measured(), bench.count
    server = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    for _ in range(rounds):
        meters = {"reference": Meter(os.getpid()), "": Meter(*running.pids, server)}
        done.theirs.append(count / source(target, home / "message", count, PROCESSES * CONNECTIONS))
        done.cpu["reference"] += meters["reference"].cpu() - meters[""].cpu()
        now, before = bench.queue(), target.received()
        meters = {"senders": Meter(*running.pids), "PostgreSQL": Meter(server), "sink": Meter(target.pid)}
        started = time.perf_counter()
        running.send()
        done.ours.append(count / (time.perf_counter() - started))
        for name, meter in meters.items():
            done.cpu[name] += meter.cpu()
        done.peak_mb = max(done.peak_mb, meters["senders"].peak_mb())
        bench.check(now, target.received() - before)
    return done


def main(count: int = 100_000, rounds: int = 3) -> None:
    """Rates, the ratio, and where the CPU time goes."""
    with postgres() as (_, database, home), sink(home) as target:
        bench = Bench(database, count)
        size = bench.sample(home / "message")
        with senders(database, home, target.url, PROCESSES) as running:
            running.send()
            done = alternate(bench, running, target, home, rounds)
    cpu = {name: seconds * 1e6 / count / rounds for name, seconds in done.cpu.items()}
    reference, value = statistics.median(done.theirs), statistics.median(done.ours)
    against = f"smtp-source -d, {size:,} bytes"
    total = cpu["senders"] + cpu["PostgreSQL"] + cpu["sink"]
    write(
        "send",
        [
            Figure("smtp-source and smtp-sink", reference, "/s", cpu_us_per_unit=cpu["reference"]),
            Figure("send, end to end", value, "/s", value / reference, against, total, done.peak_mb),
            *(Figure(f"of that, {name}", cpu[name], "us CPU") for name in ("senders", "PostgreSQL", "sink")),
        ],
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
