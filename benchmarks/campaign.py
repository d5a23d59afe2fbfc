"""A campaign to all contacts: its audience frozen and its messages queued, against a bare INSERT … SELECT of the rows.

The product's own path, `engine.campaigns`, with two variants and a hold-back, batches committed one by one; a throttle
so wide that only its arithmetic is left stands in for the mail server that would otherwise set the pace. The reference
inserts the same messages anew, from the frozen audience, in one statement. CPU is that of this process and PostgreSQL.

Run: python -m benchmarks.campaign [CONTACTS]; a million without an argument.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from benchmarks import population
from benchmarks.measure import Figure, Meter, postgres, write
from benchmarks.population import NOW
from engine import partitions
from engine.campaigns import definition, progress, store
from engine.content import store as contents
from engine.db import Database

MAIL = """\
---
subject: Spring
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>
"""
CAMPAIGN = {
    "campaign": "spring",
    "audience": "email is set",
    "variants": [{"name": "a", "content": "a"}, {"name": "b", "content": "b"}],
    "holdout": "1%",
    "throttle": "10000000 per hour",
}
AGAIN = text("""
insert into messages (origin_at, step_id, campaign_id, contact_id, content_id, channel, queued_at, send_after)
select c.origin_at, a.campaign_id || ':' || a.arm, a.campaign_id, a.contact_id, m.content_id, 'email', :now,
    :now + (row_number() over ()) * interval '360 microseconds'
from campaign_contacts a join campaigns c on c.id = a.campaign_id
join campaign_arms m on m.campaign_id = a.campaign_id and m.arm = a.arm where a.arm <> 'holdout'
""")


def prepare(database: Database) -> int:
    """Save the campaign and schedule it; its id."""
    with database.transaction() as session:
        partitions.ensure(session, "messages", [NOW])
        for slug in ("a", "b"):
            contents.save(session, MAIL, slug, "email", NOW, ours=True)
        campaign = store.save(session, definition.read(CAMPAIGN), NOW, "bench")
        campaign.state, campaign.start_at, campaign.next_at = "scheduled", NOW, NOW
        session.flush()
        return campaign.id


def look(database: Database, campaign_id: int, now: dt.datetime) -> None:
    """One piece of the campaign's work."""
    with database.transaction() as session:
        session.execute(text("update campaigns set next_at = :now"), {"now": now})
        progress.look(session, campaign_id, now)


def queue(database: Database, campaign_id: int) -> None:
    """Batch after batch, while the clock runs ahead of the throttle."""
    now, left = NOW, 1
    while left:
        now += dt.timedelta(minutes=1)
        look(database, campaign_id, now)
        with database.transaction() as session:
            left = session.execute(text("select count(*) from campaign_waves where not done")).scalar_one()


def timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Seconds and CPU seconds."""
    meter, started = Meter(os.getpid()), time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started, meter.cpu()


def insert_again(database: Database) -> None:
    """The reference."""
    with database.transaction() as session:
        session.execute(AGAIN, {"now": NOW})


def main(contacts: int) -> None:
    """Freeze, queue, and the same rows by themselves."""
    with postgres() as (_, database, _home):
        population.people(database, contacts)
        campaign_id = prepare(database)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        frozen, frozen_cpu = timed(look, database, campaign_id, NOW)
        queued, queued_cpu = timed(queue, database, campaign_id)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        with database.transaction() as session:
            messages = session.execute(text("select count(*) from messages")).scalar_one()
            session.execute(text("truncate messages"))
        bare, bare_cpu = timed(insert_again, database)
        reference = "bare INSERT"
        write(
            "campaign",
            [
                Figure("audience frozen", frozen * 1000, "ms", frozen / bare, reference, frozen_cpu * 1e6 / contacts),
                Figure(f"{messages:,} messages queued", queued * 1000, "ms", queued / bare, reference,
                       queued_cpu * 1e6 / messages),
                Figure("both, CPU", (frozen_cpu + queued_cpu) * 1000, "ms", (frozen_cpu + queued_cpu) / bare_cpu,
                       reference, (frozen_cpu + queued_cpu) * 1e6 / messages),
                Figure("memory of this process, more", grown, "MB"),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
